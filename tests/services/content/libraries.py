"""Libraries and items to try things on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, LocalLibrary
from resphere.contract.generated.content_library import Item, ItemModel, PublishInfo, StorageBacking
from resphere.contract.generated.content_library_item import (
    DownloadSession,
    DownloadSessionModel,
    TransferEndpoint,
    UpdateSession,
    UpdateSessionModel,
)
from resphere.contract.generated.content_library_item_downloadsession import File as FetchedFile
from resphere.contract.generated.content_library_item_updatesession import File as PushedFile
from resphere.contract.model import Secret
from resphere.inventory.model import Datastore
from tests.support.transfers import Pieces, taken
from tests.support.world import World

UpdateId = ids.ContentLibraryItemUpdateSessionId
DownloadId = ids.ContentLibraryItemDownloadSessionId
Type = StorageBacking.Type
Method = PublishInfo.AuthenticationMethod
TOKEN = "b1946ac9-2c0e-4a5b-8a51-3c8d8d9a6f10"
OTHER = StorageBacking(type=Type.OTHER, storage_uri="nfs://storage.example.org/isos")


def datastores(world: World) -> list[Datastore]:
    """Those of the world, the first one first."""
    return list(world.inventory.all(Datastore).values())


def on_datastore(world: World, number: int = 0) -> StorageBacking:
    """A place on one of the datastores."""
    return StorageBacking(type=Type.DATASTORE, datastore_id=ids.DatastoreId(datastores(world)[number].id))


def spec(world: World, **fields: Any) -> LibraryModel:
    """What a library on the first datastore is to be."""
    return LibraryModel(**{"name": "images", "storage_backings": (on_datastore(world),), **fields})


def add_library(world: World, **fields: Any) -> ids.ContentLibraryId:
    """A new local library."""
    return world.call(LocalLibrary.create, None, spec(world, **fields))


def published(**fields: Any) -> PublishInfo:
    """That a library is published."""
    return PublishInfo(**{"published": True, "authentication_method": Method.NONE, **fields})


def add_item(world: World, library: ids.ContentLibraryId, **fields: Any) -> ids.ContentLibraryItemId:
    """A new item without files."""
    return world.call(Item.create, None, ItemModel(**{"library_id": library, "name": "item", **fields}))


def begin(world: World, item: ids.ContentLibraryItemId) -> UpdateId:
    """A session that changes the item."""
    return world.call(UpdateSession.create, None, UpdateSessionModel(library_item_id=item))


def announce(world: World, session: UpdateId, name: str, **fields: Any) -> tuple[Secret, str]:
    """Token and name in the address of a file that is to be sent."""
    given = {"name": name, "source_type": PushedFile.SourceType.PUSH, **fields}
    return where(world.call(PushedFile.add, session, PushedFile.AddSpec(**given)).upload_endpoint)


def where(endpoint: TransferEndpoint | None) -> tuple[Secret, str]:
    """What stands in an address."""
    assert endpoint is not None
    address = urlsplit(endpoint.uri)
    assert (address.scheme, address.netloc) == ("https", "*")
    _, cls, data, token, name = address.path.split("/")
    assert (cls, data) == ("cls", "data")
    return Secret(token), unquote(name)


def send(world: World, address: tuple[Secret, str], data: bytes, *, announced: int | None = None) -> None:
    """Send a file in pieces; ``announced``: its Content-Length."""
    pieces = Pieces([data[at : at + 10_000] for at in range(0, len(data), 10_000)], announced)
    world.call(ContentTransfers.upload, *address, None, pieces)


def put_files(world: World, item: ids.ContentLibraryItemId, **files: bytes) -> None:
    """Have the item have those files, by names in which ``_`` stands for a dot."""
    put_named_files(world, item, {name.replace("_", "."): data for name, data in files.items()})


def put_named_files(world: World, item: ids.ContentLibraryItemId, files: Mapping[str, bytes]) -> None:
    """Have the item have those files, by names."""
    session = begin(world, item)
    for name, data in files.items():
        send(world, announce(world, session, name), data)
    world.call(UpdateSession.complete, session)
    world.call(UpdateSession.delete, session)


def begin_reading(world: World, item: ids.ContentLibraryItemId) -> DownloadId:
    """A session that reads the item."""
    return world.call(DownloadSession.create, None, DownloadSessionModel(library_item_id=item))


def fetch(world: World, item: ids.ContentLibraryItemId, name: str) -> bytes:
    """A file of the item."""
    session = begin_reading(world, item)
    prepared = world.call(FetchedFile.prepare, session, name, None)
    stream = world.call(ContentTransfers.download, *where(prepared.download_endpoint), None, None)
    return taken(world, stream)


def kept(world: World) -> list[int]:
    """The sizes of all contents that are kept."""
    return sorted(file.stat().st_size for file in world.library_contents.folder.iterdir())
