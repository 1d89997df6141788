"""Replies of real vCenters, field by field: ours have exactly the same fields, and the same values where those follow
from what was asked.

What is captured stands here as facts: field names, and values that do not depend on who was asked. ``ANY`` is a value
that does. From vCenter 7.0.3 (build of 2022) by the replies that Ansible's collection vmware.vmware_rest documents, and
8.0.0 where it says so.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from resphere.contract.generated import (
    ids,
    vcenter,
    vcenter_storage,
    vcenter_vm,
    vcenter_vm_guest,
    vcenter_vm_hardware,
    vcenter_vm_tools,
)
from resphere.contract.generated import vcenter_vm_guest_networking as guest_networking
from resphere.contract.generated import vcenter_vm_hardware_adapter as adapter
from resphere.contract.generated import vcenter_vm_hardware_boot as boot
from resphere.contract.generated import vcenter_vm_storage as vm_storage
from resphere.contract.generated import vcenter_vm_storage_policy as vm_policy
from resphere.contract.model import AnyOperation
from resphere.inventory.model import Cluster, Datastore, Network, VirtualMachine
from resphere.wire.json_values import encoded
from tests.support.guests import ready_vm
from tests.support.world import World

Ethernet, Disk, Cdrom, Memory = (
    vcenter_vm_hardware.Ethernet,
    vcenter_vm_hardware.Disk,
    vcenter_vm_hardware.Cdrom,
    vcenter_vm_hardware.Memory,
)
VmId = ids.VirtualMachineId


class Any_:
    """Equal to whatever stands there."""

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "ANY"


ANY: Any = Any_()
NEW_IN_8: Any = {"upt_v2_compatibility_enabled": False}
"""What 8.0.0 has besides in every VMXNET3 adapter."""


def told(world: World, operation: AnyOperation, *arguments: Any) -> Any:
    """The reply as ``/api`` has it."""
    assert operation.output is not None
    return json.loads(encoded(world.call(operation, *arguments), operation.output))


@pytest.fixture
def vm(world: World) -> VmId:
    """As the collection's scenario makes it: hardware of version 11, hot add, a SATA adapter."""
    one = next(vm for vm in world.inventory.all(VirtualMachine).values() if not vm.template)
    cluster = next(iter(world.inventory.all(Cluster)))
    spec = vcenter.VM.CreateSpec(
        name="test_vm1",
        guest_OS=vcenter_vm.GuestOS.RHEL_7_64,
        hardware_version=vcenter_vm.Hardware.Version.VMX_11,
        placement=vcenter.VM.PlacementSpec(
            folder=ids.FolderId(one.parent or ""), cluster=ids.ClusterComputeResourceId(cluster)
        ),
        memory=Memory.UpdateSpec(hot_add_enabled=True, size_MiB=1024),
        sata_adapters=(adapter.Sata.CreateSpec(),),
    )
    return world.call(vcenter.VM.create, spec)


BOOT = {"delay": 0, "enter_setup_mode": False, "retry": False, "retry_delay": 10000, "type": "BIOS"}
CPU = {"cores_per_socket": 1, "count": 1, "hot_add_enabled": False, "hot_remove_enabled": False}
HARDWARE = {"upgrade_policy": "NEVER", "upgrade_status": "NONE", "version": "VMX_11"}


def test_a_machine_that_is_off(world: World, vm: VmId) -> None:
    assert told(world, vcenter.VM.get, vm) == {
        "boot": BOOT,
        "boot_devices": [],
        "cdroms": {},
        "cpu": CPU,
        "disks": {
            "2000": {
                "backing": {"type": "VMDK_FILE", "vmdk_file": ANY},
                "capacity": 17179869184,
                "label": "Hard disk 1",
                "scsi": {"bus": 0, "unit": 0},
                "type": "SCSI",
            }
        },
        "floppies": {},
        "guest_OS": "RHEL_7_64",
        "hardware": HARDWARE,
        "identity": {"bios_uuid": ANY, "instance_uuid": ANY, "name": "test_vm1"},
        "instant_clone_frozen": False,
        "memory": {"hot_add_enabled": True, "size_MiB": 1024},
        "name": "test_vm1",
        "nics": {},
        "nvme_adapters": {},
        "parallel_ports": {},
        "power_state": "POWERED_OFF",
        "sata_adapters": {"15000": {"bus": 0, "label": "SATA controller 0", "type": "AHCI"}},
        "scsi_adapters": {
            "1000": {"label": "SCSI controller 0", "scsi": {"bus": 0, "unit": 7}, "sharing": "NONE", "type": "PVSCSI"}
        },
        "serial_ports": {},
    }
    assert told(world, boot.Device.get, vm) == []
    assert told(world, vcenter_vm_hardware.Boot.get, vm) == BOOT
    assert told(world, vcenter_vm_hardware.Cpu.get, vm) == CPU
    assert told(world, vcenter_vm_hardware.Memory.get, vm) == {"hot_add_enabled": True, "size_MiB": 1024}
    assert told(world, vcenter_vm.Hardware.get, vm) == HARDWARE
    assert told(world, vm_storage.Policy.get, vm) == {"disks": {}}


def test_devices_that_are_added(world: World, vm: VmId) -> None:
    off = {"start_connected": False, "state": "NOT_CONNECTED"}
    automatic = {"auto_detect": True, "host_device": "", "type": "HOST_DEVICE"}
    devices: tuple[tuple[Any, Any, str, dict[str, Any]], ...] = (
        (
            vcenter_vm_hardware.Floppy,
            vcenter_vm_hardware.Floppy.CreateSpec(allow_guest_control=True),
            "8000",
            {"allow_guest_control": True, "backing": automatic, "label": "Floppy drive 1", **off},
        ),
        (
            vcenter_vm_hardware.Parallel,
            vcenter_vm_hardware.Parallel.CreateSpec(allow_guest_control=True),
            "10000",
            {"allow_guest_control": True, "backing": automatic, "label": "Parallel port 1", **off},
        ),
        (
            vcenter_vm_hardware.Serial,
            vcenter_vm_hardware.Serial.CreateSpec(allow_guest_control=True),
            "9000",
            {
                "allow_guest_control": True,
                "backing": automatic,
                "label": "Serial port 1",
                "yield_on_poll": False,
                **off,
            },
        ),
        (
            Cdrom,
            Cdrom.CreateSpec(
                type=Cdrom.HostBusAdapterType.SATA, sata=vcenter_vm_hardware.SataAddressSpec(bus=0, unit=2)
            ),
            "16002",
            {
                "allow_guest_control": False,
                "backing": {"auto_detect": True, "device_access_type": "EMULATION", "type": "HOST_DEVICE"},
                "label": "CD/DVD drive 1",
                "sata": {"bus": 0, "unit": 2},
                "type": "SATA",
                **off,
            },
        ),
        (
            Disk,
            Disk.CreateSpec(type=Disk.HostBusAdapterType.SATA, new_vmdk=Disk.VmdkCreateSpec(capacity=320000)),
            "16000",
            {
                "backing": {"type": "VMDK_FILE", "vmdk_file": ANY},
                "capacity": 320000,
                "label": "Hard disk 2",
                "sata": {"bus": 0, "unit": 0},
                "type": "SATA",
            },
        ),
        (
            adapter.Scsi,
            adapter.Scsi.CreateSpec(pci_slot_number=35),
            "1001",
            {
                "label": "SCSI controller 1",
                "pci_slot_number": 35,
                "scsi": {"bus": 1, "unit": 7},
                "sharing": "NONE",
                "type": "PVSCSI",
            },
        ),
        (
            adapter.Sata,
            adapter.Sata.CreateSpec(pci_slot_number=34),
            "15001",
            {"bus": 1, "label": "SATA controller 1", "pci_slot_number": 34, "type": "AHCI"},
        ),
    )
    for service, spec, key, reply in devices:
        assert world.call(service.create, vm, spec) == key
        assert told(world, service.get, vm, key) == reply, service.__name__
    assert told(world, adapter.Scsi.list, vm) == [{"adapter": "1000"}, {"adapter": "1001"}]


def test_network_adapters(world: World, vm: VmId) -> None:
    networks = world.inventory.all(Network).values()
    group = next(each for each in networks if each.distributed_switch is not None and not each.uplink)
    standard = next(each for each in networks if each.distributed_switch is None)
    both = {
        "allow_guest_control": False,
        "mac_address": ANY,
        "mac_type": "ASSIGNED",
        "start_connected": False,
        "state": "NOT_CONNECTED",
        "type": "VMXNET3",
        "upt_compatibility_enabled": False,
        "wake_on_lan_enabled": False,
        **NEW_IN_8,
    }
    made = Ethernet.CreateSpec(
        backing=Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=ids.NetworkId(group.id)),
        pci_slot_number=4,
    )
    key = world.call(Ethernet.create, vm, made)
    assert key == "4000"
    reply = told(world, Ethernet.get, vm, key)
    # Off, and bound to a port all the same.
    assert reply == {
        **both,
        "backing": {
            "connection_cookie": ANY,
            "distributed_port": ANY,
            "distributed_switch_uuid": group.distributed_switch_uuid,
            "network": group.id,
            "type": "DISTRIBUTED_PORTGROUP",
        },
        "label": "Network adapter 1",
        "pci_slot_number": 4,
    }
    assert reply["backing"]["connection_cookie"] > 0
    assert len(reply["backing"]["distributed_switch_uuid"]) == 47
    key = world.call(Ethernet.create, vm, Ethernet.CreateSpec())
    assert told(world, Ethernet.get, vm, key) == {
        **both,
        "backing": {"network": standard.id, "network_name": standard.name, "type": "STANDARD_PORTGROUP"},
        "label": "Network adapter 2",
    }


def test_storage_policies(world: World, vm: VmId) -> None:
    policy = ids.VcenterStoragePolicyId("f4e5bade-15a2-4805-bf8e-52318c4ce443")
    disk = next(iter(world.call(vcenter.VM.get, vm).disks))
    spec = vm_storage.Policy.DiskPolicySpec(
        type=vm_storage.Policy.DiskPolicySpec.PolicyType.USE_SPECIFIED_POLICY, policy=policy
    )
    world.call(vm_storage.Policy.update, vm, vm_storage.Policy.UpdateSpec(disks={disk: spec}))
    assert told(world, vm_policy.Compliance.get, vm) == {
        "disks": {disk: {"check_time": ANY, "failure_cause": [], "policy": policy, "status": "NOT_APPLICABLE"}},
        "overall_compliance": "NOT_APPLICABLE",
    }
    rows = told(world, vcenter_storage.Policies.list, None)
    assert {row["name"]: row["policy"] for row in rows} == {
        "VM Encryption Policy": "4d5f673c-536f-11e6-beb8-9e71128cae77",
        "VVol No Requirements Policy": "f4e5bade-15a2-4805-bf8e-52318c4ce443",
        "Host-local PMem Default Storage Policy": "c268da1b-b343-49f7-a468-b1deeb7078e0",
        "vSAN Default Storage Policy": "aa6d5a82-1c88-45da-85d3-3d74b91a5bad",
    }


def test_a_machine_that_runs(world: World, vm: VmId) -> None:
    world.call(vcenter_vm.Power.start, vm)
    assert told(world, vcenter_vm.Power.get, vm) == {"state": "POWERED_ON"}
    assert told(world, Memory.get, vm) == {
        "hot_add_enabled": True,
        "hot_add_increment_size_MiB": 128,
        "hot_add_limit_MiB": 3072,
        "size_MiB": 1024,
    }
    shown = told(world, vcenter.VM.get, vm)
    assert shown["sata_adapters"]["15000"] == {
        "bus": 0,
        "label": "SATA controller 0",
        "pci_slot_number": ANY,
        "type": "AHCI",
    }
    world.call(vcenter_vm.Power.stop, vm)
    world.call(Memory.update, vm, Memory.UpdateSpec(hot_add_enabled=False))
    world.call(vcenter_vm.Power.start, vm)
    # 8.0.0
    assert told(world, Memory.get, vm) == {
        "hot_add_enabled": False,
        "hot_add_increment_size_MiB": 0,
        "hot_add_limit_MiB": 1024,
        "size_MiB": 1024,
    }


def test_a_linux_guest(world: World) -> None:
    vm = ready_vm(world)
    assert told(world, vcenter_vm_guest.Power.get, vm) == {"operations_ready": True, "state": "RUNNING"}
    tools = told(world, vcenter_vm.Tools.get, vm)
    assert tools == {
        "auto_update_supported": False,
        "install_attempt_count": 0,
        "install_type": "OPEN_VM_TOOLS",
        "run_state": "RUNNING",
        "upgrade_policy": "MANUAL",
        "version": str(tools["version_number"]),
        "version_number": ANY,
        "version_status": "UNMANAGED",
    }
    identity = told(world, vcenter_vm_guest.Identity.get, vm)
    assert identity == {
        "family": "LINUX",
        "full_name": {"args": [], "default_message": ANY, "id": ANY},
        "host_name": ANY,
        "ip_address": ANY,
        "name": ANY,
    }
    assert identity["full_name"]["id"].startswith("vmsg.guestos.")
    assert identity["full_name"]["id"].endswith(".label")
    domain = identity["host_name"].partition(".")[2]
    assert told(world, vcenter_vm_guest.Networking.get, vm) == {
        "dns": {"ip_addresses": [ANY], "search_domains": [domain]},
        "dns_values": {"domain_name": domain, "host_name": ANY},
    }
    (interface,) = told(world, guest_networking.Interfaces.list, vm)
    assert interface == {
        "ip": {"ip_addresses": [{"ip_address": ANY, "prefix_length": ANY, "state": "PREFERRED"}]},
        "mac_address": ANY,
        "nic": "4000",
    }
    by_gateway, direct = told(world, guest_networking.Routes.list, vm)
    assert by_gateway == {"gateway_address": ANY, "interface_index": 0, "network": "0.0.0.0", "prefix_length": 0}
    assert direct == {"interface_index": 0, "network": ANY, "prefix_length": ANY}
    # The kind of the filesystem is told by newer Tools than those of the sample.
    for shown in told(world, vcenter_vm_guest.LocalFilesystem.get, vm).values():
        assert shown == {"capacity": ANY, "filesystem": ANY, "free_space": ANY, "mappings": ANY}
    assert told(world, vcenter_vm_tools.Installer.get, vm) == {"is_connected": False}


def test_lists(world: World, vm: VmId) -> None:
    rows: dict[AnyOperation, set[str]] = {
        vcenter.VM.list: {"cpu_count", "memory_size_MiB", "name", "power_state", "vm"},
        # 7.0.3 and 8.0.0 have no host_uuid yet.
        vcenter.Host.list: {"connection_state", "host", "host_uuid", "name", "power_state"},
        vcenter.Cluster.list: {"cluster", "drs_enabled", "ha_enabled", "name"},
        vcenter.Datacenter.list: {"datacenter", "name"},
        vcenter.Datastore.list: {"capacity", "datastore", "free_space", "name", "type"},
        vcenter.Folder.list: {"folder", "name", "type"},
        vcenter.Network.list: {"name", "network", "type"},
        vcenter.ResourcePool.list: {"name", "resource_pool"},
    }
    for operation, fields in rows.items():
        found = told(world, operation, None)
        assert found
        assert {frozenset(row) for row in found} == {frozenset(fields)}, operation.id


def test_what_machines_stand_in(world: World) -> None:
    cluster = next(iter(world.inventory.all(Cluster).values()))
    assert told(world, vcenter.Cluster.get, ids.ClusterComputeResourceId(cluster.id)) == {
        "name": cluster.name,
        "resource_pool": cluster.resource_pool,
    }
    allocation = {"expandable_reservation": True, "limit": -1, "reservation": 0, "shares": {"level": "NORMAL"}}
    made = world.call(
        vcenter.ResourcePool.create, vcenter.ResourcePool.CreateSpec(name="mine", parent=cluster.resource_pool)
    )
    assert told(world, vcenter.ResourcePool.get, made) == {
        "cpu_allocation": allocation,
        "memory_allocation": allocation,
        "name": "mine",
        "resource_pools": [],
    }
    store = next(iter(world.inventory.all(Datastore).values()))
    assert told(world, vcenter.Datastore.get, ids.DatastoreId(store.id)) == {
        "accessible": True,
        "free_space": ANY,
        "multiple_host_access": store.multiple_host_access,
        "name": store.name,
        "thin_provisioning_supported": True,
        "type": store.type,
    }
