"""curl sends files to content libraries and fetches them, in each way that scripts do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.libraries import SESSIONS, add_item, add_library, announce, begin, complete, fetch, path_of, prepared
from tests.support.server import Client, Server, clean_environment

DATA = bytes(range(256)) * 8192

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture
def client(shared_server: Server) -> Iterator[Client]:
    with shared_server.session() as client:
        yield client


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    disc = tmp_path / "disc.iso"
    disc.write_bytes(DATA)
    return disc


def curl(server: Server, path: str, *arguments: str) -> tuple[str, bytes]:
    """Status line and headers, and the body."""
    done = subprocess.run(
        ["curl", "-q", "-sS", "--cacert", server.ca, "-D", "/dev/stderr", *arguments, server.url + path],
        env=clean_environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stderr.decode().lower(), done.stdout


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize(
    "how",
    [
        ("-T", "{}"),
        ("-T", "{}", "-H", "Expect: 100-continue"),
        ("-T", "{}", "-H", "Transfer-Encoding: chunked"),
        ("-X", "POST", "--data-binary", "@{}"),
        ("-X", "POST", "--data-binary", "@{}", "-H", "Content-Type: application/octet-stream"),
        ("-X", "PUT", "-F", "file=@{}"),
        ("-F", "file=@{}", "-H", "Expect: 100-continue"),
        ("-F", "file=@{};type=text/plain"),
    ],
    ids=" ".join,
)
def test_a_file_is_sent(shared_server: Server, client: Client, disc: Path, how: tuple[str, ...], version: str) -> None:
    item = add_item(client, add_library(client))
    session = begin(client, item)
    address = announce(client, session, "disc.iso", size=len(DATA))
    headers, body = curl(shared_server, path_of(address), version, *(part.format(disc) for part in how))
    assert (" 200" in headers.splitlines()[0] or " 100" in headers.splitlines()[0], body) == (True, b"")
    if "Expect: 100-continue" in how and version == "--http1.1":
        assert "100 continue" in headers
    complete(client, session)
    assert fetch(client, shared_server, item, "disc.iso") == DATA


def test_a_refusal_is_told_before_the_file_is_sent(shared_server: Server, client: Client, disc: Path) -> None:
    session = begin(client, add_item(client, add_library(client)))
    address = announce(client, session, "disc.iso", size=1)
    headers, body = curl(shared_server, path_of(address), "-T", str(disc), "-H", "Expect: 100-continue", "--http1.1")
    assert " 400" in headers.splitlines()[0]
    assert b"resphere.content.other_size" in body
    assert client.read(f"{SESSIONS}/{session}/file/disc.iso")["status"] == "ERROR"


def test_parts_and_heads(shared_server: Server, client: Client, disc: Path) -> None:
    item = add_item(client, add_library(client))
    session = begin(client, item)
    curl(shared_server, path_of(announce(client, session, "disc.iso")), "-T", str(disc))
    complete(client, session)
    path = path_of(prepared(client, item, "disc.iso"))
    headers, body = curl(shared_server, path, "-I")
    assert body.lower() == headers.encode()
    assert f"content-length: {len(DATA)}" in headers
    assert "accept-ranges: bytes" in headers
    headers, body = curl(shared_server, path, "-r", "1000-1999")
    assert " 206" in headers.splitlines()[0]
    assert (f"content-range: bytes 1000-1999/{len(DATA)}" in headers, body) == (True, DATA[1000:2000])
    headers, _ = curl(shared_server, path, "-r", f"{len(DATA)}-")
    assert " 416" in headers.splitlines()[0]
    assert f"content-range: bytes */{len(DATA)}" in headers
    half = disc.with_name("half.iso")
    half.write_bytes(DATA[:1_000_000])
    curl(shared_server, path, "-C", "-", "-o", str(half))
    assert half.read_bytes() == DATA


@pytest.mark.skipif(shutil.which("wget") is None, reason="wget is not installed")
def test_wget_goes_on(shared_server: Server, client: Client, disc: Path, tmp_path: Path) -> None:
    item = add_item(client, add_library(client))
    session = begin(client, item)
    curl(shared_server, path_of(announce(client, session, "disc.iso")), "-T", str(disc))
    complete(client, session)
    half = tmp_path / "got" / "disc.iso"
    half.parent.mkdir()
    half.write_bytes(DATA[:1_000_000])
    address = shared_server.url + path_of(prepared(client, item, "disc.iso"))
    command = ["wget", "-q", "-c", "--no-netrc", f"--ca-certificate={shared_server.ca}", address]
    subprocess.run(command, cwd=half.parent, env=clean_environment(), check=True, timeout=60)
    assert half.read_bytes() == DATA
