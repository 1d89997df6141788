"""From what a virtual machine boots, in which order."""

from __future__ import annotations

from collections import Counter

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.families import DISKS, NICS


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
