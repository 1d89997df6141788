"""Items of hardware as devices: which there are, on which adapter and unit each sits, what is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Ethernet, Floppy
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.ovf.issues import Category, Findings
from resphere.ovf.machine import (
    Bus,
    Controller,
    Drive,
    MachineCdrom,
    MachineDisk,
    MachineFloppy,
    MachineNic,
    MachinePort,
    OtherDevice,
)
from resphere.ovf.model import Descriptor, DiskDescription, File, Item
from resphere.ovf.names import HOST_RESOURCE, ResourceType
from resphere.ovf.parts import as_flag

LARGEST_DISK_BYTES = 62 << 40
"""The largest virtual disk of vSphere 7.0 and 8.0."""

UNITS = {
    Bus.IDE: (0, 1),
    Bus.SATA: tuple(range(30)),
    Bus.SCSI: tuple(unit for unit in range(16) if unit != 7),
    Bus.NVME: tuple(range(15)),
}
BUSES = {Bus.IDE: 2, Bus.SATA: 4, Bus.SCSI: 4, Bus.NVME: 4}
"""How many adapters of a kind a machine has at most."""

_SCSI = {
    "lsilogic": Scsi.Type.LSILOGIC,
    "lsilogicsas": Scsi.Type.LSILOGICSAS,
    "virtualscsi": Scsi.Type.PVSCSI,
    "pvscsi": Scsi.Type.PVSCSI,
    "buslogic": Scsi.Type.BUSLOGIC,
}
_NICS = {
    "e1000": Ethernet.EmulationType.E1000,
    "e1000e": Ethernet.EmulationType.E1000E,
    "pcnet32": Ethernet.EmulationType.PCNET32,
    "vmxnet": Ethernet.EmulationType.VMXNET,
    "vmxnet2": Ethernet.EmulationType.VMXNET2,
    "vmxnet3": Ethernet.EmulationType.VMXNET3,
}
_SATA = ("vmware.sata.ahci", "ahci")
_NVME = ("vmware.nvme.controller",)
_CDROMS = {
    "vmware.cdrom.iso": Cdrom.BackingType.ISO_FILE,
    "vmware.cdrom.passthrough": Cdrom.BackingType.HOST_DEVICE,
    "vmware.cdrom.atapi": Cdrom.BackingType.HOST_DEVICE,
}
_FLOPPIES = {
    "vmware.floppy.device": Floppy.BackingType.HOST_DEVICE,
    "vmware.floppy.image": Floppy.BackingType.IMAGE_FILE,
}
_ELSEWHERE = (ResourceType.CPU, ResourceType.MEMORY)
_UNSEEN = (ResourceType.OTHER, ResourceType.OTHER_STORAGE, ResourceType.USB, ResourceType.VIDEO, ResourceType.SOUND)


class Parts(NamedTuple):
    """What the machines of a package refer to, by id."""

    files: dict[str, File]
    disks: dict[str, DiskDescription]

    @staticmethod
    def of(descriptor: Descriptor) -> Parts:
        """Those of a descriptor."""
        return Parts({each.id: each for each in descriptor.files}, {each.id: each for each in descriptor.disks})


class Devices:
    """The devices of a machine, in the order of its items."""

    def __init__(self, found: Findings, parts: Parts, properties: Mapping[str, str], lax: bool) -> None:
        self.found = found
        self.properties = properties
        self.lax = lax
        self.files = parts.files
        self.described = parts.disks
        self.controllers: list[Controller] = []
        self.disks: list[MachineDisk] = []
        self.nics: list[MachineNic] = []
        self.cdroms: list[MachineCdrom] = []
        self.floppies: list[MachineFloppy] = []
        self.serial_ports: list[MachinePort] = []
        self.parallel_ports: list[MachinePort] = []
        self.other_devices: list[OtherDevice] = []
        self._by_item: dict[str, Controller] = {}
        self._taken: set[tuple[Bus, int, int]] = set()

    def add(self, items: Iterable[Item]) -> None:
        """The devices that items describe: adapters first, for others sit on them, then those that say their unit."""
        items = list(items)
        for item in items:
            kind, scsi_type = self._adapter(item)
            if kind is not None:
                self._add_controller(item, kind, scsi_type)
        drives = [
            each for each in items if each.resource_type in (ResourceType.CDROM, ResourceType.DVD, ResourceType.DISK)
        ]
        places = self._places(drives)
        for item in items:
            if item.instance_id in self._by_item or item.resource_type in _ELSEWHERE:
                continue
            self._add_device(item, places.get(item.instance_id))

    def _adapter(self, item: Item) -> tuple[Bus | None, Scsi.Type | None]:
        words = [each.casefold() for each in item.resource_sub_types]
        match item.resource_type:
            case ResourceType.IDE:
                return Bus.IDE, None
            case ResourceType.SCSI:
                known = [_SCSI[each] for each in words if each in _SCSI]
                if known or not words:
                    return Bus.SCSI, known[0] if known else Scsi.Type.LSILOGIC
            case ResourceType.OTHER_STORAGE:
                if any(each in _SATA for each in words):
                    return Bus.SATA, None
                if any(each in _NVME for each in words):
                    return Bus.NVME, None
        return None, None

    def _add_controller(self, item: Item, kind: Bus, scsi_type: Scsi.Type | None) -> None:
        taken = {each.bus for each in self.controllers if each.kind is kind}
        asked = int(item.address) if item.address is not None and item.address in ("0", "1", "2", "3") else None
        free = [bus for bus in range(BUSES[kind]) if bus not in taken]
        if not free:
            self.found.error(
                Category.SECTION_RESTRICTION,
                item.place,
                "adapters",
                "A machine has at most {0} {1} adapters.",
                BUSES[kind],
                kind,
            )
            return
        controller = Controller(kind=kind, bus=asked if asked in free else free[0], scsi_type=scsi_type)
        self.controllers.append(controller)
        self._by_item[item.instance_id] = controller

    def _places(self, drives: list[Item]) -> dict[str, Drive]:
        """Where drives sit, by instance id: those that say their unit first, the others where there is room."""
        places: dict[str, Drive] = {}
        for item in sorted(drives, key=lambda each: each.address_on_parent is None):
            controller = self._controller_for(item)
            if controller is None:
                continue
            kind, bus, unit = controller.kind, controller.bus, item.address_on_parent
            if unit is None:
                unit = self._free_unit(kind, bus)
            if unit is None or unit not in UNITS[kind] or (kind, bus, unit) in self._taken:
                self.found.error(
                    Category.VALUE_ILLEGAL,
                    item.place,
                    "unit",
                    "{0}: the {1} adapter {2} has no free unit{3}.",
                    item.element_name or item.instance_id,
                    kind,
                    bus,
                    "" if item.address_on_parent is None else f" {unit}",
                )
                continue
            self._taken.add((kind, bus, unit))
            places[item.instance_id] = Drive(kind=kind, bus=bus, unit=unit)
        return places

    def _free_unit(self, kind: Bus, bus: int) -> int | None:
        return next((unit for unit in UNITS[kind] if (kind, bus, unit) not in self._taken), None)

    def _controller_for(self, item: Item) -> Controller | None:
        """The adapter that a drive sits on. One that says none goes where vCenter puts it: disks to the first SCSI
        adapter, CD-ROM drives to IDE, which are made where there is none."""
        if item.parent is not None:
            controller = self._by_item.get(item.parent)
            if controller is not None and self._takes(controller.kind, item):
                return controller
            self._refuse(item, "{0} cannot be on the device {1}.", item.element_name or item.instance_id, item.parent)
            return None
        kind = Bus.SCSI if item.resource_type == ResourceType.DISK else Bus.IDE
        for each in self.controllers:
            if each.kind is kind and self._free_unit(kind, each.bus) is not None:
                return each
        taken = [each.bus for each in self.controllers if each.kind is kind]
        if len(taken) == BUSES[kind]:
            return next(each for each in self.controllers if each.kind is kind)
        bus = next(bus for bus in range(BUSES[kind]) if bus not in taken)
        made = Controller(kind=kind, bus=bus, scsi_type=Scsi.Type.LSILOGIC if kind is Bus.SCSI else None)
        self.controllers.append(made)
        return made

    @staticmethod
    def _takes(kind: Bus, item: Item) -> bool:
        return item.resource_type == ResourceType.DISK or kind in (Bus.IDE, Bus.SATA)

    def _add_device(self, item: Item, place: Drive | None) -> None:
        match item.resource_type:
            case ResourceType.DISK:
                self._add_disk(item, place)
            case ResourceType.CDROM | ResourceType.DVD:
                self._add_cdrom(item, place)
            case ResourceType.ETHERNET:
                self._add_nic(item)
            case ResourceType.FLOPPY:
                self._add_floppy(item)
            case ResourceType.SERIAL:
                self.serial_ports.append(_port(item))
            case ResourceType.PARALLEL:
                self.parallel_ports.append(_port(item))
            case _:
                self._add_other(item)

    def _add_disk(self, item: Item, place: Drive | None) -> None:
        reference = self._reference(item, "disk")
        disk = None if reference is None else self.described.get(reference)
        if disk is None:
            self._refuse(item, "{0} names no disk of the package.", item.element_name or item.instance_id)
            return
        capacity = self._capacity(disk)
        if place is None or capacity is None:
            return
        self.disks.append(
            MachineDisk(
                id=disk.id,
                capacity=capacity,
                place=place,
                file=None if disk.file_id is None else self.files.get(disk.file_id),
                format=disk.format,
                label=item.element_name,
            )
        )

    def _capacity(self, disk: DiskDescription) -> int | None:
        text = disk.capacity
        if text.startswith("${"):
            text = self.properties.get(text[2:-1], "").strip()
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            self.found.error(
                Category.VALUE_ILLEGAL,
                disk.place,
                "capacity_of",
                "The capacity of the disk {0}, {1}, is no number.",
                disk.id,
                disk.capacity,
            )
            return None
        capacity = int(text) * disk.unit_bytes
        if not 0 < capacity <= LARGEST_DISK_BYTES:
            self.found.error(
                Category.VALUE_ILLEGAL,
                disk.place,
                "capacity_of",
                "The capacity of the disk {0} must be from 1 to {1} bytes, not {2}.",
                disk.id,
                LARGEST_DISK_BYTES,
                capacity,
            )
            return None
        return capacity

    def _add_cdrom(self, item: Item, place: Drive | None) -> None:
        if place is None:
            return
        reference = self._reference(item, "file")
        file = None if reference is None else self.files.get(reference)
        words = [each.casefold() for each in item.resource_sub_types]
        backing = next((_CDROMS[each] for each in words if each in _CDROMS), None)
        if file is not None:
            backing = Cdrom.BackingType.ISO_FILE
        elif backing is None or backing is Cdrom.BackingType.ISO_FILE:
            backing = Cdrom.BackingType.CLIENT_DEVICE
        self.cdroms.append(
            MachineCdrom(
                place=place,
                backing=backing,
                file=file,
                start_connected=_connected(item),
                label=item.element_name,
            )
        )

    def _add_floppy(self, item: Item) -> None:
        reference = self._reference(item, "file")
        file = None if reference is None else self.files.get(reference)
        words = [each.casefold() for each in item.resource_sub_types]
        backing = next((_FLOPPIES[each] for each in words if each in _FLOPPIES), Floppy.BackingType.CLIENT_DEVICE)
        if file is not None:
            backing = Floppy.BackingType.IMAGE_FILE
        elif backing is Floppy.BackingType.IMAGE_FILE:
            backing = Floppy.BackingType.CLIENT_DEVICE
        self.floppies.append(
            MachineFloppy(backing=backing, file=file, start_connected=_connected(item), label=item.element_name)
        )

    def _add_nic(self, item: Item) -> None:
        words = [each.casefold() for each in item.resource_sub_types]
        types = [_NICS[each] for each in words if each in _NICS]
        if words and not types:
            self._refuse(
                item, "The network adapter {0} is of an unknown type: {1}.", item.element_name, " ".join(words)
            )
            return
        settings = {each.key: each.value for each in item.settings}
        self.nics.append(
            MachineNic(
                network=item.connections[0] if item.connections else None,
                type=types[0] if types else None,
                mac_address=_mac_address(item.address),
                start_connected=_connected(item),
                wake_on_lan_enabled=as_flag(settings.get("wakeOnLanEnabled"), True),
                upt_compatibility_enabled=as_flag(settings.get("uptCompatibilityEnabled"), False),
                label=item.element_name,
            )
        )

    def _add_other(self, item: Item) -> None:
        sub_type = " ".join(item.resource_sub_types)
        if item.resource_type in _UNSEEN:
            self.other_devices.append(
                OtherDevice(resource_type=item.resource_type, sub_type=sub_type, label=item.element_name)
            )
            self.found.warning(
                Category.ELEMENT_UNKNOWN,
                item.place,
                "device",
                "The device {0} is left out.",
                item.element_name or sub_type or item.instance_id,
            )
            return
        self._refuse(item, "The device {0} of type {1} is not supported.", item.element_name, item.resource_type)

    def _refuse(self, item: Item, text: str, *args: object) -> None:
        tell = self.found.warning if self.lax or not item.required else self.found.error
        tell(Category.ELEMENT_ILLEGAL, item.place, "item_unsupported", text, *args)

    def _reference(self, item: Item, kind: str) -> str | None:
        """The id of the disk or file that an item refers to."""
        for each in item.host_resources:
            match = HOST_RESOURCE.fullmatch(each)
            if match is not None and match[1] == kind:
                return match[2]
        return None


def _connected(item: Item) -> bool:
    return True if item.automatic_allocation is None else item.automatic_allocation


def _port(item: Item) -> MachinePort:
    return MachinePort(
        sub_type=" ".join(item.resource_sub_types), start_connected=_connected(item), label=item.element_name
    )


def _mac_address(text: str | None) -> str | None:
    """A MAC address with colons; VirtualBox writes twelve digits without."""
    digits = (text or "").replace(":", "").replace("-", "").casefold()
    if len(digits) != 12 or any(each not in "0123456789abcdef" for each in digits):
        return None
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))
