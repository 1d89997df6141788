"""Subscriptions of published libraries, publishing to them, and libraries that become ones of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    InvalidElementType,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library, LibraryModel, LocalLibrary, SubscribedLibrary
from resphere.contract.generated.content_library import Item, Subscriptions
from resphere.contract.generated.content_library_item import UpdateSession
from resphere.contract.generated.content_library_item_updatesession import File as PushedFile
from resphere.contract.model import Secret
from resphere.inventory.content.libraries import Library as StoredLibrary
from resphere.inventory.content.subscriptions import LibrarySubscription, SyncRequest
from resphere.inventory.model import Folder
from tests.services.content.libraries import (
    TOKEN,
    Method,
    add_item,
    add_library,
    begin,
    fetch,
    on_datastore,
    published,
    put_files,
)
from tests.services.content.publishers import Location, Spec, items, subscribe, subscriber, work_off
from tests.support.world import World

TO_PUBLISHED = Library.ConversionSpec(
    conversion_type=Library.ConversionSpec.ConversionType.TO_PUBLISHED_LIBRARY,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def add_source(world: World, **fields: Any) -> ids.ContentLibraryId:
    """A published library with an item."""
    source = add_library(world, name="source", publish_info=published(**fields))
    put_files(world, add_item(world, source, name="disc"), disc_iso=b"bytes")
    return source


def url_of(world: World, library: ids.ContentLibraryId) -> str:
    """The address at which it is published."""
    info = world.call(LocalLibrary.get, library).publish_info
    assert info is not None
    assert info.publish_url is not None
    return info.publish_url


def existing(id: str) -> Subscriptions.CreateSpec:
    """That a library that is there is to be told of what is new."""
    return Subscriptions.CreateSpec(
        subscribed_library=Spec(
            target=Spec.Target.USE_EXISTING, subscribed_library=ids.ContentLibraryId(id), location=Location.LOCAL
        )
    )


def test_new_library_subscribes(world: World) -> None:
    source = add_source(world)
    folder = next(iter(world.inventory.all(Folder)))
    placement = Subscriptions.CreateSpecPlacement(folder=folder)
    made = world.call(Subscriptions.create, TOKEN, source, subscriber(world, placement=placement))
    assert world.call(Subscriptions.create, TOKEN, source, subscriber(world, placement=placement)) == made
    work_off(world)
    (summary,) = world.call(Subscriptions.list, source)
    assert (summary.subscription, summary.subscribed_library_name) == (made, "copies")
    info = world.call(Subscriptions.get, source, made)
    assert info.subscribed_library_placement == Subscriptions.PlacementInfo(folder=folder)
    copies = world.call(SubscribedLibrary.get, info.subscribed_library)
    assert copies.subscription_info is not None
    assert copies.subscription_info.subscription_url == url_of(world, source)
    told = copies.subscription_info.source_info
    assert told is not None
    assert (told.source_library, told.subscription) == (source, made)
    assert sorted(items(world, info.subscribed_library)) == ["disc"]

    other = Subscriptions.UpdateSpec(subscribed_library_placement=Subscriptions.UpdateSpecPlacement())
    world.call(Subscriptions.update, source, made, other)
    assert world.call(Subscriptions.get, source, made).subscribed_library_placement == Subscriptions.PlacementInfo()
    world.call(Subscriptions.delete, source, made)
    assert world.call(Subscriptions.list, source) == ()
    assert world.call(SubscribedLibrary.get, info.subscribed_library).name == "copies"


def test_library_that_is_there_subscribes(world: World) -> None:
    source = add_source(world)
    copies = subscribe(world, url_of(world, source))
    world.call(Subscriptions.create, None, source, existing(copies))
    with pytest.raises(AlreadyExists):
        world.call(Subscriptions.create, None, source, existing(copies))
    other = add_source(world)
    for wrong in (subscribe(world, url_of(world, other)), add_library(world), "nothing"):
        with pytest.raises(InvalidArgument):
            world.call(Subscriptions.create, None, source, existing(wrong))
    world.call(SubscribedLibrary.delete, copies)
    assert not world.inventory.all(LibrarySubscription)


def test_publishing_tells_subscribers(world: World) -> None:
    source = add_source(world)
    made = [world.call(Subscriptions.create, None, source, subscriber(world)) for _ in range(2)]
    work_off(world)
    first, second = (world.call(Subscriptions.get, source, each).subscribed_library for each in made)
    put_files(world, add_item(world, source, name="more"), more_iso=b"more")
    world.call(LocalLibrary.publish, source, (LocalLibrary.DestinationSpec(subscription=made[0]),))
    work_off(world)
    assert [sorted(items(world, each)) for each in (first, second)] == [["disc", "more"], ["disc"]]
    world.call(LocalLibrary.publish, source, None)
    work_off(world)
    assert sorted(items(world, second)) == ["disc", "more"]
    with pytest.raises(InvalidArgument):
        world.call(
            LocalLibrary.publish,
            source,
            (LocalLibrary.DestinationSpec(subscription=ids.ContentLibrarySubscriptionsId("nothing")),),
        )


def test_publishing_an_item(world: World) -> None:
    source = add_source(world)
    library = Subscriptions.CreateSpecNewSubscribedLibrary(
        name="copies", storage_backings=(on_datastore(world),), automatic_sync_enabled=False, on_demand=True
    )
    made = world.call(Subscriptions.create, None, source, subscriber(world, new_subscribed_library=library))
    work_off(world)
    copies = world.call(Subscriptions.get, source, made).subscribed_library
    item = ids.ContentLibraryItemId(world.call(Item.list, source)[0])
    assert not items(world, copies)["disc"].cached
    world.call(Item.publish, item, True, (Item.DestinationSpec(subscription=made),))
    work_off(world)
    assert items(world, copies)["disc"].cached
    later = add_item(world, source, name="later")
    put_files(world, later, a_iso=b"a")
    world.call(Item.publish, later, True, None)
    work_off(world)
    assert items(world, copies)["later"].cached


def test_refusals(world: World) -> None:
    source = add_source(world)
    made = world.call(Subscriptions.create, None, source, subscriber(world))
    copies = world.call(Subscriptions.get, source, made).subscribed_library
    plain = add_library(world)
    nothing = ids.ContentLibrarySubscriptionsId("nothing")
    for library, error in ((plain, NotAllowedInCurrentState), (copies, InvalidElementType)):
        for attempt in (
            lambda library=library: world.call(Subscriptions.list, library),
            lambda library=library: world.call(Subscriptions.get, library, made),
            lambda library=library: world.call(Subscriptions.create, None, library, subscriber(world)),
            lambda library=library: world.call(Subscriptions.update, library, made, Subscriptions.UpdateSpec()),
            lambda library=library: world.call(Subscriptions.delete, library, made),
        ):
            with pytest.raises(error):
                attempt()
    for missing in (
        lambda: world.call(Subscriptions.get, source, nothing),
        lambda: world.call(Subscriptions.update, source, nothing, Subscriptions.UpdateSpec()),
        lambda: world.call(Subscriptions.delete, source, nothing),
    ):
        with pytest.raises(NotFound):
            missing()
    vcenter = Subscriptions.CreateSpecVcenter(hostname="other.example")
    with pytest.raises(ResourceInaccessible):
        world.call(Subscriptions.create, None, source, subscriber(world, location=Location.REMOTE, vcenter=vcenter))
    placement = Subscriptions.CreateSpecPlacement(host="host-0")
    with pytest.raises(InvalidArgument):
        world.call(Subscriptions.create, None, source, subscriber(world, placement=placement))
    other = Subscriptions.UpdateSpec(subscribed_library_vcenter=Subscriptions.UpdateSpecVcenter(hostname="x"))
    with pytest.raises(InvalidArgument):
        world.call(Subscriptions.update, source, made, other)
    assert len(world.inventory.all(LibrarySubscription)) == 1


def test_library_with_a_password_makes_no_subscribers(world: World) -> None:
    source = add_source(world, authentication_method=Method.BASIC, password=Secret("let me in"))
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Subscriptions.create, None, source, subscriber(world))
    assert world.call(SubscribedLibrary.list) == ()


def test_subscribed_library_becomes_a_published_one(world: World) -> None:
    source = add_source(world)
    made = world.call(Subscriptions.create, None, source, subscriber(world))
    work_off(world)
    library = world.call(Subscriptions.get, source, made).subscribed_library
    world.call(Library.convert, library, TO_PUBLISHED)
    world.call(LocalLibrary.delete, source)
    model = world.call(LocalLibrary.get, library)
    assert model.publish_info is not None
    assert (model.type, model.publish_info.published, model.subscription_info) == (
        LibraryModel.LibraryType.LOCAL,
        True,
        None,
    )
    item = ids.ContentLibraryItemId(items(world, library)["disc"].id or "")
    assert fetch(world, item, "disc.iso") == b"bytes"
    put_files(world, item, other_iso=b"other")
    assert items(world, library)["disc"].cached
    # What it had of its publisher means nothing any more.
    session = begin(world, item)
    world.call(PushedFile.remove, session, "disc.iso")
    world.call(UpdateSession.complete, session)
    assert items(world, library)["disc"].cached
    assert world.inventory.all(StoredLibrary)[library].maintenance is None
    assert not world.inventory.all(LibrarySubscription)
    assert not world.inventory.all(SyncRequest)
    with pytest.raises(InvalidElementType):
        world.call(Library.convert, library, TO_PUBLISHED)


def test_library_becomes_no_published_one_before_all_of_it_is_here(world: World) -> None:
    source = add_source(world)
    library = subscribe(world, url_of(world, source), on_demand=True)
    work_off(world)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Library.convert, library, TO_PUBLISHED)
    assert world.call(SubscribedLibrary.list) == (library,)
    assert world.inventory.all(StoredLibrary)[library].maintenance is None


def test_item_that_is_being_changed_keeps_nobody_from_publishing(world: World) -> None:
    source = add_source(world)
    world.call(Subscriptions.create, None, source, subscriber(world))
    begin(world, ids.ContentLibraryItemId(world.call(Item.list, source)[0]))
    world.call(LocalLibrary.publish, source, None)
    work_off(world)
