"""What TLS is agreed on with a running server, and what is refused."""

from __future__ import annotations

import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server, free_port, wait_until


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


def shown(server: Server) -> dict[str, list[str]]:
    """What the API tells of the listener: ciphers by version, and curves."""
    with server.session() as client:
        profile = client.read("/api/appliance/tls/profiles/global")["profile"]
        told = client.read(f"/api/appliance/tls/profiles/{profile}")
    return {each["version"]: each["ciphers"] for each in told["protocol_versions"]} | {"curves": told["curves"]}


def talk(server: Server, *arguments: str) -> str:
    """What OpenSSL's client says of a handshake."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", str(server.ca), *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60).stdout


def test_what_the_api_tells_of_the_listener_is_so(server: Server) -> None:
    told = shown(server)
    # The key of the server's own certificate is of ECDSA.
    for cipher in (each for each in told["tlsv1_2"] if "_ECDSA_" in each):
        name = cipher.removeprefix("TLS_").removesuffix("_SHA256" if "CHACHA20" in cipher else "").replace("_WITH", "")
        name = name.replace("AES_128", "AES128").replace("AES_256", "AES256").replace("_", "-")
        assert agreed(server, ssl.TLSVersion.TLSv1_2, name) == ("TLSv1.2", name)
    for cipher in told["tlsv1_3"]:
        assert f"Cipher is {cipher}" in talk(server, "-tls1_3", "-ciphersuites", cipher)
    for curve in ("x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048"):
        agrees = "Cipher is TLS_" in talk(server, "-tls1_3", "-groups", curve)
        assert agrees is (curve in told["curves"]), curve


def version_at(server: Server, port: int, version: ssl.TLSVersion) -> str | None:
    """What is agreed on at a port, ``None`` where the version is refused."""
    context = ssl.create_default_context(cafile=str(server.ca))
    context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=30) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as secured,
        ):
            return secured.version()
    except ssl.SSLError:
        return None


def test_what_is_set_acts_on_each_port_and_outlives_a_start(tmp_path: Path) -> None:
    port = free_port()
    server = Server(tmp_path / "data", "--vms", "1", "--appliance-port", str(port))
    curves = ["secp256r1"]
    modern = {"protocol_versions": [{"version": "tlsv1_3", "ciphers": ["TLS_AES_256_GCM_SHA384"]}], "curves": curves}
    everything = [{"version": "tlsv1_2", "ciphers": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]}]

    def refused_at(where: int) -> bool:
        return version_at(server, where, ssl.TLSVersion.TLSv1_2) is None

    with server, server.session() as client:
        task = client.request("PUT", "/api/appliance/tls/manual-parameters/global?vmw-task=true", json={"spec": modern})
        assert task.status_code == 202
        of_envoy = "/api/appliance/tls/manual-parameters/services/envoy?vmw-task=true"
        wide = {"protocol_versions": everything, "curves": curves}
        assert client.request("PUT", of_envoy, json={"spec": wide}).status_code == 202
        wait_until(lambda: refused_at(port), "the appliance's port without TLS 1.2")
        assert version_at(server, server.port, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        assert client.request("DELETE", of_envoy).status_code == 202
        wait_until(lambda: refused_at(server.port), "the main port without TLS 1.2")
        assert version_at(server, server.port, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with server:
        assert refused_at(server.port)
        assert refused_at(port)
