"""Machines that are checked out of templates and checked in, versions of templates, and how items have changed."""

from __future__ import annotations

import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
    UnableToAllocateResource,
)
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.content import Library as LibraryOperations
from resphere.contract.generated.content import LocalLibrary
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.contract.generated.content_library_item import Changes
from resphere.contract.generated.vcenter_vm import LibraryItem as Origin
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.contract.generated.vcenter_vm_template_library_items import CheckOuts, Versions
from resphere.inventory.content.templates import CheckOut
from resphere.inventory.model import Datastore, VirtualMachine
from tests.services.content.libraries import add_item, add_library, put_files
from tests.services.content.templates import (
    UNKNOWN,
    ItemId,
    Vm,
    check_in,
    check_out,
    deploy,
    golden,
    item_of,
    machine_of,
    new_library,
    source,
)
from tests.services.vcenter.building import found
from tests.support.pacing import Outside, Slow, under_way, use
from tests.support.world import NOW, World

Version = ids.ContentLibraryItemVersionId
ON = vcenter_vm.Power.State.POWERED_ON


def machines(world: World) -> set[str]:
    """The ids of all."""
    return set(world.inventory.all(VirtualMachine))


def checked_in(world: World) -> ItemId:
    """An item with two versions."""
    item = golden(world)
    check_in(world, item, check_out(world, item))
    return item


def roll_back(world: World, item: ItemId, version: str) -> str:
    """The version that the item has then."""
    return world.call(Versions.rollback, item, Version(version), Versions.RollbackSpec(message="worse"))


def test_out_and_in(world: World) -> None:
    item = golden(world)
    first = machine_of(world, item).id
    vm = check_out(world, item, name="work")
    assert world.call(CheckOuts.list, item) == (CheckOuts.Summary(vm=vm),)
    info = world.call(CheckOuts.get, item, vm)
    assert (info.time, info.user) == (NOW, "administrator@vsphere.local")
    origin = world.call(Origin.get, vm).check_out
    assert origin is not None
    assert origin.library_item == item
    assert world.call(vcenter.VM.get, vm).name == "work"
    assert check_in(world, item, vm, "first line\nsecond line") == "2"
    assert machine_of(world, item).id == vm
    assert machine_of(world, item).template
    assert world.call(CheckOuts.list, item) == ()
    assert world.call(Versions.list, item) == (
        Versions.Summary(version=Version("2"), vm_template=vm),
        Versions.Summary(version=Version("1"), vm_template=first),
    )
    (change,) = world.call(Changes.list, item)
    assert (change.version, change.user, change.short_message) == ("2", "administrator@vsphere.local", "first line")
    assert world.call(Changes.get, item, Version("2")).message == "first line\nsecond line"
    assert world.call(Item.get, item).content_version == "2"
    with pytest.raises(NotFound):
        world.call(vcenter.VM.get, vm)


def test_it_is_called_after_the_item(world: World) -> None:
    item = golden(world)
    vm = check_out(world, item)
    assert found(world, VirtualMachine, vm).name == "golden-1"
    world.call(CheckOuts.delete, item, vm)
    deploy(world, item, "golden-1")
    assert found(world, VirtualMachine, world.call(CheckOuts.check_out, item, None)).name == "golden-2"


def test_one_at_a_time(world: World) -> None:
    item = golden(world)
    vm = check_out(world, item)
    before = machines(world)
    with pytest.raises(UnableToAllocateResource):
        check_out(world, item)
    assert machines(world) == before
    world.call(CheckOuts.delete, item, vm)
    assert machines(world) == before - {vm}
    assert check_out(world, item) != vm


def test_deleted_as_any_machine(world: World) -> None:
    item = golden(world)
    world.call(vcenter.VM.delete, check_out(world, item))
    assert world.call(CheckOuts.list, item) == ()
    assert not world.inventory.all(CheckOut)


def test_running(world: World) -> None:
    item = golden(world)
    vm = check_out(world, item, powered_on=True)
    assert found(world, VirtualMachine, vm).power_state is ON
    with pytest.raises(NotAllowedInCurrentState):
        check_in(world, item, vm)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(CheckOuts.delete, item, vm)
    world.call(vcenter_vm.Power.stop, vm)
    assert check_in(world, item, vm) == "2"


def test_snapshots_are_not_checked_in(world: World) -> None:
    item = golden(world)
    vm = check_out(world, item)
    world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="before"))
    with pytest.raises(NotAllowedInCurrentState):
        check_in(world, item, vm)
    assert world.call(CheckOuts.list, item) == (CheckOuts.Summary(vm=vm),)


def test_one_previous_version_is_kept(world: World) -> None:
    item = checked_in(world)
    second = machine_of(world, item).id
    previous = item_of(world, item).previous
    assert previous is not None
    third = check_out(world, item)
    assert check_in(world, item, third) == "3"
    assert previous.vm not in machines(world)
    assert [(each.version, each.vm_template) for each in world.call(Versions.list, item)] == [
        ("3", third),
        ("2", second),
    ]
    assert [change.version for change in world.call(Changes.list, item)] == ["2", "3"]
    with pytest.raises(NotFound):
        world.call(Versions.get, item, Version("1"))


def test_a_previous_version_that_cannot_be_deleted_keeps_all_as_it_is(world: World) -> None:
    item = checked_in(world)
    vm, before = check_out(world, item), item_of(world, item)
    assert before.previous is not None
    world.change(found(world, Datastore, found(world, VirtualMachine, before.previous.vm).datastore), accessible=False)
    with pytest.raises(NotAllowedInCurrentState):
        check_in(world, item, vm)
    assert item_of(world, item) == before
    assert world.call(CheckOuts.list, item) == (CheckOuts.Summary(vm=vm),)


def test_rollback(world: World) -> None:
    item = checked_in(world)
    second, previous = machine_of(world, item).id, item_of(world, item).previous
    assert previous is not None
    assert roll_back(world, item, "1") == "3"
    assert [(each.version, each.vm_template) for each in world.call(Versions.list, item)] == [
        ("3", previous.vm),
        ("2", second),
    ]
    assert world.call(Versions.get, item, Version("3")).vm_template == previous.vm
    assert world.call(Changes.get, item, Version("3")).message == "worse"
    info = world.call(LibraryItems.get, item)
    assert info is not None
    assert info.vm_template == previous.vm
    with pytest.raises(InvalidArgument):
        roll_back(world, item, "3")
    with pytest.raises(NotFound):
        roll_back(world, item, "1")
    check_out(world, item)
    with pytest.raises(NotAllowedInCurrentState):
        roll_back(world, item, "2")


def test_a_version_is_deleted(world: World) -> None:
    item = checked_in(world)
    previous = item_of(world, item).previous
    assert previous is not None
    with pytest.raises(InvalidArgument):
        world.call(Versions.delete, item, Version("2"))
    world.call(Versions.delete, item, Version("1"))
    assert previous.vm not in machines(world)
    assert [each.version for each in world.call(Versions.list, item)] == ["2"]
    with pytest.raises(NotFound):
        world.call(Versions.delete, item, Version("1"))


def test_the_item_takes_all_its_versions(world: World) -> None:
    before = machines(world)
    item = checked_in(world)
    vm = check_out(world, item)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Item.delete, item)
    world.call(CheckOuts.delete, item, vm)
    world.call(Item.delete, item)
    assert machines(world) == before


def test_the_library_leaves_what_is_checked_out(world: World) -> None:
    before = machines(world)
    item = checked_in(world)
    vm = check_out(world, item)
    world.call(LocalLibrary.delete, item_of(world, item).library)
    assert machines(world) == before | {vm}
    assert world.call(Origin.get, vm).check_out is None


def test_a_library_in_maintenance(world: World) -> None:
    item = checked_in(world)
    vm = check_out(world, item)
    world.call(LibraryOperations.enter_maintenance, item_of(world, item).library)
    with pytest.raises(NotAllowedInCurrentState):
        check_in(world, item, vm)
    world.call(CheckOuts.delete, item, vm)
    with pytest.raises(ResourceInaccessible):
        check_out(world, item)
    with pytest.raises(NotAllowedInCurrentState):
        roll_back(world, item, "1")
    with pytest.raises(ResourceInaccessible):
        world.call(Versions.delete, item, Version("1"))
    assert len(world.call(Versions.list, item)) == 2


def test_what_is_not_checked_out(world: World) -> None:
    item = golden(world)
    vm = Vm(source(world).id)
    for ask in (
        lambda: world.call(CheckOuts.get, item, vm),
        lambda: check_in(world, item, vm),
        lambda: world.call(CheckOuts.delete, item, vm),
    ):
        with pytest.raises(InvalidArgument, match="is not checked out"):
            ask()
    for unknown in (
        lambda: world.call(CheckOuts.get, item, Vm("vm-0")),
        lambda: check_in(world, item, Vm("vm-0")),
        lambda: world.call(CheckOuts.delete, item, Vm("vm-0")),
    ):
        with pytest.raises(NotFound):
            unknown()
    assert vm in machines(world)


def test_items_that_are_no_templates(world: World) -> None:
    item = add_item(world, add_library(world), type="ovf")
    vm = Vm(source(world).id)
    for ask in (
        lambda: world.call(CheckOuts.list, item),
        lambda: world.call(CheckOuts.get, item, vm),
        lambda: check_out(world, item),
        lambda: check_in(world, item, vm),
        lambda: world.call(CheckOuts.delete, item, vm),
        lambda: world.call(Versions.list, item),
        lambda: world.call(Versions.get, item, Version("1")),
        lambda: roll_back(world, item, "1"),
        lambda: world.call(Versions.delete, item, Version("1")),
    ):
        with pytest.raises(InvalidArgument, match="needs to be of type"):
            ask()
    for unknown in (
        lambda: world.call(CheckOuts.list, UNKNOWN),
        lambda: check_out(world, UNKNOWN),
        lambda: world.call(Versions.list, UNKNOWN),
        lambda: world.call(Changes.list, UNKNOWN),
    ):
        with pytest.raises(NotFound):
            unknown()


def test_a_name_that_is_taken(world: World) -> None:
    item = golden(world)
    with pytest.raises(AlreadyExists):
        check_out(world, item, name=source(world).name)
    with pytest.raises(InvalidArgument):
        check_out(world, item, name="")
    assert world.call(CheckOuts.list, item) == ()


def test_changes_of_files(world: World) -> None:
    item = add_item(world, add_library(world))
    assert world.call(Changes.list, item) == ()
    put_files(world, item, a_txt=b"a")
    put_files(world, item, b_txt=b"b")
    assert [(each.version, each.short_message) for each in world.call(Changes.list, item)] == [("2", None), ("3", None)]
    assert world.call(Changes.get, item, Version("3")).time == NOW
    for version in ("1", "4", "x", "", "-1", "\u0663", "9" * 40):
        with pytest.raises(NotFound):
            world.call(Changes.get, item, Version(version))


def test_what_is_under_way_is_taken_already(world: World) -> None:
    item, other = golden(world), new_library(world)
    use(world, Slow(world))

    async def race() -> None:
        first = world.begin(CheckOuts.check_out, item, CheckOuts.CheckOutSpec(name="one"))
        async with under_way(world, first):
            with pytest.raises(UnableToAllocateResource):
                await world.begin(CheckOuts.check_out, item, CheckOuts.CheckOutSpec(name="two"))
            with pytest.raises(NotAllowedInCurrentState):
                await world.begin(Item.delete, item)
        making = world.begin(LibraryItems.create, create_spec(world, other, "three"))
        async with under_way(world, making):
            with pytest.raises(AlreadyExists):
                await world.begin(LibraryItems.create, create_spec(world, other, "three"))
            with pytest.raises(AlreadyExists):
                await world.begin(Item.create, None, ItemModel(library_id=other, name="three"))

    world.run(race())
    assert world.call(CheckOuts.list, item) == ()


def test_a_library_that_goes_meanwhile(world: World) -> None:
    library, before = new_library(world), machines(world)
    provider = Outside(world)
    use(world, provider)

    async def race() -> None:
        making = world.begin(LibraryItems.create, create_spec(world, library, "late"))
        async with under_way(world, making) as working:
            await world.begin(LocalLibrary.delete, library)
            provider.gate.set()
            with pytest.raises(ResourceInaccessible):
                await working

    world.run(race())
    assert machines(world) == before


def create_spec(world: World, library: ids.ContentLibraryId, name: str) -> LibraryItems.CreateSpec:
    """A template like the source."""
    return LibraryItems.CreateSpec(source_vm=Vm(source(world).id), name=name, library=library)
