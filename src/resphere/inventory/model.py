"""The managed objects, frozen, by kind.

Everything here is what the store keeps and every worker holds in memory. Where vCenter's API has a structure for a
part of an object (a disk, a NIC, the boot options), the object holds that very structure. What follows from other
objects (the hosts of a datastore, the cluster of a VM, the children of a folder) is never stored twice: the
inventory's indexes answer it.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.contract.generated import (
    ids,
    vcenter,
    vcenter_evc_mode,
    vcenter_vm,
    vcenter_vm_hardware,
    vcenter_vm_hardware_adapter,
)
from resphere.contract.generated import vcenter_vm_hardware_boot as vm_boot
from resphere.contract.generated.vcenter_evc_mode import EvcMode
from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.inventory.contents import DiskContent


class ManagedObject(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, forbid_unknown_fields=True
):
    """What every managed object has: an ``id`` such as ``vm-1049``, a ``name`` and the ``parent`` that holds it.

    ``parent`` is ``None`` only for the root folder. ``kind`` names the document kind in the store, ``id_prefix`` is
    what ids begin with, ``resource_type`` is vCenter's word for the type.
    """

    kind: ClassVar[str]
    id_prefix: ClassVar[str]
    resource_type: ClassVar[str]

    id: str
    name: str
    parent: str | None = None


class Folder(ManagedObject, frozen=True, kw_only=True):
    """A folder. The root folder is ``group-d1``. Ids: ``group-d`` datacenter, ``-v`` VM, ``-h`` host, ``-s`` datastore,
    ``-n`` network folders."""

    kind = "folder"
    id_prefix = "group-"
    resource_type = "Folder"

    type: vcenter.Folder.Type


class Datacenter(ManagedObject, frozen=True, kw_only=True):
    """A datacenter with its four folders (whose ``parent`` is the datacenter)."""

    kind = "datacenter"
    id_prefix = "datacenter-"
    resource_type = "Datacenter"

    datastore_folder: ids.FolderId
    host_folder: ids.FolderId
    network_folder: ids.FolderId
    vm_folder: ids.FolderId


class Cluster(ManagedObject, frozen=True, kw_only=True):
    """A cluster; ``parent`` is a host folder. ``resource_pool`` is its root pool."""

    kind = "cluster"
    id_prefix = "domain-c"
    resource_type = "ClusterComputeResource"

    resource_pool: ids.ResourcePoolId
    ha_enabled: bool = False
    drs_enabled: bool = False
    vsan_enabled: bool = False
    evc_mode: EvcMode | None = None
    """The processor features that its VMs are limited to."""


class PhysicalNic(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A host's network adapter; ``link_speed_Mbps`` is ``None`` where there is no link."""

    device: str
    mac_address: str
    link_speed_Mbps: int | None = None


class HostHardware(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a host is made of. ``memory_size_MiB`` and ``cpu_frequency_MHz`` are installed, not free."""

    vendor: str
    model: str
    serial_number: str
    cpu_model: str
    cpu_packages: int
    cpu_cores: int
    cpu_threads: int
    cpu_frequency_MHz: int
    memory_size_MiB: int


class Host(ManagedObject, frozen=True, kw_only=True):
    """An ESXi host; ``parent`` is a cluster, or a host folder for a standalone host.

    ``resource_pool`` is the root pool of a standalone host, ``None`` in a cluster. ``datastores`` and ``networks``
    are what the host has mounted and connected.
    """

    kind = "host"
    id_prefix = "host-"
    resource_type = "HostSystem"

    connection_state: vcenter.Host.ConnectionState
    power_state: vcenter.Host.PowerState
    in_maintenance_mode: bool = False
    hardware: HostHardware
    version: str
    build: str
    host_uuid: str
    boot_time: datetime
    management_ip: str
    physical_nics: tuple[PhysicalNic, ...] = ()
    datastores: tuple[ids.DatastoreId, ...] = ()
    networks: tuple[ids.NetworkId, ...] = ()
    resource_pool: ids.ResourcePoolId | None = None


class ResourcePool(ManagedObject, frozen=True, kw_only=True):
    """A resource pool; ``parent`` is a pool, or the cluster or standalone host (``owner``) for a root pool."""

    kind = "resource_pool"
    id_prefix = "resgroup-"
    resource_type = "ResourcePool"

    owner: str
    cpu_allocation: vcenter.ResourcePool.ResourceAllocationInfo
    memory_allocation: vcenter.ResourcePool.ResourceAllocationInfo
    admissions: int = 0
    """In a root pool, how often reservations below it have changed: see reservations.count_admission."""


class Datastore(ManagedObject, frozen=True, kw_only=True):
    """A datastore; ``capacity`` in bytes, and ``other_used`` what takes room besides the disks of VMs.

    Which hosts mount it stands on the hosts; what is free follows from the VMs and files, see ``inventory.space``.
    """

    kind = "datastore"
    id_prefix = "datastore-"
    resource_type = "Datastore"

    type: vcenter.Datastore.Type
    accessible: bool = True
    capacity: int
    other_used: int = 0
    multiple_host_access: bool
    thin_provisioning_supported: bool = True
    url: str


class DatastoreFile(ManagedObject, frozen=True, kw_only=True):
    """A VMDK file that is a disk of no VM, or the image of a CD-ROM drive that came with one; ``parent`` is its
    datastore and ``name`` its path there (``web/web_1.vmdk``). ``capacity`` in bytes; ``content`` is what it holds,
    empty without one."""

    kind = "datastore_file"
    id_prefix = "file-"
    resource_type = "DatastoreFile"

    capacity: int
    content: DiskContent | None = None


class Network(ManagedObject, frozen=True, kw_only=True):
    """A network; ids begin with ``network-`` (standard) or ``dvportgroup-`` (distributed).

    ``distributed_switch`` is the id (``dvs-21``) and ``distributed_switch_uuid`` the UUID of a distributed port group's
    switch; ``uplink``: it is that switch's own, see inventory.uplinks.
    """

    kind = "network"
    id_prefix = "network-"
    resource_type = "Network"

    type: vcenter.Network.Type
    vlan: int = 0
    distributed_switch: str | None = None
    distributed_switch_uuid: str | None = None
    uplink: bool = False


class GuestInterface(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How a guest has set up one NIC. ``addresses`` are with their prefixes, such as ``10.1.0.12/22``."""

    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dhcp_ipv4: bool = True
    dhcp_ipv6: bool = False
    dns_servers: tuple[str, ...] = ()
    dns_domain: str = ""
    wins_servers: tuple[str, ...] = ()


class GuestNetwork(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How a guest was told to set up its network: by key of the NIC, and for all of them."""

    interfaces: dict[ids.VcenterVmHardwareEthernetId, GuestInterface] = {}
    dns_servers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()


class GuestState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What VMware Tools reports while it runs; kept while the VM is off, shown only while it is on."""

    host_name: str
    family: vcenter_vm.GuestOSFamily
    full_name: str
    ip_addresses: tuple[str, ...] = ()
    filesystems: dict[str, LocalFilesystem.Info] = {}
    network: GuestNetwork | None = None
    """Unset: everything comes by DHCP, see ``inventory.guest_network``."""


class VirtualMachine(ManagedObject, frozen=True, kw_only=True):
    """A virtual machine or template; ``parent`` is a VM folder.

    Its cluster is its host's parent. Device keys are the contract's ids (``2000`` the first disk, ``4000`` the first
    NIC). A NIC's backing names the network by id; the network's name is looked up when shown.
    """

    kind = "virtual_machine"
    id_prefix = "vm-"
    resource_type = "VirtualMachine"

    guest_OS: vcenter_vm.GuestOS
    power_state: vcenter_vm.Power.State = vcenter_vm.Power.State.POWERED_OFF
    clean_power_off: bool = True
    template: bool = False
    resource_pool: ids.ResourcePoolId
    host: ids.HostSystemId
    datastore: ids.DatastoreId
    bios_uuid: str
    instance_uuid: str
    hardware: vcenter_vm.Hardware.Info
    boot: vcenter_vm_hardware.Boot.Info
    boot_devices: tuple[vm_boot.Device.Entry, ...] = ()
    cpu: vcenter_vm_hardware.Cpu.Info
    memory: vcenter_vm_hardware.Memory.Info
    disks: dict[ids.VcenterVmHardwareDiskId, vcenter_vm_hardware.Disk.Info] = {}
    nics: dict[ids.VcenterVmHardwareEthernetId, vcenter_vm_hardware.Ethernet.Info] = {}
    cdroms: dict[ids.VcenterVmHardwareCdromId, vcenter_vm_hardware.Cdrom.Info] = {}
    floppies: dict[ids.VcenterVmHardwareFloppyId, vcenter_vm_hardware.Floppy.Info] = {}
    parallel_ports: dict[ids.VcenterVmHardwareParallelPortId, vcenter_vm_hardware.Parallel.Info] = {}
    serial_ports: dict[ids.VcenterVmHardwareSerialPortId, vcenter_vm_hardware.Serial.Info] = {}
    sata_adapters: dict[ids.VcenterVmHardwareSataAdapterId, vcenter_vm_hardware_adapter.Sata.Info] = {}
    scsi_adapters: dict[ids.VcenterVmHardwareScsiAdapterId, vcenter_vm_hardware_adapter.Scsi.Info] = {}
    nvme_adapters: dict[ids.VcenterVmHardwareNvmeAdapterId, vcenter_vm_hardware_adapter.Nvme.Info] = {}
    tools: vcenter_vm.Tools.Info
    guest: GuestState | None = None
    vmx_path: str
    annotation: str = ""
    detached_vmdks: dict[str, int] = {}
    """What earlier releases kept here, a :class:`DatastoreFile` today: path -> capacity in bytes."""
    snapshot: str | None = None
    """The id of the snapshot that the running state descends from."""
    needs_consolidation: bool = False
    """Snapshots were deleted and the files of their disks are still there, not merged into those of others."""
    unmerged: dict[ids.VcenterVmHardwareDiskId, int] = {}
    """What those files take of each disk, in bytes."""
    evc_mode: vcenter_evc_mode.EvcMode | None = None
    """The VM's own EVC mode."""
    storage_policy: ids.VcenterStoragePolicyId | None = None
    """The storage policy of the VM's home: see inventory.storage_policies."""
    disk_policies: dict[ids.VcenterVmHardwareDiskId, ids.VcenterStoragePolicyId] = {}
    disk_contents: dict[ids.VcenterVmHardwareDiskId, DiskContent] = {}
    """What disks hold that came from files; others are empty."""


class Snapshot(ManagedObject, frozen=True, kw_only=True):
    """A snapshot of a VM: ``parent`` is the VM, ``parent_snapshot`` the one it descends from.

    ``state`` is the whole VM as it was when the snapshot was taken, so that a revert brings back hardware and power
    state.
    """

    kind = "snapshot"
    id_prefix = "snapshot-"
    resource_type = "VirtualMachineSnapshot"

    parent_snapshot: str | None = None
    description: str = ""
    created_time: datetime
    memory: bool = False
    quiesced: bool = False
    takes_room: bool = False
    """Whether its files count on their datastores: those of snapshots that earlier releases took never did."""
    state: VirtualMachine


class UnregisteredVm(ManagedObject, frozen=True, kw_only=True):
    """The files of a VM that is not registered; ``parent`` is the datastore of its VMX file and ``name`` the path there
    (``web/web.vmx``).

    ``machine`` and ``snapshots`` are what the files hold, as of the VM's last registration. ``datastores`` tells which
    datastore each name means in their paths.
    """

    kind = "unregistered_vm"
    id_prefix = "vmx-"
    resource_type = "UnregisteredVirtualMachine"

    machine: VirtualMachine
    snapshots: tuple[Snapshot, ...] = ()
    datastores: dict[str, ids.DatastoreId] = {}


KINDS: dict[str, type[ManagedObject]] = {
    cls.kind: cls
    for cls in (
        Folder,
        Datacenter,
        Cluster,
        Host,
        ResourcePool,
        Datastore,
        Network,
        VirtualMachine,
        Snapshot,
        DatastoreFile,
        UnregisteredVm,
    )
}
"""Document kind -> class, of everything that belongs to the inventory proper (not sessions, tasks, accounts)."""

ROOT_FOLDER = "group-d1"
