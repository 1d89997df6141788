"""Content libraries on a real server: in each dialect, what they cost in memory, and what a power failure leaves."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from resphere.libraries.cleaning import ITEMS_AT_A_TIME
from tests.live.test_http import trusting
from tests.live.test_large_guest_files import MIB, digest_of_received, digest_of_sent, peak_bytes, pieces
from tests.support.buckets import Stored, StoredInBucket
from tests.support.jsonrpc import invocation, session_context
from tests.support.libraries import (
    SESSIONS,
    add_item,
    add_library,
    announce,
    begin,
    complete,
    done,
    fetch,
    kept,
    prepared,
    put_file,
)
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until
from tests.support.vms import refusal

SIZE = 300 * MIB
MOST_GROWN_BYTES = 64 * MIB
SOME_BYTES = 20 * MIB
"""Of a file that does not come whole: more than the first part that is uploaded to a bucket."""
DATA = bytes(range(256)) * 4096


@pytest.fixture(params=["folder", "bucket"])
def stored(request: pytest.FixtureRequest) -> Stored:
    """Where files lie."""
    return Stored() if request.param == "folder" else StoredInBucket(request.getfixturevalue("s3_service"))


@pytest.fixture
def server(tmp_path: Path, stored: Stored) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2", *stored.flags, environment=stored.environment) as server:
        yield server


@pytest.fixture
def server_to_kill(tmp_path: Path, stored: Stored) -> Iterator[Server]:
    """As ``server``, for clients that do not hear of its end."""
    flags = ("--workers", "2", WITHOUT_TLS, *stored.flags)
    with Server(tmp_path / "data", *flags, environment=stored.environment) as server:
        yield server


def test_api(shared_server: Server) -> None:
    with shared_server.session() as client:
        library = add_library(client, "by api")
        item = add_item(client, library, "disc")
        put_file(client, shared_server, item, "disc.iso", DATA)
        (file,) = client.read(f"/api/content/library/item/{item}/file")
        assert (file["name"], file["size"], file["cached"], file["version"]) == ("disc.iso", len(DATA), True, "1")
        assert client.read(f"/api/content/library/item/{item}/file?name=disc.iso") == file
        (storage,) = client.read(f"/api/content/library/item/{item}/storage?file_name=disc.iso")
        assert storage["storage_uris"][0].startswith("ds:///vmfs/volumes/")
        assert done(client.post("/api/content/library?action=find", json={"name": "BY API"})) == [library]
        failing = begin(client, item)
        # govmomi says nothing of why.
        assert client.post(f"{SESSIONS}/{failing}?action=fail").status_code == 204
        assert client.read(f"{SESSIONS}/{failing}")["state"] == "ERROR"
        assert client.get(f"/api/content/library/item/{library}").status_code == 404
        assert client.delete(f"/api/content/local-library/{library}").status_code == 204
        assert client.get(f"/api/content/library/item/{item}").status_code == 404


def test_rest(shared_server: Server) -> None:
    """What govc sends."""
    base = "/rest/com/vmware/content"
    with shared_server.session() as client:

        def post(path: str, body: Any = None) -> Any:
            reply = client.post(base + path, json={} if body is None else body)
            assert reply.status_code == 200, reply.text
            return reply.json()["value"] if reply.content else None

        datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
        backing = {"type": "DATASTORE", "datastore_id": datastore}
        spec = {"name": "by rest", "type": "LOCAL", "storage_backings": [backing]}
        library = post("/local-library", {"create_spec": spec})
        assert library in client.read(f"{base}/library")["value"]
        info = client.read(f"{base}/library/id:{library}")["value"]
        assert (info["name"], info["type"], info["publish_info"]["published"]) == ("by rest", "LOCAL", False)
        assert post("/library?~action=find", {"spec": {"name": "by rest"}}) == [library]
        item = post("/library/item", {"create_spec": {"library_id": library, "name": "disc", "type": "iso"}})
        session = post("/library/item/update-session", {"create_spec": {"library_item_id": item}})
        files = "/library/item/updatesession/file"
        file_spec = {"name": "disc.iso", "source_type": "PUSH", "size": len(DATA)}
        added = post(f"{files}/id:{session}?~action=add", {"file_spec": file_spec})
        sent = requests.put(added["upload_endpoint"]["uri"], data=DATA, verify=shared_server.verify, timeout=60)
        assert sent.status_code == 200
        got = post(f"{files}/id:{session}?~action=get", {"file_name": "disc.iso"})
        assert (got["status"], got["bytes_transferred"]) == ("READY", len(DATA))
        listed = client.read(f"{base}{files}?update_session_id={session}")["value"]
        assert [each["name"] for each in listed] == ["disc.iso"]
        assert post(f"{files}/id:{session}?~action=validate")["has_errors"] is False
        post(f"/library/item/update-session/id:{session}?~action=complete")
        assert client.read(f"{base}/library/item/update-session/id:{session}")["value"]["state"] == "DONE"
        reading = post("/library/item/download-session", {"create_spec": {"library_item_id": item}})
        of_reading = "/library/item/downloadsession/file"
        assert client.read(f"{base}{of_reading}?download_session_id={reading}")["value"][0]["status"] == "UNPREPARED"
        info = post(f"{of_reading}/id:{reading}?~action=prepare", {"file_name": "disc.iso", "endpoint_type": "HTTPS"})
        address = info["download_endpoint"]["uri"]
        assert requests.get(address, verify=shared_server.verify, timeout=60).content == DATA
        failing = post("/library/item/update-session", {"create_spec": {"library_item_id": item}})
        assert client.post(f"{base}/library/item/update-session/id:{failing}?~action=fail").status_code == 200
        (storage,) = client.read(f"{base}/library/item/storage?library_item_id={item}")["value"]
        assert storage["name"] == "disc.iso"
        # govmomi fails sessions without a word.
        for sessions in ("update-session", "download-session"):
            session = post(f"/library/item/{sessions}", {"create_spec": {"library_item_id": item}})
            path = f"{base}/library/item/{sessions}/id:{session}"
            assert client.post(f"{path}?~action=fail").status_code == 200
            found = client.read(path)["value"]
            told = "The client has given no reason."
            assert (found["state"], found["error_message"]["default_message"]) == ("ERROR", told)
        assert client.delete(f"{base}/local-library/id:{library}").status_code == 200


def test_json_rpc(shared_server: Server) -> None:
    with shared_server.session() as client:
        context = session_context(client.token)

        def call(service: str, operation: str, **fields: Any) -> Any:
            request = invocation(f"com.vmware.content.{service}", operation, fields, context)
            reply = client.post("/api", json=request)
            assert reply.status_code == 200
            return reply.json()["result"]["output"]

        def structure(named: str, /, **fields: Any) -> Any:
            return {"STRUCTURE": {f"com.vmware.content.{named}": fields}}

        backing = structure(
            "library.storage_backing", type={"OPTIONAL": "OTHER"}, storage_uri={"OPTIONAL": "nfs://a/b"}
        )
        spec = structure("library_model", name={"OPTIONAL": "by rpc"}, storage_backings={"OPTIONAL": [backing]})
        library = call("local_library", "create", client_token={"OPTIONAL": None}, create_spec=spec)
        found = call("library", "get", library_id=library)["STRUCTURE"]["com.vmware.content.library_model"]
        assert found["name"] == {"OPTIONAL": "by rpc"}
        spec = structure("library.item_model", name={"OPTIONAL": "disc"}, library_id={"OPTIONAL": library})
        item = call("library.item", "create", client_token={"OPTIONAL": None}, create_spec=spec)
        assert call("library.item", "list", library_id=library) == [item]
        spec = structure("library.item.update_session_model", library_item_id={"OPTIONAL": item})
        session = call("library.item.update_session", "create", client_token={"OPTIONAL": None}, create_spec=spec)
        spec = structure("library.item.updatesession.file.add_spec", name="a.txt", source_type="PUSH")
        added = call("library.item.updatesession.file", "add", update_session_id=session, file_spec=spec)
        info = added["STRUCTURE"]["com.vmware.content.library.item.updatesession.file.info"]
        uri = info["upload_endpoint"]["OPTIONAL"]["STRUCTURE"]["com.vmware.content.library.item.transfer_endpoint"][
            "uri"
        ]
        assert requests.post(uri, data=b"text", verify=shared_server.verify, timeout=60).status_code == 200
        call("library.item.update_session", "complete", update_session_id=session)
        call("library.item.update_session", "delete", update_session_id=session)
        (file,) = call("library.item.file", "list", library_item_id=item)
        assert file["STRUCTURE"]["com.vmware.content.library.item.file.info"]["size"] == 4
        call("local_library", "delete", library_id=library)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(("http2", "announced"), [(False, True), (True, False)])
def test_transfers_take_no_memory(server: Server, stored: Stored, http2: bool, announced: bool) -> None:
    size = SIZE if type(stored) is Stored else SIZE // 2
    with (
        server.session() as client,
        httpx.Client(verify=trusting(server), http2=http2, trust_env=False, timeout=60) as http,
    ):
        item = add_item(client, add_library(client))
        put_file(client, server, item, "warm", DATA)
        assert fetch(client, server, item, "warm") == DATA
        before = {pid: peak_bytes(pid) for pid in server.workers}
        session = begin(client, item)
        headers = {"Content-Length": str(size)} if announced else {}
        sent = digest_of_sent(http, announce(client, session, "large"), size, headers)
        complete(client, session)
        assert digest_of_received(http, prepared(client, item, "large"), size) == sent
        for pid in server.workers:
            assert peak_bytes(pid) - before[pid] < MOST_GROWN_BYTES
        assert sorted(stored.kept(server).values()) == [len(DATA), size]


def stalling(begun: threading.Event, going_on: threading.Event) -> Iterator[bytes]:
    """A body that stops in the middle."""
    yield from pieces(SOME_BYTES)
    begun.set()
    going_on.wait(60)


def test_a_killed_server_leaves_no_half_file(server_to_kill: Server, stored: Stored) -> None:
    server = server_to_kill
    begun, going_on = threading.Event(), threading.Event()
    with server.session() as client:
        item = add_item(client, add_library(client))
        put_file(client, server, item, "whole", DATA)
        session = begin(client, item)
        free = client.read("/api/vcenter/datastore")[0]["free_space"]
        address = announce(client, session, "half", size=SIZE)

        def send() -> None:
            with suppress(requests.exceptions.RequestException):
                requests.put(address, data=stalling(begun, going_on), verify=server.verify, timeout=60)

        sender = threading.Thread(target=send)
        sender.start()
        assert begun.wait(60)
        wait_until(lambda: stored.begun(server), "a piece")
        assert client.read("/api/vcenter/datastore")[0]["free_space"] == free - SIZE
        assert client.read(f"{SESSIONS}/{session}/file/half")["status"] == "TRANSFERRING"
        server.kill()
        going_on.set()
        sender.join()
    with server, server.session() as client:
        wait_until(lambda: len(stored.kept(server)) == 1, "the cleaning up", 60)
        assert fetch(client, server, item, "whole") == DATA
        assert [file["name"] for file in client.read(f"/api/content/library/item/{item}/file")] == ["whole"]
        wait_until(
            lambda: client.read(f"{SESSIONS}/{session}/file/half")["status"] == "ERROR", "the end of the transfer"
        )
        assert client.read("/api/vcenter/datastore")[0]["free_space"] == free
        refused = client.post(f"{SESSIONS}/{session}?action=complete")
        assert refusal(refused)[2] == "com.vmware.vdcs.cls-main.update_session_file_not_received"
        again = announce(client, session, "half")
        assert requests.put(again, data=DATA, verify=server.verify, timeout=60).status_code == 200
        complete(client, session)
        assert fetch(client, server, item, "half") == DATA


def test_what_is_complete_survives(server_to_kill: Server, stored: Stored) -> None:
    server = server_to_kill
    with server.session() as client:
        item = add_item(client, add_library(client))
        session = begin(client, item)
        for name in ("first", "second"):
            address = announce(client, session, name)
            assert requests.put(address, data=DATA, verify=server.verify, timeout=60).status_code == 200
        complete(client, session)
        server.kill()
    with server, server.session() as client:
        info = client.read(f"/api/content/library/item/{item}")
        assert (info["content_version"], info["size"]) == ("2", 2 * len(DATA))
        assert fetch(client, server, item, "first") == fetch(client, server, item, "second") == DATA
        wait_until(lambda: len(stored.kept(server)) == 2, "the cleaning up", 60)


def test_a_library_is_deleted_whole_whoever_is_killed(server_to_kill: Server, stored: Stored) -> None:
    server = server_to_kill
    with server.session() as client:
        free = client.read("/api/vcenter/datastore")[0]["free_space"]
        library = add_library(client)
        item = add_item(client, library)
        put_file(client, server, item, "disc.iso", DATA)
        copying = f"/api/content/library/item/{item}?action=copy"
        for n in range(2 * ITEMS_AT_A_TIME):
            assert client.post(copying, json={"library_id": library, "name": f"{n}"}).status_code == 200
        deletion = threading.Thread(target=delete, args=(client, library))
        deletion.start()
        with server.session() as other:
            wait_until(lambda: other.get(f"/api/content/library/{library}").status_code == 404, "the deletion")
            server.kill()
        deletion.join()
    with server, server.session() as client:
        assert client.get(f"/api/content/library/item/{item}").status_code == 404
        wait_until(lambda: stored.kept(server) == {}, "the end of the items")
        wait_until(lambda: client.read("/api/vcenter/datastore")[0]["free_space"] == free, "the room given back")


def delete(client: Client, library: str) -> None:
    with suppress(requests.exceptions.RequestException):
        client.delete(f"/api/content/local-library/{library}")


def test_a_client_that_leaves_leaves_nothing(server: Server, stored: Stored) -> None:
    def leaves() -> Iterator[bytes]:
        yield from pieces(SOME_BYTES)
        raise ConnectionError("the client has had enough")

    with server.session() as client:
        item = add_item(client, add_library(client))
        session = begin(client, item)
        address = announce(client, session, "half")
        with pytest.raises(requests.exceptions.RequestException):
            requests.put(address, data=leaves(), verify=server.verify, timeout=60)
        wait_until(
            lambda: client.read(f"{SESSIONS}/{session}/file/half")["status"] == "ERROR", "the end of the transfer"
        )
        wait_until(lambda: stored.kept(server) == {}, "the end of what the client has left")
        assert requests.put(address, data=DATA, verify=server.verify, timeout=60).status_code == 200
        complete(client, session)
        assert fetch(client, server, item, "half") == DATA


def test_limits(tmp_path: Path) -> None:
    most = str(len(DATA))
    with Server(tmp_path / "data", "--max-library-file-bytes", most) as server, server.session() as client:
        session = begin(client, add_item(client, add_library(client)))
        address = announce(client, session, "disc.iso")
        announced = requests.put(address, data=DATA + b"x", verify=server.verify, timeout=60)
        assert refusal(announced) == (413, "INVALID_ARGUMENT", "resphere.body_too_large")
        chunked = requests.put(address, data=iter([DATA, b"x"]), verify=server.verify, timeout=60)
        assert chunked.status_code in (400, 413)
        assert kept(server) == {}
        assert requests.put(address, data=DATA, verify=server.verify, timeout=60).status_code == 200


def logged(server: Server) -> str:
    """All that the logs say."""
    return "".join(file.read_text() for file in (server.data_dir / "log").rglob("*") if file.is_file())


def masked_in(server: Server, client: Client) -> str:
    """A token that was used."""
    item = add_item(client, add_library(client))
    put_file(client, server, item, "disc.iso", DATA)
    address = prepared(client, item, "disc.iso")
    assert requests.get(address, verify=server.verify, timeout=60).status_code == 200
    return address.split("/")[-2]


def test_logs_show_no_address(server: Server, stored: Stored) -> None:
    with server.session() as client:
        token = masked_in(server, client)
    server.stop()
    assert "/cls/data/*/disc.iso" in logged(server)
    assert token not in logged(server)
    assert token.encode() not in (server.data_dir / "resphere.db").read_bytes()
    for secret in stored.environment.values():
        if secret not in ("true", os.devnull):
            assert secret not in logged(server) + server.errors()
