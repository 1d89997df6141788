"""``com.vmware.vcenter.vm.tools``: VMware Tools of a VM."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyInDesiredState, NotAllowedInCurrentState, message
from resphere.contract.generated import ids, vcenter_vm
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.checks.tools_running import require_tools
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import changed, reconfigure, require_on

Tools = vcenter_vm.Tools
UPGRADABLE = (
    Tools.VersionStatus.SUPPORTED_OLD,
    Tools.VersionStatus.TOO_OLD_UNSUPPORTED,
    Tools.VersionStatus.BLACKLISTED,
)


@implements(Tools.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Tools.Info:
    """Which Tools the VM has, and whether they run."""
    return call.require(VirtualMachine, vm).tools


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
        call.provider.guests.upgrade_tools,
        may_upgrade,
    )


def may_upgrade(vm: VirtualMachine) -> None:
    """Refuse Tools that need no upgrade, or none from here."""
    require_on(vm, "upgrade VMware Tools")
    require_tools(vm)
    status = vm.tools.version_status
    if status is Tools.VersionStatus.UNMANAGED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.tools.unmanaged", "Tools in {0} are the guest's own package and upgraded there.", vm.name
            )
        )
    if status not in UPGRADABLE:
        raise AlreadyInDesiredState(message("resphere.vm.tools.current", "Tools in {0} are current.", vm.name))
