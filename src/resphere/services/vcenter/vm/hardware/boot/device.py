"""``com.vmware.vcenter.vm.hardware.boot.device``: the order in which devices are tried."""

from __future__ import annotations

from collections import Counter

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure
from resphere.services.vcenter.vm.hardware.families import DISKS, NICS


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


def with_boot_devices(vm: VirtualMachine, devices: tuple[Device.Entry, ...]) -> VirtualMachine:
    """``vm`` with that boot order."""
    times = Counter(entry.type for entry in devices)
    for kind, count in times.items():
        if count > 1 and kind is not Device.Type.ETHERNET:
            raise InvalidArgument(
                message(
                    "resphere.vm.boot.device_twice", "devices: {0} may stand only once, not {1} times.", kind, count
                )
            )
    for entry in devices:
        if entry.nic is not None:
            NICS.require(vm, entry.nic)
        for disk in entry.disks or ():
            DISKS.require(vm, disk)
    return msgspec.structs.replace(vm, boot_devices=devices)
