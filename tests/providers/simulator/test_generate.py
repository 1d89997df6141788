from __future__ import annotations

import hashlib
import ipaddress
import subprocess
import sys
from collections import Counter, defaultdict
from typing import TypeVar

import msgspec
import pytest

from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.providers.simulator.draws import number_of
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.rules.space import disk_bytes, snapshot_room

T = TypeVar("T", bound=ManagedObject)
LARGER = Sizes(datacenters=2, clusters=4, hosts=14, vms=400)


def of(objects: tuple[ManagedObject, ...], kind: type[T]) -> list[T]:
    return [item for item in objects if isinstance(item, kind)]


def fingerprint(objects: tuple[ManagedObject, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(objects)).hexdigest()


@pytest.fixture(scope="module")
def larger() -> tuple[ManagedObject, ...]:
    return generate(LARGER, 7)


def test_the_same_seed_gives_the_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib, msgspec\n"
        "from resphere.providers.simulator.generate import generate\n"
        "from resphere.providers.simulator.sizes import Sizes\n"
        "objects = generate(Sizes(vms=120), 42)\n"
        "print(hashlib.sha256(msgspec.json.encode(objects)).hexdigest())\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("0", "1", "4242")
    }
    assert printed == {fingerprint(generate(Sizes(vms=120), 42))}


def test_the_seed_counts() -> None:
    assert generate(Sizes(), 1) == generate(Sizes(), 1)
    assert generate(Sizes(), 1) != generate(Sizes(), 2)


def test_sizes_are_totals() -> None:
    objects = generate(LARGER, 1)
    counts = Counter(type(item) for item in objects)
    assert counts[Datacenter] == 2
    assert counts[Cluster] == 4
    assert counts[Host] == 14
    assert counts[VirtualMachine] == 400


def test_ids_rise_over_all_kinds_from_the_root_folder() -> None:
    objects = generate(Sizes(), 1)
    assert [item.id for item in objects[:6]] == [
        ROOT_FOLDER,
        "datacenter-2",
        "group-v3",
        "group-h4",
        "group-s5",
        "group-n6",
    ]
    numbers = [number_of(item.id) for item in objects]
    assert numbers == sorted(set(numbers))
    prefixes = {item.id.rstrip("0123456789") for item in objects}
    assert prefixes == {
        *(f"group-{letter}" for letter in "dvhsn"),
        *("datacenter-", "domain-c", "host-", "resgroup-", "datastore-", "network-", "dvportgroup-"),
        *("vm-", "snapshot-"),
    }


def test_the_smallest_inventory_is_an_empty_datacenter() -> None:
    objects = generate(Sizes(clusters=0, hosts=0, vms=0), 1)
    assert not of(objects, Host)
    assert [item.name for item in of(objects, Datacenter)] == ["DC01"]
    assert {"vm", "host", "datastore", "network"} <= {item.name for item in of(objects, Folder)}


def test_without_clusters_every_host_has_its_own_root_pool() -> None:
    objects = generate(Sizes(clusters=0, hosts=3, vms=9), 1)
    pools = {pool.id: pool for pool in of(objects, ResourcePool)}
    for host in of(objects, Host):
        assert host.resource_pool is not None
        assert pools[host.resource_pool].owner == host.id


def test_the_default_inventory_has_something_of_everything() -> None:
    vms = of(generate(Sizes(), 0), VirtualMachine)
    assert any(vm.template for vm in vms)
    assert any(vm.power_state is Power.State.SUSPENDED for vm in vms)
    assert any(vm.snapshot for vm in vms)
    assert any(vm.serial_ports for vm in vms)
    assert any(cdrom.backing.iso_file for vm in vms for cdrom in vm.cdroms.values())


def test_power_states_are_spread_as_in_life(larger: tuple[ManagedObject, ...]) -> None:
    vms = of(larger, VirtualMachine)
    off = sum(vm.power_state is Power.State.POWERED_OFF for vm in vms)
    assert 0.12 * len(vms) < off < 0.30 * len(vms)
    assert all(vm.power_state is Power.State.POWERED_OFF for vm in vms if vm.template)
    assert len({vm.guest_OS for vm in vms}) >= 15
    assert len({vm.hardware.version for vm in vms}) >= 5
    assert {len(vm.nvme_adapters) > 0 for vm in vms} == {True, False}
    assert any(vm.floppies for vm in vms)
    assert any(vm.guest is None for vm in vms)


def test_addresses_never_repeat(larger: tuple[ManagedObject, ...]) -> None:
    vms = of(larger, VirtualMachine)
    addresses = [address for vm in vms if vm.guest for address in vm.guest.ip_addresses]
    addresses += [host.management_ip for host in of(larger, Host)]
    assert len(addresses) == len(set(addresses))
    assert all(str(ipaddress.ip_address(address)) == address for address in addresses)
    assert any(":" in address for address in addresses)
    macs = [nic.mac_address for vm in vms for nic in vm.nics.values()]
    macs += [nic.mac_address for host in of(larger, Host) for nic in host.physical_nics]
    assert len(macs) == len(set(macs))
    uuids = [uuid for vm in vms for uuid in (vm.bios_uuid, vm.instance_uuid)]
    assert len(uuids) == len(set(uuids))


def test_addresses_lie_in_the_network_of_the_nic(larger: tuple[ManagedObject, ...]) -> None:
    subnets: defaultdict[str, set[ipaddress.IPv4Network]] = defaultdict(set)
    for vm in of(larger, VirtualMachine):
        if vm.guest and len(vm.nics) == 1 and vm.guest.ip_addresses:
            (nic,) = vm.nics.values()
            assert nic.backing.network is not None
            subnets[nic.backing.network].add(ipaddress.IPv4Network(f"{vm.guest.ip_addresses[0]}/22", strict=False))
    assert all(len(found) == 1 for found in subnets.values())
    assert len(set.union(*subnets.values())) == len(subnets)


def test_datastores_have_what_the_disks_leave(larger: tuple[ManagedObject, ...]) -> None:
    used = disk_bytes(larger)
    disks = sum(disk.capacity or 0 for vm in of(larger, VirtualMachine) for disk in vm.disks.values())
    assert sum(used.values()) == disks + sum(sum(snapshot_room(each).values()) for each in of(larger, Snapshot))
    for store in of(larger, Datastore):
        assert store.other_used == 0
        assert used.get(store.id, 0) <= store.capacity


@pytest.mark.parametrize("sizes", [Sizes(), LARGER, Sizes(clusters=1, hosts=1, vms=300)])
def test_hosts_have_the_memory_their_vms_want(sizes: Sizes) -> None:
    objects = generate(sizes, 3)
    memory: Counter[str] = Counter()
    for vm in of(objects, VirtualMachine):
        memory[vm.host] += vm.memory.size_MiB
    for host in of(objects, Host):
        assert memory[host.id] <= host.hardware.memory_size_MiB


def test_hosts_of_a_cluster_are_alike(larger: tuple[ManagedObject, ...]) -> None:
    by_cluster: defaultdict[str | None, set[tuple[str, int, str]]] = defaultdict(set)
    for host in of(larger, Host):
        if host.resource_pool is None:
            by_cluster[host.parent].add((host.hardware.model, host.hardware.memory_size_MiB, host.build))
    assert all(len(found) == 1 for found in by_cluster.values())


def test_snapshots_hold_the_vm_as_it_was(larger: tuple[ManagedObject, ...]) -> None:
    vms = {vm.id: vm for vm in of(larger, VirtualMachine)}
    snapshots = of(larger, Snapshot)
    assert {snapshot.memory for snapshot in snapshots} == {True, False}
    for snapshot in snapshots:
        assert snapshot.parent is not None
        assert snapshot.state.id == snapshot.parent
        assert snapshot.state.snapshot == snapshot.parent_snapshot
        assert snapshot.state.disks == vms[snapshot.parent].disks
        running = snapshot.state.power_state is Power.State.POWERED_ON
        assert running == snapshot.memory


def test_names_are_those_an_administrator_would_give() -> None:
    objects = generate(Sizes(), 0)
    names = {item.name for item in objects}
    assert {"DC01", "DC01-Cluster01", "esx-01.dc01.example.com", "VM Network", "DPG-VLAN-110", "Resources"} <= names
    assert {"DC01-VMFS-01", "vsanDatastore-DC01-Cluster02", "esx-01-local", "Production", "Templates"} <= names
    assert "web-001" in names


def test_nothing_but_the_root_folder() -> None:
    (root,) = generate(Sizes(datacenters=0, clusters=0, hosts=0, vms=0), 1)
    assert (root.id, root.name, root.parent) == (ROOT_FOLDER, "Datacenters", None)
