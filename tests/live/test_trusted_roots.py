"""Trusted root chains vouch for directories and providers that name no authorities of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from resphere.certificates.files import ensure_certificates
from tests.live.test_directories import DIRECTORIES, opens
from tests.live.test_identity_providers import ALICE, PROVIDERS, bearer, spec_of
from tests.support.cli import resphere
from tests.support.oidc_provider import running_provider
from tests.support.server import WITHOUT_TLS, Client, Server
from tests.support.slapd import GROUPS, PEOPLE, READER, READER_PASSWORD, running_slapd

CHAINS = "/api/vcenter/certificate-management/vcenter/trusted-root-chains"


def trust(client: Client, pem: str) -> str:
    """Trust a root; the identifier."""
    made = client.post(CHAINS, json={"cert_chain": {"cert_chain": [pem]}})
    assert made.status_code == 201, made.text
    name: str = made.json()
    return name


def directory(address: str, ca: str | None = None) -> dict[str, object]:
    """A directory, which names ``ca`` where that is given."""
    told: dict[str, object] = {
        "domain": "corp.example.com",
        "type": "GROUP_OF_NAMES",
        "servers": [address],
        "users_base_dn": PEOPLE,
        "groups_base_dn": GROUPS,
        "bind_name": READER,
        "bind_password": READER_PASSWORD,
        "groups": {"staff": ["Administrators@vsphere.local"]},
    }
    return told if ca is None else {**told, "ca": ca}


@pytest.mark.parametrize("way", ["ldaps", "ldap"])
def test_directories(way: str, tmp_path: Path) -> None:
    """By LDAPS and StartTLS, from the moment that the root is trusted, in all workers."""
    with (
        running_slapd(tmp_path / "slapd") as slapd,
        Server(tmp_path / "data", WITHOUT_TLS, "--workers", "2") as server,
        server.session() as client,
    ):
        address = getattr(slapd, way)
        put = client.put(f"{DIRECTORIES}/corp", json=directory(address))
        assert put.status_code == 204, put.text
        assert logins(server) == {503}
        assert "certificate verify failed" in (server.data_dir / "log" / "resphere.log").read_text()
        name = trust(client, slapd.ca)
        assert logins(server) == {201}
        check = resphere("identity", "check", "corp", "--data-dir", str(server.data_dir))
        assert (check.returncode, check.stdout) == (0, f"{address}: answers, and takes {READER}\n")
        assert client.delete(f"{CHAINS}/{name}").status_code == 204
        assert logins(server) == {503}


def logins(server: Server) -> set[int]:
    """What logins of a user of the directory come to, over connections of their own."""
    found = set()
    for _ in range(4):
        with Client(server, None) as anonymous:
            found.add(opens(anonymous, "alice@corp.example.com"))
    return found


def test_a_directory_that_names_its_authorities_trusts_no_others(tmp_path: Path) -> None:
    other = ensure_certificates(tmp_path / "other", (), lambda: datetime.now(UTC))
    assert other.ca_certificate is not None
    with (
        running_slapd(tmp_path / "slapd") as slapd,
        Server(tmp_path / "data", WITHOUT_TLS) as server,
        server.session() as client,
    ):
        trust(client, slapd.ca)
        described = directory(slapd.ldaps, other.ca_certificate.read_text())
        assert client.put(f"{DIRECTORIES}/corp", json=described).status_code == 204
        assert logins(server) == {503}


def test_providers(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "tls", ("127.0.0.1",), lambda: datetime.now(UTC))
    assert files.ca_certificate is not None
    with (
        running_provider({"1": ALICE}, files) as provider,
        Server(tmp_path / "data", WITHOUT_TLS, "--workers", "2") as server,
        server.session() as client,
    ):
        assert provider.issuer.startswith("https:")
        refused = client.post(PROVIDERS, json=spec_of(provider))
        assert (refused.status_code, refused.json()["error_type"]) == (400, "INVALID_ARGUMENT")
        name = trust(client, files.ca_certificate.read_text())
        assert client.post(PROVIDERS, json=spec_of(provider)).status_code == 201
        token = provider.token("1")
        for _ in range(4):
            with Client(server, None) as caller:
                assert caller.get("/api/vcenter/vm", headers=bearer(token)).json()
        check = resphere("identity", "check", "corp", "--data-dir", str(server.data_dir))
        assert check.returncode == 0, check.stdout + check.stderr
        assert client.delete(f"{CHAINS}/{name}").status_code == 204
        check = resphere("identity", "check", "corp", "--data-dir", str(server.data_dir))
        assert check.returncode == 1
        assert "certificate verify failed" in check.stdout
