"""Real proxies in front: whom the server takes for the client, and who gets in by certificate."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from resphere.certificates.issuing import issue_authority, new_key
from tests.support.proxies import EACH_PROXY, NAME, NOW, Clients, Proxy, running
from tests.support.server import ADMINISTRATOR, PASSWORD, WITHOUT_TLS, Server, wait_until

URL = f"https://{NAME}/api"
AT_THE_HANDSHAKE = ("a server's", "for no purpose", "expired", "not yet valid")
"""What some proxies do not even shake hands with."""


def last_record(server: Server, address: str) -> dict[str, str]:
    """The audit record of the call with that user agent."""

    def find() -> dict[str, str] | None:
        for line in (server.data_dir / "log" / "audit.log").read_text().splitlines():
            record: dict[str, str] = json.loads(line)
            if record.get("user_agent") == address:  # anchors have none
                return record
        return None

    found = wait_until(find, "the record")
    assert found is not None
    return found


@pytest.mark.parametrize("proxy", EACH_PROXY)
def test_behind_a_trusted_proxy_the_client_is_known(tmp_path: Path, proxy: Proxy) -> None:
    flags = [WITHOUT_TLS, "--vms", "5", "--trusted-proxy", "127.0.0.1"]
    clients = Clients(tmp_path)
    with Server(tmp_path / "data", *flags) as server, running(proxy, tmp_path, clients.ca, server.port) as client:
        # What the client writes itself stands before what the proxy has seen, and counts for nothing more than that.
        told = {"X-Forwarded-For": "203.0.113.5", "User-Agent": "one", "X-Forwarded-Host": "localhost"}
        reply = client.post(f"{URL}/session", auth=(ADMINISTRATOR, PASSWORD), headers=told, timeout=60)
        assert reply.status_code == 201, reply.text
        # Not to localhost, nor without TLS.
        assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"
        # 127.0.0.1 has connected to the proxy, and is trusted itself in this test: so the one before is the client,
        # where the proxy hands on what stands there.
        address = "127.0.0.1" if proxy.command == "caddy" else "203.0.113.5"
        assert last_record(server, "one")["client"] == address
        # Ids have characters that a proxy may change on their way.
        session = {"vmware-api-session-id": reply.json()}
        category = {"name": "c", "description": "", "cardinality": "SINGLE", "associable_types": []}
        made = client.post(f"{URL}/cis/tagging/category", json=category, headers=session, timeout=60)
        assert made.status_code == 201, made.text
        at = f"{URL}/cis/tagging/category/{quote(made.json(), safe='')}"
        assert client.get(at, headers=session, timeout=60).json()["name"] == "c"
        direct = {**told, "User-Agent": "two", "X-Forwarded-Proto": "https"}
        assert requests.get(f"{server.url}/api/session", headers=direct, timeout=60).status_code == 401
        assert last_record(server, "two")["client"] == "203.0.113.5"


def test_nobody_else_s_word_is_taken(tmp_path: Path) -> None:
    flags = [WITHOUT_TLS, "--vms", "5", "--trusted-proxy", "192.0.2.1"]
    with Server(tmp_path / "data", *flags) as server:
        told = {"X-Forwarded-For": "203.0.113.5", "User-Agent": "one", "X-Forwarded-Proto": "https"}
        reply = requests.get(f"{server.url}/api/session", headers=told, timeout=60)
        assert "Strict-Transport-Security" not in reply.headers
        assert last_record(server, "one")["client"] == "127.0.0.1"


def written(header: str, files: tuple[str, str]) -> str:
    """A certificate as proxies write it, and as anybody can."""
    pem = Path(files[0]).read_text()
    if header == "x-ssl-client-cert":
        return quote(pem)
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    return f":{base64.b64encode(der).decode()}:"


@pytest.mark.parametrize("proxy", EACH_PROXY)
def test_certificates_open_sessions_of_their_users_and_bad_ones_do_not(tmp_path: Path, proxy: Proxy) -> None:
    clients = Clients(tmp_path)
    good, revoked = clients.issue(ADMINISTRATOR), clients.issue(ADMINISTRATOR)
    crl = clients.revoke(revoked)
    flags = [WITHOUT_TLS, "--vms", "5", "--trusted-proxy", "127.0.0.1", "--client-ca", str(clients.ca)]
    flags += ["--client-crl", str(crl), "--client-certificate-header", proxy.header]
    with Server(tmp_path / "data", *flags) as server, running(proxy, tmp_path, clients.ca, server.port) as client:

        def login(files: tuple[str, str] | None, **headers: str) -> requests.Response:
            return client.post(f"{URL}/session", cert=files, headers=headers, timeout=60)

        opened = login(good)
        assert opened.status_code == 201, opened.text
        session = {"vmware-api-session-id": opened.json()}
        info = client.get(f"{URL}/session", headers=session, timeout=60)
        assert info.json()["user"] == ADMINISTRATOR
        # The certificate alone lets nobody do anything else: a browser shows it on behalf of any page.
        assert client.get(f"{URL}/vcenter/vm", cert=good, timeout=60).status_code == 401
        # What a client writes in the proxy's header the proxy deletes, or writes over.
        forged = {proxy.header: written(proxy.header, good)}
        assert login(None, **forged).status_code == 401
        nobody = clients.issue("nobody@vsphere.local")
        assert login(nobody, **forged, **{"Client-Cert-Chain": written("client-cert", good)}).status_code == 401
        assert "account 'nobody@vsphere.local'" in server.errors()
        # Who shows none logs in by password as ever.
        by_password = client.post(f"{URL}/session", auth=(ADMINISTRATOR, PASSWORD), timeout=60)
        assert by_password.status_code == 201, by_password.text
        foreign = issue_authority(clients.root.certificate.subject, new_key(), NOW)
        bad = {
            "another's authority": clients.issue(ADMINISTRATOR, by=foreign),
            "revoked": revoked,
            "expired": clients.issue(ADMINISTRATOR, begins=NOW - timedelta(days=40)),
            "not yet valid": clients.issue(ADMINISTRATOR, begins=NOW + timedelta(days=1)),
            "a server's": clients.issue(ADMINISTRATOR, purpose=ExtendedKeyUsageOID.SERVER_AUTH),
            "for no purpose": clients.issue(ADMINISTRATOR, purpose=None),
            "nobody's": clients.issue("nobody@vsphere.local"),
            "of no name": clients.issue(None),
            "of a name with a line break": clients.issue("administrator\n@vsphere.local"),
        }
        refused = {}
        for what, files in bad.items():
            # As the proxy does, which itself refuses some of them, with 400 or at the handshake.
            shown = {proxy.header: written(proxy.header, files)}
            reply = requests.post(f"{server.url}/api/session", headers=shown, timeout=60)
            refused[what] = (reply.status_code, reply.text)
            try:
                assert login(files).status_code in (400, 401)
            except requests.ConnectionError:
                assert what in AT_THE_HANDSHAKE
        assert {status for status, _ in refused.values()} == {401}
        # Nothing more is said to the caller, everything to the log.
        assert len({text for _, text in refused.values()}) == 1
        for why in (
            "was revoked",
            "has expired",
            "is not valid before",
            "issued by nobody who is trusted",
            "no account",
        ):
            assert why in server.errors()
        # A list that has run out lets nobody in; one that is put there in its stead does.
        clients.revoke(revoked, days=0)
        wait_until(lambda: login(good).status_code == 401, "the refusal")
        clients.revoke(revoked)
        assert login(good).status_code == 201
