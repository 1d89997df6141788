"""A real nginx in front: whom the server takes for the client, and who gets in by certificate."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from resphere.certificates.files import ensure_certificates, key_pem
from resphere.certificates.issuing import Authority, authority_subject, issue_authority, new_key
from tests.support.server import ADMINISTRATOR, PASSWORD, WITHOUT_TLS, Server, clean_environment, free_port, wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
NOW = datetime.now(UTC)

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here (Debian's nginx-light)")

CONFIGURATION = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    # Who trusts whom is seen by the server behind; nginx only sees that the client holds the key.
    ssl_verify_client optional_no_ca;
    location / {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_set_header Host $host:{port};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host:{port};
      proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
    }}
  }}
}}
"""


class Clients:
    """An authority, and the clients that it has given certificates to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root: Authority = issue_authority(authority_subject("clients"), new_key(), NOW)
        self.ca = folder / "client-ca.pem"
        self.ca.write_bytes(self.root.certificate.public_bytes(Encoding.PEM))

    def issue(
        self,
        user: str | None,
        *,
        by: Authority | None = None,
        purpose: ObjectIdentifier | None = ExtendedKeyUsageOID.CLIENT_AUTH,
        begins: datetime = NOW - timedelta(hours=1),
        days: int = 30,
    ) -> tuple[str, str]:
        """The files of a certificate and its key."""
        issuer, key = by or self.root, ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
        serial = x509.random_serial_number()
        builder = x509.CertificateBuilder(issuer.certificate.subject, subject, key.public_key(), serial)
        builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=days))
        if user is not None:
            name = x509.OtherName(UPN, bytes([0x0C, len(user)]) + user.encode())
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        certificate = builder.sign(issuer.key, SHA256())
        paths = self.folder / f"{serial}.pem", self.folder / f"{serial}.key"
        paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key_pem(key))
        return str(paths[0]), str(paths[1])

    def revoke(self, *files: tuple[str, str], days: int = 1) -> Path:
        """A list of those that are revoked."""
        builder = x509.CertificateRevocationListBuilder(self.root.certificate.subject)
        builder = builder.last_update(NOW - timedelta(hours=1)).next_update(NOW + timedelta(days=days))
        for certificate, _ in files:
            serial = x509.load_pem_x509_certificate(Path(certificate).read_bytes()).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW).build()
            builder = builder.add_revoked_certificate(revoked)
        path = self.folder / "clients.crl"
        path.write_bytes(builder.sign(self.root.key, SHA256()).public_bytes(Encoding.PEM))
        return path


@contextmanager
def nginx(folder: Path, behind: int) -> Iterator[str]:
    """A proxy in front of a port; its URL."""
    assert NGINX is not None
    files = ensure_certificates(folder / "tls", ("127.0.0.1",), lambda: NOW)
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, port=port, behind=behind, certificate=files.certificate, key=files.key)
    )
    with subprocess.Popen([NGINX, "-c", str(configuration), "-p", str(folder)], env=clean_environment()) as process:
        try:
            wait_until((folder / "nginx.pid").exists, "nginx")
            yield f"https://127.0.0.1:{port}"
        finally:
            process.terminate()


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


def test_behind_a_trusted_proxy_the_client_is_known(tmp_path: Path) -> None:
    flags = [WITHOUT_TLS, "--vms", "5", "--trusted-proxy", "127.0.0.1"]
    with Server(tmp_path / "data", *flags) as server, nginx(tmp_path, server.port) as url:
        ca = str(tmp_path / "tls" / "ca.pem")
        # What the client writes itself stands before what nginx has seen, and counts for nothing more than that.
        told = {"X-Forwarded-For": "203.0.113.5", "User-Agent": "one", "X-Forwarded-Host": "evil.example.test"}
        reply = requests.post(f"{url}/api/session", auth=(ADMINISTRATOR, PASSWORD), headers=told, verify=ca, timeout=60)
        assert reply.status_code == 201
        assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"
        # 127.0.0.1 has connected to nginx, and is trusted itself in this test: so the one before is the client.
        assert last_record(server, "one")["client"] == "203.0.113.5"
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


def test_certificates_open_sessions_of_their_users_and_bad_ones_do_not(tmp_path: Path) -> None:
    clients = Clients(tmp_path)
    good, revoked = clients.issue(ADMINISTRATOR), clients.issue(ADMINISTRATOR)
    crl = clients.revoke(revoked)
    flags = [WITHOUT_TLS, "--vms", "5", "--trusted-proxy", "127.0.0.1", "--client-ca", str(clients.ca)]
    flags += ["--client-crl", str(crl), "--client-certificate-header", "x-ssl-client-cert"]
    with Server(tmp_path / "data", *flags) as server, nginx(tmp_path, server.port) as url:
        ca = str(tmp_path / "tls" / "ca.pem")

        def login(files: tuple[str, str] | None, **headers: str) -> requests.Response:
            return requests.post(f"{url}/api/session", cert=files, headers=headers, verify=ca, timeout=60)

        opened = login(good)
        assert opened.status_code == 201, opened.text
        session = {"vmware-api-session-id": opened.json()}
        info = requests.get(f"{url}/api/session", headers=session, verify=ca, timeout=60)
        assert info.json()["user"] == ADMINISTRATOR
        # The certificate alone lets nobody do anything else: a browser shows it on behalf of any page.
        assert requests.get(f"{url}/api/vcenter/vm", cert=good, verify=ca, timeout=60).status_code == 401
        # What a client writes in nginx's header nginx writes over.
        pem = Path(good[0]).read_text().replace("\n", "%0A")
        assert login(None, **{"X-SSL-Client-Cert": pem}).status_code == 401
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
            # As nginx does, which itself refuses some of them, with 400.
            shown = {"X-SSL-Client-Cert": quote(Path(files[0]).read_text())}
            reply = requests.post(f"{server.url}/api/session", headers=shown, timeout=60)
            refused[what] = (reply.status_code, reply.text)
            assert login(files).status_code in (400, 401)
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
