"""Certificates of a running server, as those who connect get them, and those of somebody else's authority."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.certificates.files import key_pem
from resphere.certificates.issuing import (
    Authority,
    authority_subject,
    general_name,
    issue_authority,
    issue_server_certificate,
    new_key,
    server_subject,
)
from tests.support.server import Server, wait_until

PATH = "/api/vcenter/certificate-management/vcenter"

WHO = {
    "organization": "Example",
    "organization_unit": "Lab",
    "locality": "Ulm",
    "state_or_province": "BW",
    "country": "DE",
    "email_address": "root@vc.example.test",
}

NAMED: dict[str, Any] = {"common_name": "vc.example.test", "subject_alt_name": ["vc.example.test", "127.0.0.1"]}


def shown(server: Server) -> x509.Certificate:
    """The certificate that a new connection gets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", server.port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secured,
    ):
        content = secured.getpeercert(binary_form=True)
    assert content is not None
    return x509.load_der_x509_certificate(content)


def wait_for_another(server: Server, before: x509.Certificate, workers: int = 1) -> x509.Certificate:
    """Wait until none of so many workers has the certificate of before, and return the one of now."""
    return wait_for_certificate(server, lambda certificate: certificate != before, workers)


def wait_for_certificate(
    server: Server, is_wanted: Callable[[x509.Certificate], bool], workers: int = 1
) -> x509.Certificate:
    """Wait until every new connection gets a certificate that is wanted, and return it.

    A worker takes connections beside its successor until it is told that this serves. So the wanted one is seen first,
    and then that no more processes are there than so many workers.
    """

    def served() -> x509.Certificate | None:
        found = [shown(server) for _ in range(3)]
        return found[0] if all(map(is_wanted, found)) and len(server.workers) == workers else None

    found = wait_until(served, "the serving of another certificate", 90)
    assert found is not None
    return found


def pem(*certificates: x509.Certificate) -> str:
    """Certificates as files and the API have them."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode()


class Foreign:
    """An authority of somebody else's."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.root: Authority = issue_authority(authority_subject("foreign"), new_key(), now)
        self.now = now

    def issue(self, *names: str, now: datetime | None = None, days: int = 90) -> tuple[str, str]:
        """Certificate and key."""
        key = new_key()
        certificate = issue_server_certificate(
            self.root,
            server_subject(names[0]),
            [general_name(name) for name in names],
            key,
            self.now if now is None else now,
            days,
        )
        return pem(certificate), key_pem(key).decode()

    def kept_in(self, folder: Path) -> Path:
        """A file of its root's certificate, for clients."""
        path = folder / "foreign-root.pem"
        path.write_text(pem(self.root.certificate))
        return path

    def sign(self, csr: str) -> str:
        """The certificate that a request asks for."""
        request = x509.load_pem_x509_csr(csr.encode())
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key: Any = request.public_key()
        begins = self.now - timedelta(hours=1)
        builder = x509.CertificateBuilder(self.root.certificate.subject, request.subject, key).serial_number(7)
        builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=90))
        return pem(builder.add_extension(names, critical=False).sign(self.root.key, SHA256()))
