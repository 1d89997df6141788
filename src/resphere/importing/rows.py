"""What sources say of an inventory, in plain rows: names and paths instead of references, ``None`` for what is open.

Words are those of vSphere's enumerations, sizes in bytes or MiB as their names say.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.contract.generated.vcenter import Datastore, Host, ResourcePool
from resphere.contract.generated.vcenter_evc_mode import EvcMode
from resphere.contract.generated.vcenter_vm import GuestOS, Hardware, Power, Tools
from resphere.contract.generated.vcenter_vm_hardware import Boot, Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.importing.report import Place
from resphere.inventory.model import PhysicalNic


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all have: where it stands."""

    place: Place


class DatacenterRow(Row, frozen=True, kw_only=True):
    """A datacenter; ``folders`` are those above it, from the root down."""

    name: str
    id: str | None = None
    folders: tuple[str, ...] = ()


class ClusterRow(Row, frozen=True, kw_only=True):
    """A cluster; ``datacenter`` is empty where the source does not say which."""

    name: str
    datacenter: str = ""
    id: str | None = None
    ha_enabled: bool = False
    drs_enabled: bool = False
    vsan_enabled: bool | None = None


class HostRow(Row, frozen=True, kw_only=True):
    """A host; ``cluster`` is empty for one that stands alone."""

    name: str
    datacenter: str = ""
    cluster: str = ""
    id: str | None = None
    connection_state: Host.ConnectionState | None = None
    power_state: Host.PowerState | None = None
    in_maintenance_mode: bool = False
    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    cpu_model: str | None = None
    cpu_packages: int | None = None
    cpu_cores: int | None = None
    cpu_threads: int | None = None
    cpu_frequency_MHz: int | None = None
    memory_size_MiB: int | None = None
    version: str | None = None
    build: str | None = None
    uuid: str | None = None
    boot_time: datetime | None = None
    evc_mode: EvcMode | None = None
    management_ip: str | None = None
    physical_nics: tuple[PhysicalNic, ...] = ()


class PoolRow(Row, frozen=True, kw_only=True):
    """A resource pool: ``path`` is that of names below the root pool, empty for the root pool itself. ``owner`` is its
    cluster's or host's name."""

    path: tuple[str, ...]
    datacenter: str
    owner: str
    id: str | None = None
    cpu: ResourcePool.ResourceAllocationInfo | None = None
    memory: ResourcePool.ResourceAllocationInfo | None = None


class DatastoreRow(Row, frozen=True, kw_only=True):
    """A datastore with the names of the hosts that have mounted it; sizes in bytes."""

    name: str
    id: str | None = None
    datacenter: str = ""
    type: Datastore.Type | None = None
    accessible: bool = True
    capacity: int | None = None
    used: int | None = None
    url: str | None = None
    hosts: tuple[str, ...] = ()
    shared: bool | None = None


class NetworkRow(Row, frozen=True, kw_only=True):
    """A port group: of a distributed ``switch`` (by name), or of the standard switches of ``hosts``."""

    name: str
    distributed: bool
    id: str | None = None
    datacenter: str = ""
    switch: str = ""
    switch_id: str | None = None
    switch_uuid: str | None = None
    vlan: int = 0
    uplink: bool = False
    hosts: tuple[str, ...] = ()


class DiskRow(Row, frozen=True, kw_only=True):
    """A disk; ``bus`` and ``unit`` are those of its adapter's kind, ``capacity`` in bytes."""

    label: str = ""
    key: str | None = None
    vmdk_file: str | None = None
    capacity: int | None = None
    bus_type: Disk.HostBusAdapterType | None = None
    bus: int | None = None
    unit: int | None = None
    scsi_type: Scsi.Type | None = None
    sharing: Scsi.Sharing = Scsi.Sharing.NONE


class NicRow(Row, frozen=True, kw_only=True):
    """A NIC on the network of that name, and maybe id."""

    network: str
    network_id: str | None = None
    label: str = ""
    key: str | None = None
    adapter: Ethernet.EmulationType | None = None
    switch: str = ""
    connected: bool | None = None
    start_connected: bool = True
    mac_address: str | None = None
    mac_type: Ethernet.MacAddressType | None = None
    ip_addresses: tuple[str, ...] = ()


class CdromRow(Row, frozen=True, kw_only=True):
    """A CD-ROM drive; ``iso_file`` is ``None`` where it is the client's."""

    label: str = ""
    sata: bool | None = None
    bus: int | None = None
    unit: int | None = None
    iso_file: str | None = None
    connected: bool = False
    start_connected: bool = False


NO_PARENT = -1
"""The place of what is above a first snapshot."""


class SnapshotRow(Row, frozen=True, kw_only=True):
    """A snapshot; ``parent`` is the place of the one it descends from among the machine's, or the one before."""

    name: str
    description: str = ""
    id: str | None = None
    parent: int | None = None
    created_time: datetime | None = None
    memory: bool = False
    quiesced: bool = False


class PartitionRow(Row, frozen=True, kw_only=True):
    """A file system of a guest, by the path that it is mounted at; sizes in bytes."""

    path: str
    capacity: int
    free: int


class ToolsRow(Row, frozen=True, kw_only=True):
    """What is known of VMware Tools."""

    installed: bool
    running: bool | None = None
    version_status: Tools.VersionStatus | None = None
    version_number: int | None = None
    upgrade_policy: Tools.UpgradePolicy | None = None
    install_type: Tools.ToolsInstallType | None = None


class MachineRow(Row, frozen=True, kw_only=True):
    """A virtual machine. ``folder`` is the path below the datacenter's VM folder, ``pool`` that below the root pool.

    ``guest_text`` is what the source says where :attr:`guest_OS` is not known. ``custom`` are custom attributes.
    """

    name: str
    id: str | None = None
    datacenter: str = ""
    cluster: str = ""
    host: str = ""
    folder: tuple[str, ...] = ()
    folder_id: str | None = None
    pool: tuple[str, ...] = ()
    power_state: Power.State = Power.State.POWERED_OFF
    template: bool = False
    guest_OS: GuestOS | None = None
    guest_text: str = ""
    version: Hardware.Version | None = None
    upgrade_policy: Hardware.UpgradePolicy | None = None
    firmware: Boot.Type | None = None
    boot_delay: int | None = None
    boot_retry: bool | None = None
    boot_retry_delay: int | None = None
    boot_setup: bool | None = None
    cpu_count: int | None = None
    cores_per_socket: int | None = None
    cpu_hot_add: bool | None = None
    cpu_hot_remove: bool | None = None
    memory_size_MiB: int | None = None
    memory_hot_add: bool | None = None
    vmx_path: str | None = None
    bios_uuid: str | None = None
    instance_uuid: str | None = None
    annotation: str = ""
    host_name: str | None = None
    guest_full_name: str | None = None
    ip_addresses: tuple[str, ...] = ()
    needs_consolidation: bool = False
    tools: ToolsRow | None = None
    disks: tuple[DiskRow, ...] | None = None
    disk_count: int | None = None
    disk_bytes: int | None = None
    nics: tuple[NicRow, ...] | None = None
    cdroms: tuple[CdromRow, ...] = ()
    partitions: tuple[PartitionRow, ...] = ()
    snapshots: tuple[SnapshotRow, ...] = ()
    current_snapshot: int | None = None
    custom: tuple[tuple[str, str], ...] = ()


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """All that a source says. What others name without a row of its own is made with defaults, but for kinds of which
    the source has a sheet of that name: there it is a contradiction."""

    machines: tuple[MachineRow, ...]
    datacenters: tuple[DatacenterRow, ...] = ()
    clusters: tuple[ClusterRow, ...] = ()
    hosts: tuple[HostRow, ...] = ()
    pools: tuple[PoolRow, ...] = ()
    datastores: tuple[DatastoreRow, ...] = ()
    networks: tuple[NetworkRow, ...] = ()
    hosts_sheet: str | None = None
    clusters_sheet: str | None = None
    datastores_sheet: str | None = None
