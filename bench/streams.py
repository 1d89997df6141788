"""Readers of streams that cost nothing while they are sent something: they sleep until it has come to all of them.

They share the machine with the server that sends to them: what they save, the server has. When something has come the
kernel notes.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Sequence

from bench.arrivals import NOTE_BYTES, arrival, have_noted
from bench.client import PATIENCE_SECONDS, RECEIVED_AT_ONCE, Address, Unexpected

NAP_SECONDS = 0.06
"""Nobody looks for so long after a change."""


class Reader:
    """One stream over TLS. ``taken`` is when the last piece came of what was taken, in seconds of Unix time."""

    def __init__(self, address: Address, sent: bytes) -> None:
        """Ask for the stream, and take its beginning.

        :raises Unexpected: it is refused.
        """
        self.socket = socket.create_connection((address.host, address.port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        have_noted(self.socket)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=address.host)
        self.taken = 0.0
        try:
            self._begin(sent)
        except BaseException:
            self.close()
            raise

    def take(self) -> None:
        """What has come, as it is."""
        piece, notes, _, _ = self.socket.recvmsg(RECEIVED_AT_ONCE, NOTE_BYTES)
        if not piece:
            raise Unexpected("the server ended a stream")
        moment = arrival(notes)
        if moment is not None:
            self.taken = moment
        self._arrived.write(piece)

    def text(self) -> bytes:
        """What that says."""
        pieces = []
        while True:
            try:
                pieces.append(self._tls.read(RECEIVED_AT_ONCE))
            except ssl.SSLWantReadError:
                return b"".join(pieces)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _begin(self, sent: bytes) -> None:
        self._shake_hands()
        self._tls.write(sent)
        self.socket.sendall(self._leaving.read())
        head = b""
        while b"\r\n\r\n" not in head:
            self.take()
            head += self.text()
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Unexpected(f"no stream: {head[:400]!r}")

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._leaving.read())
                self.take()
            else:
                self.socket.sendall(self._leaving.read())
                return


class Audience:
    """Readers of one server, all of the same stream."""

    def __init__(self, address: Address, sent: Sequence[bytes]) -> None:
        """One reader for each request in ``sent``."""
        self._poll = select.epoll()
        self._readers: dict[int, Reader] = {}
        try:
            for each in sent:
                reader = Reader(address, each)
                reader.socket.setblocking(False)
                self._readers[reader.socket.fileno()] = reader
                self._poll.register(reader.socket.fileno(), select.EPOLLIN)
        except BaseException:
            self.close()
            raise

    def hear(self, words: bytes) -> list[float]:
        """When what has ``words`` in it had come to each reader, in seconds of Unix time.

        It is waited for all of them. :raises Unexpected: somebody waits for it in vain.
        """
        time.sleep(NAP_SECONDS)
        waiting, found = dict(self._readers), []
        heard: dict[int, bytes] = dict.fromkeys(waiting, b"")
        while waiting:
            spoken = self._spoken(waiting)
            for number in spoken:
                heard[number] += waiting[number].text()
                if words in heard[number]:
                    found.append(waiting.pop(number).taken)
        return found

    def drop(self) -> None:
        """Take what has come, whatever it is."""
        while ready := self._poll.poll(0):
            for number, _ in ready:
                self._readers[number].take()
                self._readers[number].text()

    def close(self) -> None:
        """Hang up."""
        for reader in self._readers.values():
            reader.close()
        self._poll.close()

    def _spoken(self, waiting: dict[int, Reader]) -> set[int]:
        """Take what comes until each of them has something, or nobody has for a moment; who had."""
        spoken: set[int] = set()
        while len(spoken) < len(waiting):
            ready = self._poll.poll(PATIENCE_SECONDS if not spoken else MOMENT_SECONDS)
            if not ready:
                break
            for number, _ in ready:
                self._readers[number].take()
                if number in waiting:
                    spoken.add(number)
        if not spoken:
            raise Unexpected("the server keeps silent")
        return spoken


MOMENT_SECONDS = 0.2
"""Nothing comes for so long: what has come is looked at."""
