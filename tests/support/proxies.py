"""Real proxies in front of a server, each with the configuration that ``docs/proxies.md`` has, and clients of them."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from requests.adapters import HTTPAdapter

from resphere.certificates.files import ensure_certificates, key_pem
from resphere.certificates.issuing import Authority, authority_subject, issue_authority, new_key
from tests.support.server import clean_environment, free_port, wait_until

NAME = "vc.example.com"
"""Of the proxy, as on the page."""
PAGE = Path(__file__).parents[2] / "docs" / "proxies.md"
PLACES = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
APACHE_MODULES = Path("/usr/lib/apache2/modules")
UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
NOW = datetime.now(UTC)

NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {documented}
}}
"""
CADDY = "{{\n\tadmin off\n\tauto_https off\n}}\n{documented}"
APACHE_NEEDS = (
    *("mpm_event", "authz_core", "headers", "proxy", "proxy_http"),
    *("socache_shmcb", "ssl"),
)
APACHE = (
    "ServerRoot {folder}\nPidFile {folder}/apache.pid\nErrorLog {folder}/error.log\n"
    "ServerName localhost\nListen 127.0.0.1:{port}\n"
    + "".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n" for name in APACHE_NEEDS)
    + "{documented}"
)


class Proxy(msgspec.Struct, frozen=True):
    """One proxy: ``language`` names its part of the page, ``around`` what it needs besides, ``header`` how it hands on
    a client's certificate."""

    language: str
    command: str
    package: str
    header: str
    around: str
    run: Callable[[str, Path], list[str]]

    @property
    def found(self) -> str | None:
        """Where it is, ``None`` where it is not."""
        return shutil.which(self.command, path=PLACES)


PROXIES = (
    Proxy(
        *("nginx", "nginx", "nginx-light", "x-ssl-client-cert", NGINX),
        lambda command, file: [command, "-c", str(file), "-p", str(file.parent)],
    ),
    Proxy(
        *("haproxy", "haproxy", "haproxy", "client-cert", "{documented}"),
        lambda command, file: [command, "-db", "-f", str(file)],
    ),
    Proxy(
        *("caddyfile", "caddy", "caddy", "client-cert", CADDY),
        lambda command, file: [command, "run", "--config", str(file), "--adapter", "caddyfile"],
    ),
    Proxy(
        *("apache", "apache2", "apache2", "x-ssl-client-cert", APACHE),
        lambda command, file: [command, "-X", "-f", str(file)],
    ),
)
EACH_PROXY = [
    pytest.param(
        proxy,
        id=proxy.command,
        marks=pytest.mark.skipif(proxy.found is None, reason=f"no {proxy.command} here (Debian's {proxy.package})"),
    )
    for proxy in PROXIES
]


def documented(language: str) -> str:
    """The configuration of the page."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


@contextmanager
def running(proxy: Proxy, folder: Path, clients: Path, behind: int) -> Iterator[requests.Session]:
    """The proxy in front of a port, and a client of it that knows it as ``NAME``; ``clients`` is the file of the
    authorities of its clients."""
    assert proxy.found is not None
    files = ensure_certificates(folder / "tls", (NAME,), lambda: NOW)
    both = folder / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    port = free_port()
    # What the page has for a real one, and what there is here: nothing else is changed.
    changes = {
        "/etc/ssl/vc.pem": str(both),
        "/etc/ssl/vc.key": str(files.key),
        "/etc/ssl/clients.pem": str(clients),
        "127.0.0.1:8443": f"127.0.0.1:{behind}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "bind :443": f"bind 127.0.0.1:{port}",
        ":443": f":{port}",
    }
    any_of_them = re.compile("|".join(map(re.escape, changes)))
    text = any_of_them.sub(lambda found: changes[found[0]], documented(proxy.language))
    file = folder / f"{proxy.command}.conf"
    file.write_text(proxy.around.format(folder=folder, port=port, documented=text))
    environment = {**clean_environment(), "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (
        (folder / f"{proxy.command}.log").open("wb") as log,
        subprocess.Popen(proxy.run(proxy.found, file), env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            wait_until(lambda: process.poll() is not None or listens(port), proxy.command)
            assert process.poll() is None, (folder / f"{proxy.command}.log").read_text()
            with requests.Session() as session:
                session.trust_env = False
                session.verify = str(folder / "tls" / "ca.pem")
                session.headers["Host"] = f"{NAME}:{port}"
                session.mount("https://", ByName(port))
                yield session
        finally:
            process.terminate()


class ByName(HTTPAdapter):
    """Sends all to a port of this machine, whatever the name says that it was asked by."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options, server_hostname=NAME, assert_hostname=NAME)

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """As a client that looks up the name."""
        assert request.url is not None
        request.url = request.url.replace(f"https://{NAME}/", f"https://127.0.0.1:{self._port}/", 1)
        return super().send(request, *arguments, **options)


def listens(port: int) -> bool:
    """Whether somebody does."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


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
