"""Guests for tests in this process: a VM of either family that is ready for guest operations, and who logs in."""

from __future__ import annotations

import asyncio

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Power, Tools
from resphere.contract.generated.vcenter_vm_guest import Credentials, Processes
from resphere.contract.model import Secret
from resphere.inventory.model import VirtualMachine
from resphere.tasks.record import Task
from tests.support.world import World

PASSWORD = Secret("VMware1!")
ROOT = Credentials(
    interactive_session=False, type=Credentials.Type.USERNAME_PASSWORD, user_name="root", password=PASSWORD
)
ADMINISTRATOR = Credentials(
    interactive_session=False, type=Credentials.Type.USERNAME_PASSWORD, user_name="Administrator", password=PASSWORD
)


def ready_vm(world: World, family: GuestOSFamily = GuestOSFamily.LINUX) -> ids.VirtualMachineId:
    """A VM of that family that runs, with Tools that run."""
    for vm in world.inventory.all(VirtualMachine).values():
        if vm.guest is None or vm.guest.family is not family or vm.template:
            continue
        if vm.power_state is not Power.State.POWERED_ON:
            world.call(Power.start, ids.VirtualMachineId(vm.id))
        now = world.inventory.get(VirtualMachine, vm.id)
        assert now is not None
        assert now.tools.run_state is Tools.RunState.RUNNING
        return ids.VirtualMachineId(vm.id)
    raise AssertionError(f"no VM has a guest of the family {family}")


def machine(world: World, vm: ids.VirtualMachineId) -> VirtualMachine:
    """The VM of that id as it is now."""
    found = world.inventory.get(VirtualMachine, vm)
    assert found is not None
    return found


def run_shell(world: World, vm: ids.VirtualMachineId, line: str) -> int | None:
    """The exit code of a command line in a Linux guest."""
    pid = world.call(Processes.create, vm, ROOT, Processes.CreateSpec(path="/bin/sh", arguments=f"-c '{line}'"))
    return world.call(Processes.get, vm, ROOT, pid).exit_code


def ended(world: World, task: str) -> str:
    """The status of a task at its end, which is waited for."""
    return str(world.run(ending(world, task)).status)


async def ending(world: World, task: str) -> Task:
    """The task at its end."""
    changed = asyncio.Event()
    stop = world.inventory.subscribe(Task, lambda _old, _new: changed.set())
    found = world.inventory.get(Task, task)
    while found is None or not found.is_finished:
        changed.clear()
        await changed.wait()
        found = world.inventory.get(Task, task)
    stop()
    return found
