"""Publishers to subscribe to: folders as VMware's ``make_vcsp_2018.py`` lays them out, on any web server."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, SubscribedLibrary
from resphere.contract.generated.content_library import Item as ItemContract
from resphere.contract.generated.content_library import ItemModel, SubscriptionInfo, Subscriptions
from resphere.inventory.content.subscriptions import SyncRequest
from tests.services.content.libraries import on_datastore
from tests.support.world import World

LibraryId = ids.ContentLibraryId
ItemId = ids.ContentLibraryItemId
Spec = Subscriptions.CreateSpecSubscribedLibrary
Location = Subscriptions.Location
NONE = SubscriptionInfo.AuthenticationMethod.NONE


class PublishedFolder:
    """A folder with an item in each folder in it; :meth:`write` tells of them as the tool does."""

    def __init__(self, folder: Path, *, etags: bool = True, inline: bool = True) -> None:
        self.folder = folder
        self.etags = etags
        self.inline = inline
        self.id = uuid.uuid4()
        self.items: dict[str, dict[str, Any]] = {}
        self.version = 0
        folder.mkdir()

    def put(self, item: str, **files: bytes) -> None:
        """Have an item with those files, by names in which ``_`` stands for a dot."""
        place = self.folder / item
        place.mkdir(exist_ok=True)
        for name, content in files.items():
            (place / name.replace("_", ".")).write_bytes(content)
        known = self.items.setdefault(item, {"id": f"urn:uuid:{uuid.uuid4()}", "version": 1})
        known["version"] += 1

    def remove(self, item: str) -> None:
        """Have it no more."""
        for file in (self.folder / item).iterdir():
            file.unlink()
        (self.folder / item).rmdir()
        del self.items[item]

    def documents(self) -> list[dict[str, Any]]:
        """The items as they are told."""
        return [self.document(name) for name in self.items]

    def document(self, item: str) -> dict[str, Any]:
        """One of them."""
        files = [file for file in sorted((self.folder / item).iterdir()) if file.name != "item.json"]
        whole = hashlib.md5(b"".join(file.read_bytes() for file in files), usedforsecurity=False).hexdigest()
        names = [file.name for file in files]
        kind = "ovf" if any(".ovf" in name for name in names) else "iso" if any(".iso" in n for n in names) else "other"
        return {
            "created": "2020-01-31T10:20Z",
            "description": "",
            "version": str(self.items[item]["version"]),
            "files": [
                {
                    "name": file.name,
                    "size": file.stat().st_size,
                    "etag": whole if self.etags else "",
                    "hrefs": [f"{item}/{file.name}"],
                }
                for file in files
            ],
            "id": self.items[item]["id"],
            "name": item,
            "properties": {},
            "selfHref": f"{item}/item.json",
            "type": f"vcsp.{kind}",
        }

    def write(self, **changed: Any) -> None:
        """Tell of what is there now; ``changed`` fields of the library."""
        self.version += 1
        documents = self.documents()
        for document in documents:
            (self.folder / document["name"] / "item.json").write_text(json.dumps(document))
        if not self.inline:
            documents = [{key: value for key, value in each.items() if key != "files"} for each in documents]
        (self.folder / "items.json").write_text(json.dumps({"items": documents}))
        library = {
            "vcspVersion": "2",
            "version": str(self.version),
            "contentVersion": "1",
            "name": "folder",
            "id": f"urn:uuid:{self.id}",
            "created": "2020-01-31T10:20Z",
            "capabilities": {"transferIn": ["httpGet"], "transferOut": ["httpGet"]},
            "itemsHref": "items.json",
            **changed,
        }
        (self.folder / "lib.json").write_text(json.dumps(library))


Answer = Callable[[SimpleHTTPRequestHandler], bool]
"""Answers a request, or says that it has not."""


def as_it_is(handler: SimpleHTTPRequestHandler) -> bool:
    """Have what is in the folder be the answer."""
    return False


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and counts what it was asked for."""

    def __init__(self, asked: list[str], answer: Answer, *args: Any, **kwargs: Any) -> None:
        self.asked = asked
        self.answer = answer
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        self.asked.append(self.path.lstrip("/"))
        if not self.answer(self):
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def web_server(
    folder: Path,
    asked: list[str] | None = None,
    answer: Answer = as_it_is,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
) -> Iterator[str]:
    """The address of ``lib.json`` in a folder that a web server serves, where ``answer`` does not; ``asked`` gets the
    paths that it was asked."""
    handler = partial(Quiet, [] if asked is None else asked, answer, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}/lib.json"
        finally:
            server.shutdown()
            thread.join()


def subscription(url: str, **fields: Any) -> SubscriptionInfo:
    """That a library subscribes to what is published there."""
    return SubscriptionInfo(**{"subscription_url": url, "authentication_method": NONE, **fields})


def subscribe(world: World, url: str, **fields: Any) -> LibraryId:
    """A new library that subscribes, which has taken nothing yet."""
    spec = LibraryModel(
        name="copies", storage_backings=(on_datastore(world),), subscription_info=subscription(url, **fields)
    )
    return world.call(SubscribedLibrary.create, None, spec)


def subscriber(world: World, **fields: Any) -> Subscriptions.CreateSpec:
    """That a new library is to subscribe."""
    library = Subscriptions.CreateSpecNewSubscribedLibrary(
        name="copies", storage_backings=(on_datastore(world),), automatic_sync_enabled=False, on_demand=False
    )
    given = {"target": Spec.Target.CREATE_NEW, "new_subscribed_library": library, "location": Location.LOCAL}
    return Subscriptions.CreateSpec(subscribed_library=Spec(**{**given, **fields}))


def work_off(world: World) -> None:
    """Do what libraries are asked for."""
    for library in {request.library for request in world.inventory.all(SyncRequest).values()}:
        world.run(world.environment.library_sync.work_off(library))


def sync(world: World, library: LibraryId) -> None:
    """Have a library take what is new."""
    world.call(SubscribedLibrary.sync, library)
    work_off(world)


def items(world: World, library: LibraryId) -> dict[str, ItemModel]:
    """Its items, by name."""
    found = (
        world.call(ItemContract.get, ids.ContentLibraryItemId(id)) for id in world.call(ItemContract.list, library)
    )
    return {item.name or "": item for item in found}
