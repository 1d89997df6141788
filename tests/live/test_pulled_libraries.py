"""Files that a real server fetches into libraries: what they cost in memory, what a power failure leaves of them."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.test_content_libraries import DATA, MOST_GROWN_BYTES, SIZE
from tests.live.test_http import trusting
from tests.live.test_large_guest_files import digest_of_received, peak_bytes, pieces
from tests.ovf.packages import item
from tests.support.libraries import SESSIONS, add_item, add_library, begin, complete, done, fetch, kept, prepared
from tests.support.packages import one_disk
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until
from tests.support.sources import Gate, Site
from tests.support.vms import refusal

FETCHES = ("--fetch-from", "127.0.0.1")
SECONDS = 120


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2", *FETCHES) as server:
        yield server


@pytest.fixture
def server_to_kill(tmp_path: Path) -> Iterator[Server]:
    """As ``server``, for clients that do not hear of its end."""
    with Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS, *FETCHES) as server:
        yield server


def pull(client: Client, session: str, name: str, uri: str, **fields: Any) -> Any:
    """Have a file fetched."""
    spec = {"name": name, "source_type": "PULL", "source_endpoint": {"uri": uri}, **fields}
    return done(client.post(f"{SESSIONS}/{session}/file", json=spec))


def state(client: Client, session: str) -> str:
    found: str = client.read(f"{SESSIONS}/{session}")["state"]
    return found


def ended(client: Client, session: str) -> Any:
    """The session once it is no more active."""
    wait_until(lambda: state(client, session) != "ACTIVE", "the end of the session", SECONDS)
    return client.read(f"{SESSIONS}/{session}")


def test_nothing_is_fetched_without_the_setting(shared_server: Server) -> None:
    with shared_server.session() as client, Site({"/disc.iso": DATA}) as site:
        library = add_library(client, "pulls nothing")
        session = begin(client, add_item(client, library))
        spec = {"name": "a", "source_type": "PULL", "source_endpoint": {"uri": site.url("/disc.iso")}}
        reply = client.post(f"{SESSIONS}/{session}/file", json=spec)
        assert refusal(reply) == (400, "INVALID_ARGUMENT", "resphere.fetching.not_allowed")
        assert "--fetch-from" in reply.text
        assert site.asked == []
        assert client.delete(f"/api/content/local-library/{library}").status_code == 204


def half_written(server: Server) -> str:
    """The name of what is being written, once something of it is; none before."""
    return next((name for name, size in kept(server).items() if name.endswith(".part") and size), "")


def large(digest: Any) -> Any:
    """Sends so many bytes that they would be seen in memory."""

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(SIZE))
        request.end_headers()
        for piece in pieces(SIZE):
            digest.update(piece)
            request.wfile.write(piece)

    return serve


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
def test_what_is_fetched_takes_no_memory(server: Server) -> None:
    sent = hashlib.sha256()
    with (
        server.session() as client,
        httpx.Client(verify=trusting(server), trust_env=False, timeout=60) as http,
        Site({"/warm": DATA, "/large": large(sent)}) as site,
    ):
        library = add_library(client)
        items = {name: add_item(client, library, name) for name in ("warm", "large")}
        for name, item in items.items():
            session = begin(client, item)
            before = {pid: peak_bytes(pid) for pid in server.workers}
            pull(client, session, name, site.url(f"/{name}"))
            complete(client, session)
            assert ended(client, session)["state"] == "DONE"
            for pid in server.workers:
                assert peak_bytes(pid) - before[pid] < MOST_GROWN_BYTES
        assert digest_of_received(http, prepared(client, items["large"], "large"), SIZE) == sent.digest()
        assert sorted(kept(server).values()) == [len(DATA), SIZE]


@pytest.mark.parametrize("completing", [False, True])
def test_a_killed_server_goes_on_with_what_it_fetched(server_to_kill: Server, completing: bool) -> None:
    """Nothing is left of the half that had come: the file is fetched once more."""
    server, gate = server_to_kill, Gate(DATA * 8)
    with Site({"/half": gate}) as site:
        with server.session() as client:
            item = add_item(client, add_library(client))
            session = begin(client, item)
            free = client.read("/api/vcenter/datastore")[0]["free_space"]
            pull(client, session, "half", site.url("/half"))
            if completing:
                complete(client, session)
            assert gate.begun.wait(60)
            wait_until(lambda: half_written(server), "a piece")
            assert client.read(f"{SESSIONS}/{session}/file/half")["status"] == "TRANSFERRING"
            assert client.read("/api/vcenter/datastore")[0]["free_space"] == free - len(gate.content)
            server.kill()
        gate.open()
        with server, server.session() as client:
            if not completing:
                ready = lambda: client.read(f"{SESSIONS}/{session}/file/half")["status"] == "READY"  # noqa: E731
                wait_until(ready, "the end of the transfer", SECONDS)
                complete(client, session)
            assert ended(client, session)["state"] == "DONE"
            assert fetch(client, server, item, "half") == gate.content
            assert client.read(f"/api/content/library/item/{item}")["content_version"] == "2"
            assert client.read("/api/vcenter/datastore")[0]["free_space"] == free - len(gate.content)
            wait_until(lambda: list(kept(server).values()) == [len(gate.content)], "the cleaning up", SECONDS)
    assert len(site.asked) == 2


def test_a_worker_that_is_killed_is_followed_by_another(server: Server) -> None:
    gate = Gate(DATA * 8)
    with Site({"/half": gate}) as site:
        with server.session() as client:
            item = add_item(client, add_library(client))
            session = begin(client, item)
            pull(client, session, "half", site.url("/half"))
            complete(client, session)
        # Its name begins with that of its worker, and that with its process.
        writing = wait_until(lambda: half_written(server), "a piece")
        os.kill(int(writing.partition("-")[0]), signal.SIGKILL)
        gate.open()
        with server.session() as client:
            assert ended(client, session)["state"] == "DONE"
            assert fetch(client, server, item, "half") == gate.content


def test_logs_and_store_show_no_address(server: Server) -> None:
    """It may let in whoever knows it, as those of object storages do."""
    with server.session() as client, Site({"/disc.iso?signature=topsecret": DATA}) as site:
        session = begin(client, add_item(client, add_library(client)))
        uri = site.url("/disc.iso?signature=topsecret")
        assert pull(client, session, "disc.iso", uri)["source_endpoint"] == {"uri": uri}
        complete(client, session)
        assert ended(client, session)["state"] == "DONE"
    server.stop()
    logs = "".join(file.read_text() for file in (server.data_dir / "log").rglob("*") if file.is_file())
    assert "topsecret" not in logs
    assert b"topsecret" not in (server.data_dir / "resphere.db").read_bytes()


def answered(client: Client, path: str, spec: Any) -> str:
    """The id of the task that was begun."""
    reply = client.post(path, json=spec)
    assert reply.status_code == 202, reply.text
    task: str = reply.json()
    return task


def test_a_server_that_is_killed_leaves_nothing_of_a_deployment(server_to_kill: Server) -> None:
    """While the image comes; the disk has come."""
    server, gate = server_to_kill, Gate(DATA * 8)
    drive = item(80, 5) + item(81, 15, "AddressOnParent=0", "HostResource=ovf:/file/iso", "Parent=80")
    text = one_disk("a.vmdk").replace(b"<References>", b'<References><File ovf:id="iso" ovf:href="a.iso"/>')
    text = text.replace(b"</VirtualHardwareSection>", drive.encode() + b"</VirtualHardwareSection>")
    with Site({"/a.ovf": text, "/a.vmdk": b"a disk", "/a.iso": gate}) as site:
        with server.session() as client:
            cluster = client.read("/api/vcenter/cluster")[0]["cluster"]
            spec = {
                "url": site.url("/a.ovf"),
                "name": "from the web",
                "resource_pool": client.read(f"/api/vcenter/cluster/{cluster}")["resource_pool"],
                "vm_home_datastore": {"datastore": client.read("/api/vcenter/datastore")[0]["datastore"]},
            }
            path = "/api/vcenter/ovfs?action=deploy&vmw-task=true"
            task = answered(client, path, spec)
            assert gate.begun.wait(60)
            wait_until(lambda: half_written(server), "a piece")
            assert client.read(f"/api/cis/tasks/{task}")["status"] == "RUNNING"
            server.kill()
        gate.open()
        with server, server.session() as client:
            wait_until(
                lambda: client.read(f"/api/cis/tasks/{task}")["status"] == "FAILED", "the end of the task", SECONDS
            )
            wait_until(lambda: kept(server) == {}, "the cleaning up", SECONDS)
            assert client.read("/api/vcenter/vm?names=from%20the%20web") == []
            again = answered(client, path, spec)
            wait_until(lambda: client.read(f"/api/cis/tasks/{again}")["status"] == "SUCCEEDED", "the VM", SECONDS)
            result = client.read(f"/api/cis/tasks/{again}")["result"]
            [vm] = client.read("/api/vcenter/vm?names=from%20the%20web")
            assert result == {"result_type": "VirtualMachine", "created_entity": vm["vm"]}
            [drive] = client.read(f"/api/vcenter/vm/{vm['vm']}/hardware/cdrom")
            found = client.read(f"/api/vcenter/vm/{vm['vm']}/hardware/cdrom/{drive['cdrom']}")
            assert found["backing"]["iso_file"].endswith("/_deviceImage-0.iso")
            assert sorted(kept(server).values()) == [len(b"a disk"), len(gate.content)]
            client.delete(f"/api/vcenter/vm/{vm['vm']}")
            wait_until(lambda: kept(server) == {}, "the end of the image", SECONDS)
