"""Managed objects to test with, each as full as a real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from resphere.contract.generated import ids, vcenter, vcenter_vm, vcenter_vm_hardware, vcenter_vm_hardware_adapter
from resphere.contract.generated import vcenter_vm_hardware_boot as vm_boot
from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    GuestState,
    Host,
    HostHardware,
    ManagedObject,
    Network,
    PhysicalNic,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
GIB = 1024**3
POWERED_ON = vcenter_vm.Power.State.POWERED_ON
POWERED_OFF = vcenter_vm.Power.State.POWERED_OFF
CONNECTED = vcenter_vm_hardware.ConnectionState.CONNECTED


def folder(id: str, name: str, parent: str | None, type: vcenter.Folder.Type) -> Folder:
    return Folder(id=id, name=name, parent=parent, type=type)


def datacenter(id: str, name: str, parent: str = ROOT_FOLDER) -> list[ManagedObject]:
    """A datacenter and its four folders, ``group-v-<id>`` and so on."""
    kinds = vcenter.Folder.Type
    folders = {"v": kinds.VIRTUAL_MACHINE, "h": kinds.HOST, "s": kinds.DATASTORE, "n": kinds.NETWORK}
    names = {"v": "vm", "h": "host", "s": "datastore", "n": "network"}
    number = id.rpartition("-")[2]
    of = {letter: ids.FolderId(f"group-{letter}{number}") for letter in folders}
    return [
        Datacenter(
            id=id,
            name=name,
            parent=parent,
            vm_folder=of["v"],
            host_folder=of["h"],
            datastore_folder=of["s"],
            network_folder=of["n"],
        ),
        *(folder(of[letter], names[letter], id, type) for letter, type in folders.items()),
    ]


def resource_pool(id: str, name: str, parent: str, owner: str) -> ResourcePool:
    allocation = vcenter.ResourcePool.ResourceAllocationInfo(
        reservation=0,
        expandable_reservation=True,
        limit=-1,
        shares=vcenter.ResourcePool.SharesInfo(level=vcenter.ResourcePool.SharesInfo.Level.NORMAL),
    )
    return ResourcePool(
        id=id, name=name, parent=parent, owner=owner, cpu_allocation=allocation, memory_allocation=allocation
    )


def cluster(id: str, name: str, parent: str, pool: str) -> list[ManagedObject]:
    """A cluster with DRS and its root pool."""
    return [
        Cluster(id=id, name=name, parent=parent, resource_pool=ids.ResourcePoolId(pool), drs_enabled=True),
        resource_pool(pool, "Resources", id, id),
    ]


def host(id: str, name: str, parent: str, *, datastores: tuple[str, ...], networks: tuple[str, ...]) -> Host:
    return Host(
        id=id,
        name=name,
        parent=parent,
        connection_state=vcenter.Host.ConnectionState.CONNECTED,
        power_state=vcenter.Host.PowerState.POWERED_ON,
        hardware=HostHardware(
            vendor="Dell Inc.",
            model="PowerEdge R750",
            serial_number=f"SN{id}",
            cpu_model="Intel(R) Xeon(R) Gold 6338",
            cpu_packages=2,
            cpu_cores=64,
            cpu_threads=128,
            cpu_frequency_MHz=2000,
            memory_size_MiB=1024 * 1024,
        ),
        version="8.0.3",
        build="24022510",
        host_uuid=str(UUID(int=int(id.rpartition("-")[2]))),
        boot_time=NOON,
        management_ip="10.0.0.7",
        physical_nics=(PhysicalNic(device="vmnic0", mac_address="00:50:56:00:00:01", link_speed_Mbps=25_000),),
        datastores=tuple(map(ids.DatastoreId, datastores)),
        networks=tuple(map(ids.NetworkId, networks)),
    )


def datastore(id: str, name: str, parent: str) -> Datastore:
    return Datastore(
        id=id,
        name=name,
        parent=parent,
        type=vcenter.Datastore.Type.VMFS,
        capacity=10_000 * GIB,
        other_used=6_000 * GIB,
        multiple_host_access=True,
        url=f"ds:///vmfs/volumes/{id}/",
    )


def network(id: str, name: str, parent: str) -> Network:
    return Network(id=id, name=name, parent=parent, type=vcenter.Network.Type.STANDARD_PORTGROUP)


def disk(number: int, path: str) -> vcenter_vm_hardware.Disk.Info:
    return vcenter_vm_hardware.Disk.Info(
        label=f"Hard disk {number + 1}",
        type=vcenter_vm_hardware.Disk.HostBusAdapterType.SCSI,
        scsi=vcenter_vm_hardware.ScsiAddressInfo(bus=0, unit=number),
        backing=vcenter_vm_hardware.Disk.BackingInfo(
            type=vcenter_vm_hardware.Disk.BackingType.VMDK_FILE, vmdk_file=path
        ),
        capacity=16 * GIB,
    )


def nic(number: int, network: str, mac_address: str) -> vcenter_vm_hardware.Ethernet.Info:
    return vcenter_vm_hardware.Ethernet.Info(
        label=f"Network adapter {number + 1}",
        type=vcenter_vm_hardware.Ethernet.EmulationType.VMXNET3,
        upt_compatibility_enabled=False,
        mac_type=vcenter_vm_hardware.Ethernet.MacAddressType.ASSIGNED,
        mac_address=mac_address,
        pci_slot_number=192,
        wake_on_lan_enabled=True,
        backing=vcenter_vm_hardware.Ethernet.BackingInfo(
            type=vcenter_vm_hardware.Ethernet.BackingType.STANDARD_PORTGROUP, network=ids.NetworkId(network)
        ),
        state=CONNECTED,
        start_connected=True,
        allow_guest_control=True,
    )


def cdrom() -> vcenter_vm_hardware.Cdrom.Info:
    return vcenter_vm_hardware.Cdrom.Info(
        type=vcenter_vm_hardware.Cdrom.HostBusAdapterType.SATA,
        label="CD/DVD drive 1",
        sata=vcenter_vm_hardware.SataAddressInfo(bus=0, unit=0),
        backing=vcenter_vm_hardware.Cdrom.BackingInfo(
            type=vcenter_vm_hardware.Cdrom.BackingType.CLIENT_DEVICE,
            device_access_type=vcenter_vm_hardware.Cdrom.DeviceAccessType.PASSTHRU,
        ),
        state=vcenter_vm_hardware.ConnectionState.NOT_CONNECTED,
        start_connected=False,
        allow_guest_control=True,
    )


def guest(number: int) -> GuestState:
    return GuestState(
        host_name=f"guest-{number}.example.com",
        family=vcenter_vm.GuestOSFamily.LINUX,
        full_name="VMware Photon OS (64-bit)",
        ip_addresses=(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",),
        filesystems={"/": LocalFilesystem.Info(capacity=16 * GIB, free_space=9 * GIB)},
    )


def virtual_machine(
    id: str,
    name: str,
    parent: str,
    *,
    host: str = "host-11",
    pool: str = "resgroup-9",
    datastore: str = "datastore-15",
    datastore_name: str = "sample-ds-1",
    network: str = "network-17",
    **fields: Any,
) -> VirtualMachine:
    """A VM with a disk, a NIC, a CD drive and a running guest; ``fields`` are any others."""
    number = int(id.rpartition("-")[2])
    values: dict[str, Any] = {
        "guest_OS": vcenter_vm.GuestOS.VMWARE_PHOTON_64,
        "power_state": POWERED_ON,
        "resource_pool": pool,
        "host": host,
        "datastore": datastore,
        "bios_uuid": str(UUID(int=number)),
        "instance_uuid": str(UUID(int=number + 2**64)),
        "hardware": vcenter_vm.Hardware.Info(
            version=vcenter_vm.Hardware.Version.VMX_19,
            upgrade_policy=vcenter_vm.Hardware.UpgradePolicy.NEVER,
            upgrade_status=vcenter_vm.Hardware.UpgradeStatus.NONE,
        ),
        "boot": vcenter_vm_hardware.Boot.Info(
            type=vcenter_vm_hardware.Boot.Type.BIOS, delay=0, retry=False, retry_delay=10_000, enter_setup_mode=False
        ),
        "boot_devices": (vm_boot.Device.Entry(type=vm_boot.Device.Type.CDROM),),
        "cpu": vcenter_vm_hardware.Cpu.Info(
            count=2, cores_per_socket=1, hot_add_enabled=False, hot_remove_enabled=False
        ),
        "memory": vcenter_vm_hardware.Memory.Info(size_MiB=4096, hot_add_enabled=False),
        "disks": {"2000": disk(0, f"[{datastore_name}] {name}/{name}.vmdk")},
        "nics": {
            "4000": nic(0, network, f"00:50:56:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")
        },
        "cdroms": {"16000": cdrom()},
        "sata_adapters": {
            "15000": vcenter_vm_hardware_adapter.Sata.Info(
                label="SATA controller 0", type=vcenter_vm_hardware_adapter.Sata.Type.AHCI, bus=0, pci_slot_number=34
            )
        },
        "scsi_adapters": {
            "1000": vcenter_vm_hardware_adapter.Scsi.Info(
                label="SCSI controller 0",
                type=vcenter_vm_hardware_adapter.Scsi.Type.PVSCSI,
                scsi=vcenter_vm_hardware.ScsiAddressInfo(bus=0, unit=7),
                pci_slot_number=160,
                sharing=vcenter_vm_hardware_adapter.Scsi.Sharing.NONE,
            )
        },
        "tools": vcenter_vm.Tools.Info(
            auto_update_supported=True,
            install_attempt_count=0,
            version_number=12_352,
            version="12352",
            upgrade_policy=vcenter_vm.Tools.UpgradePolicy.MANUAL,
            version_status=vcenter_vm.Tools.VersionStatus.UNMANAGED,
            install_type=vcenter_vm.Tools.ToolsInstallType.OPEN_VM_TOOLS,
            run_state=vcenter_vm.Tools.RunState.RUNNING,
        ),
        "guest": guest(number),
        "vmx_path": f"[{datastore_name}] {name}/{name}.vmx",
    }
    return VirtualMachine(id=id, name=name, parent=parent, **(values | fields))


def snapshot(id: str, name: str, vm: VirtualMachine, parent_snapshot: str | None = None) -> Snapshot:
    return Snapshot(
        id=id, name=name, parent=vm.id, parent_snapshot=parent_snapshot, created_time=NOON, memory=True, state=vm
    )


def skeleton(hosts: int = 2) -> list[ManagedObject]:
    """A root folder and a datacenter with a cluster of ``hosts``, two datastores and two networks; no VM."""
    datastores = ("datastore-15", "datastore-16")
    networks = ("network-17", "network-18")
    return [
        folder(ROOT_FOLDER, "Datacenters", None, vcenter.Folder.Type.DATACENTER),
        *datacenter("datacenter-3", "sample-dc"),
        *cluster("domain-c8", "sample-cluster", "group-h3", "resgroup-9"),
        *(
            host(f"host-{11 + 100 * n}", f"esx{n}.example.com", "domain-c8", datastores=datastores, networks=networks)
            for n in range(hosts)
        ),
        *(datastore(id, f"sample-ds-{n}", "group-s3") for n, id in enumerate(datastores, 1)),
        *(network(id, f"VM Network {n}", "group-n3") for n, id in enumerate(networks, 1)),
    ]


def virtual_machines(count: int, hosts: int = 2) -> Iterator[VirtualMachine]:
    """VMs in the datacenter of :func:`skeleton`, every second one off, spread over hosts, datastores and networks."""
    for n in range(count):
        yield virtual_machine(
            f"vm-{1001 + n}",
            f"web-{n:05}",
            "group-v3",
            host=f"host-{11 + 100 * (n % hosts)}",
            datastore=f"datastore-{15 + n % 2}",
            datastore_name=f"sample-ds-{1 + n % 2}",
            network=f"network-{17 + n % 2}",
            power_state=POWERED_OFF if n % 2 else POWERED_ON,
        )
