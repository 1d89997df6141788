"""Virtual disks, on new VMDK files or existing ones."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import (
    Disk,
    IdeAddressInfo,
    NvmeAddressInfo,
    SataAddressInfo,
    ScsiAddressInfo,
)
from resphere.inventory.model import VirtualMachine
from resphere.replica.replica import Replica
from resphere.rules.hardware.addresses import Bus, BusPlace, allocate, key_of
from resphere.rules.hardware.cdrom import require_changeable
from resphere.rules.hardware.devices import lowest_free
from resphere.rules.hardware.families import DISKS
from resphere.rules.hardware.vmdk import existing_file, new_file
from resphere.rules.machines.guest_os_defaults import defaults_of
from resphere.rules.named_policies import named_policy
from resphere.rules.storage_policies import with_disk_policy

Key = ids.VcenterVmHardwareDiskId


def with_disk(
    inventory: Replica, vm: VirtualMachine, spec: Disk.CreateSpec, number: int | None = None
) -> tuple[VirtualMachine, Key]:
    """``vm`` with a disk more, and its key. The label has ``number``, from 0, or the lowest that is free."""
    if (spec.backing is None) == (spec.new_vmdk is None):
        raise InvalidArgument(
            message("resphere.vm.disk.backing", "spec: exactly one of backing and new_vmdk must be set.")
        )
    place = place_for(vm, spec)
    require_changeable(vm, place.kind is Bus.IDE, "add a disk")
    if number is None:
        # The labels of disks may have gaps: what was removed leaves its number to the next.
        taken = (int(disk.label.rpartition(" ")[2]) - 1 for disk in vm.disks.values())
        number = lowest_free(taken, DISKS.most, DISKS.name, vm)
    if spec.new_vmdk is not None:
        path, capacity = new_file(inventory, vm, spec.new_vmdk)
    else:
        path, capacity = existing_file(inventory, vm, spec.backing)
    key = Key(key_of(place))
    made = disk_at(place, f"Hard disk {number + 1}", path, capacity)
    vm = DISKS.with_(attached(vm, path), key, made)
    wanted = spec.new_vmdk.storage_policy if spec.new_vmdk is not None else None
    if wanted is not None:
        vm = with_disk_policy(vm, key, named_policy(inventory, wanted.policy, "spec.new_vmdk.storage_policy.policy"))
    return vm, key


def place_for(vm: VirtualMachine, spec: Disk.CreateSpec) -> BusPlace:
    """The place that ``spec`` asks for, on the guest's usual bus if it names none."""
    kind = Bus(spec.type or defaults_of(vm.guest_OS).disk_bus)
    if kind is Bus.IDE:
        ide = spec.ide
        bus = None if ide is None or ide.primary is None else 0 if ide.primary else 1
        unit = None if ide is None or ide.master is None else 0 if ide.master else 1
        return allocate(vm, kind, bus, unit)
    asked = spec.scsi or spec.sata or spec.nvme
    return allocate(vm, kind, asked.bus if asked else None, asked.unit if asked else None)


def disk_at(place: BusPlace, label: str, path: str, capacity: int) -> Disk.Info:
    """A disk in a place; ``capacity`` in bytes."""
    kind, bus, unit = place.kind, place.bus, place.unit
    return Disk.Info(
        label=label,
        type=Disk.HostBusAdapterType(kind),
        ide=IdeAddressInfo(primary=bus == 0, master=unit == 0) if kind is Bus.IDE else None,
        scsi=ScsiAddressInfo(bus=bus, unit=unit) if kind is Bus.SCSI else None,
        sata=SataAddressInfo(bus=bus, unit=unit) if kind is Bus.SATA else None,
        nvme=NvmeAddressInfo(bus=bus, unit=unit) if kind is Bus.NVME else None,
        backing=Disk.BackingInfo(type=Disk.BackingType.VMDK_FILE, vmdk_file=path),
        capacity=capacity,
    )


def attached(vm: VirtualMachine, path: str) -> VirtualMachine:
    """``vm`` with that file no longer among those that earlier releases kept with it."""
    if path not in vm.detached_vmdks:
        return vm
    rest = {file: size for file, size in vm.detached_vmdks.items() if file != path}
    return msgspec.structs.replace(vm, detached_vmdks=rest)


def without_boot(vm: VirtualMachine, disk: Key) -> VirtualMachine:
    """``vm`` with a boot order that does not name the disk; an entry that names nothing else goes."""
    entries = []
    for entry in vm.boot_devices:
        if entry.disks is not None and disk in entry.disks:
            rest = tuple(other for other in entry.disks if other != disk)
            if not rest:
                continue
            entry = msgspec.structs.replace(entry, disks=rest)
        entries.append(entry)
    return msgspec.structs.replace(vm, boot_devices=tuple(entries))
