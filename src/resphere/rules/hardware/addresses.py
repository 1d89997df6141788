"""Where a disk or CD-ROM drive sits: bus and unit on an adapter, and the keys that follow from that."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from resphere.contract.errors import InvalidArgument, ResourceInUse, UnableToAllocateResource, message
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, IdeAddressInfo
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine


class Bus(StrEnum):
    """The kinds of host bus adapters."""

    IDE = "IDE"
    SATA = "SATA"
    SCSI = "SCSI"
    NVME = "NVME"


class BusPlace(msgspec.Struct, frozen=True):
    """A place on a bus. On IDE ``bus`` is 0 for the primary channel and ``unit`` 0 for the master."""

    kind: Bus
    bus: int
    unit: int


UNITS: dict[Bus, tuple[int, ...]] = {
    Bus.IDE: (0, 1),
    Bus.SATA: tuple(range(30)),
    Bus.SCSI: tuple(unit for unit in range(16) if unit != 7),
    Bus.NVME: tuple(range(15)),
}
"""The units of one bus; the SCSI adapter itself is unit 7."""

FIRST_KEY: dict[Bus, tuple[int, int]] = {
    Bus.IDE: (3000, 2),
    Bus.SATA: (16000, 30),
    Bus.SCSI: (2000, 16),
    Bus.NVME: (32000, 15),
}
"""The key of unit 0 on bus 0, and how many keys one bus takes, as vCenter numbers them."""


def key_of(place: BusPlace) -> str:
    """The device's key, which follows from its place: SCSI 0:1 is ``2001``."""
    first, width = FIRST_KEY[place.kind]
    return str(first + width * place.bus + place.unit)


def buses(vm: VirtualMachine, kind: Bus) -> list[int]:
    """The bus numbers of the VM's adapters of a kind; the two IDE channels are always there."""
    if kind is Bus.IDE:
        return [0, 1]
    if kind is Bus.SCSI:
        return sorted(adapter.scsi.bus for adapter in vm.scsi_adapters.values())
    adapters = vm.sata_adapters if kind is Bus.SATA else vm.nvme_adapters
    return sorted(adapter.bus for adapter in adapters.values())


def used(vm: VirtualMachine) -> Iterator[BusPlace]:
    """The places that the VM's disks and CD-ROM drives take."""
    for disk in vm.disks.values():
        yield place_of(disk)
    for cdrom in vm.cdroms.values():
        yield place_of(cdrom)


def place_of(device: Disk.Info | Cdrom.Info) -> BusPlace:
    """Where a device sits."""
    kind = Bus(str(device.type))
    if device.ide is not None:
        return ide_place(device.ide)
    address = device.sata
    if isinstance(device, Disk.Info):
        address = device.sata or device.scsi or device.nvme  # type: ignore[assignment]
    assert address is not None
    return BusPlace(kind, address.bus, address.unit)


def ide_place(address: IdeAddressInfo) -> BusPlace:
    """An IDE address as a place."""
    return BusPlace(Bus.IDE, 0 if address.primary else 1, 0 if address.master else 1)


def allocate(vm: VirtualMachine, kind: Bus, bus: int | None, unit: int | None) -> BusPlace:
    """A free place of a kind: the one asked for, or the first free one on the asked or any bus.

    :raises InvalidArgument: there is no such bus or unit.
    :raises ResourceInUse: the place is taken.
    :raises UnableToAllocateResource: there is no free place.
    """
    taken = set(used(vm))
    there = buses(vm, kind)
    if bus is not None and bus not in there:
        raise InvalidArgument(
            message("resphere.vm.hardware.no_bus", "The virtual machine {0} has no {1} bus {2}.", named(vm), kind, bus)
        )
    if unit is not None and unit not in UNITS[kind]:
        raise InvalidArgument(
            message("resphere.vm.hardware.no_unit", "A {0} bus has no unit {1} for devices.", kind, unit)
        )
    wanted = [bus] if bus is not None else there
    places = [BusPlace(kind, b, u) for b in wanted for u in ([unit] if unit is not None else UNITS[kind])]
    for place in places:
        if place not in taken:
            return place
    if unit is not None and bus is not None:
        raise ResourceInUse(
            message(
                "resphere.vm.hardware.unit_in_use",
                "Unit {0} of {1} bus {2} of {3} is taken.",
                unit,
                kind,
                bus,
                named(vm),
            )
        )
    raise UnableToAllocateResource(
        message("resphere.vm.hardware.no_free_unit", "The virtual machine {0} has no free {1} unit.", named(vm), kind)
    )
