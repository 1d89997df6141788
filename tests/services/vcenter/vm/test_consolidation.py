"""Snapshots that are deleted with and without the merging of their disks."""

from __future__ import annotations

import pytest

from resphere.contract.errors import NotFound
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import VirtualMachine
from tests.support.world import World


def with_snapshots(world: World) -> tuple[ids.VirtualMachineId, list[str]]:
    """A VM with two snapshots, one on the other."""
    found = next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.snapshot is None and not vm.template)
    vm = ids.VirtualMachineId(found.id)
    return vm, [world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name=name)) for name in ("one", "two")]


def needed(world: World, vm: ids.VirtualMachineId) -> bool:
    return world.call(VmSnapshots.get_consolidation, vm).needed


def test_what_is_merged_at_once_needs_nothing(world: World) -> None:
    vm, (first, _) = with_snapshots(world)
    world.call(VmSnapshots.delete, vm, first, None, None)
    world.call(VmSnapshots.delete_all, vm, True)
    assert not needed(world, vm)
    world.call(VmSnapshots.consolidate, vm)
    assert not needed(world, vm)


def test_what_is_not_merged_waits(world: World) -> None:
    vm, (first, second) = with_snapshots(world)
    world.call(VmSnapshots.delete, vm, second, None, False)
    assert needed(world, vm)
    world.call(VmSnapshots.revert, vm, first)
    assert needed(world, vm)
    world.call(VmSnapshots.delete_all, vm, None)
    assert needed(world, vm)
    clone = world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name="twin"))
    assert not needed(world, clone)
    world.call(VmSnapshots.consolidate, vm)
    assert not needed(world, vm)


def test_an_unknown_machine(world: World) -> None:
    nobody = ids.VirtualMachineId("vm-404")
    with pytest.raises(NotFound) as raised:
        world.call(VmSnapshots.consolidate, nobody)
    assert raised.value.messages[0].id == "com.vmware.api.vcenter.vm.not_found"
    with pytest.raises(NotFound):
        world.call(VmSnapshots.get_consolidation, nobody)
