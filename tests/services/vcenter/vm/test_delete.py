"""The end of virtual machines."""

from __future__ import annotations

import pytest

from resphere.contract.errors import NotAllowedInCurrentState, NotFound
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.model import Datastore, Snapshot, VirtualMachine
from resphere.rules.space import files_of, free_space
from resphere.tasks.record import Task
from tests.support.world import World

Id = ids.VirtualMachineId
OFF = vcenter_vm.Power.State.POWERED_OFF


def vm_off(world: World) -> VirtualMachine:
    return next(
        vm
        for vm in world.inventory.all(VirtualMachine).values()
        if vm.power_state is OFF and vm.disks and not vm.template
    )


def test_a_vm_goes_with_its_snapshots_and_files(world: World) -> None:
    vm = vm_off(world)
    store = world.inventory.get(Datastore, vm.datastore)
    assert store is not None
    before = free_space(world.inventory, store)
    for name in ("first", "second"):
        world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name=name))
    world.call(vcenter.VM.delete, Id(vm.id))
    assert world.inventory.get(VirtualMachine, vm.id) is None
    assert not world.inventory.by(Snapshot, "parent", vm.id)
    assert free_space(world.inventory, store) == before + sum(files_of(vm).values())
    assert vm.id not in [each.vm for each in world.call(vcenter.VM.list, None)]
    (task,) = (t for t in world.inventory.all(Task).values() if t.description == "VirtualMachine.destroy")
    assert (task.target, str(task.status)) == (vm.id, "SUCCEEDED")


def test_the_name_is_free_again(world: World) -> None:
    vm = vm_off(world)
    world.call(vcenter.VM.delete, Id(vm.id))
    world.put(vm)
    assert world.inventory.get(VirtualMachine, vm.id) == vm


@pytest.mark.parametrize("suspended", [False, True])
def test_a_vm_that_is_not_off_stays(world: World, suspended: bool) -> None:
    vm = vm_off(world)
    world.call(vcenter_vm.Power.start, Id(vm.id))
    if suspended:
        world.call(vcenter_vm.Power.suspend, Id(vm.id))
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(vcenter.VM.delete, Id(vm.id))
    assert [each.id for each in error.value.messages] == [
        "resphere.vm.delete.power_state",
        "vmsg.InvalidPowerState.summary",
    ]
    assert world.inventory.get(VirtualMachine, vm.id) is not None


def test_an_unknown_vm(world: World) -> None:
    vm = vm_off(world)
    world.call(vcenter.VM.delete, Id(vm.id))
    with pytest.raises(NotFound) as error:
        world.call(vcenter.VM.delete, Id(vm.id))
    assert error.value.messages[0].id == "com.vmware.api.vcenter.vm.not_found"
