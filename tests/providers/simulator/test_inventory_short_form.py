from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest

from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Boot, Ethernet
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.providers.simulator.catalog import GIB, TIB
from resphere.providers.simulator.inventory_faults import InventoryFileError
from resphere.providers.simulator.inventory_file import parse_inventory, write_inventory
from resphere.rules.space import disk_bytes
from resphere.server.exports.file import read_file
from tests.support.soundness import problems

T = TypeVar("T", bound=ManagedObject)
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "inventory.yaml"
Objects = tuple[ManagedObject, ...]

SMALLEST = """\
datacenters:
- name: DC01
hosts:
- name: esx-01
- name: esx-02
virtual_machines:
- {name: a, guest_OS: UBUNTU_64}
- {name: b, guest_OS: WINDOWS_SERVER_2021}
- {name: c, guest_OS: OTHER}
"""


def named(objects: Objects, kind: type[T], name: str) -> T:
    (found,) = [item for item in objects if isinstance(item, kind) and item.name == name]
    return found


@pytest.fixture(scope="module")
def example() -> Objects:
    return tuple(item for item in read_file(EXAMPLE) if isinstance(item, ManagedObject))


def parse(text: str) -> Objects:
    return parse_inventory(text, "file")


def test_the_example_of_the_documentation_loads_and_round_trips(example: Objects) -> None:
    assert problems(example) == []
    assert parse(write_inventory(example)) == example


def test_ids_are_given_in_order_from_the_root_folder(example: Objects) -> None:
    assert [item.id for item in example[:6]] == [
        "group-d1",
        "datacenter-2",
        "group-v3",
        "group-h4",
        "group-s5",
        "group-n6",
    ]
    assert [item.name for item in example[2:6]] == ["vm", "host", "datastore", "network"]


def test_parents_by_path_and_name(example: Objects) -> None:
    web = named(example, Folder, "Web")
    assert named(example, VirtualMachine, "web-001").parent == web.id
    assert web.parent == named(example, Folder, "Production").id
    assert named(example, VirtualMachine, "tmpl-debian").parent == named(example, Folder, "Templates").id
    assert named(example, VirtualMachine, "win-dc-001").parent == named(example, Datacenter, "DC01").vm_folder


def test_pools(example: Objects) -> None:
    cluster = named(example, Cluster, "Compute")
    pool = named(example, ResourcePool, "Production")
    assert pool.parent == cluster.resource_pool
    assert pool.owner == cluster.id
    assert pool.cpu_allocation.shares.level.value == "HIGH"
    assert pool.cpu_allocation.limit == -1
    assert named(example, VirtualMachine, "db-001").resource_pool == pool.id
    assert named(example, VirtualMachine, "web-001").resource_pool == cluster.resource_pool
    standalone = named(example, Host, "esx-03.example.com")
    assert named(example, VirtualMachine, "win-dc-001").resource_pool == standalone.resource_pool


def test_what_is_given_counts(example: Objects) -> None:
    vm = named(example, VirtualMachine, "db-001")
    assert vm.power_state is Power.State.POWERED_ON
    assert (vm.cpu.count, vm.cpu.cores_per_socket, vm.cpu.hot_add_enabled) == (8, 4, False)
    assert vm.memory.size_MiB == 32768
    assert [disk.capacity for disk in vm.disks.values()] == [60 * GIB, 500 * GIB]
    (nic,) = vm.nics.values()
    assert nic.mac_address == "00:50:56:80:00:01"
    assert nic.mac_type is Ethernet.MacAddressType.MANUAL
    assert nic.backing.network == named(example, Network, "DPG-VLAN-110").id
    assert vm.guest is not None
    assert vm.guest.ip_addresses == ("192.168.110.21",)
    host = named(example, Host, "esx-03.example.com")
    assert (host.version, host.build) == ("8.0.2", "22380479")


def test_datastores_and_networks(example: Objects) -> None:
    local, shared = named(example, Datastore, "local-03"), named(example, Datastore, "vmfs-01")
    assert local.capacity == TIB
    assert disk_bytes(example)[local.id] == 90 * GIB
    assert local.id not in named(example, Host, "esx-01.example.com").datastores
    assert shared.id in named(example, Host, "esx-01.example.com").datastores
    group = named(example, Network, "DPG-VLAN-110")
    assert group.type is ApiNetwork.Type.DISTRIBUTED_PORTGROUP
    assert group.distributed_switch is not None
    assert group.distributed_switch_uuid is not None


def test_a_snapshot_holds_the_vm_switched_off(example: Objects) -> None:
    vm, snapshot = named(example, VirtualMachine, "db-001"), named(example, Snapshot, "before-upgrade")
    assert vm.snapshot == snapshot.id
    assert snapshot.parent == vm.id
    assert snapshot.state.power_state is Power.State.POWERED_OFF
    assert snapshot.state.disks == vm.disks
    assert snapshot.state.snapshot is None


def test_the_smallest_file_gets_a_datastore_and_a_network() -> None:
    objects = parse(SMALLEST)
    assert problems(objects) == []
    store = named(objects, Datastore, "datastore1")
    assert named(objects, Network, "VM Network").type is ApiNetwork.Type.STANDARD_PORTGROUP
    hosts = [named(objects, Host, name).id for name in ("esx-01", "esx-02")]
    vms = [named(objects, VirtualMachine, name) for name in "abc"]
    assert [vm.host for vm in vms] == [*hosts, hosts[0]]
    assert disk_bytes(objects)[store.id] == sum(d.capacity or 0 for vm in vms for d in vm.disks.values())
    macs = [nic.mac_address for vm in vms for nic in vm.nics.values()]
    assert len(set(macs)) == 3


def test_a_datastore_of_open_capacity_grows() -> None:
    objects = parse(SMALLEST.replace("guest_OS: OTHER", "guest_OS: OTHER, disks: [{capacity: 60 TiB}]"))
    store = named(objects, Datastore, "datastore1")
    assert store.capacity >= 80 * TIB
    assert disk_bytes(objects)[store.id] < store.capacity


def test_free_space_that_is_given_makes_the_rest_used_by_others() -> None:
    given = SMALLEST + "datastores:\n- {name: datastore1, capacity: 1 TiB, free_space: 100 GiB}\n"
    objects = parse(given)
    store = named(objects, Datastore, "datastore1")
    assert store.capacity - store.other_used - disk_bytes(objects)[store.id] == 100 * GIB
    assert problems(objects) == []
    with pytest.raises(InventoryFileError, match="free_space: must be at most what disks leave"):
        parse(given.replace("100 GiB", "1 TiB"))


def test_the_guest_system_decides_on_the_hardware() -> None:
    objects = parse(SMALLEST)
    linux, windows, other = (named(objects, VirtualMachine, name) for name in "abc")
    assert linux.boot.type is Boot.Type.BIOS
    assert windows.boot.type is Boot.Type.EFI
    assert {nic.type for nic in linux.nics.values()} == {Ethernet.EmulationType.VMXNET3}
    assert {nic.type for nic in windows.nics.values()} == {Ethernet.EmulationType.E1000E}
    assert list(windows.cdroms) == ["16000"]
    assert list(other.cdroms) == ["3002"]
    assert [scsi.type.value for scsi in windows.scsi_adapters.values()] == ["LSILOGICSAS"]


def test_a_firmware_brings_its_own_defaults() -> None:
    objects = parse(SMALLEST.replace("guest_OS: OTHER", "guest_OS: OTHER, boot: {type: EFI, delay: 5}"))
    boot = named(objects, VirtualMachine, "c").boot
    assert (boot.type, boot.efi_legacy_boot, boot.delay) == (Boot.Type.EFI, False, 5)


def test_no_disks_and_no_nics() -> None:
    objects = parse(SMALLEST.replace("guest_OS: OTHER", "guest_OS: OTHER, disks: [], nics: []"))
    vm = named(objects, VirtualMachine, "c")
    assert (vm.disks, vm.nics) == ({}, {})


def test_more_disks_than_one_adapter_takes_get_another() -> None:
    disks = ", ".join(["{capacity: 1 GiB}"] * 20)
    objects = parse(SMALLEST.replace("UBUNTU_64", f"UBUNTU_64, disks: [{disks}]"))
    vm = named(objects, VirtualMachine, "a")
    assert list(vm.scsi_adapters) == ["1000", "1001"]
    assert list(vm.disks)[6:8] == ["2006", "2008"]
    assert list(vm.disks)[-1] == "2020"


def test_ids_and_numbers_begin_after_those_given() -> None:
    objects = parse(SMALLEST.replace("name: DC01", "name: DC01\n  id: datacenter-1000"))
    assert named(objects, Host, "esx-01").id == "host-1005"


def test_a_mac_address_given_elsewhere_is_not_given_again() -> None:
    first = next(iter(named(parse(SMALLEST), VirtualMachine, "a").nics.values())).mac_address
    text = SMALLEST.replace("guest_OS: OTHER", f"guest_OS: OTHER, nics: [{{mac_address: '{first}'}}]")
    assert problems(parse(text)) == []


def test_names_prefer_the_same_datacenter() -> None:
    objects = parse(
        """\
datacenters: [{name: A}, {name: B}]
hosts:
- {name: a1, datacenter: A}
- {name: b1, datacenter: B}
networks:
- {name: VM Network, datacenter: A}
- {name: VM Network, datacenter: B}
virtual_machines:
- {name: x, guest_OS: OTHER, host: b1, nics: [{network: VM Network}]}
- {name: y, guest_OS: OTHER, datacenter: A, nics: [{network: VM Network}]}
- {name: z, guest_OS: OTHER, parent: /B/vm}
- {name: w, guest_OS: OTHER, parent: /B}
"""
    )
    assert problems(objects) == []
    b1 = named(objects, Host, "b1").id
    assert named(objects, VirtualMachine, "x").host == b1
    assert named(objects, VirtualMachine, "y").host == named(objects, Host, "a1").id
    assert named(objects, VirtualMachine, "z").host == b1
    assert named(objects, VirtualMachine, "w").parent == named(objects, Datacenter, "B").vm_folder


def test_a_slash_in_a_name() -> None:
    objects = parse("datacenters: [{name: A/B}]\nfolders: [{name: C, parent: /A%2fB/vm}]\n")
    assert named(objects, Folder, "C").parent == named(objects, Datacenter, "A/B").vm_folder


def test_a_pool_of_the_cluster_decides_on_the_host() -> None:
    objects = parse(
        """\
datacenters: [{name: A}]
clusters: [{name: C1}, {name: C2}]
hosts: [{name: h1, cluster: C1}, {name: h2, cluster: C2}]
resource_pools: [{name: P, parent: C1}, {name: P, parent: C2}, {name: Q, parent: C2}]
virtual_machines:
- {name: x, guest_OS: OTHER, cluster: C2, resource_pool: P}
- {name: y, guest_OS: OTHER, resource_pool: Q}
"""
    )
    assert problems(objects) == []
    assert named(objects, VirtualMachine, "x").host == named(objects, Host, "h2").id
    assert named(objects, VirtualMachine, "y").host == named(objects, Host, "h2").id


def test_each_distributed_switch_gets_its_uplink_port_group() -> None:
    """Also in a file of an earlier release, which has none."""
    short = parse(
        "datacenters:\n- name: D\nhosts:\n- name: h\nnetworks:\n- {name: a, vlan: 7, type: DISTRIBUTED_PORTGROUP}\n"
        "- {name: b, distributed_switch: dvs-90,"
        " distributed_switch_uuid: 50 2b 00 11 22 33 44 55-66 77 88 99 aa bb cc dd}\n"
    )
    groups = [item for item in short if isinstance(item, Network)]
    switches = {item.distributed_switch for item in groups}
    assert len(switches) == 2
    uplinks = [item for item in groups if item.uplink]
    assert {item.distributed_switch for item in uplinks} == switches
    assert {item.name for item in uplinks} >= {"DSwitch-DVUplinks-90"}
    (host,) = [item for item in short if isinstance(item, Host)]
    assert not {*host.networks} & {item.id for item in uplinks}
    earlier = tuple(item for item in short if not isinstance(item, Network) or not item.uplink)
    again = parse(write_inventory(earlier))
    assert {item.name for item in again} == {item.name for item in short}
    assert parse(write_inventory(short)) == short
