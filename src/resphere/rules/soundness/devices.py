"""Whether the virtual hardware of a VM holds together, looked at alone: keys, places on buses, tagged unions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from resphere.contract import unions
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk
from resphere.contract.model import Struct
from resphere.inventory.model import VirtualMachine

Fault: TypeAlias = tuple[str, str]
"""The path of a field in its object, and what is wrong there."""

_DEVICES = (
    "disks",
    "nics",
    "cdroms",
    "floppies",
    "parallel_ports",
    "serial_ports",
    "sata_adapters",
    "scsi_adapters",
    "nvme_adapters",
)
_ADAPTERS = {"SCSI": "scsi_adapters", "SATA": "sata_adapters", "NVME": "nvme_adapters"}
_BUSES = 4
_UNITS = {"SCSI": 64, "SATA": 30, "NVME": 64}
_SCSI_ADAPTER_UNIT = 7

# Looked up from the network whenever it is shown, so it need not be stored.
_NOT_STORED = frozenset({"network_name"})


def device_faults(vm: VirtualMachine) -> Iterator[Fault]:
    """What is wrong with the processors, memory, adapters, devices and boot order of a VM."""
    yield from _figures(vm)
    yield from _keys(vm)
    yield from _adapter_buses(vm)
    yield from _places(vm)
    yield from _unions(vm)
    yield from _boot_devices(vm)


def _figures(vm: VirtualMachine) -> Iterator[Fault]:
    if vm.cpu.count < 1:
        yield "cpu.count", f"must be at least 1, not {vm.cpu.count}"
    elif vm.cpu.cores_per_socket < 1 or vm.cpu.count % vm.cpu.cores_per_socket:
        yield (
            "cpu.cores_per_socket",
            f"must divide the number of processors ({vm.cpu.count}), {vm.cpu.cores_per_socket} does not",
        )
    if vm.memory.size_MiB < 4 or vm.memory.size_MiB % 4:
        yield "memory.size_MiB", f"must be a multiple of 4, from 4 on, not {vm.memory.size_MiB}"
    for key, disk in vm.disks.items():
        if disk.capacity is not None and disk.capacity < 0:
            yield f"disks.{key}.capacity", f"must not be negative, and is {disk.capacity}"
    for key in vm.disk_contents:
        if key not in vm.disks:
            yield f"disk_contents.{key}", "there is no such disk"


def _keys(vm: VirtualMachine) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for field in _DEVICES:
        devices: Mapping[str, object] = getattr(vm, field)
        for key in devices:
            if not key.isdecimal():
                yield f"{field}.{key}", "the key of a device must be a number"
            elif key in seen:
                yield f"{field}.{key}", f"the key {key} is taken by {seen[key]}: a key must be unique in its VM"
            seen.setdefault(key, f"{field}.{key}")


def _buses(vm: VirtualMachine, kind: str) -> Iterator[tuple[str, int]]:
    """Path and bus of each adapter of a kind."""
    if kind == "SCSI":
        yield from ((f"scsi_adapters.{key}.scsi.bus", scsi.scsi.bus) for key, scsi in vm.scsi_adapters.items())
    elif kind == "SATA":
        yield from ((f"sata_adapters.{key}.bus", sata.bus) for key, sata in vm.sata_adapters.items())
    else:
        yield from ((f"nvme_adapters.{key}.bus", nvme.bus) for key, nvme in vm.nvme_adapters.items())


def _adapter_buses(vm: VirtualMachine) -> Iterator[Fault]:
    for kind in _ADAPTERS:
        seen: set[int] = set()
        for path, bus in _buses(vm, kind):
            if not 0 <= bus < _BUSES:
                yield path, f"must be from 0 to {_BUSES - 1}, not {bus}"
            elif bus in seen:
                yield path, f"bus {bus} has two {kind} adapters"
            seen.add(bus)


def _places(vm: VirtualMachine) -> Iterator[Fault]:
    buses = {kind: {bus for _, bus in _buses(vm, kind)} for kind in _ADAPTERS}
    seen: dict[tuple[str, int, int], str] = {}
    attached: list[tuple[str, Disk.Info | Cdrom.Info]] = [
        *((f"disks.{key}", disk) for key, disk in vm.disks.items()),
        *((f"cdroms.{key}", cdrom) for key, cdrom in vm.cdroms.items()),
    ]
    for path, device in attached:
        place = _place(device)
        if place is None:
            continue
        kind, bus, unit = place
        if place in seen:
            yield path, f"{kind} {bus}:{unit} is taken by {seen[place]}"
        seen.setdefault(place, path)
        if kind == "IDE":
            continue
        if bus not in buses[kind]:
            yield f"{path}.{kind.lower()}.bus", f"there is no {kind} adapter on bus {bus}, see {_ADAPTERS[kind]}"
        if not 0 <= unit < _UNITS[kind]:
            yield f"{path}.{kind.lower()}.unit", f"must be from 0 to {_UNITS[kind] - 1}, not {unit}"
        elif kind == "SCSI" and unit == _SCSI_ADAPTER_UNIT:
            yield f"{path}.scsi.unit", "unit 7 is the adapter's own"


def _place(device: Disk.Info | Cdrom.Info) -> tuple[str, int, int] | None:
    """Kind of bus, bus and unit; None where no address is given (which the unions refuse, where one must be)."""
    if device.ide is not None:
        return "IDE", int(not device.ide.primary), int(not device.ide.master)
    if device.sata is not None:
        return "SATA", device.sata.bus, device.sata.unit
    if isinstance(device, Disk.Info):
        if device.scsi is not None:
            return "SCSI", device.scsi.bus, device.scsi.unit
        if device.nvme is not None:
            return "NVME", device.nvme.bus, device.nvme.unit
    return None


def _unions(vm: VirtualMachine) -> Iterator[Fault]:
    yield from union_faults("hardware", vm.hardware)
    yield from union_faults("boot", vm.boot)
    for index, entry in enumerate(vm.boot_devices):
        yield from union_faults(f"boot_devices[{index}]", entry)
    for field in _DEVICES[:6]:
        devices: Mapping[str, Struct] = getattr(vm, field)
        for key, device in devices.items():
            yield from union_faults(f"{field}.{key}", device)
            backing: Struct = getattr(device, "backing")  # noqa: B009 - the six kinds have no base that states it
            yield from union_faults(f"{field}.{key}.backing", backing)


def union_faults(path: str, value: Struct) -> Iterator[Fault]:
    """Fields that a structure's tag demands and that are unset, and fields set that belong to another tag."""
    for fault in unions.union_faults(value):
        if fault.field not in _NOT_STORED:
            yield f"{path}.{fault.field}", fault.reason


def _boot_devices(vm: VirtualMachine) -> Iterator[Fault]:
    for index, entry in enumerate(vm.boot_devices):
        if entry.nic is not None and entry.nic not in vm.nics:
            yield f"boot_devices[{index}].nic", f"there is no NIC {entry.nic}"
        for disk in entry.disks or ():
            if disk not in vm.disks:
                yield f"boot_devices[{index}].disks", f"there is no disk {disk}"
