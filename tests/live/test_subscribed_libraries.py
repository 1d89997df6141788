"""Two real servers that subscribe to each other's libraries, and what a power failure leaves of a sync."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.services.content.publishers import PublishedFolder, web_server
from tests.support.jsonrpc import invocation, session_context
from tests.support.libraries import CONTENT, add_item, add_library, done, fetch, kept, put_file
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until
from tests.support.vms import refusal

PASSWORD = "let me in"
DATA = bytes(range(256)) * 4096
SUBSCRIBED = f"{CONTENT}/subscribed-library"
HERE = ("--fetch-from", "127.0.0.1", "--workers", "2")


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[Server, Client]]:
    """A server that may fetch from this machine, and a session there."""
    with Server(folder, *HERE, *arguments) as server, server.session() as client:
        yield server, client


def publish(client: Client, name: str, **info: Any) -> tuple[str, str]:
    """A published library, and its address."""
    library = add_library(client, name, publish_info={"published": True, "authentication_method": "NONE", **info})
    return library, client.read(f"{CONTENT}/local-library/{library}")["publish_info"]["publish_url"]


def spec_of(client: Client, url: str, **fields: Any) -> dict[str, Any]:
    """What a library is to be that subscribes to ``url``."""
    datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
    return {
        "name": "copies",
        "storage_backings": [{"type": "DATASTORE", "datastore_id": datastore}],
        "subscription_info": {
            "subscription_url": url,
            "authentication_method": "NONE",
            "automatic_sync_enabled": False,
            "on_demand": False,
            **fields,
        },
    }


def subscribe(client: Client, url: str, **fields: Any) -> str:
    """A library that subscribes to ``url``."""
    made: str = done(client.post(SUBSCRIBED, json=spec_of(client, url, **fields)))
    return made


def thumbprint(client: Client, url: str) -> str:
    """That of the certificate which is shown at ``url``, as a look at it tells."""
    info = {"subscription_info": {"subscription_url": url, "authentication_method": "NONE"}}
    found = done(client.post(f"{SUBSCRIBED}?action=probe", json=info))
    assert found["status"] in ("CERTIFICATE_ERROR", "INVALID_CREDENTIALS"), found
    shown: str = found["ssl_thumbprint"]
    return shown


def items(client: Client, library: str) -> dict[str, dict[str, Any]]:
    """The items of a library, by name; a sync that is under way may take some away after they were listed."""
    listed = client.read(f"{CONTENT}/library/item?library_id={library}")
    replies = [client.get(f"{CONTENT}/library/item/{id}") for id in listed]
    assert {reply.status_code for reply in replies} <= {200, 404}
    return {item["name"]: item for item in (reply.json() for reply in replies if reply.status_code == 200)}


def synced(
    client: Client, library: str, is_so: Callable[[dict[str, dict[str, Any]]], bool], seconds: float = 60
) -> Any:
    """The items of a library, once they are so."""
    return wait_until(lambda: (found := items(client, library)) and is_so(found) and found, "the sync", seconds)


def test_two_servers_subscribe_to_each_other(tmp_path: Path) -> None:
    with serving(tmp_path / "one") as (one, at_one), serving(tmp_path / "two") as (two, at_two):
        secret = {"authentication_method": "BASIC", "user_name": "vcsp", "password": PASSWORD}
        first, first_url = publish(at_one, "first", **secret)
        second, second_url = publish(at_two, "second")
        disc = add_item(at_one, first, "disc")
        put_file(at_one, one, disc, "disc.iso", DATA)
        put_file(at_two, two, add_item(at_two, second, "notes", "text"), "notes.txt", b"notes")

        # Nobody vouches for the other one's certificate.
        assert refusal(at_two.post(SUBSCRIBED, json=spec_of(at_two, first_url, **secret)))[:2] == (
            500,
            "RESOURCE_INACCESSIBLE",
        )
        shown = {"ssl_thumbprint": thumbprint(at_two, first_url)}
        assert refusal(at_two.post(SUBSCRIBED, json=spec_of(at_two, first_url, **shown)))[0] == 500
        copies = subscribe(at_two, first_url, **secret, **shown)
        back = subscribe(at_one, second_url, ssl_thumbprint=thumbprint(at_one, second_url), on_demand=True)

        twin = synced(at_two, copies, lambda found: found["disc"]["cached"])["disc"]
        assert (twin["source_id"], twin["size"], twin["content_version"]) == (disc, len(DATA), "2")
        assert fetch(at_two, two, twin["id"], "disc.iso") == DATA
        notes = synced(at_one, back, lambda found: "notes" in found)["notes"]
        assert (notes["cached"], notes["size"]) == (False, 0)
        by_item = f"{CONTENT}/library/subscribed-item/{notes['id']}"
        done(at_one.post(f"{by_item}?action=sync", json={"force_sync_content": True}))
        synced(at_one, back, lambda found: found["notes"]["cached"])
        assert fetch(at_one, one, notes["id"], "notes.txt") == b"notes"
        done(at_one.post(f"{by_item}?action=evict"))
        assert not items(at_one, back)["notes"]["cached"]

        put_file(at_one, one, disc, "disc.iso", DATA[::-1])
        put_file(at_one, one, add_item(at_one, first, "more"), "more.iso", b"more")
        done(at_two.post(f"{SUBSCRIBED}/{copies}?action=sync"))
        synced(at_two, copies, lambda found: "more" in found and found["disc"]["content_version"] == "3")
        assert fetch(at_two, two, twin["id"], "disc.iso") == DATA[::-1]
        done(at_one.delete(f"{CONTENT}/library/item/{disc}"))
        done(at_two.post(f"{SUBSCRIBED}/{copies}?action=sync"))
        synced(at_two, copies, lambda found: "disc" not in found)
        wait_until(lambda: sorted(kept(two).values()) == [4, 5], "the clean-up")

        # Another certificate: what is here stays.
        one.stop()
        shutil.rmtree(one.data_dir / "tls")
        one.start()
        assert refusal(at_two.post(f"{SUBSCRIBED}/{copies}?action=sync"))[:2] == (500, "RESOURCE_INACCESSIBLE")
        assert sorted(items(at_two, copies)) == ["more"]
        for path, library in ((SUBSCRIBED, copies), (f"{CONTENT}/local-library", second)):
            assert at_two.delete(f"{path}/{library}").status_code == 204
        wait_until(lambda: kept(two) == {}, "the clean-up")


def test_what_no_operator_allows_is_not_fetched(shared_server: Server) -> None:
    with shared_server.session() as client:
        spec = spec_of(client, "http://127.0.0.1:9/lib.json")
        assert refusal(client.post(SUBSCRIBED, json=spec)) == (
            500,
            "RESOURCE_INACCESSIBLE",
            "resphere.content.publisher",
        )
        rest = client.post("/rest/com/vmware/content/subscribed-library", json={"create_spec": spec})
        assert (rest.status_code, rest.json()["type"]) == (400, "com.vmware.vapi.std.errors.resource_inaccessible")

        def structure(named: str, /, **fields: Any) -> Any:
            return {"STRUCTURE": {f"com.vmware.content.{named}": fields}}

        info = structure("library.subscription_info", subscription_url={"OPTIONAL": "http://127.0.0.1:9/lib.json"})
        context = session_context(client.token)
        asked = invocation("com.vmware.content.subscribed_library", "probe", {"subscription_info": info}, context)
        (found,) = client.post("/api", json=asked).json()["result"]["output"]["STRUCTURE"].values()
        assert found["status"] == "UNKNOWN_ERROR"
        assert client.read(SUBSCRIBED) == []


def test_own_library_needs_no_leave(shared_server: Server) -> None:
    with shared_server.session() as client:
        source, url = publish(client, "source")
        put_file(client, shared_server, add_item(client, source, "disc"), "disc.iso", DATA)
        library = subscribe(client, url)
        synced(client, library, lambda found: found["disc"]["cached"])
        for path, id in ((SUBSCRIBED, library), (f"{CONTENT}/local-library", source)):
            assert client.delete(f"{path}/{id}").status_code == 204


class SlowPublisher:
    """Serves a folder; of the file that is to be slow it sends half, and no more until it may ``go_on``."""

    def __init__(self, folder: Path, slow: str) -> None:
        self._folder = folder
        self._slow = slow
        self.go_on = threading.Event()
        self.waits = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/lib.json"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self.go_on.set()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            path = connection.recv(65536).split(b" ")[1].decode().lstrip("/")
            content = (self._folder / path).read_bytes()
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
                if path == self._slow:
                    connection.sendall(content[: len(content) // 2])
                    content = content[len(content) // 2 :]
                    self.waits.set()
                    self.go_on.wait(60)
                connection.sendall(content)
            except OSError:
                pass


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowPublisher]:
    folder = PublishedFolder(tmp_path / "published")
    folder.put("disc", disc_iso=DATA)
    folder.write()
    publisher = SlowPublisher(folder.folder, "disc/disc.iso")
    yield publisher
    publisher.close()


def test_a_killed_server_goes_on_with_its_sync(tmp_path: Path, slow: SlowPublisher) -> None:
    server = Server(tmp_path / "data", *HERE, WITHOUT_TLS)
    with server:
        with server.session() as client:
            library = subscribe(client, slow.url)
        assert slow.waits.wait(60)
        server.kill()
        slow.waits.clear()
        server.start()
        with server.session() as client:
            # Nobody has asked again.
            assert slow.waits.wait(60)
            assert not items(client, library)["disc"]["cached"]
            slow.go_on.set()
            item = synced(client, library, lambda found: found["disc"]["cached"])["disc"]
            assert fetch(client, server, item["id"], "disc.iso") == DATA
            wait_until(lambda: list(kept(server).values()) == [len(DATA)], "the clean-up", 90)


def test_worker_that_dies_in_a_sync_is_followed_by_another(tmp_path: Path, slow: SlowPublisher) -> None:
    with Server(tmp_path / "data", *HERE, WITHOUT_TLS) as server:
        with server.session() as client:
            library = subscribe(client, slow.url)
            assert slow.waits.wait(60)
            slow.waits.clear()
            for worker in server.workers:
                # Whichever of them syncs.
                threading.Thread(target=_kill, args=(worker,)).start()
            assert slow.waits.wait(60)
            slow.go_on.set()
        with server.session() as client:
            synced(client, library, lambda found: found["disc"]["cached"])


def _kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def test_thousand_items_of_a_folder(tmp_path: Path) -> None:
    folder = PublishedFolder(tmp_path / "published")
    for number in range(1000):
        folder.put(f"item {number}", **{f"file{number}_txt": b"%d" % number})
    folder.write()
    with web_server(folder.folder) as url, serving(tmp_path / "data") as (server, client):
        library = subscribe(client, url)

        def is_there() -> bool:
            model = client.read(f"{SUBSCRIBED}/{library}")
            return "last_sync_time" in model

        wait_until(is_there, "the sync", 300)
        cached = done(client.post(f"{CONTENT}/library/item?action=find", json={"library_id": library, "cached": True}))
        assert len(cached) == 1000
        sample = items_named(client, library, "item 777")
        assert fetch(client, server, sample, "file777.txt") == b"777"


def items_named(client: Client, library: str, name: str) -> str:
    """The id of the item of that name."""
    (found,) = done(client.post(f"{CONTENT}/library/item?action=find", json={"library_id": library, "name": name}))
    return str(found)


def test_documents_are_plain_json_for_everybody(shared_server: Server) -> None:
    """As any other subscriber reads them: with a HEAD, with ranges, without a session."""
    with shared_server.session() as client:
        library, url = publish(client, "public")
        put_file(client, shared_server, add_item(client, library, "disc"), "disc.iso", DATA)
    ask = requests.Session()
    ask.trust_env = False
    ask.verify = shared_server.verify
    folder = url.removesuffix("lib.json")
    assert ask.get(url, timeout=60).json()["itemsHref"] == "items.json"
    (item,) = json.loads(ask.get(f"{folder}items.json", timeout=60).content)["items"]
    (href,) = item["files"][0]["hrefs"]
    look = ask.head(folder + href, timeout=60)
    assert (look.status_code, look.headers["Content-Length"]) == (200, str(len(DATA)))
    part = ask.get(folder + href, headers={"Range": "bytes=5-9"}, timeout=60)
    assert (part.status_code, part.content) == (206, DATA[5:10])
    assert ask.get(folder + href, timeout=60).content == DATA
    with shared_server.session() as client:
        assert client.delete(f"{CONTENT}/local-library/{library}").status_code == 204
    assert ask.get(url, timeout=60).status_code == 404
