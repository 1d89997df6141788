"""A load generator that costs little: raw HTTP/1.1 over TLS on kept connections, one thread, no parsing to speak of.

It shares the machine with the server that it loads: what it saves, the server has.
"""

from __future__ import annotations

import base64
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import TypeAlias

import msgspec

RECEIVED_AT_ONCE = 128 * 1024
PATIENCE_SECONDS = 30.0
LENGTH = b"\r\ncontent-length:"

Sent: TypeAlias = bytes | Callable[[bytes], bytes]
"""A request, or what makes one of the body of the answer before it, which came in one piece with its head."""


class Address(msgspec.Struct, frozen=True):
    """Where a server listens."""

    port: int
    host: str = "127.0.0.1"


class Answer(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    body: bytes


class Run(msgspec.Struct, frozen=True):
    """What a load came to."""

    answers: int
    seconds: float
    body_bytes: int


class Unexpected(Exception):
    """The server answered with another status than was asked for, closed a connection or kept silent."""


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    if method == "POST":
        lines.append(f"content-length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body


def basic(user: str, password: str) -> dict[str, str]:
    """The header of a login."""
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def body_length(head: bytes) -> int:
    """How long the body after ``head`` is; none is announced with 204 and 304.

    :raises Unexpected: the body comes in chunks.
    """
    lower = head.lower()
    at = lower.find(LENGTH)
    if at >= 0:
        begin = at + len(LENGTH)
        end = lower.find(b"\r\n", begin)
        return int(lower[begin : end if end >= 0 else None])
    if b"\r\ntransfer-encoding:" in lower:
        raise Unexpected("the answer comes in chunks")
    return 0


def connect(address: Address) -> ssl.SSLSocket:
    """A TLS connection. The servers' certificates are of their own making and are not what is measured.

    :raises OSError: nobody listens.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((address.host, address.port), timeout=PATIENCE_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=address.host)


def ask(address: Address, sent: bytes) -> Answer:
    """One request on a connection of its own.

    :raises OSError: nobody listens.
    """
    with connect(address) as connection:
        connection.sendall(sent)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += _more(connection)
        head, body = received[:end], received[end + 4 :]
        length = body_length(head)
        pieces = [body]
        size = len(body)
        while size < length:
            pieces.append(_more(connection))
            size += len(pieces[-1])
        return Answer(int(head[9:12]), b"".join(pieces))


def _more(connection: ssl.SSLSocket) -> bytes:
    piece = connection.recv(RECEIVED_AT_ONCE)
    if not piece:
        raise Unexpected("the server closed the connection")
    return piece


class Caller:
    """One connection that asks, waits for the whole answer, and asks again."""

    def __init__(self, connection: ssl.SSLSocket, requests: Iterator[tuple[Sent, int]], scratch: memoryview) -> None:
        self.connection = connection
        self._requests = requests
        self._scratch = scratch
        self._missing = -1
        self._expected = 0
        self._body = b""
        self.body_bytes = 0

    def ask(self) -> None:
        """Send the next request: it is small, and the connection has nothing else to send."""
        self._missing = -1
        sent, self._expected = next(self._requests)
        self.connection.send(sent if isinstance(sent, bytes) else sent(self._body))

    def hear(self) -> bool:
        """Take what has come; true when the answer is whole.

        :raises Unexpected: it is not what was expected.
        """
        while True:
            try:
                received = self.connection.recv_into(self._scratch)
            except ssl.SSLWantReadError:
                return False
            if received == 0:
                raise Unexpected("the server closed the connection")
            if self._missing < 0:
                received -= self._begin(bytes(self._scratch[:received]))
            self._missing -= received
            if self._missing == 0:
                return True

    def _begin(self, received: bytes) -> int:
        end = received.find(b"\r\n\r\n")
        head = received[:end]
        if end < 0 or int(head[9:12]) != self._expected:
            raise Unexpected(f"expected {self._expected}, got {received[:400]!r}")
        self._missing = body_length(head)
        self._body = received[end + 4 :]
        self.body_bytes += self._missing
        return end + 4


class Load:
    """Connections to one server, kept from one run to the next.

    ``scripts`` has for each connection the requests that it sends over and over. ``expected`` are the statuses of the
    answers: one for all, or one for each request of a script.
    """

    def __init__(
        self,
        address: Address,
        scripts: Sequence[Sequence[Sent]],
        expected: int | Sequence[int],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._callers = []
        scratch = memoryview(bytearray(RECEIVED_AT_ONCE))
        for script in scripts:
            statuses = [expected] * len(script) if isinstance(expected, int) else expected
            requests = cycle(list(zip(script, statuses, strict=True)))
            caller = Caller(connect(address), requests, scratch)
            caller.connection.setblocking(False)
            self._callers.append(caller)
            self._selector.register(caller.connection, selectors.EVENT_READ, caller)

    def run(self, seconds: float) -> Run:
        """Load the server for so long. All answers are waited for; the time is until the last of them.

        :raises Unexpected: an answer is not as expected.
        """
        before = sum(caller.body_bytes for caller in self._callers)
        start = now = self._clock()
        for caller in self._callers:
            caller.ask()
        asking, answers = len(self._callers), 0
        while asking:
            ready = self._selector.select(PATIENCE_SECONDS)
            if not ready:
                raise Unexpected("the server keeps silent")
            for key, _ in ready:
                caller = key.data
                if not caller.hear():
                    continue
                answers += 1
                now = self._clock()
                if now - start < seconds:
                    caller.ask()
                else:
                    asking -= 1
        return Run(answers, now - start, sum(caller.body_bytes for caller in self._callers) - before)

    def close(self) -> None:
        """Hang up."""
        for caller in self._callers:
            self._selector.unregister(caller.connection)
            caller.connection.close()
        self._selector.close()
