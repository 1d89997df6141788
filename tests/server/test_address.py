"""Where the server listens, and how that is written."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from resphere.server.address import Address, claimed


@pytest.mark.parametrize(
    ("name", "host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8443"),
        ("::1", "::1", "[::1]:8443"),
        ("[::1]", "::1", "[::1]:8443"),
        ("2001:DB8:0::7", "2001:db8:0::7", "[2001:db8::7]:8443"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "[::ffff:7f00:1]:8443"),
        ("0.0.0.0", "0.0.0.0", "127.0.0.1:8443"),
        ("0", "0.0.0.0", "127.0.0.1:8443"),
        ("127.1", "127.0.0.1", "127.0.0.1:8443"),
        ("::", "::", "[::1]:8443"),
        ("localhost", "127.0.0.1", "localhost:8443"),
        ("vcenter.test", "2001:db8::7", "vcenter.test:8443"),
    ],
)
def test_as_urls_have_it(name: str, host: str, shown: str) -> None:
    assert Address(name, host, 8443).shown == shown


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("nowhere.invalid", "."),
        ("", "it must not be empty"),
        (" ", "."),
        ("127.0.0.1:80", "."),
        ("https://127.0.0.1", "."),
        ("fe80::1%lo", "an address with a zone cannot be listened on"),
        ("x" * 300, "."),
        ("a..b", "."),
        ("192.0.2.1", "."),  # of no machine
    ],
)
@pytest.mark.parametrize("port", [0, 8443])
def test_what_is_no_address_of_this_machine(host: str, reason: str, port: int) -> None:
    with pytest.raises(OSError, match=f"^cannot listen on --host {host} --port {port}: {reason}"), claimed(host, port):
        raise AssertionError(host)


def test_a_free_port_is_kept_meanwhile() -> None:
    with claimed("127.0.0.1", 0) as address:
        assert address.port
        with closing(socket.socket()) as other, pytest.raises(OSError, match="in use"):
            other.bind((address.host, address.port))
        with closing(socket.socket()) as worker:
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind((address.host, address.port))
            worker.listen()
            for _ in range(20):
                socket.create_connection((address.host, address.port)).close()
                worker.accept()[0].close()


def test_a_port_on_which_somebody_listens_is_refused_though_it_could_be_shared() -> None:
    with closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(OSError, match=f"cannot listen on --host localhost --port {port}: .*in use"),
            claimed("localhost", port),
        ):
            raise AssertionError(port)


def test_an_error_of_what_is_done_meanwhile_is_not_one_of_the_address() -> None:
    with pytest.raises(FileNotFoundError), claimed("127.0.0.1", 0):
        raise FileNotFoundError
