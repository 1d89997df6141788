"""``com.vmware.vcenter.vm.hardware.boot``: get and update; delays in milliseconds."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Boot
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.boot import with_boot
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Boot.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Boot.Info:
    """How the VM boots."""
    return call.require(VirtualMachine, vm).boot


@implements(Boot.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Boot.UpdateSpec) -> None:
    """Change how the VM boots.

    :raises InvalidArgument: a delay is negative, or an EFI option is given for BIOS.
    """
    await reconfigure(call, vm, lambda current: (with_boot(current, spec), None))
