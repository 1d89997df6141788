"""Readers of streams against a server whose words are known."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.client import Address, Unexpected, request
from resphere.certificates.files import ensure_certificates

if sys.platform != "linux":
    pytest.skip("streams are waited for with epoll", allow_module_level=True)

from bench.streams import Audience

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
READERS = 3


class Speaker:
    """A TLS server that says to all who are connected what it is told to."""

    def __init__(self, folder: Path, head: bytes = HEAD) -> None:
        files = ensure_certificates(folder, ("127.0.0.1",), lambda: datetime.now(UTC))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.certificate, files.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address(self._listener.getsockname()[1])
        self._head = head
        self.connected: list[ssl.SSLSocket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            for each in self.connected:
                each.sendall(piece)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for each in self.connected:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            connection = self._context.wrap_socket(plain, server_side=True)
            connection.recv(65536)
            connection.sendall(self._head)
            self.connected.append(connection)


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Speaker]:
    made = Speaker(tmp_path)
    yield made
    made.close()


SENT = (request("GET", "/stream"),) * READERS


def test_each_reader_is_timed_by_when_it_has_heard_the_words(speaker: Speaker) -> None:
    audience = Audience(speaker.address, SENT)
    began = time.time()
    speaker.say(b"data: first", b" word\n\n")
    found = audience.hear(b"first word")
    assert len(found) == READERS
    assert all(began < moment < time.time() for moment in found)
    audience.close()


def test_what_was_said_before_is_dropped(speaker: Speaker) -> None:
    audience = Audience(speaker.address, SENT)
    speaker.say(b"old words\n\n")
    audience.hear(b"old words")
    speaker.say(b"old words\n\n")
    audience.drop()
    speaker.say(b"new words\n\n")
    assert len(audience.hear(b"new words")) == READERS
    audience.close()


def test_a_stream_that_ends_is_told(speaker: Speaker) -> None:
    audience = Audience(speaker.address, SENT)
    speaker.connected[0].close()
    with pytest.raises(Unexpected, match="ended a stream"):
        audience.hear(b"nothing")
    audience.close()


def test_a_refusal_is_no_stream(tmp_path: Path) -> None:
    speaker = Speaker(tmp_path, b"HTTP/1.1 401 Unauthorized\r\n\r\n")
    with pytest.raises(Unexpected, match="no stream"):
        Audience(speaker.address, SENT[:1])
    speaker.close()
