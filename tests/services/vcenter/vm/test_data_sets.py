"""Data sets and their entries: access modes, limits, and what becomes of them with snapshots and machines."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInUse,
    UnableToAllocateResource,
    Unauthorized,
    Unsupported,
)
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import DataSets, Hardware, Power
from resphere.contract.generated.vcenter_vm_data_sets import Entries
from resphere.inventory.data_sets import DataSet, DataSetEntry
from tests.support.guests import machine, ready_vm
from tests.support.world import World

Id = ids.VirtualMachineId
Access = DataSets.Access
SetId = ids.VcenterVmDataSetId
Key = ids.VcenterVmDataSetsEntryId


@pytest.fixture
def vm(world: World) -> Id:
    found = machine(world, ready_vm(world))
    hardware = msgspec.structs.replace(found.hardware, version=Hardware.Version.VMX_20)
    world.change(found, hardware=hardware)
    return Id(found.id)


def make(world: World, vm: Id, name: str, host: DataSets.Access = Access.READ_WRITE, omit: bool | None = None) -> SetId:
    spec = DataSets.CreateSpec(
        name=name, description="for tests", host=host, guest=Access.READ_ONLY, omit_from_snapshot_and_clone=omit
    )
    return world.call(DataSets.create, vm, spec)


def test_data_sets_and_entries_come_and_go(world: World, vm: Id) -> None:
    one = make(world, vm, "com.example/one ä")
    assert [(each.data_set, each.name) for each in world.call(DataSets.list, vm)] == [(one, "com.example/one ä")]
    world.call(Entries.set, vm, one, Key("k"), "välue")
    world.call(Entries.set, vm, one, Key("k"), "other")
    world.call(Entries.set, vm, one, Key("a/b"), "")
    assert world.call(Entries.get, vm, one, Key("k")) == "other"
    assert world.call(Entries.list, vm, one) == {"k", "a/b"}
    found = world.call(DataSets.get, vm, one)
    assert (found.used, found.guest, found.omit_from_snapshot_and_clone) == (len("kothera/b"), Access.READ_ONLY, False)
    with pytest.raises(ResourceInUse):
        world.call(DataSets.delete, vm, one, None)
    world.call(Entries.delete, vm, one, Key("a/b"))
    with pytest.raises(NotFound) as refusal:
        world.call(Entries.get, vm, one, Key("a/b"))
    assert refusal.value.messages[0].id == "resphere.vm.data_set.no_entry"
    world.call(DataSets.delete, vm, one, True)
    assert not world.inventory.all(DataSet)
    assert not world.inventory.all(DataSetEntry)


def test_attributes_change(world: World, vm: Id) -> None:
    one = make(world, vm, "one")
    world.call(DataSets.update, vm, one, DataSets.UpdateSpec(description="new", omit_from_snapshot_and_clone=True))
    found = world.call(DataSets.get, vm, one)
    assert (found.description, found.host, found.omit_from_snapshot_and_clone) == ("new", Access.READ_WRITE, True)
    with pytest.raises(InvalidArgument):
        world.call(DataSets.update, vm, one, DataSets.UpdateSpec(description="x" * 1025))
    with pytest.raises(NotFound):
        world.call(DataSets.update, vm, SetId("none"), DataSets.UpdateSpec())


@pytest.mark.parametrize(("host", "reads"), [(Access.NONE, False), (Access.READ_ONLY, True)])
def test_access_modes(world: World, vm: Id, host: DataSets.Access, reads: bool) -> None:
    one = make(world, vm, "one")
    world.call(Entries.set, vm, one, Key("k"), "v")
    world.call(DataSets.update, vm, one, DataSets.UpdateSpec(host=host))
    changes: list[Callable[[], object]] = [
        lambda: world.call(Entries.set, vm, one, Key("k"), "w"),
        lambda: world.call(Entries.delete, vm, one, Key("k")),
    ]
    for change in changes:
        with pytest.raises(Unauthorized) as refusal:
            change()
        assert refusal.value.messages[0].id == "resphere.vm.data_set.access"
    if reads:
        assert world.call(Entries.get, vm, one, Key("k")) == "v"
    else:
        with pytest.raises(Unauthorized):
            world.call(Entries.get, vm, one, Key("k"))
        with pytest.raises(Unauthorized):
            world.call(Entries.list, vm, one)


def test_limits(world: World, vm: Id) -> None:
    one = make(world, vm, "one")
    with pytest.raises(AlreadyExists):
        make(world, vm, "one")
    with pytest.raises(InvalidArgument):
        make(world, vm, "")
    world.call(Entries.set, vm, one, Key("k" * 4096), "v" * 1024 * 1024)
    for key, value in (("k" * 4097, ""), ("", ""), ("k", "v" * (1024 * 1024 + 1))):
        with pytest.raises(InvalidArgument):
            world.call(Entries.set, vm, one, Key(key), value)
    found = world.inventory.get(DataSet, f"{vm}/one")
    assert found is not None

    async def fill() -> None:
        await world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(found, used=100 * 1024 * 1024)))

    world.run(fill())
    with pytest.raises(UnableToAllocateResource):
        world.call(Entries.set, vm, one, Key("more"), "v")


def test_states(world: World, vm: Id) -> None:
    one = make(world, vm, "one")
    world.call(Entries.set, vm, one, Key("k"), "v")
    world.call(Power.suspend, vm)
    assert world.call(Entries.get, vm, one, Key("k")) == "v"
    for change in (
        lambda: world.call(Entries.set, vm, one, Key("k"), "w"),
        lambda: world.call(DataSets.delete, vm, one, True),
        lambda: make(world, vm, "two"),
    ):
        with pytest.raises(NotAllowedInCurrentState):
            change()
    old = msgspec.structs.replace(machine(world, vm).hardware, version=Hardware.Version.VMX_19)
    world.change(machine(world, vm), hardware=old)
    with pytest.raises(Unsupported):
        world.call(DataSets.list, vm)
    with pytest.raises(NotFound):
        world.call(DataSets.list, Id("vm-999999"))


def test_snapshots_keep_them_unless_told_otherwise(world: World, vm: Id) -> None:
    kept, omitted = make(world, vm, "kept"), make(world, vm, "omitted", omit=True)
    world.call(Entries.set, vm, kept, Key("k"), "before")
    world.call(Entries.set, vm, omitted, Key("k"), "before")
    snapshot = world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s"))
    world.call(Entries.set, vm, kept, Key("k"), "after")
    world.call(Entries.set, vm, kept, Key("new"), "after")
    later = make(world, vm, "later")
    world.call(Entries.set, vm, later, Key("k"), "after")
    world.call(VmSnapshots.revert, vm, snapshot)
    assert [each.name for each in world.call(DataSets.list, vm)] == ["kept"]
    assert world.call(Entries.get, vm, kept, Key("k")) == "before"
    assert world.call(Entries.list, vm, kept) == {"k"}
    assert world.call(DataSets.get, vm, kept).used == len("kbefore")
    world.call(VmSnapshots.delete, vm, snapshot, False, None)
    assert len(world.inventory.all(DataSet)) == 1
    assert len(world.inventory.all(DataSetEntry)) == 1


def test_they_go_with_the_machine(world: World, vm: Id) -> None:
    world.call(Entries.set, vm, make(world, vm, "one"), Key("k"), "v")
    world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s"))
    world.call(Power.stop, vm)
    world.call(vcenter.VM.delete, vm)
    assert not world.inventory.all(DataSet)
    assert not world.inventory.all(DataSetEntry)


def test_they_come_back_with_the_machine(world: World, vm: Id) -> None:
    one = make(world, vm, "one")
    world.call(Entries.set, vm, one, Key("k"), "v")
    world.call(Power.stop, vm)
    found = machine(world, vm)
    world.call(vcenter.VM.unregister, vm)
    folder = ids.FolderId(found.parent or "")
    again = world.call(
        vcenter.VM.register,
        vcenter.VM.RegisterSpec(
            datastore_path=found.vmx_path,
            name=found.name,
            placement=vcenter.VM.RegisterPlacementSpec(
                folder=folder, host=found.host, resource_pool=found.resource_pool
            ),
        ),
    )
    assert world.call(Entries.get, again, one, Key("k")) == "v"
    assert {each.machine for each in world.inventory.all(DataSet).values()} == {again}
