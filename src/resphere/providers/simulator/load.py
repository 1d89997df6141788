"""What simulated machines have to do: a figure for each machine and moment, made when it is asked for.

Pure: the same machine has the same load at the same moment, on every worker and after every restart. What tells one
machine from another is its ``instance_uuid``, which the inventory's seed made. A machine has a busy time of the day,
quieter weekends, and small waves of a quarter of an hour. History is as if every machine had always been as it is now,
where it is now: nobody keeps what was.

Hosts do what their machines do, and a little for themselves. What machines ask for in sum may be more CPU than a host
has: then it is contended, and gives what it has.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from math import cos, pi

import msgspec

from resphere.contract.generated import vcenter, vcenter_vm
from resphere.inventory.model import Host, VirtualMachine
from resphere.inventory.relations import vms_of_host
from resphere.providers.base import IDLE, Load
from resphere.replica.replica import Replica

ON = vcenter_vm.Power.State.POWERED_ON
DAY, WEEK = 86_400, 604_800
WAVE_SECONDS = 900
HOST_CPU_SHARE = 0.02
"""Of its CPU that a host uses itself."""
HOST_MEMORY_MIB = 2048
"""What a host's own system takes, at most a tenth of what there is."""
HOST_DISK_KBPS = 40.0
HOST_NETWORK_KBPS = 60.0
MONDAY = 4 * DAY
"""The first Monday since the epoch began, a Thursday."""


class Habits(msgspec.Struct, frozen=True, gc=False):
    """What a machine is like: shares of 1, the hour of its peak in seconds of the day, KB/s at full work."""

    seed: int
    base: float
    swing: float
    peak: float
    weekend: float
    memory: float
    read_KBps: float
    write_KBps: float
    receive_KBps: float
    send_KBps: float


def habits(vm: VirtualMachine) -> Habits:
    """The habits of the machine of that ``instance_uuid``."""
    name = vm.instance_uuid.encode()
    part = [zlib.crc32(name, number + 1) / 2**32 for number in range(9)]
    return Habits(
        seed=zlib.crc32(name),
        base=0.02 + 0.28 * part[0] ** 2,
        swing=0.05 + 0.55 * part[1] ** 2,
        peak=DAY * (0.35 + 0.3 * part[2]),
        weekend=0.3 + 0.7 * part[3],
        memory=0.25 + 0.4 * part[4],
        read_KBps=200.0 + 20_000.0 * part[5] ** 3,
        write_KBps=200.0 + 12_000.0 * part[6] ** 3,
        receive_KBps=50.0 + 30_000.0 * part[7] ** 3,
        send_KBps=50.0 + 30_000.0 * part[8] ** 3,
    )


def wave(seed: int, at: float) -> float:
    """A number from 0 to 1 that goes steadily from one quarter of an hour's to the next's."""
    bucket, rest = divmod(at, WAVE_SECONDS)
    first, second = _drawn(seed, int(bucket)), _drawn(seed, int(bucket) + 1)
    return first + (second - first) * rest / WAVE_SECONDS


def _drawn(seed: int, number: int) -> float:
    mixed = (seed ^ number * 0x9E3779B1) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 16) * 0x45D9F3B & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 16) * 0x45D9F3B & 0xFFFFFFFF
    return (mixed ^ mixed >> 16) / 2**32


def busy(own: Habits, at: float) -> float:
    """How busy the machine is at a moment, from 0 to 1."""
    day = 0.5 + 0.5 * cos(2 * pi * (at % DAY - own.peak) / DAY)
    swing = own.swing if (at - MONDAY) % WEEK < 5 * DAY else own.swing * own.weekend
    return own.base + swing * day + 0.1 * wave(own.seed, at)


def vm_loads(vm: VirtualMachine, host: Host, times: Sequence[float]) -> list[Load]:
    """The load of a machine at moments, seconds since the epoch. One that is not on has none."""
    if vm.power_state is not ON or host.connection_state is not vcenter.Host.ConnectionState.CONNECTED:
        return [IDLE] * len(times)
    own = habits(vm)
    capacity = float(vm.cpu.count * host.hardware.cpu_frequency_MHz)
    memory = float(vm.memory.size_MiB)
    return [_load(own, busy(own, at), capacity, memory) for at in times]


def _load(own: Habits, share: float, capacity_MHz: float, memory_MiB: float) -> Load:
    return Load(
        cpu_MHz=share * capacity_MHz,
        memory_MiB=min(1.0, own.memory + 0.3 * share) * memory_MiB,
        disk_read_KBps=share * own.read_KBps,
        disk_write_KBps=share * own.write_KBps,
        network_receive_KBps=share * own.receive_KBps,
        network_send_KBps=share * own.send_KBps,
    )


def own_load(host: Host) -> Load:
    """What a host does for itself while it is up."""
    if not is_up(host):
        return IDLE
    hardware = host.hardware
    return Load(
        cpu_MHz=HOST_CPU_SHARE * hardware.cpu_cores * hardware.cpu_frequency_MHz,
        memory_MiB=min(float(HOST_MEMORY_MIB), hardware.memory_size_MiB / 10),
        disk_read_KBps=HOST_DISK_KBPS / 4,
        disk_write_KBps=HOST_DISK_KBPS,
        network_receive_KBps=HOST_NETWORK_KBPS,
        network_send_KBps=HOST_NETWORK_KBPS,
    )


def is_up(host: Host) -> bool:
    """Whether the host is on and says anything."""
    up = host.power_state is vcenter.Host.PowerState.POWERED_ON
    return up and host.connection_state is vcenter.Host.ConnectionState.CONNECTED


def total(loads: Iterable[Load]) -> Load:
    """The sum of loads."""
    rows = [msgspec.structs.astuple(load) for load in loads]
    return Load(*(sum(column) for column in zip(*rows, strict=True))) if rows else IDLE


class Statistics:
    """Figures of the simulated machines."""

    def __init__(self, inventory: Replica) -> None:
        self._inventory = inventory

    def vm_loads(self, vm: VirtualMachine, times: Sequence[float]) -> list[Load]:
        """Of a machine."""
        host = self._inventory.get(Host, vm.host)
        return vm_loads(vm, host, times) if host is not None else [IDLE] * len(times)

    def host_loads(self, host: Host, times: Sequence[float]) -> list[Load]:
        """Of a host: its machines and itself. What is asked for, which may be more CPU than there is."""
        series = [vm_loads(vm, host, times) for vm in vms_of_host(self._inventory, host.id) if vm.power_state is ON]
        own = own_load(host)
        return [total((own, *loads)) for loads in zip(*series, strict=True)] if series else [own] * len(times)
