"""Items: what they are, how they change, and what their files take."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    ConcurrentChange,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library, LibraryModel, LocalLibrary
from resphere.contract.generated.content_library import ConfigurationInfo, Item, ItemModel, Usages
from resphere.contract.generated.content_library_item import File, Storage
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import Datastore
from resphere.rules.space import free_space
from tests.services.content.libraries import (
    OTHER,
    TOKEN,
    add_item,
    add_library,
    datastores,
    fetch,
    kept,
    on_datastore,
    published,
    put_files,
)
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

UNKNOWN = ids.ContentLibraryItemId("00000000-0000-4000-8000-000000000000")
DATA = bytes(range(256)) * 300
LATER = NOW + timedelta(hours=1)


def free(world: World, number: int = 0) -> int:
    """What is left on a datastore."""
    return free_space(world.inventory, datastores(world)[number])


def test_a_new_item(world: World) -> None:
    library = add_library(world)
    id = add_item(world, library, name="tiny", description="a tiny one", type="iso")
    assert msgspec.to_builtins(world.call(Item.get, id)) == {
        "id": id,
        "library_id": library,
        "content_version": "1",
        "creation_time": "2026-01-02T03:04:05Z",
        "description": "a tiny one",
        "last_modified_time": "2026-01-02T03:04:05Z",
        "metadata_version": "1",
        "name": "tiny",
        "cached": True,
        "size": 0,
        "type": "iso",
        "version": "1",
        "security_compliance": True,
        "certificate_verification_info": {"status": "NOT_AVAILABLE"},
    }
    assert world.call(Item.list, library) == (id,)
    assert world.call(File.list, id) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None},
        {"name": ""},
        {"name": "x" * 81},
        {"name": "a\0"},
        {"description": "x" * 2001},
        {"type": "x" * 256},
        {"library_id": None},
    ],
)
def test_what_is_no_item(world: World, fields: dict[str, Any]) -> None:
    library = add_library(world)
    with pytest.raises(InvalidArgument):
        add_item(world, library, **fields)
    assert world.call(Item.list, library) == ()


def test_a_name_is_taken_once_in_a_library(world: World) -> None:
    library, other = add_library(world), add_library(world)
    first = add_item(world, library)
    add_item(world, other)
    second = add_item(world, library, name="Item")
    for refuse in (lambda: add_item(world, library), lambda: world.call(Item.update, second, ItemModel(name="item"))):
        with pytest.raises(AlreadyExists) as error:
            refuse()
        assert refused(error) == (400, "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library")
        assert error.value.messages[0].args == ("item", "images", library)
    world.call(Item.delete, first)
    world.call(Item.update, second, ItemModel(name="item"))


def test_a_call_that_is_repeated_answers_the_same(world: World) -> None:
    library = add_library(world)
    spec = ItemModel(library_id=library, name="item")
    first = world.call(Item.create, TOKEN, spec)
    assert world.call(Item.create, TOKEN, spec) == first
    copy = world.call(Item.copy, TOKEN, first, ItemModel(library_id=library, name="copy"))
    assert world.call(Item.copy, TOKEN, first, ItemModel(library_id=library, name="copy")) == copy != first


def test_finding(world: World) -> None:
    library, other = add_library(world), add_library(world)
    first = add_item(world, library, name="One", type="iso")
    second = add_item(world, other, name="one", type="ISO")
    third = add_item(world, library, name="three")

    def find(**fields: Any) -> set[str]:
        found = world.call(Item.find, Item.FindSpec(**fields))
        return set(found)

    assert find(name="ONE") == find(type="Iso") == {first, second}
    assert find(name="one", library_id=other) == {second}
    assert find(library_id=library) == {first, third}
    assert find(cached=True) == {first, second, third}
    assert find(cached=False) == find(source_id=first) == find(name="none") == find(library_id=UNKNOWN) == set()
    with pytest.raises(InvalidArgument):
        find()


def test_what_is_given_changes(world: World) -> None:
    id = add_item(world, add_library(world))
    before = world.call(Item.get, id)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: LATER)
    world.call(Item.update, id, ItemModel(description="other", type="iso", version="1"))
    after = world.call(Item.get, id)
    assert after == msgspec.structs.replace(
        before, description="other", type="iso", version="2", metadata_version="2", last_modified_time=LATER
    )
    world.call(Item.update, id, ItemModel(type="iso"))
    assert world.call(Item.get, id) == after
    with pytest.raises(ConcurrentChange):
        world.call(Item.update, id, ItemModel(description="late", version="1"))
    with pytest.raises(InvalidArgument):
        world.call(Item.update, id, ItemModel(name=" "))
    assert world.call(Item.get, id) == after


def test_what_there_is_not(world: World) -> None:
    for refuse in (
        lambda: world.call(Item.get, UNKNOWN),
        lambda: world.call(Item.delete, UNKNOWN),
        lambda: world.call(Item.update, UNKNOWN, ItemModel(name="x")),
        lambda: world.call(Item.list, ids.ContentLibraryId(UNKNOWN)),
        lambda: add_item(world, ids.ContentLibraryId(UNKNOWN)),
        lambda: world.call(Item.copy, None, UNKNOWN, ItemModel(library_id=add_library(world))),
        lambda: world.call(File.list, UNKNOWN),
        lambda: world.call(Storage.list, UNKNOWN),
        lambda: world.call(File.get, add_item(world, add_library(world)), "none"),
        lambda: world.call(Storage.get, add_item(world, add_library(world)), "none"),
    ):
        with pytest.raises(NotFound):
            refuse()


def test_files_and_where_they_lie(world: World) -> None:
    library = add_library(world)
    id = add_item(world, library)
    put_files(world, id, disc_iso=DATA, notes_txt=b"")
    first, second = world.call(File.list, id)
    assert (first.name, first.size, first.version, first.cached) == ("disc.iso", len(DATA), "1", True)
    assert first == world.call(File.get, id, "disc.iso")
    assert msgspec.to_builtins(second.checksum_info) == {
        "algorithm": "SHA256",
        "checksum": hashlib.sha256(b"").hexdigest(),
    }
    (storage,) = world.call(Storage.get, id, "disc.iso")
    assert storage in world.call(Storage.list, id)
    assert storage.storage_backing == on_datastore(world)
    (uri,) = storage.storage_uris
    place, _, guid = uri.partition("?serverId=")
    assert guid == world.environment.product.instance_uuid
    folder, _, name = place.rpartition("/")
    assert folder == f"{datastores(world)[0].url}/contentlib-{library}/{id}"
    assert "//contentlib-" in place
    assert name.startswith("disc_")
    assert name.endswith(".iso")
    other = add_item(world, add_library(world, storage_backings=(OTHER,)))
    put_files(world, other, disc_iso=DATA)
    (uri,) = world.call(Storage.get, other, "disc.iso")[0].storage_uris
    assert uri.startswith("nfs://storage.example.org/isos/contentlib-")


def test_files_take_room_which_comes_back(world: World) -> None:
    before = free(world)
    library = add_library(world)
    id = add_item(world, library)
    put_files(world, id, disc_iso=DATA)
    assert free(world) == before - len(DATA)
    assert world.call(Item.get, id).size == len(DATA)
    put_files(world, id, disc_iso=DATA[:1000])
    assert free(world) == before - 1000
    assert kept(world) == [1000]
    put_files(world, id, more_txt=b"more")
    assert [(file.name, file.version) for file in world.call(File.list, id)] == [("disc.iso", "2"), ("more.txt", "1")]
    info = world.call(Item.get, id)
    assert (info.content_version, info.version, info.metadata_version) == ("4", "1", "1")
    world.call(Item.delete, id)
    assert (free(world), kept(world)) == (before, [])
    put_files(world, add_item(world, library), disc_iso=DATA)
    world.call(LocalLibrary.delete, library)
    assert (free(world), kept(world)) == (before, [])
    assert not world.inventory.all(LibraryItem)


def test_a_copy_has_the_same_bytes_and_room_of_its_own(world: World) -> None:
    before, other_before = free(world), free(world, 1)
    library = add_library(world)
    other = add_library(world, storage_backings=(on_datastore(world, 1),))
    source = add_item(world, library, description="kept", type="iso")
    put_files(world, source, disc_iso=DATA)
    copy = world.call(Item.copy, None, source, ItemModel(library_id=other))
    info = world.call(Item.get, copy)
    assert (info.name, info.description, info.type, info.size) == ("item", "kept", "iso", len(DATA))
    assert (free(world), free(world, 1)) == (before - len(DATA), other_before - len(DATA))
    assert kept(world) == [len(DATA)]
    world.call(Item.delete, source)
    assert kept(world) == [len(DATA)]
    assert fetch(world, copy, "disc.iso") == DATA
    with pytest.raises(InvalidArgument) as error:
        world.call(Item.copy, None, copy, ItemModel(library_id=other))
    assert refused(error)[1] == "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library"


def fill(world: World, number: int, left: int) -> Datastore:
    """A datastore on which so many bytes are left."""
    store = datastores(world)[number]
    return world.change(store, other_used=store.other_used + free_space(world.inventory, store) - left)


def test_no_room_for_a_copy(world: World) -> None:
    source = add_item(world, add_library(world))
    put_files(world, source, disc_iso=DATA)
    other = add_library(world, storage_backings=(on_datastore(world, 1),))
    fill(world, 1, len(DATA) - 1)
    with pytest.raises(ResourceInaccessible) as error:
        world.call(Item.copy, None, source, ItemModel(library_id=other))
    assert refused(error) == (500, "resphere.vm.disk.no_room")
    assert world.call(Item.list, other) == ()
    fill(world, 1, len(DATA))
    world.call(Item.copy, None, source, ItemModel(library_id=other))


def test_a_library_moves_with_its_items(world: World) -> None:
    before, other_before = free(world), free(world, 1)
    library = add_library(world)
    item = add_item(world, library)
    put_files(world, item, disc_iso=DATA)
    world.call(Library.migrate, library, Library.MigrateSpec(storage_backings=(on_datastore(world, 1),)))
    assert (free(world), free(world, 1)) == (before, other_before - len(DATA))
    assert fetch(world, item, "disc.iso") == DATA
    fill(world, 0, len(DATA) - 1)
    with pytest.raises(Exception, match="bytes free") as error:
        world.call(Library.migrate, library, Library.MigrateSpec(storage_backings=(on_datastore(world, 0),)))
    assert refused(error)[1] == "resphere.vm.disk.no_room"  # type: ignore[arg-type]
    assert world.call(Library.get, library).storage_backings == (on_datastore(world, 1),)


def test_nothing_changes_in_maintenance(world: World) -> None:
    library, other = add_library(world), add_library(world)
    item, source = add_item(world, library), add_item(world, other)
    world.call(Library.enter_maintenance, library)
    for refuse in (
        lambda: add_item(world, library, name="new"),
        lambda: world.call(Item.update, item, ItemModel(name="other")),
        lambda: world.call(Item.delete, item),
        lambda: world.call(Item.copy, None, source, ItemModel(library_id=library, name="copy")),
    ):
        with pytest.raises(NotAllowedInCurrentState) as error:
            refuse()
        assert refused(error) == (400, "resphere.content.maintenance")
    assert world.call(Item.get, item).name == "item"
    world.call(Library.exit_maintenance, library)
    world.call(Item.delete, item)


def test_a_library_in_use_may_guard_its_items(world: World) -> None:
    library = add_library(world, configuration_info=ConfigurationInfo(apply_library_usage_to_items=True))
    item = add_item(world, library)
    usage = world.call(Usages.add, library, Usages.AddSpec(resource_urn="urn:vmomi:vm:vm-12"))
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(Item.delete, item)
    assert refused(error) == (400, "resphere.content.guarded")
    off = ConfigurationInfo(apply_library_usage_to_items=False)
    world.call(LocalLibrary.update, library, LibraryModel(configuration_info=off))
    world.call(Item.delete, item)
    world.call(Usages.remove, library, usage)


def test_publishing_an_item(world: World) -> None:
    library = add_library(world)
    item = add_item(world, library)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Item.publish, item, True, None)
    world.call(LocalLibrary.update, library, LibraryModel(publish_info=published()))
    world.call(Item.publish, item, True, None)
    unknown = Item.DestinationSpec(subscription=ids.ContentLibrarySubscriptionsId("none"))
    with pytest.raises(InvalidArgument):
        world.call(Item.publish, item, True, (unknown,))
