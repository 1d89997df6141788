"""Values that no object can have are found, with the field where they stand."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
import pytest

from resphere.inventory.model import (
    Datastore,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.rules.soundness.values import value_faults

MACHINE: list[tuple[str, object]] = [
    ("bios_uuid", "banana"),
    ("instance_uuid", ""),
    ("boot.delay", -1),
    ("boot.retry_delay", -1),
    ("cpu.count", 769),
    ("memory.size_MiB", 2**40),
    ("memory.hot_add_increment_size_MiB", -1),
    ("memory.hot_add_limit_MiB", -1),
    ("nics.4000.mac_address", "00:50:56:b7:79"),
    ("nics.4000.pci_slot_number", -1),
    ("scsi_adapters.1000.pci_slot_number", 10**9),
    ("scsi_adapters.1000.scsi.unit", 64),
    ("tools.version_number", -1),
    ("guest.ip_addresses[0]", "10.1.12.256"),
    ("guest.filesystems./.capacity", -1),
    ("guest.filesystems./.free_space", 2**50),
]
VALUES: list[tuple[type[ManagedObject], str, object]] = [
    (Host, "hardware.cpu_packages", 0),
    (Host, "hardware.cpu_cores", -1),
    (Host, "hardware.cpu_threads", 2**50),
    (Host, "hardware.cpu_frequency_MHz", 0),
    (Host, "hardware.memory_size_MiB", 0),
    (Host, "version", "banana"),
    (Host, "build", "22380479a"),
    (Host, "host_uuid", "7204e52d"),
    (Host, "management_ip", "esx-01"),
    (Host, "physical_nics[0].device", ""),
    (Host, "physical_nics[0].mac_address", "banana"),
    (Host, "physical_nics[0].link_speed_Mbps", -1),
    (ResourcePool, "cpu_allocation.reservation", -1),
    (ResourcePool, "memory_allocation.limit", -2),
    (Datastore, "capacity", -1),
    (Datastore, "url", " "),
    (Network, "distributed_switch", ""),
    (Network, "distributed_switch_uuid", "1e 2f"),
    *((VirtualMachine, path, value) for path, value in MACHINE),
    *((Snapshot, f"state.{path}", value) for path, value in MACHINE),
    (Snapshot, "state.cpu.cores_per_socket", 0),
]


@cache
def objects() -> tuple[ManagedObject, ...]:
    return tuple(generate(Sizes(vms=60), 3))


def steps(path: str) -> list[str | int]:
    """``nics[0].device`` -> nics, 0, device."""
    return [int(step[1:-1]) if step[0] == "[" else step for step in re.findall(r"\[\d+\]|[^.\[]+", path)]


def holder(value: Any, way: list[str | int]) -> Any:
    """What holds the last step of the way, ``None`` where that is not there."""
    for step in way[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value if value and (isinstance(value, list) or way[-1] in value) else None


@pytest.mark.parametrize(("kind", "path", "value"), VALUES)
def test_nonsense_is_found_where_it_stands(kind: type[ManagedObject], path: str, value: object) -> None:
    way = steps(path)
    for item in objects():
        plain = msgspec.json.decode(msgspec.json.encode(item))
        if isinstance(item, kind) and (place := holder(plain, way)) is not None:
            place[way[-1]] = value
            break
    else:
        pytest.fail(f"no {kind.__name__} has {path}")
    assert [field for field, _ in value_faults(msgspec.convert(plain, kind))] == [path]


def test_what_is_generated_is_sound() -> None:
    assert [fault for item in objects() for fault in value_faults(item)] == []


def test_machines_that_are_not_registered_are_looked_at_with_their_snapshots() -> None:
    snapshot = next(item for item in objects() if isinstance(item, Snapshot))
    broken = msgspec.structs.replace(snapshot.state, bios_uuid="banana")
    files = UnregisteredVm(
        id="vmx-1",
        name="x.vmx",
        machine=broken,
        snapshots=(snapshot, msgspec.structs.replace(snapshot, state=broken)),
    )
    assert [field for field, _ in value_faults(files)] == ["machine.bios_uuid", "snapshots[1].state.bios_uuid"]
