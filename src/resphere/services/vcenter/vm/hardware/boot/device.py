"""``com.vmware.vcenter.vm.hardware.boot.device``: the order in which devices are tried."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.boot_devices import with_boot_devices
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Device.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> tuple[Device.Entry, ...]:
    """The devices in boot order; empty where the firmware's own order holds."""
    return call.require(VirtualMachine, vm).boot_devices


@implements(Device.set)
async def set_(call: Call, vm: ids.VirtualMachineId, devices: tuple[Device.Entry, ...]) -> None:
    """Set the boot order.

    :raises InvalidArgument: a type other than ETHERNET stands twice.
    :raises NotFound: a NIC or disk that the VM does not have.
    """
    await reconfigure(call, vm, lambda current: (with_boot_devices(current, devices), None))
