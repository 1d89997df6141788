"""The load generator against a server whose answers are known."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.client import Address, Load, Unexpected, ask, basic, body_length, request
from resphere.certificates.files import ensure_certificates


def test_a_request_on_the_wire() -> None:
    assert request("GET", "/a?b", {"x": "y"}) == b"GET /a?b HTTP/1.1\r\nhost: 127.0.0.1\r\nx: y\r\n\r\n"
    assert request("POST", "/a").endswith(b"\r\ncontent-length: 0\r\n\r\n")


def test_the_header_of_a_login() -> None:
    assert basic("u", "p") == {"authorization": "Basic dTpw"}


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nx: y", 12),
        (b"HTTP/1.1 200 OK\r\nContent-Length:7", 7),
        (b"HTTP/1.1 204 No Content\r\nx: y", 0),
    ],
)
def test_how_long_a_body_is(head: bytes, length: int) -> None:
    assert body_length(head) == length


def test_a_body_in_chunks_is_not_understood() -> None:
    with pytest.raises(Unexpected, match="chunks"):
        body_length(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked")


@contextmanager
def answering(folder: Path, answer: bytes) -> Iterator[Address]:
    """A TLS server that gives the same answer to each request, on any number of connections."""
    files = ensure_certificates(folder, ("127.0.0.1",), lambda: datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener, context, answer), daemon=True)
        thread.start()
        yield Address(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def accept(listener: socket.socket, context: ssl.SSLContext, answer: bytes) -> None:
    """Serve each connection in a thread of its own until the listener is shut."""
    threads = []
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            break
        threads.append(threading.Thread(target=serve, args=(context.wrap_socket(plain, server_side=True), answer)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def serve(connection: ssl.SSLSocket, answer: bytes) -> None:
    """One request after the other, each in one piece, until the client hangs up."""
    with connection:
        try:
            while connection.recv(65536):
                connection.sendall(answer)
        except OSError:
            return


BODY = b"x" * 300_000
GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + BODY


def test_one_answer(tmp_path: Path) -> None:
    with answering(tmp_path / "tls", GOOD) as address:
        answer = ask(address, request("GET", "/"))
    assert (answer.status, answer.body) == (200, BODY)


def test_a_load_counts_whole_answers_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with answering(tmp_path / "tls", GOOD) as address:
        load = Load(address, ((request("GET", "/"),),) * 3, 200, Ticks())
        runs = [load.run(10.5), load.run(0)]
        load.close()
    # Each answer takes a tick of the clock: the tenth is the last that is followed by another request.
    assert runs[0].answers == 13
    assert runs[0].seconds == 13
    assert runs[1].answers == 3
    assert [run.body_bytes for run in runs] == [13 * len(BODY), 3 * len(BODY)]


def test_a_request_made_of_the_answer_before_it(tmp_path: Path) -> None:
    made: list[bytes] = []

    def second(body: bytes) -> bytes:
        made.append(body)
        return request("DELETE", "/")

    with answering(tmp_path / "tls", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi") as address:
        load = Load(address, ((request("GET", "/"), second),), (200, 200), Ticks())
        assert load.run(3.5).answers == 4
        with pytest.raises(ValueError, match="zip"):
            Load(address, ((request("GET", "/"),),), (200, 204))
        load.close()
    assert made == [b"hi", b"hi"]


def test_another_status_than_expected_ends_the_load(tmp_path: Path) -> None:
    with answering(tmp_path / "tls", b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n") as address:
        load = Load(address, ((request("GET", "/"),),), 200)
        with pytest.raises(Unexpected, match="expected 200, got"):
            load.run(1)
        load.close()


class Ticks:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self._now = -1.0

    def __call__(self) -> float:
        self._now += 1
        return self._now
