"""Libraries with many items are deleted: at once for everybody who looks, some items at a time for the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import NotFound
from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library, LocalLibrary
from resphere.contract.generated.content_library import Item, ItemModel, StorageBacking
from resphere.contract.generated.content_library_item import (
    Changes,
    DownloadSession,
    File,
    Storage,
    UpdateSession,
    UpdateSessionModel,
)
from resphere.contract.generated.content_library_item_downloadsession import File as FetchedFile
from resphere.contract.generated.content_library_item_updatesession import File as PushedFile
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import LeavingLibrary
from resphere.inventory.content.sessions import DownloadSession as StoredReading
from resphere.inventory.content.sessions import UpdateSession as StoredChange
from resphere.inventory.content.templates import ItemChange, change_id
from resphere.libraries import cleaning
from resphere.libraries.cleaning import Cleaning
from resphere.libraries.files import LibraryFiles
from resphere.libraries.receiving import Receiving
from resphere.replica.replica import Replica
from resphere.rules.space import free_space
from resphere.store.contents import FolderContents
from tests.replica.worlds import Scripted
from tests.services.content.libraries import (
    TOKEN,
    Type,
    add_item,
    add_library,
    announce,
    begin,
    begin_reading,
    datastores,
    kept,
    put_files,
    send,
    where,
)
from tests.support.invariants import require_sound
from tests.support.loop_times import TimedLoop, no_collection, slowness
from tests.support.racing import race, two_worlds
from tests.support.world import NOW, World

DATA = b"some bytes"
MANY = 10_000
MOST_SECONDS = 0.1
PIECE = 500


@pytest.fixture
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, World]]:
    """Two workers, which delete one item at a time."""
    monkeypatch.setattr(cleaning, "ITEMS_AT_A_TIME", 1)
    with two_worlds(tmp_path) as both:
        yield both


def free(world: World) -> int:
    return free_space(world.inventory, datastores(world)[0])


def three_items(world: World) -> tuple[ids.ContentLibraryId, list[ids.ContentLibraryItemId]]:
    """A library with three items, each with a file."""
    library = add_library(world)
    items = [add_item(world, library, name=f"item {n}") for n in range(3)]
    for item in items:
        put_files(world, item, a_iso=DATA)
    return library, items


def halt_after(world: World, commits: int) -> None:
    """Have the world end for itself after so many more commits: what it does then is canceled."""
    made = 0

    async def count(_: Any) -> None:
        nonlocal made
        made += 1
        if made > commits:
            raise asyncio.CancelledError

    world.inventory._store = Scripted(world.inventory._store, count)


def begin_deletion(world: World, library: ids.ContentLibraryId, commits: int) -> None:
    """Delete a library, and die after so many commits."""
    halt_after(world, commits)
    with suppress(asyncio.CancelledError):
        world.call(LocalLibrary.delete, library)


@pytest.mark.parametrize("commits", [1, 2, 3, 4])
def test_whoever_dies_in_the_middle_another_goes_on(worlds: tuple[World, World], commits: int) -> None:
    one, other = worlds
    before = free(one)
    library, items = three_items(one)
    begin_deletion(one, library, commits)
    other.refresh()
    assert len(other.inventory.all(LibraryItem)) == 4 - commits
    assert list(other.inventory.all(LeavingLibrary)) == [library]
    assert free(other) == before - (4 - commits) * len(DATA)
    require_sound(other.inventory)
    assert other.call(Library.list) == ()
    with pytest.raises(NotFound):
        other.call(Item.get, items[-1])
    other.run(other.environment.library_cleaning.clean_up())
    assert not other.inventory.all(LibraryItem)
    assert not other.inventory.all(LeavingLibrary)
    assert kept(other) == []
    assert free(other) == before
    require_sound(other.inventory)


def test_nobody_sees_what_goes_with_a_library(worlds: tuple[World, World]) -> None:
    one, other = worlds
    library, (*_, item, last) = three_items(one)
    changing, reading = begin(one, item), begin_reading(one, last)
    to = announce(one, changing, "b.iso")
    prepared = one.call(FetchedFile.prepare, reading, "a.iso", None)
    begin_deletion(one, library, 1)
    other.refresh()
    assert len(other.inventory.all(LibraryItem)) == 3
    elsewhere = add_library(other, name="elsewhere")
    again = ItemModel(library_id=elsewhere)
    looks: list[Callable[[], object]] = [
        lambda: other.call(Library.get, library),
        lambda: other.call(LocalLibrary.delete, library),
        lambda: other.call(Item.list, library),
        lambda: other.call(Item.get, item),
        lambda: other.call(Item.update, item, ItemModel(name="new")),
        lambda: other.call(Item.delete, item),
        lambda: other.call(Item.copy, None, item, again),
        lambda: other.call(Item.create, None, ItemModel(library_id=library, name="new")),
        lambda: other.call(File.list, item),
        lambda: other.call(Storage.list, item),
        lambda: other.call(Changes.list, item),
        lambda: other.call(UpdateSession.create, None, UpdateSessionModel(library_item_id=item)),
        lambda: other.call(UpdateSession.get, changing),
        lambda: other.call(UpdateSession.complete, changing),
        lambda: other.call(PushedFile.list, changing),
        lambda: other.call(DownloadSession.get, reading),
        lambda: other.call(FetchedFile.list, reading),
        lambda: send(other, to, DATA),
        lambda: other.call(ContentTransfers.download, *where(prepared.download_endpoint), None, None),
    ]
    for look in looks:
        with pytest.raises(NotFound):
            look()
    assert other.call(Item.find, Item.FindSpec(name="item 1")) == ()
    assert other.call(Item.find, Item.FindSpec(library_id=library)) == ()
    assert other.call(UpdateSession.list, None) == ()
    assert other.call(DownloadSession.list, None) == ()
    assert other.inventory.all(StoredChange)
    assert other.inventory.all(StoredReading)
    target = Ovf.DeploymentTarget(resource_pool_id=ids.ResourcePoolId(other.ids["ResourcePoolId"][0]))
    with pytest.raises(NotFound):
        other.call(Ovf.filter, item, target)
    # Names and tokens are free at once.
    add_item(other, elsewhere, name="item 1")


def test_a_token_is_no_longer_that_of_what_goes(worlds: tuple[World, World]) -> None:
    one, other = worlds
    library = add_library(one)
    one.call(Item.create, TOKEN, ItemModel(library_id=library, name="item"))
    begin_deletion(one, library, 1)
    other.refresh()
    repeated = ItemModel(library_id=library, name="item")
    with pytest.raises(NotFound):
        other.call(Item.create, TOKEN, repeated)


def test_a_datastore_may_go_before_the_items(worlds: tuple[World, World]) -> None:
    one, other = worlds
    store = msgspec.structs.replace(datastores(one)[0], id=ids.DatastoreId("datastore-999"), name="elsewhere")
    one.put(store)
    library = add_library(
        one, storage_backings=(StorageBacking(type=Type.DATASTORE, datastore_id=ids.DatastoreId(store.id)),)
    )
    for n in range(2):
        add_item(one, library, name=f"item {n}")
    begin_deletion(one, library, 1)
    other.refresh()
    other.call(Datastores.delete, ids.DatastoreId(store.id))
    assert other.inventory.all(LeavingLibrary) == {library: LeavingLibrary(id=library)}
    require_sound(other.inventory)
    other.run(other.environment.library_cleaning.clean_up())
    assert not other.inventory.all(LibraryItem)


def test_an_item_that_comes_meanwhile_goes_too(worlds: tuple[World, World]) -> None:
    one, other = worlds
    library, _ = three_items(one)
    other.refresh()
    outcomes = race(
        one,
        other,
        lambda world: world.begin(LocalLibrary.delete, library),
        lambda world: world.begin(Item.create, None, ItemModel(library_id=library, name="late")),
    )
    assert isinstance(outcomes[0], str)
    assert outcomes[1] is None
    for world in worlds:
        world.refresh()
        assert not world.inventory.all(LibraryItem)
        assert not world.inventory.all(LeavingLibrary)
        require_sound(world.inventory)


def test_many_items_hold_nobody_up(tmp_path: Path) -> None:
    loop = TimedLoop()
    with World(tmp_path, loop=loop) as world, no_collection():
        library = add_library(world)
        for first in range(0, MANY, PIECE):
            world.put(*(stored for n in range(first, first + PIECE) for stored in item_with_file(world, library, n)))
        assert len(kept(world)) == MANY
        loop.longest_seconds = 0.0
        world.call(LocalLibrary.delete, library)
        assert loop.longest_seconds / slowness() < MOST_SECONDS
        assert not world.inventory.all(LibraryItem)
        assert not world.inventory.all(ItemChange)
        assert kept(world) == []


def item_with_file(world: World, library: ids.ContentLibraryId, number: int) -> tuple[LibraryItem, ItemChange]:
    """An item with a file of a byte, and how it came to have it."""
    id = ids.ContentLibraryItemId(f"item-{number}")
    content = f"elsewhere.{number}"
    (world.library_contents.folder / content).write_bytes(b"x")
    digests = {File.ChecksumAlgorithm.SHA1: "0" * 40, File.ChecksumAlgorithm.SHA256: "0" * 64}
    file = LibraryFile(name="a", size_bytes=1, content=content, stored_name="a", digests=digests)
    item = LibraryItem(
        id=id, library=library, name=f"item {number}", created=NOW, modified=NOW, content_version=2, files=(file,)
    )
    return item, ItemChange(id=change_id(id, 2), item=id, version=2, time=NOW, user="ann@vsphere.local")


def test_what_dead_workers_left_is_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with World(tmp_path) as world:
        folder = world.library_contents.folder
        contents = FolderContents(folder, "living", lambda name: name != "dead")
        now, random_bytes = world.environment.now, world.environment.random_bytes
        files = LibraryFiles(world.inventory, contents, "living", lambda _: True, now, random_bytes)
        put_files(world, add_item(world, add_library(world)), a_iso=DATA)
        refreshed = []

        def count(replica: Replica) -> Coroutine[Any, Any, None]:
            refreshed.append(replica)
            return refresh(replica)

        refresh = Replica.refresh
        monkeypatch.setattr(Replica, "refresh", count)
        looks = []
        for left in (0, PIECE + 1):
            for number in range(left):
                (folder / f"dead.{number}").touch()
            refreshed.clear()
            world.run(Cleaning(world.inventory, files, Receiving(world.inventory, files)).clean_up())
            looks.append(len(refreshed))
            assert kept(world) == [len(DATA)]
        assert looks[0] == looks[1]
