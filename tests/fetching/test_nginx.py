"""Files are fetched from nginx as people run it: over TLS, behind passwords, and only where they have changed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1

import pytest

from resphere.fetching.allowed import read_rules
from resphere.fetching.errors import Refused, Untrusted
from resphere.fetching.fetcher import Credentials, Fetched, Fetcher, Wanted
from resphere.fetching.trust import Trust, thumbprint_of
from tests.support.proxies import listens
from tests.support.server import free_port, wait_until
from tests.support.sources import certificate_files

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONTENT = bytes(range(256)) * 4096
MOST = 1 << 24
CONFIGURATION = """\
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
  access_log off;
  gzip on;
  gzip_types *;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    root {folder}/files;
    location /closed/ {{ auth_basic closed; auth_basic_user_file {folder}/passwords; }}
    location /old.iso {{ return 301 /open/disc.iso; }}
  }}
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here (Debian's nginx-light)")


class Site:
    """Where nginx serves, and by which authorities its certificate is good."""

    def __init__(self, port: int, authorities: str) -> None:
        self.address = f"https://127.0.0.1:{port}"
        self.trust = Trust(authorities=authorities)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    assert NGINX is not None
    folder = tmp_path_factory.mktemp("nginx")
    for name in ("open", "closed"):
        (folder / "files" / name).mkdir(parents=True)
        (folder / "files" / name / "disc.iso").write_bytes(CONTENT)
    folder.chmod(0o755)
    digest = b64encode(sha1(b"secret", usedforsecurity=False).digest()).decode()
    (folder / "passwords").write_text(f"me:{{SHA}}{digest}\n")
    files, port = certificate_files(folder / "tls"), free_port()
    assert files.ca_certificate is not None
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, port=port, certificate=files.certificate, key=files.key)
        + ("user root;\n" if os.geteuid() == 0 else "")
    )
    process = subprocess.Popen([NGINX, "-c", str(configuration), "-p", str(folder)])
    try:
        wait_until(lambda: listens(port), "nginx")
        yield Site(port, files.ca_certificate.read_text())
    finally:
        process.terminate()
        process.wait(30)


def got(
    site: Site,
    path: str,
    *,
    trust: Trust | None = None,
    credentials: Credentials | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
) -> tuple[Fetched, bytes]:
    async def fetch() -> tuple[Fetched, bytes]:
        fetcher = Fetcher(read_rules(("127.0.0.1",)))
        wanted = Wanted(site.address + path, MOST, trust or site.trust, credentials, etag, last_modified)
        async with fetcher.fetch(wanted) as answer:
            return answer, b"".join([piece async for piece in answer])

    return asyncio.run(fetch())


def test_a_file(site: Site) -> None:
    answer, content = got(site, "/open/disc.iso")
    assert (answer.size_bytes, content) == (len(CONTENT), CONTENT)
    assert got(site, "/old.iso")[1] == CONTENT


def test_only_where_it_has_changed(site: Site) -> None:
    first, _ = got(site, "/open/disc.iso")
    assert first.etag is not None
    assert first.last_modified is not None
    for again, content in (
        got(site, "/open/disc.iso", etag=first.etag),
        got(site, "/open/disc.iso", last_modified=first.last_modified),
    ):
        assert (again.is_new, content) == (False, b"")
    assert got(site, "/open/disc.iso", etag='"another"')[1] == CONTENT


def test_passwords(site: Site) -> None:
    assert got(site, "/closed/disc.iso", credentials=Credentials("me", "secret"))[1] == CONTENT
    for credentials in (None, Credentials("me", "wrong")):
        with pytest.raises(Refused) as refusal:
            got(site, "/closed/disc.iso", credentials=credentials)
        assert refusal.value.status == 401


def test_the_certificate(site: Site) -> None:
    shown = asyncio.run(Fetcher(read_rules(("127.0.0.1",))).certificate(site.address))
    assert got(site, "/open/disc.iso", trust=Trust(thumbprint=thumbprint_of(shown)))[1] == CONTENT
    with pytest.raises(Untrusted):
        got(site, "/open/disc.iso", trust=Trust())
