"""Subscribed libraries: what they take from their publishers, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    ConcurrentChange,
    InvalidArgument,
    InvalidElementConfiguration,
    InvalidElementType,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
    Unsupported,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content import (
    Configuration,
    ConfigurationModel,
    Library,
    LibraryModel,
    LocalLibrary,
    SubscribedLibrary,
)
from resphere.contract.generated.content_library import Item, ItemModel, SubscribedItem, SubscriptionInfo
from resphere.contract.generated.content_library_item import File, Storage, UpdateSession, UpdateSessionModel
from resphere.contract.model import Secret
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library as StoredLibrary
from resphere.inventory.content.sessions import UpdateSession as StoredSession
from resphere.inventory.content.subscriptions import SyncRequest
from resphere.rules.space import free_space
from tests.services.content.libraries import (
    TOKEN,
    Method,
    add_item,
    add_library,
    datastores,
    fetch,
    kept,
    on_datastore,
    published,
    put_files,
)
from tests.services.content.publishers import (
    PublishedFolder,
    items,
    subscribe,
    subscription,
    sync,
    web_server,
    work_off,
)
from tests.support.world import NOW, World

ISO = bytes(range(256)) * 200
DESCRIPTOR = b"""<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<References><File ovf:href="disk.vmdk" ovf:id="file1"/></References>
<VirtualSystem ovf:id="one"><Info/></VirtualSystem></Envelope>"""
BASIC = SubscriptionInfo.AuthenticationMethod.BASIC
PASSWORD = "let me in"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def folder(tmp_path: Path) -> PublishedFolder:
    made = PublishedFolder(tmp_path / "published")
    made.put("disc", disc_iso=ISO)
    made.put("package", package_ovf=DESCRIPTOR, disk_vmdk=b"disk")
    made.write()
    return made


@pytest.fixture
def url(folder: PublishedFolder) -> Iterator[str]:
    with web_server(folder.folder) as url:
        yield url


def publish(world: World, **fields: Any) -> tuple[ids.ContentLibraryId, str]:
    """A published library of the same server, and its address."""
    library = add_library(world, name="source", publish_info=published(**fields))
    info = world.call(LocalLibrary.get, library).publish_info
    assert info is not None
    assert info.publish_url is not None
    return library, info.publish_url


def free(world: World) -> int:
    """The room on the first datastore."""
    return free_space(world.inventory, datastores(world)[0])


# --- what comes ------------------------------------------------------------------------------------------------------


def test_folder_on_a_web_server(world: World, url: str) -> None:
    before = free(world)
    library = subscribe(world, url)
    assert items(world, library) == {}
    work_off(world)
    found = items(world, library)
    assert {name: (item.type, item.cached, item.size) for name, item in found.items()} == {
        "disc": ("iso", True, len(ISO)),
        "package": ("ovf", True, len(DESCRIPTOR + b"disk")),
    }
    assert fetch(world, ids.ContentLibraryItemId(found["disc"].id or ""), "disc.iso") == ISO
    model = world.call(SubscribedLibrary.get, library)
    assert (model.type, model.last_sync_time, model.publish_info) == (LibraryModel.LibraryType.SUBSCRIBED, NOW, None)
    assert model.subscription_info == SubscriptionInfo(
        authentication_method=SubscriptionInfo.AuthenticationMethod.NONE,
        automatic_sync_enabled=False,
        on_demand=False,
        subscription_url=url,
    )
    assert free(world) == before - len(ISO) - len(DESCRIPTOR + b"disk")
    assert not world.inventory.all(StoredSession)
    assert not world.inventory.all(SyncRequest)
    world.call(SubscribedLibrary.delete, library)
    assert (free(world), kept(world)) == (before, [])


def test_library_of_this_server_by_its_own_address(world: World) -> None:
    source, url = publish(world)
    item = add_item(world, source, name="disc", type="iso", description="a disc")
    put_files(world, item, disc_iso=ISO)
    library = subscribe(world, url)
    work_off(world)
    (twin,) = items(world, library).values()
    original = world.call(Item.get, item)
    for field in ("name", "description", "type", "size", "content_version", "metadata_version", "cached"):
        assert getattr(twin, field) == getattr(original, field), field
    assert twin.source_id == item
    assert twin.last_sync_time == NOW
    world.call(Item.update, item, ItemModel(name="renamed", description="changed"))
    put_files(world, item, disc_iso=b"changed")
    sync(world, library)
    (changed,) = items(world, library).values()
    original = world.call(Item.get, item)
    assert (changed.id, changed.name, changed.description) == (twin.id, "renamed", "changed")
    assert (changed.content_version, changed.metadata_version) == ("3", "2")
    assert (original.content_version, original.metadata_version) == ("3", "2")
    assert fetch(world, ids.ContentLibraryItemId(twin.id or ""), "disc.iso") == b"changed"


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("etags", [True, False])
def test_what_is_new_changed_and_gone_upstream(tmp_path: Path, world: World, inline: bool, etags: bool) -> None:
    folder = PublishedFolder(tmp_path / "folder", inline=inline, etags=etags)
    folder.put("stays", a_iso=b"same")
    folder.put("changes", b_iso=b"before", c_iso=b"removed")
    folder.put("goes", d_iso=b"away")
    folder.write()
    asked: list[str] = []
    with web_server(folder.folder, asked) as url:
        library = subscribe(world, url)
        work_off(world)
        before = items(world, library)
        (folder.folder / "changes" / "c.iso").unlink()
        folder.put("changes", b_iso=b"after!")
        folder.remove("goes")
        folder.put("comes", e_iso=b"new")
        folder.write()
        asked.clear()
        sync(world, library)
    after = items(world, library)
    assert sorted(after) == ["changes", "comes", "stays"]
    assert {name: after[name].id == before[name].id for name in ("changes", "stays")} == {
        "changes": True,
        "stays": True,
    }
    changed = ids.ContentLibraryItemId(after["changes"].id or "")
    assert [file.name for file in world.call(File.list, changed)] == ["b.iso"]
    assert fetch(world, changed, "b.iso") == b"after!"
    assert "stays/a.iso" not in asked
    assert kept(world) == sorted([len(b"same"), len(b"after!"), len(b"new")])


def test_names_that_are_taken(world: World) -> None:
    source, url = publish(world)
    first, second = (add_item(world, source, name=name) for name in ("one", "two"))
    library = subscribe(world, url)
    work_off(world)
    twins = {item.source_id: item.id for item in items(world, library).values()}
    for item, name in ((first, "tmp"), (second, "one"), (first, "two")):
        world.call(Item.update, item, ItemModel(name=name))
    sync(world, library)
    assert {item.source_id: (item.id, item.name) for item in items(world, library).values()} == {
        first: (twins[first], "two"),
        second: (twins[second], "one"),
    }


def test_items_of_one_name(tmp_path: Path, world: World) -> None:
    folder = PublishedFolder(tmp_path / "folder")
    folder.put("a", a_iso=b"a")
    folder.put("b", b_iso=b"b")
    folder.write()
    documents = folder.documents()
    for document in documents:
        document["name"] = "same"
    (folder.folder / "items.json").write_text(json.dumps({"items": documents}))
    with web_server(folder.folder) as url:
        library = subscribe(world, url)
        work_off(world)
        sync(world, library)
    names = sorted(items(world, library))
    assert len(names) == 2
    assert names[0] == "same"
    assert names[1].startswith("same (")


def test_many_items(world: World) -> None:
    source, url = publish(world)
    for number in range(250):
        put_files(world, add_item(world, source, name=f"item {number}"), a_txt=b"%d" % number)
    library = subscribe(world, url)
    work_off(world)
    found = items(world, library)
    assert len(found) == 250
    assert all(item.cached for item in found.values())
    world.call(LocalLibrary.delete, source)
    with pytest.raises(ResourceInaccessible):
        world.call(SubscribedLibrary.sync, library)
    assert len(items(world, library)) == 250


# --- on demand -------------------------------------------------------------------------------------------------------


def test_contents_on_demand(world: World, url: str) -> None:
    before = free(world)
    library = subscribe(world, url, on_demand=True)
    work_off(world)
    known = items(world, library)
    assert {name: (item.cached, item.size) for name, item in known.items()} == {
        "disc": (False, 0),
        "package": (False, 0),
    }
    disc, package = (ids.ContentLibraryItemId(known[name].id or "") for name in ("disc", "package"))
    # What describes a package is always here.
    assert {file.name: file.cached for file in world.call(File.list, package)} == {
        "disk.vmdk": False,
        "package.ovf": True,
    }
    assert [file.name for file in world.call(Storage.list, package)] == ["package.ovf"]
    assert not world.call(File.get, disc, "disc.iso").cached
    found = world.call(Item.find, Item.FindSpec(library_id=library, cached=False))
    assert set(found) == {disc, package}
    world.call(SubscribedItem.sync, disc, False, None)
    work_off(world)
    assert world.call(Item.get, disc).cached is False
    world.call(SubscribedItem.sync, disc, True, None)
    work_off(world)
    synced = world.call(Item.get, disc)
    assert (synced.cached, synced.size) == (True, len(ISO))
    assert fetch(world, disc, "disc.iso") == ISO
    assert free(world) == before - len(ISO) - len(DESCRIPTOR)

    world.call(SubscribedItem.evict, disc)
    assert world.call(Item.get, disc).cached is False
    world.call(SubscribedItem.sync, disc, True, None)
    work_off(world)
    world.call(SubscribedLibrary.evict, library)
    assert world.call(Item.get, disc).cached is False
    assert free(world) == before - len(DESCRIPTOR)
    # A sync takes no contents either, until the library takes them at once.
    sync(world, library)
    assert world.call(Item.get, disc).cached is False
    world.call(SubscribedLibrary.update, library, LibraryModel(subscription_info=SubscriptionInfo(on_demand=False)))
    sync(world, library)
    assert all(item.cached for item in items(world, library).values())


def test_eviction_where_contents_come_at_once(world: World, url: str) -> None:
    library = subscribe(world, url)
    work_off(world)
    (item, _) = (ids.ContentLibraryItemId(item.id or "") for item in items(world, library).values())
    with pytest.raises(NotAllowedInCurrentState):
        world.call(SubscribedLibrary.evict, library)
    with pytest.raises(InvalidElementConfiguration):
        world.call(SubscribedItem.evict, item)


def test_item_that_is_gone_upstream_goes_when_it_is_synced(world: World, folder: PublishedFolder, url: str) -> None:
    library = subscribe(world, url)
    work_off(world)
    disc = ids.ContentLibraryItemId(items(world, library)["disc"].id or "")
    folder.remove("disc")
    folder.remove("package")
    folder.write()
    world.call(SubscribedItem.sync, disc, False, None)
    work_off(world)
    assert sorted(items(world, library)) == ["package"]


# --- what may not be -------------------------------------------------------------------------------------------------


def test_nobody_else_changes_items(world: World, url: str) -> None:
    library = subscribe(world, url)
    work_off(world)
    item = ids.ContentLibraryItemId(items(world, library)["disc"].id or "")
    refused: list[Callable[[], object]] = [
        lambda: world.call(Item.create, None, ItemModel(name="mine", library_id=library)),
        lambda: world.call(Item.update, item, ItemModel(name="mine")),
        lambda: world.call(Item.delete, item),
        lambda: world.call(Item.copy, None, item, ItemModel(name="mine", library_id=library)),
        lambda: world.call(UpdateSession.create, None, UpdateSessionModel(library_item_id=item)),
        lambda: world.call(LocalLibrary.get, library),
        lambda: world.call(LocalLibrary.update, library, LibraryModel(name="mine")),
        lambda: world.call(LocalLibrary.delete, library),
        lambda: world.call(LocalLibrary.publish, library, None),
    ]
    for attempt in refused:
        with pytest.raises(InvalidElementType):
            attempt()
    assert world.call(Item.get, item).name == "disc"


def test_what_all_libraries_have_is_changed_as_of_any(world: World, url: str) -> None:
    library = subscribe(world, url)
    world.call(Library.update, library, LibraryModel(name="renamed"))
    assert world.call(Library.get, library).name == "renamed"
    with pytest.raises(InvalidArgument):
        world.call(Library.update, library, LibraryModel(publish_info=published()))


def test_local_libraries_are_no_subscribed_ones(world: World) -> None:
    library = add_library(world)
    item = add_item(world, library)
    refused: list[Callable[[], object]] = [
        lambda: world.call(SubscribedLibrary.get, library),
        lambda: world.call(SubscribedLibrary.update, library, LibraryModel(name="x")),
        lambda: world.call(SubscribedLibrary.delete, library),
        lambda: world.call(SubscribedLibrary.sync, library),
        lambda: world.call(SubscribedLibrary.evict, library),
        lambda: world.call(SubscribedItem.sync, item, True, None),
        lambda: world.call(SubscribedItem.evict, item),
    ]
    for attempt in refused:
        with pytest.raises(InvalidElementType):
            attempt()
    with pytest.raises(NotFound):
        world.call(SubscribedLibrary.get, ids.ContentLibraryId("nothing"))


@pytest.mark.parametrize(
    "fields",
    [
        {"subscription_info": None},
        {"subscription_info": SubscriptionInfo(on_demand=True)},
        {"subscription_info": subscription("ftp://127.0.0.1/lib.json")},
        {"subscription_info": subscription("http://me:mine@127.0.0.1/lib.json")},
        {"subscription_info": subscription("http://127.0.0.1/\ud800")},
        {"subscription_info": subscription("http://127.0.0.1/lib.json", ssl_thumbprint="12:34")},
        {"subscription_info": subscription("http://127.0.0.1/lib.json", ssl_certificate="none")},
        {"subscription_info": subscription("http://127.0.0.1/lib.json", authentication_method=BASIC)},
        {
            "subscription_info": subscription(
                "http://127.0.0.1/lib.json", authentication_method=BASIC, user_name="me", password=Secret("x")
            )
        },
        {"type": LibraryModel.LibraryType.LOCAL},
        {"name": ""},
        {"storage_backings": ()},
    ],
)
def test_bad_specifications(world: World, fields: dict[str, Any]) -> None:
    spec = LibraryModel(
        **{
            "name": "copies",
            "storage_backings": (on_datastore(world),),
            "subscription_info": subscription("http://127.0.0.1:9/lib.json"),
            **fields,
        }
    )
    with pytest.raises(InvalidArgument):
        world.call(SubscribedLibrary.create, None, spec)
    assert world.call(SubscribedLibrary.list) == ()


def test_several_places(world: World, url: str) -> None:
    spec = LibraryModel(name="copies", storage_backings=(on_datastore(world),) * 2, subscription_info=subscription(url))
    with pytest.raises(Unsupported):
        world.call(SubscribedLibrary.create, None, spec)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/lib.json", "http://127.0.0.2:80/lib.json", "https://127.0.0.1:9/lib.json"]
)
def test_publishers_that_cannot_be_reached(world: World, url: str, address: str) -> None:
    with pytest.raises(ResourceInaccessible):
        subscribe(world, address)
    library = subscribe(world, url)
    with pytest.raises(ResourceInaccessible):
        world.call(SubscribedLibrary.update, library, LibraryModel(subscription_info=subscription(address)))
    info = world.call(SubscribedLibrary.get, library).subscription_info
    assert info is not None
    assert info.subscription_url == url


def test_same_call_once_more(world: World, url: str) -> None:
    spec = LibraryModel(name="copies", storage_backings=(on_datastore(world),), subscription_info=subscription(url))
    made = world.call(SubscribedLibrary.create, TOKEN, spec)
    assert world.call(SubscribedLibrary.create, TOKEN, spec) == made
    assert world.call(SubscribedLibrary.list) == (made,)
    assert world.call(Library.find, Library.FindSpec(type=LibraryModel.LibraryType.SUBSCRIBED)) == (made,)


# --- passwords -------------------------------------------------------------------------------------------------------


def test_password_of_the_publisher(world: World) -> None:
    source, url = publish(world, authentication_method=Method.BASIC, password=Secret(PASSWORD))
    put_files(world, add_item(world, source, name="disc"), disc_iso=ISO)
    for wrong in ({}, {"authentication_method": BASIC, "password": Secret("wrong")}):
        with pytest.raises(ResourceInaccessible):
            subscribe(world, url, **wrong)
    library = subscribe(world, url, authentication_method=BASIC, user_name="vcsp", password=Secret(PASSWORD))
    work_off(world)
    assert items(world, library)["disc"].cached
    info = world.call(SubscribedLibrary.get, library).subscription_info
    assert info is not None
    assert (info.authentication_method, info.user_name, info.password) == (BASIC, "vcsp", None)
    with pytest.raises(ResourceInaccessible):
        world.call(
            SubscribedLibrary.update,
            library,
            LibraryModel(subscription_info=SubscriptionInfo(password=Secret("wrong"))),
        )
    sync(world, library)


def test_password_is_told_to_no_other_publisher(world: World, url: str) -> None:
    _, source = publish(world, authentication_method=Method.BASIC, password=Secret(PASSWORD))
    library = subscribe(world, source, authentication_method=BASIC, password=Secret(PASSWORD))
    with pytest.raises(InvalidArgument):
        world.call(
            SubscribedLibrary.update,
            library,
            LibraryModel(subscription_info=SubscriptionInfo(subscription_url=url, authentication_method=BASIC)),
        )
    world.call(
        SubscribedLibrary.update, library, LibraryModel(subscription_info=SubscriptionInfo(subscription_url=url))
    )
    stored = world.inventory.get(StoredLibrary, library)
    assert stored is not None
    assert stored.subscription_password is None


# --- changes of the subscription -------------------------------------------------------------------------------------


def test_other_publisher(world: World, url: str) -> None:
    library = subscribe(world, url)
    work_off(world)
    source, other = publish(world)
    put_files(world, add_item(world, source, name="another"), a_iso=b"a")
    world.call(SubscribedLibrary.update, library, LibraryModel(subscription_info=subscription(other)))
    work_off(world)
    assert sorted(items(world, library)) == ["another"]


def test_stale_version(world: World, url: str) -> None:
    library = subscribe(world, url)
    version = world.call(SubscribedLibrary.get, library).version
    world.call(SubscribedLibrary.update, library, LibraryModel(version=version, name="renamed"))
    with pytest.raises(ConcurrentChange):
        world.call(SubscribedLibrary.update, library, LibraryModel(version=version, name="again"))
    assert world.call(SubscribedLibrary.get, library).name == "renamed"


# --- publishers that do not do as they should ------------------------------------------------------------------------


def test_old_content_stays_where_the_publisher_lies(world: World, folder: PublishedFolder, url: str) -> None:
    library = subscribe(world, url)
    work_off(world)
    before, room = items(world, library), free(world)
    disc = ids.ContentLibraryItemId(before["disc"].id or "")
    folder.put("disc", disc_iso=b"something else")
    folder.put("package", disk_vmdk=b"new disk")
    folder.write()
    documents = folder.documents()
    for document in documents:
        if document["name"] == "disc":
            document["files"][0]["size"] += 1
    (folder.folder / "items.json").write_text(json.dumps({"items": documents}))
    sync(world, library)
    after = items(world, library)
    assert after["disc"] == before["disc"]
    assert fetch(world, disc, "disc.iso") == ISO
    assert after["package"] != before["package"]
    assert free(world) == room - len(b"new disk") + len(b"disk")
    assert not world.inventory.all(StoredSession)
    folder.write()
    sync(world, library)
    assert fetch(world, disc, "disc.iso") == b"something else"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"items": 1}',
        b'{"items": [{"id": "x", "name": "y"}]}',
        b"\xff\xfe",
    ],
)
def test_documents_that_are_none(world: World, folder: PublishedFolder, url: str, document: bytes) -> None:
    library = subscribe(world, url)
    work_off(world)
    before = items(world, library)
    (folder.folder / "items.json").write_bytes(document)
    sync(world, library)
    assert items(world, library) == before
    (folder.folder / "lib.json").write_bytes(document)
    with pytest.raises(ResourceInaccessible):
        world.call(SubscribedLibrary.sync, library)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../../etc/passwd"),
        ("name", "a/b"),
        ("name", ""),
        ("name", "x" * 300),
        ("size", -1),
        ("size", 2**31),
        ("hrefs", []),
        ("hrefs", ["http://127.0.0.2/elsewhere"]),
        ("hrefs", ["file:///etc/passwd"]),
        ("hrefs", ["//example.com/x"]),
        ("hrefs", ["missing.iso"]),
    ],
)
def test_files_that_could_not_be(world: World, folder: PublishedFolder, url: str, field: str, value: Any) -> None:
    """The item stays as it was, the others are synced, and no other place is read or written."""
    library = subscribe(world, url)
    work_off(world)
    before = items(world, library)
    folder.put("disc", disc_iso=b"changed")
    folder.put("package", disk_vmdk=b"changed")
    folder.write()
    documents = folder.documents()
    for document in documents:
        if document["name"] == "disc":
            document["files"][0][field] = value
    (folder.folder / "items.json").write_text(json.dumps({"items": documents}))
    sync(world, library)
    after = items(world, library)
    assert after["disc"] == before["disc"]
    assert after["package"] != before["package"]
    stored = world.inventory.get(StoredLibrary, library)
    assert stored is not None
    assert stored.synced_version is None


def test_datastore_that_is_full(world: World, url: str) -> None:
    store = datastores(world)[0]
    library = subscribe(world, url)
    world.change(store, capacity=store.capacity - free(world) + 1000)
    work_off(world)
    found = items(world, library)
    assert {name: item.cached for name, item in found.items()} == {"disc": False, "package": True}
    assert free(world) == 1000 - len(DESCRIPTOR + b"disk")
    assert kept(world) == sorted([len(DESCRIPTOR), len(b"disk")])


def test_library_in_maintenance(world: World, url: str) -> None:
    library = subscribe(world, url)
    world.serve_as("9.1.0")
    world.call(Library.enter_maintenance, library)
    work_off(world)
    assert items(world, library) == {}
    with pytest.raises(NotAllowedInCurrentState):
        world.call(SubscribedLibrary.sync, library)
    world.call(Library.exit_maintenance, library)
    # What was asked for before goes on.
    work_off(world)
    assert len(items(world, library)) == 2


def test_library_that_is_deleted_while_it_syncs(world: World, url: str) -> None:
    library = subscribe(world, url)
    request = world.inventory.get(SyncRequest, library)
    assert request is not None
    world.call(SubscribedLibrary.delete, library)
    world.run(world.environment.library_sync.work_off(library))
    assert not world.inventory.all(LibraryItem)
    assert not world.inventory.all(SyncRequest)


# --- by itself -------------------------------------------------------------------------------------------------------


def at(world: World, **later: float) -> None:
    """Have it be so much later."""
    moment = NOW + timedelta(**later)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: moment)


def requested(world: World) -> int:
    """How many libraries are to sync, once it was looked which are due."""
    world.run(world.environment.library_sync.request_due())
    return len(world.inventory.all(SyncRequest))


def test_automatic_sync(world: World, folder: PublishedFolder) -> None:
    asked: list[str] = []
    with web_server(folder.folder, asked) as url:
        library = subscribe(world, url, automatic_sync_enabled=True)
        subscribe(world, url)
        work_off(world)
        assert requested(world) == 0
        # 03:04 and 07:04, in the night's hours of the settings or not.
        at(world, hours=3, minutes=59)
        assert requested(world) == 0
        at(world, hours=4)
        assert requested(world) == 0
        world.call(Configuration.update, ConfigurationModel(automatic_sync_stop_hour=8))
        assert requested(world) == 1
        asked.clear()
        work_off(world)
        # There is nothing new.
        assert asked == ["lib.json"]
        assert world.call(SubscribedLibrary.get, library).last_sync_time == NOW + timedelta(hours=4)
        assert requested(world) == 0
        folder.put("comes", new_iso=b"new")
        folder.write()
        at(world, hours=24)
        assert requested(world) == 1
        work_off(world)
        assert "comes" in items(world, library)
        at(world, hours=48)
        world.call(Configuration.update, ConfigurationModel(automatic_sync_enabled=False))
        assert requested(world) == 0


# --- probes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("{good}", "SUCCESS"),
        ("{good}x", "RESOURCE_NOT_FOUND"),
        ("gopher://127.0.0.1/lib.json", "INVALID_URL"),
        ("http://127.0.0.2/lib.json", "UNKNOWN_ERROR"),
        ("http://127.0.0.1:9/lib.json", "UNKNOWN_ERROR"),
    ],
)
def test_probe(world: World, url: str, address: str, status: str) -> None:
    result = world.call(SubscribedLibrary.probe, subscription(address.format(good=url)))
    assert result.status == status
    assert bool(result.error_messages) == (status != "SUCCESS")
    assert result.ssl_thumbprint is None


def test_probe_of_a_password(world: World) -> None:
    _, url = publish(world, authentication_method=Method.BASIC, password=Secret(PASSWORD))
    assert world.call(SubscribedLibrary.probe, subscription(url)).status == "INVALID_CREDENTIALS"
    good = subscription(url, authentication_method=BASIC, password=Secret(PASSWORD))
    assert world.call(SubscribedLibrary.probe, good).status == "SUCCESS"
