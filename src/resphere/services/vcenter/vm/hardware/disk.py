"""``com.vmware.vcenter.vm.hardware.disk``: virtual disks, on new VMDK files or existing ones."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import (
    Disk,
)
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.cdrom import require_changeable
from resphere.rules.hardware.devices import require_off
from resphere.rules.hardware.disk import Key, attached, with_disk, without_boot
from resphere.rules.hardware.families import DISKS
from resphere.rules.hardware.vmdk import existing_file
from resphere.rules.storage_policies import with_disk_policy
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Disk.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Disk.Summary, ...]:
    """The VM's disks."""
    return tuple(Disk.Summary(disk=key) for key in DISKS.keys(call.require(VirtualMachine, vm)))


@implements(Disk.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, disk: Key) -> Disk.Info:
    """One disk; its capacity in bytes."""
    return DISKS.require(call.require(VirtualMachine, vm), disk)


@implements(Disk.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Disk.CreateSpec) -> Key:
    """Add a disk; to a running VM too, but for IDE. Unset: the guest's usual bus, the first free place on it.

    :raises InvalidArgument: not exactly one of ``backing`` and ``new_vmdk``; no such bus or unit; a bad name or size.
    :raises NotAllowedInCurrentState: the VM is suspended, or runs and the disk would be on IDE.
    :raises NotFound: no such file.
    :raises ResourceBusy: the existing file is a disk of a VM.
    :raises ResourceInUse: the place is taken, or there is a file of the new name.
    :raises UnableToAllocateResource: no free place, or the datastore has no room.
    """
    return await reconfigure(call, vm, lambda current: with_disk(call.unfiltered, current, spec))


@implements(Disk.update)
async def update(call: Call, vm: ids.VirtualMachineId, disk: Key, spec: Disk.UpdateSpec) -> None:
    """Have a disk of a VM that is off use another VMDK file; the former one remains.

    :raises NotAllowedInCurrentState: the VM is not off.
    :raises NotFound: no such file.
    """

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        device = DISKS.require(current, disk)
        if spec.backing is None or spec.backing.vmdk_file == device.backing.vmdk_file:
            return current, None
        require_off(current, f"change the backing of {device.label}")
        path, capacity = existing_file(call.unfiltered, current, spec.backing)
        backing = Disk.BackingInfo(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)
        changed = msgspec.structs.replace(device, backing=backing, capacity=capacity)
        return DISKS.with_(attached(current, path), disk, changed), None

    await reconfigure(call, vm, change)


@implements(Disk.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, disk: Key) -> None:
    """Take a disk out of the VM and its boot order. The VMDK file remains and can be attached again.

    :raises NotAllowedInCurrentState: the VM is suspended, or runs and the disk is on IDE.
    """

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        device = DISKS.require(current, disk)
        require_changeable(current, device.ide is not None, f"remove {device.label}")
        return with_disk_policy(without_boot(DISKS.without(current, disk), disk), disk, None), None

    await reconfigure(call, vm, change)
