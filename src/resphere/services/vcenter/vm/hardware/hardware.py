"""``com.vmware.vcenter.vm.hardware``: the virtual hardware version and its upgrade."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.version import NEWEST, Hardware, upgraded, with_plan
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Hardware.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Hardware.Info:
    """The VM's hardware version."""
    return call.require(VirtualMachine, vm).hardware


@implements(Hardware.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Hardware.UpdateSpec) -> None:
    """Plan an upgrade for a later power cycle, or take the plan back.

    :raises InvalidArgument: the planned version is not newer than the present one, or too new.
    """
    await reconfigure(call, vm, lambda current: (with_plan(current, spec), None))


@implements(Hardware.upgrade)
async def upgrade(call: Call, vm: ids.VirtualMachineId, version: Hardware.Version | None) -> None:
    """Upgrade at once, to ``version`` or the newest.

    :raises AlreadyInDesiredState: the VM has that version.
    :raises InvalidArgument: the version is older than the present one, or too new.
    :raises NotAllowedInCurrentState: the VM is not powered off.
    """
    await reconfigure(call, vm, lambda current: (upgraded(current, version or NEWEST), None))
