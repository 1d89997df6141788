"""OVF packages on a real server: an archive that is large, one in the middle of which the server dies, and curl."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live.test_large_guest_files import MIB, peak_bytes, pieces
from tests.support.libraries import SESSIONS, add_item, add_library, announce, begin, complete, done, fetch, kept
from tests.support.packages import archive, descriptor, manifest
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until
from tests.support.vms import refusal

SIZE = 300 * MIB
MOST_GROWN_BYTES = 64 * MIB
DISK = bytes(range(256)) * 4096
FILES = {"a.ovf": descriptor("a.vmdk"), "a.vmdk": DISK}


def header(name: str, size: int) -> bytes:
    """What stands before a file in an archive."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % tarfile.BLOCKSIZE)


def large_archive(digest: hashlib._Hash) -> Iterator[bytes]:
    """An archive with a large disk, whose manifest comes last."""
    yield header("a.ovf", len(FILES["a.ovf"])) + padded(FILES["a.ovf"])
    yield header("a.vmdk", SIZE)
    for piece in pieces(SIZE):
        digest.update(piece)
        yield piece
    said = f"SHA512(a.vmdk)= {digest.hexdigest()}\n".encode()
    yield header("a.mf", len(said)) + padded(said) + bytes(2 * tarfile.BLOCKSIZE)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
def test_an_archive_takes_no_memory(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--workers", "2") as server, server.session() as client:
        item = add_item(client, add_library(client), type="ovf")
        for is_large in (False, True):
            before = {pid: peak_bytes(pid) for pid in server.workers}
            session, digest = begin(client, item), hashlib.sha512()
            sent: Any = large_archive(digest) if is_large else archive(FILES)
            reply = requests.put(announce(client, session, "a.ova"), data=sent, verify=server.verify, timeout=300)
            assert reply.status_code == 200, reply.text
            complete(client, session)
            for pid in server.workers if is_large else ():
                assert peak_bytes(pid) - before[pid] < MOST_GROWN_BYTES
        assert sorted(kept(server).values()) == sorted([len(FILES["a.ovf"]), SIZE])


def stalling(begun: threading.Event, going_on: threading.Event) -> Iterator[bytes]:
    """An archive that stops in the middle of its second disk."""
    text = descriptor("a.vmdk", "b.vmdk")
    yield header("a.ovf", len(text)) + padded(text)
    yield header("a.vmdk", len(DISK)) + padded(DISK)
    yield header("b.vmdk", SIZE)
    yield from pieces(4 * MIB)
    begun.set()
    going_on.wait(60)


def test_a_killed_server_leaves_nothing_of_an_archive(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS)
    begun, going_on = threading.Event(), threading.Event()
    with server, server.session() as client:
        item = add_item(client, add_library(client), type="ovf")
        free = client.read("/api/vcenter/datastore")[0]["free_space"]
        session = begin(client, item)
        address = announce(client, session, "a.ova")

        def send() -> None:
            with suppress(requests.exceptions.RequestException):
                requests.put(address, data=stalling(begun, going_on), verify=server.verify, timeout=60)

        sender = threading.Thread(target=send)
        sender.start()
        assert begun.wait(60)
        # The descriptor and the first disk are there as a whole, the second disk in part.
        wait_until(lambda: len([name for name in kept(server) if not name.endswith(".part")]) == 2, "two files")
        wait_until(lambda: any(size for name, size in kept(server).items() if name.endswith(".part")), "a piece")
        assert [file["name"] for file in client.read(f"{SESSIONS}/{session}/file")] == ["a.ova"]
        server.kill()
        going_on.set()
        sender.join()
    with server, server.session() as client:
        wait_until(lambda: kept(server) == {}, "the cleaning up")
        wait_until(
            lambda: client.read(f"{SESSIONS}/{session}/file/a.ova")["status"] == "ERROR", "the end of the transfer"
        )
        assert client.read("/api/vcenter/datastore")[0]["free_space"] == free
        refused = client.post(f"{SESSIONS}/{session}?action=complete")
        assert refusal(refused)[2] == "com.vmware.vdcs.cls-main.update_session_file_not_received"
        assert client.read(f"/api/content/library/item/{item}/file") == []
        again = announce(client, session, "a.ova")
        assert requests.put(again, data=archive(FILES), verify=server.verify, timeout=60).status_code == 200
        complete(client, session)
        assert {name: fetch(client, server, item, name) for name in FILES} == FILES


def test_an_archive_whose_sender_leaves(shared_server: Server) -> None:
    def leaves() -> Iterator[bytes]:
        text = descriptor("a.vmdk")
        yield header("a.ovf", len(text)) + padded(text)
        yield header("a.vmdk", SIZE)
        yield from pieces(2 * MIB)
        raise ConnectionError("the client has had enough")

    with shared_server.session() as client:
        library = add_library(client, "left archives")
        session = begin(client, add_item(client, library, type="ovf"))
        with pytest.raises(requests.exceptions.RequestException):
            requests.put(announce(client, session, "a.ova"), data=leaves(), verify=shared_server.verify, timeout=60)
        wait_until(
            lambda: client.read(f"{SESSIONS}/{session}/file/a.ova")["status"] == "ERROR", "the end of the transfer"
        )
        assert client.read(f"{SESSIONS}/{session}")["state"] == "ACTIVE"
        done(client.delete(f"/api/content/local-library/{library}"))


def curl(server: Server, client: Client, *arguments: str) -> Any:
    """What the server says to curl."""
    done_by_curl = subprocess.run(
        ["curl", "-sS", "--cacert", server.ca, "-H", f"vmware-api-session-id: {client.token}", *arguments],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return json.loads(done_by_curl.stdout) if done_by_curl.stdout else None


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (Debian: curl)")
def test_a_package_by_curl(shared_server: Server, tmp_path: Path) -> None:
    files = {"a.mf": manifest(FILES), **FILES}
    for name, data in {**files, "a.ova": archive(FILES)}.items():
        (tmp_path / name).write_bytes(data)
    with shared_server.session() as client:
        library = add_library(client, "curled packages")
        base = f"{shared_server.url}{SESSIONS}"

        def post(path: str, body: object) -> Any:
            json_body = ("-H", "Content-Type: application/json", "-d", json.dumps(body))
            return curl(shared_server, client, "-X", "POST", *json_body, f"{base}{path}")

        for item_name, names in (("files", list(files)), ("archive", ["a.ova"])):
            item = add_item(client, library, item_name, "ovf")
            session = post("", {"library_item_id": item})
            states = []
            for name in names:
                added = post(f"/{session}/file", {"name": name, "source_type": "PUSH"})
                # Of a pipe it is not known how long it is.
                subprocess.run(
                    ["curl", "-sSf", "--cacert", shared_server.ca, "-T", "-", added["upload_endpoint"]["uri"]],
                    input=(tmp_path / name).read_bytes(),
                    check=True,
                    timeout=60,
                )
                states.append(curl(shared_server, client, f"{base}/{session}")["preview_info"]["state"])
            assert states[-1] == "AVAILABLE"
            assert post(f"/{session}/file?action=validate", {})["has_errors"] is False
            assert post(f"/{session}?action=complete", {}) is None
            assert {name: fetch(client, shared_server, item, name) for name in FILES} == FILES
        done(client.delete(f"/api/content/local-library/{library}"))
