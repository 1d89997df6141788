"""What is measured of the machine, by the names that vCenter's appliance has for it, and how it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from resphere.appliance.folders import Folders
from resphere.appliance.machine import CpuTimes, DiskTraffic, Machine, NetworkTraffic

KIB = 1024
DISK = "disk"
"""What all disks together are called: the machine tells of them as one."""


class Item(msgspec.Struct, frozen=True):
    """A thing that is measured. ``key`` is its name without the instance, such as ``net.rx.activity``."""

    id: str
    category: str
    unit: str
    instance: str = ""


class Reading(msgspec.Struct, frozen=True):
    """What the machine told at a moment (in seconds, of a clock that only rises)."""

    moment: float
    cpu: CpuTimes
    disk: DiskTraffic
    networks: Mapping[str, NetworkTraffic]
    levels: Mapping[str, float]
    """What needs no comparison with another moment."""


RATES: tuple[tuple[str, str, Callable[[NetworkTraffic], int], float], ...] = (
    ("net.rx.activity", "kb_per_sec", lambda traffic: traffic.rx_bytes, KIB),
    ("net.tx.activity", "kb_per_sec", lambda traffic: traffic.tx_bytes, KIB),
    ("net.rx.packetRate", "packets_per_sec", lambda traffic: traffic.rx_packets, 1),
    ("net.tx.packetRate", "packets_per_sec", lambda traffic: traffic.tx_packets, 1),
)
DIFFERENCES: tuple[tuple[str, str, Callable[[NetworkTraffic], int]], ...] = (
    ("net.rx.drop", "drops_per_sample", lambda traffic: traffic.rx_dropped),
    ("net.tx.drop", "drops_per_sample", lambda traffic: traffic.tx_dropped),
    ("net.rx.error", "errors_per_sample", lambda traffic: traffic.rx_errors),
    ("net.tx.error", "errors_per_sample", lambda traffic: traffic.tx_errors),
)


def items(machine: Machine, folders: Folders) -> Iterator[Item]:
    """All that is measured.

    :raises OSError: a folder of the server has gone.
    """
    yield Item("cpu.util", "cpu", "percent")
    yield Item("cpu.systemload", "cpu", "load_per_min")
    yield Item("mem.total", "memory", "kb")
    yield Item("mem.usage", "memory", "kb")
    yield Item("mem.util", "memory", "percent")
    yield Item("swap", "memory", "kb")
    yield Item("swap.util", "memory", "percent")
    for part in folders.partitions(machine):
        yield Item(f"storage.totalsize.filesystem.{part.label}", "storage", "kb", part.label)
        yield Item(f"storage.used.filesystem.{part.label}", "storage", "kb", part.label)
        yield Item(f"storage.util.filesystem.{part.label}", "storage", "percent", part.label)
    yield Item(f"disk.read.rate.{DISK}", "disk", "num_of_io_per_msec", DISK)
    yield Item(f"disk.write.rate.{DISK}", "disk", "num_of_io_per_msec", DISK)
    for interface in machine.network_traffic():
        for name, unit, *_ in RATES:
            yield Item(f"{name}.{interface}", "network", unit, interface)
        for name, unit, _ in DIFFERENCES:
            yield Item(f"{name}.{interface}", "network", unit, interface)


def reading(machine: Machine, folders: Folders, moment: float) -> Reading:
    """What the machine tells now.

    :raises OSError: a folder of the server has gone.
    """
    memory, swap = machine.memory(), machine.swap()
    levels = {
        "cpu.systemload": machine.load().minute,
        "mem.total": memory.total / KIB,
        "mem.usage": memory.used / KIB,
        "mem.util": 100 * memory.used / memory.total,
        "swap": swap.total / KIB,
        "swap.util": 100 * swap.used / swap.total if swap.total else 0.0,
    }
    for part in folders.partitions(machine):
        filesystem = part.filesystem
        levels[f"storage.totalsize.filesystem.{part.label}"] = filesystem.total / KIB
        levels[f"storage.used.filesystem.{part.label}"] = filesystem.used / KIB
        levels[f"storage.util.filesystem.{part.label}"] = 100 * filesystem.used / filesystem.total
    return Reading(moment, machine.cpu_times(), machine.disk_traffic(), machine.network_traffic(), levels)


def measured(before: Reading, after: Reading) -> dict[str, float]:
    """How everything is, by its name: rates since the moment before. What began anew meanwhile has none."""
    seconds = after.moment - before.moment
    found = dict(after.levels)
    if seconds <= 0:
        return found
    total = after.cpu.total - before.cpu.total
    if total > 0:
        idle = after.cpu.idle + after.cpu.io_wait - before.cpu.idle - before.cpu.io_wait
        found["cpu.util"] = min(100.0, max(0.0, 100 * (1 - idle / total)))
    for name, count in (
        ("read", after.disk.reads - before.disk.reads),
        ("write", after.disk.writes - before.disk.writes),
    ):
        if count >= 0:
            found[f"disk.{name}.rate.{DISK}"] = count / seconds / 1000
    for interface, traffic in after.networks.items():
        if interface in before.networks:
            found.update(of_network(interface, before.networks[interface], traffic, seconds))
    return found


def of_network(
    interface: str, before: NetworkTraffic, after: NetworkTraffic, seconds: float
) -> Iterator[tuple[str, float]]:
    """How an interface is."""
    for name, _, count, unit in RATES:
        difference = count(after) - count(before)
        if difference >= 0:
            yield f"{name}.{interface}", difference / seconds / unit
    for name, _, count in DIFFERENCES:
        difference = count(after) - count(before)
        if difference >= 0:
            yield f"{name}.{interface}", difference
