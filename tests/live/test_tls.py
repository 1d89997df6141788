"""What TLS is agreed on with a running server, and what is refused."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("tls")
    with Server(folder / "data", "--vms", "5") as server:
        yield server


def agreed(server: Server, version: ssl.TLSVersion, ciphers: str | None = None) -> tuple[str | None, str]:
    """Version and cipher of a handshake."""
    context = ssl.create_default_context(cafile=str(server.ca))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the versions that are tried in vain
        context.minimum_version = context.maximum_version = version
    # Without the client's own objections.
    context.set_ciphers(f"{ciphers or 'ALL'}:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secured,
    ):
        cipher = secured.cipher()
        assert cipher is not None
        return secured.version(), cipher[0]


def test_versions_from_1_2_are_spoken(server: Server) -> None:
    assert agreed(server, ssl.TLSVersion.TLSv1_3)[0] == "TLSv1.3"
    version, cipher = agreed(server, ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2"
    assert cipher.startswith("ECDHE-ECDSA-")
    assert any(mode in cipher for mode in ("GCM", "CHACHA20"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_earlier_versions_are_refused(server: Server, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError):
        agreed(server, version)


@pytest.mark.parametrize(
    "ciphers",
    [
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA",
        "AES128-GCM-SHA256",
        "AES128-SHA",
        "DHE-RSA-AES128-GCM-SHA256",
    ],
)
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(server: Server, ciphers: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        agreed(server, ssl.TLSVersion.TLSv1_2, ciphers)


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_modern_ciphers_are_taken(server: Server, ciphers: str) -> None:
    assert agreed(server, ssl.TLSVersion.TLSv1_2, ciphers) == ("TLSv1.2", ciphers)
