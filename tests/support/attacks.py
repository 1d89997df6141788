"""What somebody without a session may try at a running server: raw connections, and what the server takes for it."""

from __future__ import annotations

import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.server import Server

SECONDS = 60
OPEN_FILES = 16_384


@contextmanager
def many_files() -> Iterator[None]:
    """Let this process open thousands of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Attacker:
    """Opens connections, from an address of its own, and keeps them until it ends."""

    def __init__(self, server: Server, address: str = "127.0.0.1") -> None:
        self._port = server.port
        self._address = address
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._ca = str(server.ca) if server.ca.exists() else None
        self._stack = ExitStack()

    def __enter__(self) -> Attacker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def connect(self, *, receive_buffer_bytes: int | None = None) -> socket.socket:
        """A plain connection."""
        made = self._stack.enter_context(socket.socket())
        if receive_buffer_bytes is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        made.settimeout(SECONDS)
        made.bind((self._address, 0))
        made.connect(("127.0.0.1", self._port))
        return made

    def secure(self, *protocols: str, receive_buffer_bytes: int | None = None) -> ssl.SSLSocket:
        """A connection with TLS, after the handshake."""
        context = self._contexts.get(protocols)
        if context is None:
            context = self._contexts[protocols] = ssl.create_default_context(cafile=self._ca)
            if protocols:
                context.set_alpn_protocols(protocols)
        plain = self.connect(receive_buffer_bytes=receive_buffer_bytes)
        made = context.wrap_socket(plain, server_hostname="127.0.0.1", do_handshake_on_connect=False)
        self._stack.enter_context(made)
        made.do_handshake()
        return made


def resident_bytes(process: int, field: str = "VmRSS") -> int:
    """The memory that a process has now, or ``VmHWM``, the most it ever had."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no {field}")


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has ended the connection; waits until it says something."""
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
