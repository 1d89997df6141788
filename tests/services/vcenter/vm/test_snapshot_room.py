"""What snapshots take on datastores: from when they are taken, until they are deleted and merged."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from resphere.contract.errors import ResourceInaccessible, UnableToAllocateResource
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Disk
from resphere.inventory.model import KINDS, Datastore, Snapshot, VirtualMachine
from resphere.rules.space import DELTA_PART, MIB, free_space
from tests.support.guests import machine
from tests.support.invariants import require_sound
from tests.support.world import World

Id = ids.VirtualMachineId
GIB = 1 << 30


@pytest.fixture
def vm(world: World) -> Id:
    """A running VM without snapshots, all of whose files are on one datastore."""
    found = next(
        vm
        for vm in world.inventory.all(VirtualMachine).values()
        if vm.power_state is Power.State.POWERED_ON and vm.snapshot is None and vm.disks
    )
    return Id(found.id)


def home(world: World, vm: Id) -> Datastore:
    found = world.inventory.get(Datastore, machine(world, vm).datastore)
    assert found is not None
    return found


def free(world: World, vm: Id) -> int:
    """What is free where the VM's files are."""
    return free_space(world.inventory, home(world, vm))


def leave_free(world: World, vm: Id, size: int) -> None:
    store = home(world, vm)
    world.change(store, other_used=store.other_used + free_space(world.inventory, store) - size)


def deltas(world: World, vm: Id) -> int:
    """What delta files of all its disks take."""
    return sum((disk.capacity or 0) // DELTA_PART for disk in machine(world, vm).disks.values())


def memory(world: World, vm: Id) -> int:
    return machine(world, vm).memory.size_MiB * MIB


def take(world: World, vm: Id, memory: bool = False) -> str:
    return world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s", memory=memory))


def test_delta_and_memory_files_take_room_until_they_go(world: World, vm: Id) -> None:
    before = free(world, vm)
    take(world, vm)
    assert free(world, vm) == before - deltas(world, vm)
    second = take(world, vm, memory=True)
    both = before - 2 * deltas(world, vm) - memory(world, vm)
    assert free(world, vm) == both
    assert world.call(vcenter.Datastore.get, ids.DatastoreId(home(world, vm).id)).free_space == both
    world.call(VmSnapshots.revert, vm, second)
    assert free(world, vm) == both
    world.call(VmSnapshots.delete, vm, second, None, None)
    assert free(world, vm) == before - deltas(world, vm)
    world.call(VmSnapshots.delete_all, vm, None)
    assert free(world, vm) == before


def test_a_machine_that_is_off_has_no_memory_to_keep(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    before = free(world, vm)
    take(world, vm, memory=True)
    assert free(world, vm) == before - deltas(world, vm)


def test_what_is_not_merged_takes_room_until_it_is(world: World, vm: Id) -> None:
    before = free(world, vm)
    first = take(world, vm, memory=True)
    take(world, vm)
    for snapshot, count in ((first, 2), (None, 2)):
        if snapshot is None:
            world.call(VmSnapshots.delete_all, vm, False)
        else:
            world.call(VmSnapshots.delete, vm, snapshot, None, False)
        assert free(world, vm) == before - count * deltas(world, vm)
        require_sound(world.inventory)
    world.call(VmSnapshots.consolidate, vm)
    assert free(world, vm) == before


def test_no_room(world: World, vm: Id) -> None:
    wanted = deltas(world, vm) + memory(world, vm)
    leave_free(world, vm, wanted - 1)
    before = {cls: dict(world.inventory.all(cls)) for cls in KINDS.values()}
    with pytest.raises(UnableToAllocateResource) as refusal:
        take(world, vm, memory=True)
    assert refusal.value.messages[0].id == "resphere.vm.disk.no_room"
    assert str(wanted) in str(refusal.value)
    assert {cls: dict(world.inventory.all(cls)) for cls in KINDS.values()} == before
    leave_free(world, vm, wanted)
    take(world, vm, memory=True)
    assert free(world, vm) == 0


def test_a_datastore_that_cannot_be_reached(world: World, vm: Id) -> None:
    world.change(home(world, vm), accessible=False)
    with pytest.raises(ResourceInaccessible):
        take(world, vm)
    world.change(home(world, vm), accessible=True)


def test_of_two_at_once_one_gets_the_last_room(world: World, vm: Id) -> None:
    other = world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name="twin"))
    leave_free(world, vm, deltas(world, vm) + deltas(world, other) - 1)
    spec = VmSnapshots.CreateSpec(name="s")
    each = [world.begin(VmSnapshots.create, machine, spec) for machine in (vm, other)]

    async def both() -> list[str | BaseException]:
        return await asyncio.gather(*each, return_exceptions=True)

    outcomes = world.run(both())
    assert [type(outcome) for outcome in outcomes if not isinstance(outcome, str)] == [UnableToAllocateResource]


def test_it_goes_with_the_machine_and_stays_with_its_files(world: World, vm: Id) -> None:
    store, before = home(world, vm), free(world, vm)
    first = take(world, vm)
    take(world, vm)
    world.call(VmSnapshots.delete, vm, first, None, False)
    world.call(Power.stop, vm)
    taken = free(world, vm)
    found = machine(world, vm)
    world.call(vcenter.VM.unregister, vm)
    assert free_space(world.inventory, store) == taken
    require_sound(world.inventory)
    placement = vcenter.VM.RegisterPlacementSpec(
        folder=ids.FolderId(found.parent or ""), host=found.host, resource_pool=found.resource_pool
    )
    spec = vcenter.VM.RegisterSpec(datastore_path=found.vmx_path, name=found.name, placement=placement)
    again = world.call(vcenter.VM.register, spec)
    assert free(world, again) == taken
    disks = sum(disk.capacity or 0 for disk in found.disks.values())
    world.call(vcenter.VM.delete, again)
    assert free_space(world.inventory, store) == before + disks


def test_it_moves_along(world: World, vm: Id) -> None:
    first = take(world, vm, memory=True)
    take(world, vm)
    world.call(VmSnapshots.delete, vm, first, None, False)
    snapshot = take(world, vm, memory=True)
    here = home(world, vm)
    disks = sum(disk.capacity or 0 for disk in machine(world, vm).disks.values())
    all_of_it = disks + 3 * deltas(world, vm) + memory(world, vm)
    there = next(
        store
        for store in world.inventory.all(Datastore).values()
        if store.name.startswith("DC") and store.id != here.id and free_space(world.inventory, store) > all_of_it
    )
    free_before = free_space(world.inventory, here), free_space(world.inventory, there)
    spec = vcenter.VM.RelocateSpec(placement=vcenter.VM.RelocatePlacementSpec(datastore=ids.DatastoreId(there.id)))
    full = world.change(there, other_used=there.other_used + free_before[1] - all_of_it + 1)
    with pytest.raises(Exception, match=f"{all_of_it} are needed"):
        world.call(vcenter.VM.relocate, vm, spec)
    world.change(full, other_used=there.other_used)
    world.call(vcenter.VM.relocate, vm, spec)
    assert free_space(world.inventory, here) == free_before[0] + all_of_it
    assert free_space(world.inventory, there) == free_before[1] - all_of_it
    world.call(VmSnapshots.revert, vm, snapshot)
    assert free_space(world.inventory, there) == free_before[1] - all_of_it


def test_what_is_not_merged_goes_with_its_disk(world: World, vm: Id) -> None:
    added = world.call(Disk.create, vm, Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=GIB)))
    before = free(world, vm)
    first = take(world, vm)
    kept = take(world, vm)
    world.call(VmSnapshots.delete, vm, first, None, False)
    assert machine(world, vm).unmerged[added] == GIB // DELTA_PART
    world.call(Disk.delete, vm, added)
    assert added not in machine(world, vm).unmerged
    require_sound(world.inventory)
    world.call(VmSnapshots.revert, vm, kept)
    assert added in machine(world, vm).disks
    assert added not in machine(world, vm).unmerged
    assert free(world, vm) == before - 2 * deltas(world, vm) + GIB // DELTA_PART


def test_a_clone_has_none_of_it(world: World, vm: Id) -> None:
    take(world, vm)
    world.call(VmSnapshots.delete_all, vm, False)
    before = free(world, vm)
    clone = machine(world, world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name="twin")))
    assert clone.unmerged == {}
    assert free(world, vm) == before - sum(disk.capacity or 0 for disk in clone.disks.values())


def test_snapshots_of_earlier_releases_take_none(world: World, vm: Id) -> None:
    snapshot = take(world, vm, memory=True)
    before = free(world, vm)
    found = world.inventory.get(Snapshot, snapshot)
    assert found is not None
    old = msgspec.structs.replace(found, takes_room=False)
    assert b"takes_room" not in msgspec.json.encode(old)
    world.call(VmSnapshots.delete, vm, snapshot, None, None)
    world.put(old, msgspec.structs.replace(machine(world, vm), snapshot=snapshot))
    assert free(world, vm) == before + deltas(world, vm) + memory(world, vm)
    world.call(VmSnapshots.delete, vm, snapshot, None, False)
    assert machine(world, vm).unmerged == {}
