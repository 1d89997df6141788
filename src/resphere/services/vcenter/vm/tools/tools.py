"""``com.vmware.vcenter.vm.tools``: VMware Tools of a VM."""

from __future__ import annotations

from functools import partial

import msgspec

from resphere.contract.generated import ids, vcenter_vm
from resphere.inventory.effects import UpgradeTools
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.tools import may_upgrade
from resphere.rules.hardware.devices import changed
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure
from resphere.tasks.change import Decision

Tools = vcenter_vm.Tools


@implements(Tools.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Tools.Info:
    """Which Tools the VM has, and whether they run. As vCenter writes it, their version is their number as text."""
    tools = call.require(VirtualMachine, vm).tools
    number, attempts = tools.version_number, tools.install_attempt_count
    return msgspec.structs.replace(
        tools, version=None if number is None else str(number), install_attempt_count=attempts or 0
    )


@implements(Tools.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Tools.UpdateSpec) -> None:
    """Change when Tools are upgraded by themselves."""

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        tools = changed(current.tools, upgrade_policy=spec.upgrade_policy)
        return msgspec.structs.replace(current, tools=tools), None

    await reconfigure(call, vm, change)


@implements(Tools.upgrade)
async def upgrade(call: Call, vm: ids.VirtualMachineId, command_line_options: str | None) -> None:
    """Upgrade old Tools that run; the simulated guest takes any ``command_line_options`` and is done at once.

    :raises AlreadyInDesiredState: they are current.
    :raises NotAllowedInCurrentState: the VM is not powered on, or the guest's own package manager looks after them.
    :raises ServiceUnavailable: they do not run.
    """
    await call.run(
        "VirtualMachine.upgradeTools",
        call.require(VirtualMachine, vm),
        lambda _, current: Decision(UpgradeTools(vm=current), None),
        partial(may_upgrade, call.vcenter),
    )
