"""What RVTools tells of machines beside ``vInfo``: processors, memory, disks, NICs, drives, snapshots, Tools."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from resphere.contract.generated.vcenter_vm import Tools
from resphere.contract.generated.vcenter_vm_hardware import Disk
from resphere.importing.rows import CdromRow, DiskRow, NicRow, PartitionRow, SnapshotRow, ToolsRow
from resphere.importing.sources import words
from resphere.importing.sources.rvtools_book import Machines, Workbook
from resphere.importing.sources.tables import Line

T = TypeVar("T")

SCSI = Disk.HostBusAdapterType.SCSI
_SCSI_ADAPTER_UNIT = 7
_FIRST_SCSI_KEY = 2000
_SCSI_KEYS = 64
_PLACE = re.compile(r"(sata|ide)\D{0,20}([0-9])[:( ]+([0-9]{1,2})", re.IGNORECASE)
_ISO = re.compile(r"\[.{1,120}\] .{1,300}", re.IGNORECASE)
_RUNNING = {"toolsok": True, "toolsold": True, "toolsnotrunning": False, "toolsnotinstalled": False}


class Processors(msgspec.Struct, frozen=True):
    """A row of ``vCPU``."""

    count: int | None
    cores_per_socket: int | None
    hot_add: bool | None
    hot_remove: bool | None


class Memory(msgspec.Struct, frozen=True):
    """A row of ``vMemory``."""

    size: int | None
    hot_add: bool | None


class Devices:
    """The rows of these sheets by the machine's place in ``vInfo``; None for sheets that are missing."""

    def __init__(self, book: Workbook, machines: Machines) -> None:
        self._book = book
        self._machines = machines
        self.cpus = self._firsts("vCPU", _cpu)
        self.memory = self._firsts("vMemory", _memory)
        self.tools = self._firsts("vTools", _tools)
        self.disks = self._lists("vDisk", _disk)
        self.nics = self._lists("vNetwork", _nic)
        self.cdroms = self._lists("vCD", _cdrom)
        self.snapshots = self._lists("vSnapshot", _snapshot)
        self.partitions = self._lists("vPartition", _partition)

    def _lists(self, sheet: str, read: Callable[[Line], T]) -> dict[int, tuple[T, ...]] | None:
        if self._book.table(sheet) is None:
            return None
        found: defaultdict[int, list[T]] = defaultdict(list)
        for line in self._book.lines(sheet):
            machine = self._machines.of(line)
            if machine is not None:
                found[machine].append(read(line))
        return {machine: tuple(rows) for machine, rows in found.items()}

    def _firsts(self, sheet: str, read: Callable[[Line], T]) -> dict[int, T]:
        return {machine: rows[0] for machine, rows in (self._lists(sheet, read) or {}).items()}


def _cpu(line: Line) -> Processors:
    return Processors(
        count=line.number_or_none("cpus"),
        cores_per_socket=line.number_or_none("coresps", "corespersocket"),
        hot_add=line.truth("hotadd"),
        hot_remove=line.truth("hotremove"),
    )


def _memory(line: Line) -> Memory:
    return Memory(size=line.mib("size"), hot_add=line.truth("hotadd"))


def _disk(line: Line) -> DiskRow:
    text = line.text("controller")
    bus_type, bus, scsi = words.controller(text)
    typed = line.text("controllertype")
    if typed:
        scsi = words.controller(typed)[2]
    if text and bus_type is None:
        line.report.guessed(
            "controllers that are not known: places follow from the guest system", line.place("controller")
        )
    unit = line.number_or_none("unit#")
    if unit is None:
        unit = line.number_or_none("scsiunit#")
        unit = None if unit == _SCSI_ADAPTER_UNIT else unit
    key = line.text("diskkey")
    if bus_type is None and key.isdecimal() and 0 <= int(key[:9]) - _FIRST_SCSI_KEY < _SCSI_KEYS:
        bus_type = SCSI
        bus, unit = divmod(int(key) - _FIRST_SCSI_KEY, 16)
    if line.truth("raw"):
        line.report.left("raw device mappings: they become disks with files", line.place("raw"))
    return DiskRow(
        place=line.place(),
        label=line.text("disk"),
        key=key if key.isdecimal() else None,
        vmdk_file=line.text("path", "diskpath") or None,
        capacity=line.mib("capacity"),
        bus_type=bus_type,
        bus=bus,
        unit=unit,
        scsi_type=scsi,
        sharing=words.SHARING.get(line.word("sharedbus"), words.SHARING["nosharing"]),
    )


def _nic(line: Line) -> NicRow:
    text = line.text("adapter")
    adapter = words.ADAPTERS.get(text.lower().removeprefix("virtual"))
    if text and adapter is None:
        line.report.guessed("types of network adapters that are not held: VMXNET3", line.place("adapter"))
        adapter = words.ADAPTERS["vmxnet3"]
    addresses = words.names_of(line.text("ipv4address", "ipaddress")) + words.names_of(line.text("ipv6address"))
    started = line.truth("startsconnected")
    return NicRow(
        place=line.place(),
        network=line.text("network"),
        label=line.text("niclabel"),
        adapter=adapter,
        switch=line.text("switch"),
        connected=line.truth("connected"),
        start_connected=True if started is None else started,
        mac_address=line.word("macaddress").replace("-", ":") or None,
        mac_type=words.MAC_TYPES.get(line.word("type")),
        ip_addresses=addresses,
    )


def _cdrom(line: Line) -> CdromRow:
    node, kind = line.text("devicenode"), line.text("devicetype")
    place = _PLACE.search(node)
    iso = _ISO.search(kind)
    return CdromRow(
        place=line.place(),
        label=node,
        sata=None if place is None else place[1].lower() == "sata",
        bus=None if place is None else int(place[2]),
        unit=None if place is None else int(place[3]),
        iso_file=iso[0] if iso else None,
        connected=bool(line.truth("connected")),
        start_connected=bool(line.truth("startsconnected")),
    )


def _partition(line: Line) -> PartitionRow:
    capacity, free = line.mib("capacity") or 0, line.mib("free") or 0
    if free > capacity:
        line.report.guessed("file systems have no more free than they have", line.place("free"))
    return PartitionRow(place=line.place(), path=line.text("disk"), capacity=capacity, free=min(free, capacity))


def _snapshot(line: Line) -> SnapshotRow:
    return SnapshotRow(
        place=line.place(),
        name=line.text("name", "snapshotname"),
        description=line.text("description"),
        created_time=line.time("datetime", "date"),
        memory=line.word("state") == "poweredon",
        quiesced=bool(line.truth("quiesced")),
    )


def _tools(line: Line) -> ToolsRow:
    text = line.word("tools")
    number = line.text("toolsversion")
    status = Tools.VersionStatus.SUPPORTED_OLD if text == "toolsold" else None
    return ToolsRow(
        place=line.place(),
        installed=text != "toolsnotinstalled",
        running=_RUNNING.get(text),
        version_status=status,
        version_number=int(number) if number.isdecimal() and 0 < len(number) < 10 and int(number) else None,
        upgrade_policy=words.TOOLS_POLICIES.get(line.word("upgradepolicy")),
    )
