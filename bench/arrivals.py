"""When something came to a socket, as the kernel notes it (``SO_TIMESTAMPNS``, which Linux has): that tells what the
sender has done, and not how long this process took to look."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

SO_TIMESTAMPNS = 35
"""Of Linux, on all but a few processors: ``asm-generic/socket.h``."""
_NOTE = struct.Struct("@qq")
"""Seconds of Unix time, and nanoseconds."""
NOTE_BYTES = socket.CMSG_SPACE(_NOTE.size)


def have_noted(receiver: socket.socket) -> None:
    """Have the kernel note when what is received came."""
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def arrival(notes: Iterable[tuple[int, int, bytes]]) -> float | None:
    """The moment, in seconds of Unix time, that ``recvmsg`` has handed out with what it received."""
    for level, kind, note in notes:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = _NOTE.unpack(note)
            return float(seconds + nanoseconds / 1e9)
    return None
