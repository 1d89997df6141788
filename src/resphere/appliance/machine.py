"""What the machine below tells: its load, memory, filesystems and networks, as they are at the moment.

``Environment.machine`` is a :class:`Machine`. :class:`LocalMachine` is the one that this process runs on; tests put
another one in its place, and set what it tells.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec
import psutil

RESOLVER = Path("/etc/resolv.conf")
ROUTES = Path("/proc/net/route")


class Load(msgspec.Struct, frozen=True):
    """How many processes ran or waited for a CPU in the last 1, 5 and 15 minutes, and how many CPUs there are."""

    minute: float
    minutes_5: float
    minutes_15: float
    cpus: int


class CpuTimes(msgspec.Struct, frozen=True):
    """What all CPUs have done since the machine was started, in seconds."""

    user: float
    system: float
    idle: float
    io_wait: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.user + self.system + self.idle + self.io_wait


class Memory(msgspec.Struct, frozen=True):
    """Of memory, or of swap space, in bytes; ``available`` is what may be had without swapping."""

    total: int
    available: int

    @property
    def used(self) -> int:
        """What is in use."""
        return self.total - self.available


class Filesystem(msgspec.Struct, frozen=True):
    """Where a folder lies, in bytes; ``available`` is what this process may still write."""

    device: str
    total: int
    available: int

    @property
    def used(self) -> int:
        """What nobody can write any more."""
        return self.total - self.available


class DiskTraffic(msgspec.Struct, frozen=True):
    """What all disks have read and written since the machine was started."""

    reads: int
    writes: int
    read_bytes: int
    written_bytes: int


class NetworkTraffic(msgspec.Struct, frozen=True):
    """What an interface has received (``rx``) and sent (``tx``) since the machine was started."""

    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    rx_errors: int
    tx_errors: int
    rx_dropped: int
    tx_dropped: int


class Address(msgspec.Struct, frozen=True):
    """An address of an interface: IPv4 or IPv6 (without a zone), and how many bits of it name the network."""

    address: str
    prefix: int


class Interface(msgspec.Struct, frozen=True):
    """A network interface; ``mac`` is empty where it has none."""

    name: str
    mac: str
    up: bool
    addresses: tuple[Address, ...]


class NameResolution(msgspec.Struct, frozen=True):
    """The addresses of DNS servers, and the domains in which short names are looked up."""

    servers: tuple[str, ...]
    domains: tuple[str, ...]


class Machine(Protocol):
    """What can be read of a machine, at any time and without waiting."""

    def host_name(self) -> str:
        """The name by which it knows itself."""

    def load(self) -> Load:
        """How busy it is."""

    def cpu_times(self) -> CpuTimes:
        """What the CPUs have done."""

    def memory(self) -> Memory:
        """How much memory there is."""

    def swap(self) -> Memory:
        """How much swap space there is."""

    def filesystem(self, folder: Path) -> Filesystem:
        """What ``folder`` lies on.

        :raises OSError: there is no such folder.
        """

    def disk_traffic(self) -> DiskTraffic:
        """What the disks have done."""

    def network_traffic(self) -> Mapping[str, NetworkTraffic]:
        """What each interface has carried, by its name."""

    def interfaces(self) -> tuple[Interface, ...]:
        """The network interfaces, by their names in order."""

    def name_resolution(self) -> NameResolution:
        """How names are looked up."""

    def default_gateways(self) -> Mapping[str, str]:
        """The IPv4 address of the gateway by the name of the interface at which it is."""


class LocalMachine:
    """The machine that this process runs on."""

    def host_name(self) -> str:
        """The name by which it knows itself."""
        return socket.gethostname()

    def load(self) -> Load:
        """How busy it is."""
        minute, minutes_5, minutes_15 = psutil.getloadavg()
        return Load(minute, minutes_5, minutes_15, os.cpu_count() or 1)

    def cpu_times(self) -> CpuTimes:
        """What the CPUs have done."""
        times = psutil.cpu_times()
        # Linux counts more kinds than other systems have.
        system = times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
        return CpuTimes(times.user, system, times.idle, getattr(times, "iowait", 0.0))

    def memory(self) -> Memory:
        """How much memory there is."""
        memory = psutil.virtual_memory()
        return Memory(memory.total, memory.available)

    def swap(self) -> Memory:
        """How much swap space there is."""
        swap = psutil.swap_memory()
        return Memory(swap.total, swap.free)

    def filesystem(self, folder: Path) -> Filesystem:
        """What ``folder`` lies on: of what is kept for the system's administrator nothing is available."""
        state = os.statvfs(folder)
        unusable = state.f_bfree - state.f_bavail
        total = (state.f_blocks - unusable) * state.f_frsize
        return Filesystem(mounted(folder), total, state.f_bavail * state.f_frsize)

    def disk_traffic(self) -> DiskTraffic:
        """What the disks have done."""
        counted = psutil.disk_io_counters()
        if counted is None:
            return DiskTraffic(0, 0, 0, 0)
        return DiskTraffic(counted.read_count, counted.write_count, counted.read_bytes, counted.write_bytes)

    def network_traffic(self) -> Mapping[str, NetworkTraffic]:
        """What each interface has carried."""
        return {
            name: NetworkTraffic(
                rx_bytes=counted.bytes_recv,
                tx_bytes=counted.bytes_sent,
                rx_packets=counted.packets_recv,
                tx_packets=counted.packets_sent,
                rx_errors=counted.errin,
                tx_errors=counted.errout,
                rx_dropped=counted.dropin,
                tx_dropped=counted.dropout,
            )
            for name, counted in sorted(psutil.net_io_counters(pernic=True).items())
        }

    def interfaces(self) -> tuple[Interface, ...]:
        """The network interfaces."""
        states = psutil.net_if_stats()
        return tuple(
            Interface(
                name,
                next((each.address for each in addresses if each.family == psutil.AF_LINK), ""),
                name in states and states[name].isup,
                tuple(
                    Address(each.address.partition("%")[0], prefix_of(each.netmask))
                    for each in addresses
                    if each.family in (socket.AF_INET, socket.AF_INET6)
                ),
            )
            for name, addresses in sorted(psutil.net_if_addrs().items())
        )

    def name_resolution(self) -> NameResolution:
        """What the resolver is told; nothing where the system has no such file."""
        return read_resolver(text_of(RESOLVER))

    def default_gateways(self) -> Mapping[str, str]:
        """As Linux lists them; nothing elsewhere."""
        return read_routes(text_of(ROUTES))


def text_of(file: Path) -> str:
    """What a file says, nothing where there is none."""
    try:
        return file.read_text("ascii", "replace")
    except FileNotFoundError:
        return ""


def read_resolver(text: str) -> NameResolution:
    """What ``resolv.conf`` says; of several lines of domains the last is good (resolv.conf(5))."""
    servers: list[str] = []
    domains: tuple[str, ...] = ()
    for line in text.splitlines():
        match line.split():
            case ["nameserver", address, *_]:
                servers.append(address.partition("%")[0])
            case ["search" | "domain", *names]:
                domains = tuple(names)
    return NameResolution(tuple(servers), domains)


def read_routes(text: str) -> dict[str, str]:
    """The gateways of the routes to everywhere in ``/proc/net/route``, whose addresses are in the machine's order."""
    found: dict[str, str] = {}
    for line in text.splitlines()[1:]:
        name, target, gateway, *_ = line.split()
        if int(target, 16) == 0 and int(gateway, 16) != 0:
            found.setdefault(name, socket.inet_ntoa(int(gateway, 16).to_bytes(4, sys.byteorder)))
    return found


def prefix_of(mask: str | None) -> int:
    """How many bits a mask such as ``255.255.255.0`` or ``ffff:ffff::`` has set."""
    if mask is None:
        return 0
    family = socket.AF_INET6 if ":" in mask else socket.AF_INET
    return int.from_bytes(socket.inet_pton(family, mask)).bit_count()


def mounted(folder: Path) -> str:
    """The folder at which the filesystem that ``folder`` is on is mounted."""
    place = folder.resolve()
    while not place.is_mount():
        place = place.parent
    return str(place)
