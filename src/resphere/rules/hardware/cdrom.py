"""CD-ROM drives."""

from __future__ import annotations

from collections.abc import Iterator

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, IdeAddressInfo, SataAddressInfo
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tables import path_on_datastore
from resphere.replica.replica import Replica
from resphere.rules.files import store_of
from resphere.rules.hardware.addresses import Bus, BusPlace, allocate, buses, key_of
from resphere.rules.hardware.devices import (
    initial_state,
    lowest_free,
    require_not_suspended,
    require_off,
)
from resphere.rules.hardware.families import CDROMS

Key = ids.VcenterVmHardwareCdromId


def with_cdrom(inventory: Replica, vm: VirtualMachine, spec: Cdrom.CreateSpec) -> tuple[VirtualMachine, Key]:
    """``vm`` with a CD-ROM drive more, and its key."""
    require_image(inventory, vm, spec.backing)
    place = place_for(vm, spec)
    require_changeable(vm, place.kind is Bus.IDE, "add a CD-ROM drive")
    number = lowest_free(label_numbers(vm), CDROMS.most, CDROMS.name, vm)
    start_connected = bool(spec.start_connected)
    made = Cdrom.Info(
        type=Cdrom.HostBusAdapterType(place.kind),
        label=f"CD/DVD drive {number + 1}",
        ide=IdeAddressInfo(primary=place.bus == 0, master=place.unit == 0) if place.kind is Bus.IDE else None,
        sata=SataAddressInfo(bus=place.bus, unit=place.unit) if place.kind is Bus.SATA else None,
        backing=backing_info(spec.backing),
        state=initial_state(vm, start_connected),
        start_connected=start_connected,
        allow_guest_control=bool(spec.allow_guest_control),
    )
    key = Key(key_of(place))
    return CDROMS.with_(vm, key, made), key


def label_numbers(vm: VirtualMachine) -> Iterator[int]:
    """The numbers, from 0, that the drives' labels hold (``CD/DVD drive 1`` is 0)."""
    for device in vm.cdroms.values():
        yield int(device.label.rpartition(" ")[2]) - 1


def require_changeable(vm: VirtualMachine, on_ide: bool, act: str) -> None:
    """IDE devices come and go only while the VM is off, others while it is not suspended."""
    if on_ide:
        require_off(vm, act)
    else:
        require_not_suspended(vm, act)


def place_for(vm: VirtualMachine, spec: Cdrom.CreateSpec) -> BusPlace:
    """The place that ``spec`` asks for; unset: on SATA where the VM has such an adapter, else on IDE."""
    kind = Bus(spec.type) if spec.type else Bus.SATA if buses(vm, Bus.SATA) else Bus.IDE
    if kind is Bus.IDE:
        ide = spec.ide
        bus = None if ide is None or ide.primary is None else 0 if ide.primary else 1
        unit = None if ide is None or ide.master is None else 0 if ide.master else 1
        return allocate(vm, kind, bus, unit)
    return allocate(vm, kind, spec.sata.bus if spec.sata else None, spec.sata.unit if spec.sata else None)


def require_image(inventory: Replica, vm: VirtualMachine, backing: Cdrom.BackingSpec | None) -> None:
    """Refuse an image that is not on a datastore of the VM's host. Which images lie there nobody knows.

    :raises InvalidArgument: the path is malformed, or the host has mounted no datastore of that name.
    """
    path = backing.iso_file if backing is not None else None
    if path is not None and (not path_on_datastore(path) or store_of(inventory, vm, path) is None):
        raise InvalidArgument(
            message(
                "resphere.vm.cdrom.iso_file",
                "spec.backing.iso_file: must be a path such as [datastore1] images/linux.iso, on a datastore that the "
                "host has mounted, not {0}.",
                path,
            )
        )


def backing_info(spec: Cdrom.BackingSpec | None) -> Cdrom.BackingInfo:
    """The backing that ``spec`` asks for; unset: whatever the host has."""
    if spec is None:
        return Cdrom.BackingInfo(
            type=Cdrom.BackingType.HOST_DEVICE, auto_detect=True, device_access_type=Cdrom.DeviceAccessType.EMULATION
        )
    if spec.type is Cdrom.BackingType.ISO_FILE:
        return Cdrom.BackingInfo(type=spec.type, iso_file=spec.iso_file)
    access = spec.device_access_type or Cdrom.DeviceAccessType.EMULATION
    automatic = spec.host_device is None if spec.type is Cdrom.BackingType.HOST_DEVICE else None
    return Cdrom.BackingInfo(
        type=spec.type, host_device=spec.host_device, auto_detect=automatic, device_access_type=access
    )
