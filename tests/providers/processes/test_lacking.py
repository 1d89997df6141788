"""Every operation of VMs with a provider that can do little: it works, or refuses with what it declares."""

from __future__ import annotations

from typing import Any

import pytest

from resphere import services
from resphere.contract.errors import InternalServerError, VapiError
from resphere.contract.extensions.about import About
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.inventory.effects import Intent
from resphere.inventory.model import VirtualMachine
from resphere.services.registry import load
from resphere.tasks.record import Task
from tests.providers.processes.test_feed import create
from tests.support.calls import minimal_input
from tests.support.refusals import may_answer
from tests.support.world import World

IMPLEMENTED = load(services).keys()
LACKING = "resphere.provider.lacking"
OPERATIONS = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTED
    and operation.api is not None
    and not operation.streams
    and (
        operation.id.startswith(("com.vmware.vcenter.vm", "com.vmware.vcenter.VM", "resphere.vcenter.vm"))
        or "/vm/{vm}" in operation.api.path
    )
]
ALWAYS = {
    "com.vmware.vcenter.VM.relocate",
    "com.vmware.vcenter.VM.relocate$task",
    "com.vmware.vcenter.vm.hardware.adapter.nvme.create",
    "com.vmware.vcenter.vm.hardware.ethernet.create",
    "com.vmware.vcenter.vm.tools.installer.get",
    "resphere.vcenter.utilization.get_vm",
    "resphere.vcenter.vm.snapshots.consolidate",
}
WHILE_OFF = {"com.vmware.vcenter.VM.unregister"}
WHILE_ON = {"com.vmware.vcenter.vm.power.suspend"}
"""Operations whose least input gets as far as the provider, which lacks them."""


def ask(world: World, operation: AnyOperation, vm: str) -> str | None:
    """The id of the refusal, ``None`` where the operation works; what it raises must be declared, and no fault."""
    value = minimal_input(operation, {**world.ids, "VirtualMachineId": [vm]})
    before = set(world.inventory.all(Task))
    refusal = raised(world, operation, value)
    world.run(world.environment.tasks.close())
    if refusal is not None:
        require_declared(operation, refusal)
        return refusal.messages[0].id
    ended = [task.error for id, task in world.inventory.all(Task).items() if id not in before]
    return next((error.messages[0].id for error in ended if error is not None), None)


def raised(world: World, operation: AnyOperation, value: Any) -> VapiError | None:
    """What the operation raises."""
    try:
        world.ask(operation, value)
    except VapiError as error:
        return error
    return None


def require_declared(operation: AnyOperation, refusal: VapiError) -> None:
    """Refuse what the operation does not declare, and every fault."""
    assert not isinstance(refusal, InternalServerError), operation.id
    assert refusal.error_type.lower() in may_answer(operation), operation.id


def test_there_are_many() -> None:
    assert len(OPERATIONS) > 140


@pytest.mark.parametrize("runs", [False, True], ids=["off", "on"])
def test_each_works_or_refuses(world: World, runs: bool) -> None:
    refused = set()
    for operation in OPERATIONS:
        vm = next(iter(world.inventory.all(VirtualMachine)), None) or create(world, "one").id
        if runs and world.call(Power.get, ids.VirtualMachineId(vm)).state is Power.State.POWERED_OFF:
            world.call(Power.start, ids.VirtualMachineId(vm))
        if ask(world, operation, vm) == LACKING:
            refused.add(operation.id)
        assert not world.inventory.all(Intent), operation.id
    assert refused >= ALWAYS | (WHILE_ON if runs else WHILE_OFF)


def test_what_the_provider_can_do_is_shown(world: World) -> None:
    shown = world.call(About.get)
    assert shown.capabilities == ("power", "lifecycle", "hardware")
