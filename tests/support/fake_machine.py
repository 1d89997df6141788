"""A machine of which tests say what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from resphere.appliance.machine import (
    Address,
    CpuTimes,
    DiskTraffic,
    Filesystem,
    Interface,
    Load,
    Memory,
    NameResolution,
    NetworkTraffic,
)

GIB = 2**30


class FakeMachine:
    """A machine with two idle CPUs, 16 GiB of memory and half of its disk free; each attribute may be set."""

    def __init__(self) -> None:
        self.name = "vcenter.example.org"
        self.loads = Load(0.1, 0.1, 0.1, 2)
        self.times = CpuTimes(10.0, 5.0, 85.0, 0.0)
        self.memories = Memory(16 * GIB, 10 * GIB)
        self.swaps = Memory(2 * GIB, 2 * GIB)
        self.filesystems = Filesystem("/", 100 * GIB, 50 * GIB)
        self.disks = DiskTraffic(1000, 500, 4096000, 2048000)
        self.networks: dict[str, NetworkTraffic] = {"eth0": NetworkTraffic(1000, 2000, 10, 20, 0, 0, 0, 0)}
        self.names = NameResolution(("192.0.2.53",), ("example.org",))
        self.gateways: dict[str, str] = {"eth0": "192.0.2.1"}
        self.nics: tuple[Interface, ...] = (
            Interface("eth0", "00:50:56:00:00:01", True, (Address("192.0.2.10", 24),)),
            Interface("lo", "", True, (Address("127.0.0.1", 8),)),
        )

    def host_name(self) -> str:
        return self.name

    def load(self) -> Load:
        return self.loads

    def cpu_times(self) -> CpuTimes:
        return self.times

    def memory(self) -> Memory:
        return self.memories

    def swap(self) -> Memory:
        return self.swaps

    def filesystem(self, folder: Path) -> Filesystem:
        return self.filesystems

    def disk_traffic(self) -> DiskTraffic:
        return self.disks

    def network_traffic(self) -> Mapping[str, NetworkTraffic]:
        return self.networks

    def interfaces(self) -> tuple[Interface, ...]:
        return self.nics

    def name_resolution(self) -> NameResolution:
        return self.names

    def default_gateways(self) -> Mapping[str, str]:
        return self.gateways
