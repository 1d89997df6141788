"""Addresses, and servers that are not there, do not answer, hang up, or are others than they should be."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from resphere.client import BadInput, Client, ConnectionLost, NoAnswer, TooSlow, Unreachable, UntrustedServer
from resphere.client.connections import target_of, transfer_at
from resphere.contract.generated.vcenter import VM
from tests.client.conftest import Asked
from tests.support.server import Server, free_port

Serve = Callable[[socket.socket], None]
PATIENCE_SECONDS = 60


@contextmanager
def serving(serve: Serve) -> Iterator[str]:
    """The address of a server that does so with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.settimeout(PATIENCE_SECONDS)
                        serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_SECONDS)


def hang(connection: socket.socket) -> None:
    """Read, and never answer."""
    with suppress(OSError):
        while connection.recv(65536):
            pass


def hang_up(connection: socket.socket) -> None:
    """Read a request, and close without an answer."""
    connection.recv(65536)


def reset(connection: socket.socket) -> None:
    """Begin an answer, and reset the connection."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def no_http(connection: socket.socket) -> None:
    """Say something else."""
    connection.recv(65536)
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def failing(kind: str, url: str, timeout_seconds: float = PATIENCE_SECONDS) -> NoAnswer:
    """How a call to that server fails, which is not repeated."""
    asked = Asked(kind, url, session_id="s", timeout_seconds=timeout_seconds, retries=0)
    with pytest.raises(NoAnswer) as caught:
        asked(lambda client: client.vcenter.vm.list())
    asked.close()
    assert str(caught.value)
    return caught.value


def test_a_server_that_hangs(kind: str) -> None:
    with serving(hang) as url:
        error = failing(kind, url, timeout_seconds=0.2)
    assert type(error) is TooSlow
    assert isinstance(error, TimeoutError)
    assert str(error) == f"{url} did not answer in time; the call may have been done, or not."


@pytest.mark.parametrize("serve", [hang_up, reset, no_http])
def test_a_connection_that_breaks(kind: str, serve: Serve) -> None:
    with serving(serve) as url:
        error = failing(kind, url)
    assert type(error) is ConnectionLost
    assert not error.nothing_sent


def test_nobody_listens(kind: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    error = failing(kind, url)
    assert type(error) is Unreachable
    assert error.nothing_sent
    assert str(error) == f"There is no connection to {url}: nobody listens there."


def test_no_such_host(kind: str) -> None:
    error = failing(kind, "https://vcenter.invalid")
    assert type(error) is Unreachable
    assert "no such host" in str(error)


def test_no_tls_at_the_other_end(kind: str) -> None:
    with serving(no_http) as url:
        error = failing(kind, url.replace("http:", "https:"))
    assert type(error) is Unreachable
    assert "TLS fails" in str(error)


def test_a_download_that_breaks(kind: str) -> None:
    with serving(reset) as url:
        asked = Asked(kind, url, session_id="s", retries=0)
        with pytest.raises(ConnectionLost):
            asked(lambda client: client.download("/cls/data/t/a.bin"))
        asked.close()


def test_a_server_by_another_name_than_its_certificate_has(kind: str, shared_server: Server, tmp_path: Path) -> None:
    other = tmp_path / "ca.pem"
    other.write_text(ssl.get_server_certificate(("127.0.0.1", shared_server.port)))
    asked = Asked(kind, shared_server.url, session_id="s", ca_file=other)
    with pytest.raises(UntrustedServer) as caught:
        asked(lambda client: client.vcenter.vm.list())
    asked.close()
    assert shared_server.url in str(caught.value)


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://vc.example.com", "https://vc.example.com"),
        ("vc.example.com", "https://vc.example.com"),
        ("vc.example.com:8443/", "https://vc.example.com:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://proxy.example.com/lab/", "https://proxy.example.com/lab"),
    ],
)
def test_addresses(given: str, meant: str) -> None:
    assert target_of(given).base == meant
    assert Client(given).url == meant


@pytest.mark.parametrize(
    "given", ["", "ftp://a", "https://", "https://a:b", "https://u:p@vc.example.com", "https://[a"]
)
def test_no_addresses(given: str) -> None:
    with pytest.raises(BadInput):
        Client(given)


def test_who_calls_is_said_once_and_wholly(tmp_path: Path) -> None:
    for who in (
        {"user": "a"},
        {"password": "a"},
        {"user": "a", "password": "b", "session_id": "c"},
        {"session_id": "c", "token": "t"},
    ):
        with pytest.raises(BadInput):
            Client("vc.example.com", **who)  # type: ignore[arg-type]
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")
    for ca_file in (empty, tmp_path / "none.pem"):
        with pytest.raises(BadInput, match=ca_file.name):
            Client("vc.example.com", ca_file=ca_file)
    with pytest.raises(BadInput, match="trusts everybody"):
        Client("vc.example.com", ca_file=empty, verify=False)


def test_a_password_is_never_shown() -> None:
    client = Client("vc.example.com", user="alice", password="wonderland")
    assert "wonderland" not in repr(client) + repr(vars(client)) + repr(client._calls._identity)


def test_where_files_are() -> None:
    target = target_of("https://vc.example.com")
    own = transfer_at(target, "https://vc.example.com/cls/data/t/a.bin")
    assert (own.base, own.path, own.is_anonymous) == (None, "/cls/data/t/a.bin", True)
    guest = transfer_at(target, "https://*:443/guestFile?id=1&token=t%2F1")
    assert (guest.base, guest.query) == (None, (("id", "1"), ("token", "t/1")))
    host = transfer_at(target, "https://esx1.example.com/nfc/1/disk.vmdk")
    assert target.address(host) == "https://esx1.example.com/nfc/1/disk.vmdk"
    for wrong in ("ftp://a/b", "a.bin", ""):
        with pytest.raises(BadInput):
            transfer_at(target, wrong)


@pytest.mark.parametrize("value", ["Größe", "two\r\nlines"])
def test_what_cannot_be_written_is_told_before_anything_is_sent(kind: str, value: str) -> None:
    with serving(hang_up) as url:
        asked = Asked(kind, url, session_id="s")
        with pytest.raises(BadInput, match="cannot be sent"):
            asked(lambda client: client.with_options(headers={"X-Name": value}).vcenter.vm.list())
        asked.close()


def test_cookies_are_not_kept() -> None:
    seen: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers.get("cookie"))
        return httpx2.Response(200, json=[], headers={"Set-Cookie": "vmware-api-session-id=s; Path=/"})

    with Client("vc.example.com", session_id="s", transport=httpx2.MockTransport(answer)) as client:
        client.vcenter.vm.list()
        client.vcenter.vm.list()
    assert seen == [None, None]


def test_the_declaration_is_no_input() -> None:
    with Client("vc.example.com", session_id="s") as client, pytest.raises(BadInput, match=r"takes VM\.ListInput"):
        client.call(VM.list, VM.FilterSpec())
