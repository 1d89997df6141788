"""curl sends files to content libraries and fetches them, in each way that scripts do."""

from __future__ import annotations

import hashlib
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
    path = path_of(prepared_disc(shared_server, client, disc))
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
    half = tmp_path / "got" / "disc.iso"
    half.parent.mkdir()
    half.write_bytes(DATA[:1_000_000])
    address = shared_server.url + path_of(prepared_disc(shared_server, client, disc))
    command = ["wget", "-q", "-c", "--no-netrc", f"--ca-certificate={shared_server.ca}", address]
    subprocess.run(command, cwd=half.parent, env=clean_environment(), check=True, timeout=60)
    assert half.read_bytes() == DATA


@pytest.mark.skipif(shutil.which("wget") is None, reason="wget is not installed")
def test_wget_fetches(shared_server: Server, client: Client, disc: Path, tmp_path: Path) -> None:
    address = shared_server.url + path_of(prepared_disc(shared_server, client, disc))
    got = tmp_path / "got.iso"
    command = ["wget", "-q", "--no-netrc", f"--ca-certificate={shared_server.ca}", "-O", str(got), address]
    subprocess.run(command, env=clean_environment(), check=True, timeout=60)
    assert got.read_bytes() == DATA


@pytest.mark.skipif(shutil.which("aria2c") is None, reason="aria2c is not installed (Debian: aria2)")
def test_aria2_fetches_parts_at_once(shared_server: Server, client: Client, disc: Path, tmp_path: Path) -> None:
    address = shared_server.url + path_of(prepared_disc(shared_server, client, disc))
    digest = hashlib.sha256(DATA).hexdigest()
    command = ["aria2c", "-q", "--no-conf", "--no-netrc", f"--ca-certificate={shared_server.ca}", "-x4", "-s4", "-k1M"]
    command += [f"--checksum=sha-256={digest}", f"--dir={tmp_path}", "--out=got.iso", address]
    subprocess.run(command, env=clean_environment(), check=True, timeout=60)
    assert (tmp_path / "got.iso").read_bytes() == DATA


def test_parts_of_what_has_not_changed(shared_server: Server, client: Client, disc: Path) -> None:
    path = path_of(prepared_disc(shared_server, client, disc))
    headers, _ = curl(shared_server, path, "-I")
    tag = next(line.partition(": ")[2] for line in headers.splitlines() if line.startswith("etag: "))
    for given, status, body in ((tag, " 206", DATA[:10]), ('"another"', " 200", DATA)):
        headers, got = curl(shared_server, path, "-r", "0-9", "-H", f"If-Range: {given}")
        assert (status in headers.splitlines()[0], got) == (True, body), given
    # Several ranges, and one that means nothing: the whole, as HTTP allows.
    for several in ("0-9,20-29", "9-0"):
        headers, got = curl(shared_server, path, "-H", f"Range: bytes={several}")
        assert (" 200" in headers.splitlines()[0], got) == (True, DATA), several
    headers, got = curl(shared_server, path, "-r", "-100")
    assert (" 206" in headers.splitlines()[0], got) == (True, DATA[-100:])


def test_four_at_once_make_a_whole(shared_server: Server, client: Client, disc: Path, tmp_path: Path) -> None:
    address = shared_server.url + path_of(prepared_disc(shared_server, client, disc))
    quarter = len(DATA) // 4
    command = ["curl", "-q", "-sS", "--fail", "--cacert", str(shared_server.ca)]
    parts = [
        subprocess.Popen(
            [*command, "-r", f"{n * quarter}-{(n + 1) * quarter - 1}", "-o", str(tmp_path / f"part{n}"), address],
            env=clean_environment(),
        )
        for n in range(4)
    ]
    assert [part.wait(60) for part in parts] == [0, 0, 0, 0]
    assert b"".join((tmp_path / f"part{n}").read_bytes() for n in range(4)) == DATA


def test_what_comes_in_chunks_is_bounded_by_what_was_announced(
    shared_server: Server, client: Client, disc: Path
) -> None:
    session = begin(client, add_item(client, add_library(client)))
    for size in (len(DATA) - 1, len(DATA) + 1):
        address = announce(client, session, "disc.iso", size=size)
        chunked = ("-T", str(disc), "-H", "Transfer-Encoding: chunked", "--http1.1")
        headers, body = curl(shared_server, path_of(address), *chunked)
        assert " 400" in [line for line in headers.splitlines() if line.startswith("http/")][-1]
        assert b"resphere.content.other_size" in body
    address = announce(client, session, "disc.iso", size=len(DATA))
    curl(shared_server, path_of(address), "-T", str(disc), "-H", "Transfer-Encoding: chunked", "--http1.1")
    complete(client, session)


def test_no_address(shared_server: Server, client: Client, disc: Path) -> None:
    path = path_of(announce(client, begin(client, add_item(client, add_library(client))), "disc.iso"))
    token = path.split("/")[-2]
    wrong = path.replace(token, "00000000-0000-4000-8000-000000000000")
    headers, body = curl(shared_server, wrong, "-T", str(disc), "-H", "Expect: 100-continue", "--http1.1")
    # Before a byte of the file is sent.
    assert " 404" in headers.splitlines()[0]
    assert b"NOT_FOUND" in body


def prepared_disc(server: Server, client: Client, disc: Path) -> str:
    """The address of the file in a new item."""
    item = add_item(client, add_library(client))
    session = begin(client, item)
    curl(server, path_of(announce(client, session, "disc.iso")), "-T", str(disc))
    complete(client, session)
    return prepared(client, item, "disc.iso")
