"""A certificate from pebble, the test server of Let's Encrypt."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from resphere.certificates.files import ensure_certificates
from tests.support.certificates import shown, wait_for_certificate
from tests.support.server import Server, clean_environment, free_port, wait_until

PEBBLE, DNS = shutil.which("pebble"), shutil.which("pebble-challtestsrv")
NAMES = ("vc.example.test", "vcenter.example.test")

pytestmark = pytest.mark.skipif(PEBBLE is None or DNS is None, reason="no pebble here (Debian's package)")


@contextmanager
def process(*command: str, folder: Path, **environment: str) -> Iterator[None]:
    with (
        (folder / Path(command[0]).name).with_suffix(".log").open("w") as log,
        subprocess.Popen(command, env={**clean_environment(), **environment}, stdout=log, stderr=log) as running,
    ):
        try:
            yield
        finally:
            running.terminate()


class Pebble:
    """The authority; it asks ``http_port`` of this machine, whatever the name."""

    def __init__(self, folder: Path) -> None:
        self.http_port, self.port, self.dns_port = free_port(), free_port(), free_port()
        self.folder = folder
        self.files = ensure_certificates(folder / "pebble", ("127.0.0.1",), lambda: datetime.now(UTC))
        self.url = f"https://127.0.0.1:{self.port}/dir"

    @contextmanager
    def running(self) -> Iterator[None]:
        assert PEBBLE is not None
        assert DNS is not None
        configuration = self.folder / "pebble.json"
        content = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{free_port()}",
            "certificate": str(self.files.certificate),
            "privateKey": str(self.files.key),
            "httpPort": self.http_port,
            "tlsPort": free_port(),
        }
        configuration.write_text(json.dumps({"pebble": content}))
        dns = [DNS, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{self.dns_port}"]
        dns += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{free_port()}"]
        names = f"127.0.0.1:{self.dns_port}"
        with ExitStack() as stack:
            stack.enter_context(process(*dns, folder=self.folder))
            pebble = [PEBBLE, "-config", str(configuration), "-dnsserver", names]
            stack.enter_context(process(*pebble, folder=self.folder, PEBBLE_VA_NOSLEEP="1"))
            yield

    @property
    def flags(self) -> list[str]:
        """Of the server that is to get its certificate there."""
        flags = ["--acme-directory", self.url, "--acme-email", "root@example.test"]
        flags += ["--acme-http-port", str(self.http_port), "--acme-ca", str(self.files.ca_certificate)]
        return [*flags, *(part for name in NAMES for part in ("--tls-name", name))]


def names_of(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(found.get_values_for_type(x509.DNSName))


def is_pebbles(certificate: x509.Certificate) -> bool:
    return "Pebble" in certificate.issuer.rfc4514_string()


def test_a_certificate_is_obtained_and_served_and_the_account_is_kept(tmp_path: Path) -> None:
    pebble = Pebble(tmp_path)
    with pebble.running(), Server(tmp_path / "data", "--vms", "5", *pebble.flags) as server:
        first = wait_for_certificate(server, is_pebbles)
        assert names_of(first) == set(NAMES)
        account = server.data_dir / "tls" / "acme-account.key"
        assert account.stat().st_mode & 0o777 == 0o600
        before = account.read_bytes()
        server.stop()
        # Another start has it still, and asks for none.
        server.start()
        assert shown(server) == first
        server.stop()
        # One that is gone is obtained by the same account.
        (server.data_dir / "tls" / "installed.pem").unlink()
        server.start()
        assert wait_for_certificate(server, is_pebbles).serial_number != first.serial_number
        assert account.read_bytes() == before


def test_without_the_authority_the_server_serves_its_own_and_says_why(tmp_path: Path) -> None:
    pebble = Pebble(tmp_path)
    with Server(tmp_path / "data", "--vms", "5", *pebble.flags) as server:
        wait_until(lambda: f"no certificate from {pebble.url}" in server.errors(), "the report", 60)
        assert "tried again in 60 s" in server.errors()
        assert "resphere CA" in shown(server).issuer.rfc4514_string()
