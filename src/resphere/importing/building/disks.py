"""Disks and CD-ROM drives of one machine in their places, and the adapters that they need."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.importing.report import Report
from resphere.importing.rows import CdromRow, DiskRow
from resphere.providers.simulator import devices
from resphere.rules.machines.guest_os_defaults import GuestDefaults

Type = Disk.HostBusAdapterType
CdType = Cdrom.HostBusAdapterType
_UNITS: dict[Type, tuple[int, ...]] = {
    Type.SCSI: (*range(7), *range(8, 64)),
    Type.SATA: devices.SATA_UNITS,
    Type.NVME: tuple(range(64)),
    Type.IDE: (0, 1),
}
_BUSES = {Type.SCSI: 4, Type.SATA: 4, Type.NVME: 4, Type.IDE: 2}
_LATE_KEYS = 70_000
"""Where keys begin that no place has of its own."""


class Buses:
    """The places on the adapters of a machine."""

    def __init__(self, guest: GuestDefaults, report: Report) -> None:
        self._guest = guest
        self._report = report
        self._taken: set[tuple[Type, int, int]] = set()
        self._keys: set[str] = set()
        self._scsi: dict[int, Scsi.Info] = {}
        self._buses: dict[Type, set[int]] = {each: set() for each in Type}
        self.disks: dict[ids.VcenterVmHardwareDiskId, Disk.Info] = {}
        self.cdroms: dict[ids.VcenterVmHardwareCdromId, Cdrom.Info] = {}

    def add_disk(self, row: DiskRow, vmdk_file: str, capacity: int) -> None:
        """One more disk, in its place or the next that is free."""
        place = self._wanted(row)
        if place is None:
            place = self._next(self._guest.disk_bus)
        type, bus, unit = place
        self._take(place)
        index = len(self.disks)
        own = devices.disk_key(type, bus, unit)
        key = row.key or own
        if key in self._keys:
            key = own if own not in self._keys else str(_LATE_KEYS + index)
        self._keys.add(key)
        disk = devices.disk(index, type, bus, unit, vmdk_file, capacity)
        if row.label and row.label != disk.label:
            disk = msgspec.structs.replace(disk, label=row.label)
        self.disks[ids.VcenterVmHardwareDiskId(key)] = disk
        if type is Type.SCSI and bus not in self._scsi:
            adapter = devices.scsi_adapter(row.scsi_type or self._guest.scsi_type, bus)
            if row.scsi_type is None:
                self._report.guessed("types of SCSI adapters are those that the guest systems usually have", row.place)
            if row.sharing is not Scsi.Sharing.NONE:
                adapter = msgspec.structs.replace(adapter, sharing=row.sharing)
            self._scsi[bus] = adapter

    def _wanted(self, row: DiskRow) -> tuple[Type, int, int] | None:
        if row.bus_type is None:
            return None
        bus = row.bus or 0
        if bus >= _BUSES[row.bus_type]:
            self._report.guessed("controllers beyond the fourth of a kind: their disks are put elsewhere", row.place)
            return None
        if row.unit is None:
            return self._next(row.bus_type, bus)
        place = (row.bus_type, bus, row.unit)
        if row.unit in _UNITS[row.bus_type] and place not in self._taken:
            return place
        self._report.contradiction(
            row.place.at("Unit #"),
            f"{row.bus_type.value} {bus}:{row.unit} is taken, or no place for a disk",
            "disks whose places are taken are put into others",
        )
        return self._next(row.bus_type, bus)

    def _next(self, type: Type, first: int = 0) -> tuple[Type, int, int]:
        """The next free place on a kind of bus, from a bus on; on SCSI where a guest's disks have no place."""
        for bus in (*range(first, _BUSES[type]), *range(first)):
            for unit in _UNITS[type]:
                # A drive usually is the master of the second IDE channel, or the first on SATA.
                if (type, bus, unit) not in self._taken and (type, bus, unit) not in self._reserved():
                    return type, bus, unit
        return self._next(Type.SCSI if type is not Type.SCSI else Type.NVME)

    def _reserved(self) -> tuple[tuple[Type, int, int], ...]:
        return ((Type.IDE, 1, 0),) if self._guest.cdrom_bus is CdType.IDE else ((Type.SATA, 0, 0),)

    def _take(self, place: tuple[Type, int, int]) -> None:
        self._taken.add(place)
        self._buses[place[0]].add(place[1])

    def add_cdrom(self, row: CdromRow, iso_file: str | None, *, running: bool) -> None:
        """One more drive."""
        sata = self._guest.cdrom_bus is CdType.SATA if row.sata is None else row.sata
        type = Type.SATA if sata else Type.IDE
        place = (type, row.bus, row.unit) if row.bus is not None and row.unit is not None else None
        if place is None or place[1] >= _BUSES[type] or place[2] not in _UNITS[type] or place in self._taken:
            free = [place for place in self._reserved() if place[0] is type and place not in self._taken]
            place = free[0] if free else self._next(type)
        type, bus, unit = place
        if type not in (Type.SATA, Type.IDE):
            self._report.left("CD-ROM drives that have no place", row.place)
            return
        self._take(place)
        index = len(self.cdroms)
        like = devices.disk(index, type, bus, unit, "", 0)
        drive = devices.cdrom(CdType.SATA if sata else CdType.IDE, iso_file, running and row.connected)
        key = devices.cdrom_key(drive.type, bus, unit)
        if key in self._keys:
            key = ids.VcenterVmHardwareCdromId(str(_LATE_KEYS + 1000 + index))
        self._keys.add(key)
        self.cdroms[key] = msgspec.structs.replace(
            drive,
            label=f"CD/DVD drive {index + 1}",
            sata=like.sata,
            ide=like.ide,
            state=devices.connection(running and row.connected),
            start_connected=row.start_connected,
        )

    @property
    def scsi_adapters(self) -> dict[ids.VcenterVmHardwareScsiAdapterId, Scsi.Info]:
        """The adapters that disks are on."""
        return {devices.scsi_key(bus): self._scsi[bus] for bus in sorted(self._scsi)}

    @property
    def sata_adapters(self) -> dict[ids.VcenterVmHardwareSataAdapterId, Sata.Info]:
        """The same."""
        return {devices.sata_key(bus): devices.sata_adapter(bus) for bus in sorted(self._buses[Type.SATA])}

    @property
    def nvme_adapters(self) -> dict[ids.VcenterVmHardwareNvmeAdapterId, Nvme.Info]:
        """The same."""
        return {devices.nvme_key(bus): devices.nvme_adapter(bus) for bus in sorted(self._buses[Type.NVME])}
