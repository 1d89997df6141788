"""VM templates that subscribers of this server get when they are published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library as Libraries
from resphere.contract.generated.content import LocalLibrary, SubscribedLibrary
from resphere.contract.generated.content_library import Item, ItemModel, StateInfo, Subscriptions
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.contract.generated.vcenter_vm_template_library_items import Versions
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library as StoredLibrary
from resphere.inventory.model import Folder, Host, VirtualMachine
from tests.services.content.libraries import add_item, add_library, datastores, on_datastore, published, put_files
from tests.services.content.publishers import items, subscriber, sync, work_off
from tests.services.content.templates import check_in, check_out, create, deploy, machine_of, source
from tests.services.content.test_images import reached
from tests.services.vcenter.building import found, refused
from tests.support.world import World

LibraryId = ids.ContentLibraryId
ItemId = ids.ContentLibraryItemId


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def publishing(world: World) -> LibraryId:
    """A published library where the source of templates lies."""
    store = on_datastore(world, reached(world, source(world).id))
    return add_library(world, name="templates", storage_backings=(store,), publish_info=published())


def subscription(world: World, library: LibraryId, **placement: Any) -> ids.ContentLibrarySubscriptionsId:
    spec = subscriber(world, placement=Subscriptions.CreateSpecPlacement(**placement))
    made = world.call(Subscriptions.create, None, library, spec)
    copies = world.call(Subscriptions.get, library, made).subscribed_library
    stored = world.inventory.all(StoredLibrary)[copies]
    # Where a host reaches it.
    world.put(replace(stored, datastore=datastores(world)[reached(world, source(world).id)].id))
    return made


def copies_of(world: World, library: LibraryId, made: str) -> LibraryId:
    return world.call(Subscriptions.get, library, ids.ContentLibrarySubscriptionsId(made)).subscribed_library


def publish(world: World, item: ItemId, made: ids.ContentLibrarySubscriptionsId | None = None) -> None:
    named = None if made is None else (Item.DestinationSpec(subscription=made),)
    world.call(Item.publish, item, False, named)


def test_a_template_is_cloned_to_where_the_subscription_says(world: World) -> None:
    library = publishing(world)
    golden = create(world, library, description="as gold")
    home = found(world, Folder, source(world).parent or "")
    folder = next(each.id for each in world.inventory.all(Folder).values() if each.type == home.type and each != home)
    made = subscription(world, library, folder=folder)
    publish(world, golden, made)
    copies = copies_of(world, library, made)
    (twin,) = items(world, copies).values()
    assert (twin.name, twin.type, twin.source_id, twin.description) == ("golden", "vm-template", golden, "as gold")
    model = world.call(Item.get, golden)
    assert (twin.content_version, twin.metadata_version) == (model.content_version, model.metadata_version)
    twin_id = ItemId(twin.id or "")
    machine = machine_of(world, twin_id)
    assert (machine.template, machine.parent, machine.name) == (True, folder, "golden")
    assert machine.id != machine_of(world, golden).id
    info = world.call(LibraryItems.get, twin_id)
    assert info is not None
    assert info.vm_template == machine.id
    assert deploy(world, twin_id).template is False
    # Nothing is new.
    publish(world, golden)
    assert machine_of(world, twin_id).id == machine.id
    # What is synced as files leaves it as it is.
    work_off(world)
    sync(world, copies)
    assert machine_of(world, twin_id).id == machine.id


def test_all_that_is_new_of_a_library(world: World) -> None:
    library = publishing(world)
    first, second = create(world, library, "first"), create(world, library, "second")
    put_files(world, add_item(world, library, name="disc"), disc_iso=b"bytes")
    made = subscription(world, library)
    world.call(LocalLibrary.publish, library, (LocalLibrary.DestinationSpec(subscription=made),))
    work_off(world)
    copies = items(world, copies_of(world, library, made))
    assert {name: item.source_id for name, item in copies.items() if item.type == "vm-template"} == {
        "first": first,
        "second": second,
    }
    assert sorted(copies) == ["disc", "first", "second"]


def test_machines_stand_beside_their_templates_where_no_place_is_said(world: World) -> None:
    library = publishing(world)
    golden = create(world, library)
    made = subscription(world, library)
    publish(world, golden)
    (twin,) = items(world, copies_of(world, library, made)).values()
    original, machine = machine_of(world, golden), machine_of(world, twin.id or "")
    assert (machine.parent, machine.resource_pool) == (original.parent, original.resource_pool)
    assert machine.name.startswith("golden (")
    assert machine.nics.keys() == original.nics.keys()


def test_adapters_are_on_the_network_of_the_subscription(world: World) -> None:
    library = publishing(world)
    golden = create(world, library)
    host = world.inventory.all(Host)[machine_of(world, golden).host]
    network = max(host.networks)
    placed = subscription(world, library, network=network)
    publish(world, golden, placed)
    (twin,) = items(world, copies_of(world, library, placed)).values()
    machine = machine_of(world, twin.id or "")
    assert machine.nics
    assert {nic.backing.network for nic in machine.nics.values()} == {network}


def test_a_later_version_takes_the_place_of_the_one_before(world: World) -> None:
    library = publishing(world)
    golden = create(world, library)
    made = subscription(world, library)
    publish(world, golden)
    copies = copies_of(world, library, made)
    (twin,) = items(world, copies).values()
    twin_id = ItemId(twin.id or "")
    machines = [machine_of(world, twin_id).id]
    for number in range(2):
        check_in(world, golden, check_out(world, golden, name=f"work-{number}"))
        publish(world, golden)
        machines.append(machine_of(world, twin_id).id)
        assert world.call(Item.get, twin_id).content_version == world.call(Item.get, golden).content_version
        assert len(world.call(Versions.list, twin_id)) == 2
    assert len(set(machines)) == 3
    # The one before the previous one is gone.
    assert [machine in world.inventory.all(VirtualMachine) for machine in machines] == [False, True, True]
    assert [item.id for item in items(world, copies).values()] == [twin_id]


def test_what_is_said_of_a_template_travels_without_cloning(world: World) -> None:
    library = publishing(world)
    golden = create(world, library)
    made = subscription(world, library)
    publish(world, golden)
    copies = copies_of(world, library, made)
    (twin,) = items(world, copies).values()
    before = machine_of(world, twin.id or "").id
    world.call(Item.update, golden, ItemModel(name="platinum", description="better"))
    publish(world, golden)
    (twin,) = items(world, copies).values()
    assert (twin.name, twin.description) == ("platinum", "better")
    assert machine_of(world, twin.id or "").id == before


def test_names_that_are_taken(world: World) -> None:
    library = publishing(world)
    golden = create(world, library)
    put_files(world, add_item(world, library, name="other"), disc_iso=b"bytes")
    made = subscription(world, library)
    work_off(world)
    copies = copies_of(world, library, made)
    (other,) = world.inventory.by(LibraryItem, "library", copies).values()
    world.put(replace(other, name="golden"))
    publish(world, golden, made)
    assert sorted(name[:8] for name in items(world, copies)) == ["golden", "golden ("]


def test_templates_of_subscribers_are_changed_where_they_are_published(world: World) -> None:
    library = publishing(world)
    golden = create(world, library)
    made = subscription(world, library)
    publish(world, golden)
    check_in(world, golden, check_out(world, golden, name="work"))
    publish(world, golden)
    (twin,) = items(world, copies_of(world, library, made)).values()
    twin_id = ItemId(twin.id or "")
    with pytest.raises(InvalidArgument) as refusal:
        check_out(world, twin_id)
    assert refused(refusal) == (400, "resphere.content.subscribed_template")
    previous = world.call(Versions.list, twin_id)[-1].version
    with pytest.raises(InvalidArgument):
        world.call(Versions.rollback, twin_id, previous, None)


def test_what_one_subscriber_cannot_take_another_one_gets(world: World) -> None:
    product = replace(world.environment.product, api_releases=("9.1",))
    world.environment = replace(world.environment, product=product)
    library = publishing(world)
    golden = create(world, library)
    closed = subscription(world, library)
    good = subscription(world, library)
    stored = world.inventory.all(StoredLibrary)[copies_of(world, library, closed)]
    world.put(replace(stored, maintenance="closed"))
    publish(world, golden)
    assert items(world, copies_of(world, library, closed)) == {}
    assert sorted(items(world, copies_of(world, library, good))) == ["golden"]
    # The subscriber says what it lacks, as long as it does.
    state = world.call(Libraries.get, stored.id).state_info
    assert state is not None
    assert (state.state, state.message) == (StateInfo.State.MAINTENANCE, "closed")
    world.put(replace(world.inventory.all(StoredLibrary)[stored.id], maintenance=None))
    state = world.call(Libraries.get, stored.id).state_info
    assert state is not None
    assert state.state is StateInfo.State.ACTIVE
    assert (state.message or "").startswith("The VM template golden was not published here: The library")
    publish(world, golden)
    assert world.call(Libraries.get, stored.id).state_info == StateInfo(state=StateInfo.State.ACTIVE)
    assert sorted(items(world, stored.id)) == ["golden"]


def test_what_the_publisher_has_no_more_goes(world: World) -> None:
    library = publishing(world)
    golden, silver = create(world, library), create(world, library, "silver")
    check_in(world, golden, check_out(world, golden))
    made = subscription(world, library)
    world.call(LocalLibrary.publish, library, None)
    check_in(world, golden, check_out(world, golden))
    world.call(LocalLibrary.publish, library, None)
    copies = copies_of(world, library, made)
    twins = items(world, copies)
    assert sorted(twins) == ["golden", "silver"]
    kept = machine_of(world, twins["silver"].id or "")
    stored = world.inventory.all(LibraryItem)[ItemId(twins["golden"].id or "")]
    assert stored.previous is not None
    gone = {stored.template, stored.previous.vm}
    world.call(Item.delete, golden)
    # What one subscriber cannot delete now it deletes another time.
    library_of = world.inventory.all(StoredLibrary)[copies]
    world.put(replace(library_of, maintenance="closed"))
    world.call(LocalLibrary.publish, library, None)
    assert sorted(items(world, copies)) == ["golden", "silver"]
    world.put(replace(world.inventory.all(StoredLibrary)[copies], maintenance=None))
    world.call(LocalLibrary.publish, library, None)
    assert sorted(items(world, copies)) == ["silver"]
    machines = world.inventory.all(VirtualMachine)
    assert not gone & set(machines)
    assert kept.id in machines
    world.call(Item.delete, silver)
    world.call(LocalLibrary.publish, library, (LocalLibrary.DestinationSpec(subscription=made),))
    assert items(world, copies) == {}


@pytest.mark.parametrize("kind", ["vm-template", "iso"])
def test_it_goes_when_any_item_is_published(world: World, kind: str) -> None:
    library = publishing(world)
    golden, silver = create(world, library), create(world, library, "silver")
    disc = add_item(world, library, name="disc")
    put_files(world, disc, disc_iso=b"bytes")
    made, other = subscription(world, library), subscription(world, library)
    world.call(LocalLibrary.publish, library, None)
    work_off(world)
    world.call(Item.delete, golden)
    publish(world, silver if kind == "vm-template" else disc, made)
    assert sorted(items(world, copies_of(world, library, made))) == ["disc", "silver"]
    # Nobody has told the other one.
    assert sorted(items(world, copies_of(world, library, other))) == ["disc", "golden", "silver"]


def test_a_subscriber_that_is_deleted_takes_its_machines_along(world: World) -> None:
    library = publishing(world)
    golden = create(world, library)
    made = subscription(world, library)
    publish(world, golden)
    copies = copies_of(world, library, made)
    (twin,) = items(world, copies).values()
    machine = machine_of(world, twin.id or "").id
    world.call(SubscribedLibrary.delete, copies)
    assert machine not in world.inventory.all(VirtualMachine)
    assert machine_of(world, golden).template
