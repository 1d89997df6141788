"""Whether figures, addresses and other texts of an object are what they are meant to be, looked at alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from resphere.inventory.model import (
    Datastore,
    GuestState,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.rules.hardware.cpu import MOST_CPUS
from resphere.rules.hardware.ethernet import MAC
from resphere.rules.hardware.hot_add import MOST_MIB
from resphere.rules.hardware.pci_slots import MOST_SLOT
from resphere.rules.soundness.devices import Fault, device_faults
from resphere.uuids import UUID_PATTERN

_UUID = re.compile(rf"{UUID_PATTERN}\Z")
_SWITCH_UUID = re.compile(r"([0-9a-fA-F]{2}[ -]){15}[0-9a-fA-F]{2}\Z")
_VERSION = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5})+\Z")
_BUILD = re.compile(r"[0-9]+\Z")
_LARGEST = 2**63 - 1
_HOST_FIGURES = ("cpu_packages", "cpu_cores", "cpu_threads", "cpu_frequency_MHz", "memory_size_MiB")
_MOST_OF_A_HOST = 2**40
UNLIMITED = -1


def value_faults(item: ManagedObject) -> Iterator[Fault]:
    """What is wrong with the values of an object of any kind."""
    if isinstance(item, VirtualMachine):
        yield from _machine(item)
    elif isinstance(item, Snapshot):
        yield from _inside("state", item.state)
    elif isinstance(item, UnregisteredVm):
        yield from _within("machine", _machine(item.machine))
        for place, snapshot in enumerate(item.snapshots):
            yield from _inside(f"snapshots[{place}].state", snapshot.state)
    elif isinstance(item, Host):
        yield from _host(item)
    elif isinstance(item, ResourcePool):
        yield from _resource_pool(item)
    elif isinstance(item, Datastore):
        yield from _number("capacity", item.capacity, 0)
        yield from _text("url", item.url)
    elif isinstance(item, Network):
        yield from _switch(item)


def _inside(path: str, state: VirtualMachine) -> Iterator[Fault]:
    """What a snapshot keeps comes back by a revert: it must be sound as the machine is."""
    yield from _within(path, device_faults(state))
    yield from _within(path, _machine(state))


def _within(path: str, faults: Iterator[Fault]) -> Iterator[Fault]:
    for field, message in faults:
        yield f"{path}.{field}", message


def _host(host: Host) -> Iterator[Fault]:
    for name in _HOST_FIGURES:
        yield from _number(f"hardware.{name}", getattr(host.hardware, name), 1, _MOST_OF_A_HOST)
    yield from _matching("version", host.version, _VERSION, "numbers with dots, such as 8.0.3")
    yield from _matching("build", host.build, _BUILD, "a number")
    yield from _matching("host_uuid", host.host_uuid, _UUID, "a UUID")
    yield from _address("management_ip", host.management_ip)
    for place, nic in enumerate(host.physical_nics):
        yield from _text(f"physical_nics[{place}].device", nic.device)
        yield from _matching(f"physical_nics[{place}].mac_address", nic.mac_address, MAC, "a MAC address")
        if nic.link_speed_Mbps is not None:
            yield from _number(f"physical_nics[{place}].link_speed_Mbps", nic.link_speed_Mbps, 0, _MOST_OF_A_HOST)


def _resource_pool(pool: ResourcePool) -> Iterator[Fault]:
    for name in ("cpu_allocation", "memory_allocation"):
        allocation = getattr(pool, name)
        if allocation.reservation is not None:
            yield from _number(f"{name}.reservation", allocation.reservation, 0)
        if allocation.limit is not None:
            yield from _number(f"{name}.limit", allocation.limit, UNLIMITED)


def _switch(network: Network) -> Iterator[Fault]:
    if network.distributed_switch is not None:
        yield from _text("distributed_switch", network.distributed_switch)
    if network.distributed_switch_uuid is not None:
        yield from _matching(
            "distributed_switch_uuid", network.distributed_switch_uuid, _SWITCH_UUID, "16 bytes as hexadecimal digits"
        )


def _machine(vm: VirtualMachine) -> Iterator[Fault]:
    yield from _matching("bios_uuid", vm.bios_uuid, _UUID, "a UUID")
    yield from _matching("instance_uuid", vm.instance_uuid, _UUID, "a UUID")
    yield from _number("boot.delay", vm.boot.delay, 0)
    yield from _number("boot.retry_delay", vm.boot.retry_delay, 0)
    if vm.cpu.count > MOST_CPUS:
        yield "cpu.count", f"must be at most {MOST_CPUS}, not {vm.cpu.count}"
    if vm.memory.size_MiB > MOST_MIB:
        yield "memory.size_MiB", f"must be at most {MOST_MIB}, not {vm.memory.size_MiB}"
    for name in ("hot_add_increment_size_MiB", "hot_add_limit_MiB"):
        if (figure := getattr(vm.memory, name)) is not None:
            yield from _number(f"memory.{name}", figure, 0)
    yield from _devices(vm)
    if vm.tools.version_number is not None:
        yield from _number("tools.version_number", vm.tools.version_number, 0)
    if vm.guest is not None:
        yield from _within("guest", _guest(vm.guest))


def _devices(vm: VirtualMachine) -> Iterator[Fault]:
    for key, nic in vm.nics.items():
        if nic.mac_address is not None:
            yield from _matching(f"nics.{key}.mac_address", nic.mac_address, MAC, "a MAC address")
    for field in ("nics", "sata_adapters", "scsi_adapters", "nvme_adapters"):
        for key, device in getattr(vm, field).items():
            if device.pci_slot_number is not None:
                yield from _number(f"{field}.{key}.pci_slot_number", device.pci_slot_number, 0, MOST_SLOT)
    for scsi, adapter in vm.scsi_adapters.items():
        yield from _number(f"scsi_adapters.{scsi}.scsi.unit", adapter.scsi.unit, 0, 63)


def _guest(guest: GuestState) -> Iterator[Fault]:
    for place, address in enumerate(guest.ip_addresses):
        yield from _address(f"ip_addresses[{place}]", address)
    for path, filesystem in guest.filesystems.items():
        yield from _number(f"filesystems.{path}.capacity", filesystem.capacity, 0)
        yield from _number(f"filesystems.{path}.free_space", filesystem.free_space, 0)
        if 0 <= filesystem.capacity < filesystem.free_space:
            yield f"filesystems.{path}.free_space", f"must be at most the capacity, {filesystem.capacity}"


def _number(field: str, value: int, least: int, most: int = _LARGEST) -> Iterator[Fault]:
    if not least <= value <= most:
        yield field, f"must be from {least} to {most}, not {value}"


def _text(field: str, value: str) -> Iterator[Fault]:
    if not value.strip():
        yield field, "must not be empty"


def _matching(field: str, value: str, pattern: re.Pattern[str], what: str) -> Iterator[Fault]:
    if not pattern.match(value):
        yield field, f"must be {what}, not {value!r}"


def _address(field: str, value: str) -> Iterator[Fault]:
    try:
        ip_address(value)
    except ValueError:
        yield field, f"must be an IP address, not {value!r}"
