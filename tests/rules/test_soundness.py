from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Ethernet, SataAddressInfo
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
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
from resphere.providers.simulator.devices import floppy
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from tests.support.examples import examples
from tests.support.soundness import problems

SOUND = generate(Sizes(), 0)


@st.composite
def sizes(draw: st.DrawFn) -> Sizes:
    clusters = draw(st.integers(0, 6))
    hosts = draw(st.integers(clusters, clusters + 20))
    vms = draw(st.integers(0, 80)) if hosts else 0
    return Sizes(datacenters=draw(st.integers(1, 4)), clusters=clusters, hosts=hosts, vms=vms)


@settings(max_examples=examples(60))
@given(sizes(), st.integers(0, 2**64))
def test_whatever_is_generated_holds_together(sizes: Sizes, seed: int) -> None:
    assert problems(generate(sizes, seed)) == []


def test_a_large_inventory_holds_together() -> None:
    assert problems(generate(Sizes(datacenters=3, clusters=9, hosts=60, vms=3000), 5)) == []


def test_nothing_is_no_problem() -> None:
    assert problems([]) == []


Change = Callable[[Any], ManagedObject | list[ManagedObject]]


def after(kind: type[ManagedObject], number: int, change: Change) -> list[str]:
    """The problems of a sound inventory in which the `number`-th object of a kind is changed (or lost: [])."""
    target = [item for item in SOUND if isinstance(item, kind)][number]
    objects: list[ManagedObject] = []
    for item in SOUND:
        changed = change(item) if item is target else item
        objects += changed if isinstance(changed, list) else [changed]
    return problems(objects)


def with_nic(vm: VirtualMachine, **fields: Any) -> VirtualMachine:
    key, nic = next(iter(vm.nics.items()))
    return replace(vm, nics={**vm.nics, key: replace(nic, **fields)})


def with_disk(vm: VirtualMachine, **fields: Any) -> VirtualMachine:
    key, disk = next(iter(vm.disks.items()))
    return replace(vm, disks={**vm.disks, key: replace(disk, **fields)})


def with_backing(vm: VirtualMachine, **fields: Any) -> VirtualMachine:
    nic = next(iter(vm.nics.values()))
    return with_nic(vm, backing=replace(nic.backing, **fields))


def doubled_disk(vm: VirtualMachine) -> VirtualMachine:
    disk = next(iter(vm.disks.values()))
    return replace(vm, disks={**vm.disks, ids.VcenterVmHardwareDiskId("2009"): disk})


CASES: list[tuple[type[ManagedObject], Change, str]] = [
    (Folder, lambda item: replace(item, parent="group-d1"), "group-d1 (Datacenters): parent: must not be set in the"),
    (Folder, lambda item: [], "(DC01): parent: the inventory has no root folder: a fo"),
    (Datacenter, lambda item: replace(item, parent="group-d99"), "parent: group-d99 does not exist; it must be the id"),
    (Datacenter, lambda item: replace(item, vm_folder="group-h4"), "vm_folder: group-h4 must be of type VIRTUAL_MACHI"),
    (Datacenter, lambda item: replace(item, id="dc-2"), "id: must be datacenter- and a number, such as datacenter-2"),
    (Cluster, lambda item: replace(item, parent="group-v3"), "parent: group-v3 is a folder of type VIRTUAL_MACHINE"),
    (Cluster, lambda item: replace(item, resource_pool="host-1"), "resource_pool: host-1 does not exist"),
    (Cluster, lambda item: replace(item, resource_pool="resgroup-41"), "the parent of the root pool resgroup-41 must"),
    (Cluster, lambda item: replace(item, id="datacenter-2"), "datacenter-2 is the id of DC01 already"),
    (Cluster, lambda item: replace(item, name="DC01-Cluster02"), "in group-h4 is named DC01-Cluster02 already"),
    (Host, lambda item: replace(item, parent="group-h4"), "resource_pool: must be set in a standalone host"),
    (Host, lambda item: replace(item, parent=None), "parent: must be set: the id of a cluster or"),
    (Host, lambda item: replace(item, parent="group-d1"), "parent: group-d1 is a folder of type DATACENTER"),
    (Host, lambda item: replace(item, resource_pool="resgroup-29"), "resource_pool: must not be set: the host belongs"),
    (Host, lambda item: replace(item, datastores=("network-22",)), "datastores[0]: network-22 is a network, and must"),
    (Host, lambda item: replace(item, networks=item.networks[:1] * 2), "networks[1]: network-22 stands there twice"),
    (Host, lambda item: replace(item, name="esx-02.dc01.example.com"), "name: the host name esx-02.dc01.example.com"),
    (ResourcePool, lambda item: replace(item, owner="host-37"), "owner: must be the parent of a root pool, domain-c28"),
    (ResourcePool, lambda item: replace(item, parent="resgroup-30"), "goes round in a circle: "),
    (Datastore, lambda item: replace(item, other_used=-1), "other_used: must not be negative"),
    (Datastore, lambda item: replace(item, capacity=0, other_used=1), "capacity: must be at least"),
    (Datastore, lambda item: replace(item, name=""), "name: must have 1 to 80 characters, and has 0"),
    (Datastore, lambda item: replace(item, name="a\0b"), "name: must not have a NUL character"),
    (Network, lambda item: replace(item, vlan=5000), "vlan: must be from 0 to 4095, not 5000"),
    (Network, lambda item: replace(item, distributed_switch="dvs-1"), "distributed_switch: must not be set where type"),
    (Network, lambda item: replace(item, id="dvportgroup-22"), "id: must begin with network- where type is STANDARD"),
    (Network, lambda item: replace(item, uplink=True), "uplink: must not be true where type is STANDARD_PORTGROUP"),
    (VirtualMachine, lambda item: replace(item, host="host-9"), "host: host-9 does not exist; it must be the id of a"),
    (VirtualMachine, lambda item: replace(item, host="vm-50"), "host: vm-50 is a virtual machine, and must be a host"),
    (VirtualMachine, lambda item: replace(item, parent="group-n6"), "parent: group-n6 is a folder of type NETWORK"),
    (VirtualMachine, lambda item: replace(item, resource_pool="resgroup-49"), "resgroup-49 belongs to host-48, and"),
    (VirtualMachine, lambda item: replace(item, datastore="datastore-47"), "datastore: host-35 has not mounted datast"),
    (
        VirtualMachine,
        lambda item: replace(item, template=True, power_state=Power.State.POWERED_ON),
        "power_state: must be POWERED_OFF in a template, not POWERED_ON",
    ),
    (VirtualMachine, lambda item: replace(item, vmx_path="web.vmx"), "vmx_path: must be a path such as [datastore] f"),
    (
        VirtualMachine,
        lambda item: replace(item, vmx_path="[] web.vmx"),
        "vmx_path: must be a path such as [datastore] f",
    ),
    (
        VirtualMachine,
        lambda item: replace(item, vmx_path="[x] a/b.vmx"),
        "vmx_path: host-35 has mounted no datastore n",
    ),
    (
        VirtualMachine,
        lambda item: replace(item, snapshot="snapshot-53"),
        "snapshot: snapshot-53 is a snapshot of vm-52",
    ),
    (VirtualMachine, lambda item: replace(item, scsi_adapters={}, nvme_adapters={}), "bus: there is no "),
    (VirtualMachine, lambda item: with_backing(item, network="network-9"), "nics.4000.backing.network: network-9 does"),
    (
        VirtualMachine,
        lambda item: with_nic(item, type=Ethernet.EmulationType.VMXNET3, upt_compatibility_enabled=None),
        "nics.4000.upt_compatibility_enabled: is required when type is VMXNET3",
    ),
    (
        VirtualMachine,
        lambda item: with_nic(item, type=Ethernet.EmulationType.E1000, upt_compatibility_enabled=True),
        "nics.4000.upt_compatibility_enabled: must not be set when type is E1000",
    ),
    (VirtualMachine, lambda item: with_disk(item, capacity=-5), "capacity: must not be negative, and is -5"),
    (VirtualMachine, lambda item: with_disk(item, sata=SataAddressInfo(bus=0, unit=1)), "sata: must not"),
    (VirtualMachine, doubled_disk, "disks.2009: "),
    (
        VirtualMachine,
        lambda item: replace(item, cpu=replace(item.cpu, count=3, cores_per_socket=2)),
        "cpu.cores_per_socket: must divide the number of processors (3), 2 does not",
    ),
    (
        VirtualMachine,
        lambda item: replace(item, memory=replace(item.memory, size_MiB=1)),
        "memory.size_MiB: must be a multiple of 4, from 4 on, not 1",
    ),
    (
        VirtualMachine,
        lambda item: replace(item, floppies={ids.VcenterVmHardwareFloppyId("4000"): floppy()}),
        "floppies.4000: the key 4000 is taken by nics.4000",
    ),
    (
        VirtualMachine,
        lambda item: replace(
            item,
            boot_devices=(Device.Entry(type=Device.Type.ETHERNET, nic=ids.VcenterVmHardwareEthernetId("4009")),),
        ),
        "boot_devices[0].nic: there is no NIC 4009",
    ),
    (Snapshot, lambda item: replace(item, parent="vm-50"), "state.id: must be that of the snapshot's virtual machine"),
    (Snapshot, lambda item: replace(item, parent="host-35"), "parent: host-35 is a host, and must be a virtual machi"),
    (Snapshot, lambda item: replace(item, parent_snapshot="snapshot-66"), "snapshot-66 is a snapshot of vm-64, and mu"),
    (Snapshot, lambda item: replace(item, parent_snapshot=item.id), "parent_snapshot: goes round in a circle at "),
]


@pytest.mark.parametrize(("kind", "change", "message"), CASES, ids=[message[:40] for _, _, message in CASES])
def test_a_broken_rule_is_told(kind: type[ManagedObject], change: Change, message: str) -> None:
    found = after(kind, 0, change)
    assert any(message in line for line in found), found


def test_networks_and_datastores_are_told_apart_by_name_in_their_datacenter() -> None:
    for kind, letter, type in ((Network, "n", ApiFolder.Type.NETWORK), (Datastore, "s", ApiFolder.Type.DATASTORE)):
        one, other = [item for item in SOUND if isinstance(item, kind)][:2]
        folder = Folder(id=f"group-{letter}999", name="beside", parent=one.parent, type=type)
        found = problems(
            [*(i for i in SOUND if i is not other), folder, replace(other, parent=folder.id, name=one.name)]
        )
        assert [line for line in found if "): name: " in line] == [
            f"{other.id} ({one.name}): name: {one.id} in datacenter-2 is named {one.name} already"
        ]


def test_children_of_all_kinds_are_told_apart_by_name() -> None:
    folder = next(item for item in SOUND if isinstance(item, Folder) and item.name == "Web")
    found = after(VirtualMachine, 0, lambda item: replace(item, parent=folder.parent, name=folder.name))
    assert any(f"in {folder.parent} is named {folder.name} already" in line for line in found), found


def test_a_mac_address_stands_once() -> None:
    vm = next(item for item in SOUND if isinstance(item, VirtualMachine) and item.nics)
    taken = next(iter(vm.nics.values())).mac_address
    found = after(VirtualMachine, 1, lambda item: with_nic(item, mac_address=taken))
    assert found == [f"vm-51 (web-001): nics.4000.mac_address: the MAC address {taken} is taken by {vm.id}"]


def test_a_mac_address_given_by_hand_may_repeat() -> None:
    vm = next(item for item in SOUND if isinstance(item, VirtualMachine) and item.nics)
    taken = next(iter(vm.nics.values())).mac_address
    manual = Ethernet.MacAddressType.MANUAL
    assert after(VirtualMachine, 1, lambda item: with_nic(item, mac_address=taken, mac_type=manual)) == []


def test_a_mac_address_stands_once_in_its_vm_too() -> None:
    def doubled(vm: VirtualMachine) -> VirtualMachine:
        nic = next(iter(vm.nics.values()))
        return replace(vm, nics={**vm.nics, ids.VcenterVmHardwareEthernetId("4009"): nic})

    (line,) = after(VirtualMachine, 0, doubled)
    assert "nics.4009.mac_address: the MAC address" in line


def test_what_follows_from_a_problem_is_not_told_again() -> None:
    found = after(VirtualMachine, 0, lambda item: replace(item, parent="group-v999"))
    assert len(found) == 1


def test_a_switch_has_one_uplink_port_group_which_no_host_names() -> None:
    objects = generate(Sizes(), 1)
    uplink = next(item for item in objects if isinstance(item, Network) and item.uplink)
    other = replace(uplink, id="dvportgroup-9999", name="other")
    host = next(item for item in objects if isinstance(item, Host))
    wrong = [replace(host, networks=(*host.networks, uplink.id)) if item is host else item for item in objects]
    told = problems([*wrong, other])
    at = len(host.networks)
    assert told == [
        f"{host.id} ({host.name}): networks[{at}]: {uplink.id} is a switch's uplink port group, which hosts have by "
        "its others",
        f"{other.id} (other): uplink: {uplink.id} is the uplink port group of {uplink.distributed_switch} already",
    ]
