"""The counters that there are: what is measured, of what, in which unit, and how it follows from a load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from resphere.contract.generated.vstats import CounterMetadata
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import Load

O = TypeVar("O")  # noqa: E741 - an object
Units = CounterMetadata.MetricUnits
Scale = CounterMetadata.UnitsFactor
VM, HOST = "VM", "HOST"
EDITION = "1"
"""The id of the only metadata that each counter has."""
OWN_MEMORY_MIB = 2048.0
"""What is counted as the memory of a host's own system, a tenth of what there is at most."""
KHZ = 1000.0
"""Hosts count CPU in kHz, virtual machines in MHz, as vCenter 8.0 does."""
IDLE_WATTS, BUSY_WATTS = 120.0, 380.0
"""What a host takes when it does nothing, and when it does all it can."""


class Counter(msgspec.Struct, Generic[O], frozen=True):
    """A counter of machines of one type; ``value`` makes it of a machine and its load, in ``scale`` ``units``."""

    metric: str
    type: str
    units: Units
    scale: Scale
    label: str
    value: Callable[[O, Load], float]

    @property
    def id(self) -> str:
        """``cpu.capacity.usage.VM``."""
        return f"{self.metric}.{self.type}"


def cores_MHz(host: Host) -> float:
    """The CPU that a host has."""
    return float(host.hardware.cpu_cores * host.hardware.cpu_frequency_MHz)


def given_MHz(host: Host, load: Load) -> float:
    """The CPU that a host gives of what is asked for."""
    return min(load.cpu_MHz, cores_MHz(host))


def contention(host: Host, load: Load) -> float:
    """How much of the CPU that is asked for a host does not give, in percent."""
    return 100.0 * (load.cpu_MHz - given_MHz(host, load)) / load.cpu_MHz if load.cpu_MHz else 0.0


def disk_KBps(load: Load) -> float:
    """Read and written."""
    return load.disk_read_KBps + load.disk_write_KBps


def network_KBps(load: Load) -> float:
    """Received and sent."""
    return load.network_receive_KBps + load.network_send_KBps


def links_KBps(host: Host) -> float:
    """What the host's network adapters can carry."""
    return sum(nic.link_speed_Mbps or 0 for nic in host.physical_nics) * 1000 / 8


def memory_used_MiB(host: Host, load: Load) -> float:
    """The memory that is taken, at most all that there is."""
    return min(load.memory_MiB, float(host.hardware.memory_size_MiB))


def swapped_MiB(host: Host, load: Load) -> float:
    """The memory that is asked for and not there."""
    return load.memory_MiB - memory_used_MiB(host, load)


def host_watts(host: Host, load: Load) -> float:
    """The power that a host takes."""
    return IDLE_WATTS + (BUSY_WATTS - IDLE_WATTS) * given_MHz(host, load) / cores_MHz(host) if load.cpu_MHz else 0.0


def milliseconds(load: Load) -> float:
    """How long an access to the disks takes, the longer the more there are."""
    return 0.2 + disk_KBps(load) / 10_000.0 if disk_KBps(load) else 0.0


class Placed(msgspec.Struct, frozen=True):
    """A virtual machine on its host."""

    vm: VirtualMachine
    host: Host

    @property
    def cpu_MHz(self) -> float:
        """The CPU that the machine has."""
        return float(self.vm.cpu.count * self.host.hardware.cpu_frequency_MHz)

    @property
    def memory_MiB(self) -> float:
        """The memory that it has."""
        return float(self.vm.memory.size_MiB)


def vm_watts(placed: Placed, load: Load) -> float:
    """A machine's share of what its host takes above idling."""
    return (BUSY_WATTS - IDLE_WATTS) * load.cpu_MHz / cores_MHz(placed.host)


def system_MiB(host: Host, load: Load) -> float:
    """The memory of the host's own system, while it is up."""
    return min(load.memory_MiB, OWN_MEMORY_MIB, host.hardware.memory_size_MiB / 10)


def usable_MiB(host: Host, _: Load) -> float:
    """The memory that is left for machines."""
    return host.hardware.memory_size_MiB - min(OWN_MEMORY_MIB, host.hardware.memory_size_MiB / 10)


def machines_MiB(host: Host, load: Load) -> float:
    """The memory of its machines."""
    return memory_used_MiB(host, load) - system_MiB(host, load)


HOST_COUNTERS: tuple[Counter[Host], ...] = (
    Counter(
        "cpu.capacity.provisioned", HOST, Units.HERTZ, Scale.KILO, "CPU installed", lambda h, _: KHZ * cores_MHz(h)
    ),
    Counter("cpu.capacity.demand", HOST, Units.HERTZ, Scale.KILO, "CPU asked for", lambda _, d: KHZ * d.cpu_MHz),
    Counter("cpu.capacity.usage", HOST, Units.HERTZ, Scale.KILO, "CPU used", lambda h, d: KHZ * given_MHz(h, d)),
    Counter("cpu.capacity.contention", HOST, Units.PERCENT, Scale.ONE, "CPU asked for and not given", contention),
    Counter("cpu.corecount.provisioned", HOST, Units.NUMBER, Scale.ONE, "Cores", lambda h, _: h.hardware.cpu_cores),
    Counter(
        "cpu.corecount.usage",
        HOST,
        Units.NUMBER,
        Scale.ONE,
        "Cores used",
        lambda h, d: given_MHz(h, d) / h.hardware.cpu_frequency_MHz,
    ),
    Counter(
        "mem.capacity.provisioned",
        HOST,
        Units.BYTE,
        Scale.MEBI,
        "Memory installed",
        lambda h, _: h.hardware.memory_size_MiB,
    ),
    Counter("mem.capacity.usage", HOST, Units.BYTE, Scale.MEBI, "Memory used", memory_used_MiB),
    Counter(
        "mem.capacity.contention",
        HOST,
        Units.PERCENT,
        Scale.ONE,
        "Memory asked for and not there",
        lambda h, d: 100.0 * (1 - memory_used_MiB(h, d) / d.memory_MiB) if d.memory_MiB else 0.0,
    ),
    Counter("disk.throughput.usage", HOST, Units.BYTESPERSECOND, Scale.KILO, "Disk traffic", lambda _, d: disk_KBps(d)),
    Counter(
        "disk.throughput.contention", HOST, Units.SECOND, Scale.MILLI, "Disk latency", lambda _, d: milliseconds(d)
    ),
    Counter(
        "net.throughput.provisioned",
        HOST,
        Units.BYTESPERSECOND,
        Scale.KILO,
        "Network capacity",
        lambda h, _: links_KBps(h),
    ),
    Counter(
        "net.throughput.usage", HOST, Units.BYTESPERSECOND, Scale.KILO, "Network traffic", lambda _, d: network_KBps(d)
    ),
    Counter("power.capacity.usage", HOST, Units.WATT, Scale.ONE, "Power", host_watts),
    Counter("cpu.corecount.contention", HOST, Units.PERCENT, Scale.ONE, "Cores asked for and not given", contention),
    Counter("mem.capacity.usable", HOST, Units.BYTE, Scale.MEBI, "Memory for machines", usable_MiB),
    Counter("mem.consumed.vms", HOST, Units.BYTE, Scale.MEBI, "Memory of machines", machines_MiB),
    Counter("mem.consumed.userworlds", HOST, Units.BYTE, Scale.MEBI, "Memory of the host itself", system_MiB),
    Counter(
        "net.throughput.usable", HOST, Units.BYTESPERSECOND, Scale.KILO, "Network capacity", lambda h, _: links_KBps(h)
    ),
    Counter("mem.swap.current", HOST, Units.BYTE, Scale.MEBI, "Memory swapped out", swapped_MiB),
    Counter("mem.swap.target", HOST, Units.BYTE, Scale.MEBI, "Memory to be swapped out", swapped_MiB),
    Counter("mem.swap.readrate", HOST, Units.BYTESPERSECOND, Scale.KILO, "Memory swapped in", lambda _h, _d: 0.0),
    Counter("mem.swap.writerate", HOST, Units.BYTESPERSECOND, Scale.KILO, "Memory being swapped", lambda _h, _d: 0.0),
    Counter("power.capacity.usable", HOST, Units.WATT, Scale.ONE, "Power at most", lambda _h, _d: BUSY_WATTS),
    Counter("net.throughput.contention", HOST, Units.NUMBER, Scale.ONE, "Packets dropped", lambda _h, _d: 0.0),
)
VM_COUNTERS: tuple[Counter[Placed], ...] = (
    Counter("cpu.corecount.provisioned", VM, Units.NUMBER, Scale.ONE, "CPUs", lambda p, _: p.vm.cpu.count),
    Counter("cpu.capacity.provisioned", VM, Units.HERTZ, Scale.MEGA, "CPU configured", lambda p, _: p.cpu_MHz),
    Counter("cpu.capacity.entitlement", VM, Units.HERTZ, Scale.MEGA, "CPU at most", lambda p, _: p.cpu_MHz),
    Counter("cpu.capacity.demand", VM, Units.HERTZ, Scale.MEGA, "CPU asked for", lambda _, d: d.cpu_MHz),
    Counter("cpu.capacity.usage", VM, Units.HERTZ, Scale.MEGA, "CPU used", lambda _, d: d.cpu_MHz),
    Counter("mem.capacity.provisioned", VM, Units.BYTE, Scale.MEBI, "Memory configured", lambda p, _: p.memory_MiB),
    Counter("mem.capacity.entitlement", VM, Units.BYTE, Scale.MEBI, "Memory at most", lambda p, _: p.memory_MiB),
    Counter("mem.capacity.usage", VM, Units.BYTE, Scale.MEBI, "Memory used", lambda _, d: d.memory_MiB),
    Counter("disk.throughput.usage", VM, Units.BYTESPERSECOND, Scale.KILO, "Disk traffic", lambda _, d: disk_KBps(d)),
    Counter("disk.throughput.contention", VM, Units.SECOND, Scale.MILLI, "Disk latency", lambda _, d: milliseconds(d)),
    Counter(
        "net.throughput.usage", VM, Units.BYTESPERSECOND, Scale.KILO, "Network traffic", lambda _, d: network_KBps(d)
    ),
    Counter("net.throughput.contention", VM, Units.NUMBER, Scale.ONE, "Packets dropped", lambda _p, _d: 0.0),
    Counter("power.capacity.usage", VM, Units.WATT, Scale.ONE, "Power", vm_watts),
)
AnyCounter = Counter[Host] | Counter[Placed]
_ALL: tuple[AnyCounter, ...] = (*HOST_COUNTERS, *VM_COUNTERS)
COUNTERS: dict[str, AnyCounter] = {counter.id: counter for counter in _ALL}
"""Counter id -> counter."""
TYPES = (HOST, VM)
SETS: dict[str, tuple[str, ...]] = {
    f"{area}.{type}": tuple(id for id, c in COUNTERS.items() if c.type == type and c.metric.startswith(f"{area}."))
    for type in TYPES
    for area in ("cpu", "mem", "disk", "net")
}
"""Counter set -> the ids of its counters."""


def text(id: str, words: str) -> LocalizableMessage:
    """Words for people."""
    return LocalizableMessage(id=f"resphere.vstats.{id}", default_message=words, args=())
