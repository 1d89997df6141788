"""The socket that this process accepts connections from: Granian holds it, and hands it to nobody."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

OPEN_FILES = Path("/dev/fd")


def sockets(port: int) -> list[tuple[int, bool]]:
    """The descriptors of this process that are TCP sockets of the port: whether each of them listens."""
    found = []
    for file in OPEN_FILES.iterdir():
        descriptor = int(file.name)
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            duplicate = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue  # closed meanwhile
        with duplicate:
            try:
                address = duplicate.getsockname()
                if duplicate.family in (socket.AF_INET, socket.AF_INET6) and address[1] == port:
                    found.append((descriptor, bool(duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))))
            except OSError:
                continue  # its other end is gone
    return found


def nobodys_socket() -> socket.socket:
    """A socket that listens where nobody can find it: what accepts from it waits, without end and without an error."""
    made = socket.socket(socket.AF_UNIX)
    with tempfile.TemporaryDirectory() as folder:
        made.bind(f"{folder}/nobody")
        made.listen()
        made.setblocking(False)
    return made
