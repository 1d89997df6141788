"""One virtual machine, put together from a plan: all that the plan leaves open is what vCenter proposes for the guest.

What does not differ from VM to VM (a CPU of two cores, the adapters of a Linux, a Tools release) is built once and
shared: the objects are frozen, and an inventory of twenty thousand holds few such values.
"""

from __future__ import annotations

from functools import cache

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Power, Tools
from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Cpu, Disk, Ethernet, Floppy, Memory, Serial
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.inventory.model import GuestState, Network, VirtualMachine
from resphere.inventory.tables import file_stem
from resphere.providers.simulator import devices
from resphere.providers.simulator.catalog import GIB, ToolsRelease
from resphere.rules.hardware.hot_add import memory_of
from resphere.rules.machines.guest_os_defaults import GuestDefaults, Version
from resphere.rules.machines.proposals import boot_info, hardware_info

ON, OFF = Power.State.POWERED_ON, Power.State.POWERED_OFF

DEFAULT_VERSION = Version.VMX_21


class PlannedDisk(msgspec.Struct, frozen=True, gc=False):
    """A disk to be: the datastore's id and name, ``capacity`` in bytes."""

    datastore: ids.DatastoreId
    datastore_name: str
    capacity: int


class PlannedNic(msgspec.Struct, frozen=True, gc=False):
    """A NIC to be, and the addresses that its guest has on it."""

    network: Network
    mac_address: str
    ip_addresses: tuple[str, ...] = ()
    mac_type: Ethernet.MacAddressType = Ethernet.MacAddressType.ASSIGNED


class MachinePlan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is to be built. At least one disk; its datastore is the VM's. ``tools`` is None where none are installed."""

    id: str
    name: str
    parent: str
    guest: GuestDefaults
    host: ids.HostSystemId
    resource_pool: ids.ResourcePoolId
    bios_uuid: str
    instance_uuid: str
    disks: tuple[PlannedDisk, ...]
    nics: tuple[PlannedNic, ...] = ()
    power_state: Power.State = OFF
    template: bool = False
    version: Version = DEFAULT_VERSION
    cpu_count: int = 1
    cores_per_socket: int = 1
    memory_size_MiB: int = 2048
    hot_add: bool = False
    tools: ToolsRelease | None = None
    host_name: str = ""
    used_eighths: int = 3
    """How full the guest's filesystems are."""
    iso_file: str | None = None
    floppy: bool = False
    serial_location: str | None = None
    annotation: str = ""


def build(plan: MachinePlan) -> VirtualMachine:
    """The VM of a plan. Raises ValueError where the guest's adapters have no place for so many disks."""
    guest = plan.guest
    running = plan.power_state is ON
    stem = file_stem(plan.name)
    disks = _disks(plan)
    adapters = _adapters(guest.disk_bus, guest.scsi_type, guest.cdrom_bus, len(disks))
    return VirtualMachine(
        id=plan.id,
        name=plan.name,
        parent=plan.parent,
        guest_OS=guest.guest_OS,
        power_state=plan.power_state,
        template=plan.template,
        resource_pool=plan.resource_pool,
        host=plan.host,
        datastore=plan.disks[0].datastore,
        bios_uuid=plan.bios_uuid,
        instance_uuid=plan.instance_uuid,
        hardware=hardware_info(plan.version),
        boot=boot_info(guest.firmware),
        cpu=cpu_info(plan.cpu_count, plan.cores_per_socket, plan.hot_add),
        memory=memory_info(plan.memory_size_MiB, plan.hot_add, running, plan.guest.family),
        disks=disks,
        nics=_nics(plan, running),
        cdroms=_cdroms(guest.cdrom_bus, plan.iso_file, running),
        floppies=_floppies() if plan.floppy else {},
        serial_ports=_serial_ports(plan.serial_location, running) if plan.serial_location else {},
        sata_adapters=adapters.sata,
        scsi_adapters=adapters.scsi,
        nvme_adapters=adapters.nvme,
        tools=tools_info(guest.family, guest.open_vm_tools, plan.tools, running),
        guest=_guest_state(plan),
        vmx_path=f"[{plan.disks[0].datastore_name}] {stem}/{stem}.vmx",
        annotation=plan.annotation,
    )


class _Adapters(msgspec.Struct, frozen=True):
    sata: dict[ids.VcenterVmHardwareSataAdapterId, Sata.Info]
    scsi: dict[ids.VcenterVmHardwareScsiAdapterId, Scsi.Info]
    nvme: dict[ids.VcenterVmHardwareNvmeAdapterId, Nvme.Info]


@cache
def _adapters(
    disk_bus: Disk.HostBusAdapterType, scsi_type: Scsi.Type, cdrom_bus: Cdrom.HostBusAdapterType, disks: int
) -> _Adapters:
    """As many adapters as so many disks and a CD-ROM drive need; IDE's are always there and never listed."""
    buses = range(1 + max(place[1] for place in disk_places(disk_bus, cdrom_bus)[:disks]))
    sata_buses = buses if disk_bus is devices.SATA else range(int(cdrom_bus is Cdrom.HostBusAdapterType.SATA))
    return _Adapters(
        {devices.sata_key(bus): devices.sata_adapter(bus) for bus in sata_buses},
        {devices.scsi_key(bus): devices.scsi_adapter(scsi_type, bus) for bus in buses if disk_bus is devices.SCSI},
        {devices.nvme_key(bus): devices.nvme_adapter(bus) for bus in buses if disk_bus is devices.NVME},
    )


@cache
def disk_places(
    disk_bus: Disk.HostBusAdapterType, cdrom_bus: Cdrom.HostBusAdapterType
) -> tuple[tuple[ids.VcenterVmHardwareDiskId, int, int], ...]:
    """Where disks go, in order, as (key, bus, unit), beside a CD-ROM drive in its usual place."""
    if disk_bus is devices.IDE:
        places = [(bus, unit) for bus in (0, 1) for unit in (0, 1)]
        taken = {(1, 0)} if cdrom_bus is Cdrom.HostBusAdapterType.IDE else set()
    else:
        units = {devices.SCSI: devices.SCSI_UNITS, devices.NVME: devices.NVME_UNITS, devices.SATA: devices.SATA_UNITS}
        places = [(bus, unit) for bus in range(devices.BUSES) for unit in units[disk_bus]]
        both_sata = disk_bus is devices.SATA and cdrom_bus is Cdrom.HostBusAdapterType.SATA
        taken = {(0, 0)} if both_sata else set()
    return tuple((devices.disk_key(disk_bus, bus, unit), bus, unit) for bus, unit in places if (bus, unit) not in taken)


def _disks(plan: MachinePlan) -> dict[ids.VcenterVmHardwareDiskId, Disk.Info]:
    bus_type = plan.guest.disk_bus
    places = disk_places(bus_type, plan.guest.cdrom_bus)
    if len(plan.disks) > len(places):
        raise ValueError(f"{len(places)} disks at most have a place on {bus_type.value}, not {len(plan.disks)}")
    disks = {}
    stem = file_stem(plan.name)
    for index, disk in enumerate(plan.disks):
        key, bus, unit = places[index]
        ending = f"_{index}.vmdk" if index else ".vmdk"
        vmdk_file = f"[{disk.datastore_name}] {stem}/{stem}{ending}"
        disks[key] = devices.disk(index, bus_type, bus, unit, vmdk_file, disk.capacity)
    return disks


def _nics(plan: MachinePlan, running: bool) -> dict[ids.VcenterVmHardwareEthernetId, Ethernet.Info]:
    return {
        devices.nic_key(index): devices.nic(
            index,
            plan.guest.nic_type,
            nic.mac_address,
            nic_backing(nic.network),
            connected=running,
            mac_type=nic.mac_type,
        )
        for index, nic in enumerate(plan.nics)
    }


def nic_backing(network: Network) -> Ethernet.BackingInfo:
    """A NIC's backing on a network. Raises ValueError for opaque networks, which the simulator does not have."""
    return _nic_backing(network.type, network.id, network.name, network.distributed_switch_uuid)


@cache
def _nic_backing(type: ApiNetwork.Type, network: str, name: str, switch_uuid: str | None) -> Ethernet.BackingInfo:
    identifier = ids.NetworkId(network)
    if type is ApiNetwork.Type.DISTRIBUTED_PORTGROUP:
        return Ethernet.BackingInfo(
            type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=identifier, distributed_switch_uuid=switch_uuid
        )
    if type is ApiNetwork.Type.STANDARD_PORTGROUP:
        return Ethernet.BackingInfo(type=Ethernet.BackingType.STANDARD_PORTGROUP, network=identifier, network_name=name)
    raise ValueError(f"no NIC can be put on {name}: it is of type {type.value}")


@cache
def _cdroms(
    bus: Cdrom.HostBusAdapterType, iso_file: str | None, running: bool
) -> dict[ids.VcenterVmHardwareCdromId, Cdrom.Info]:
    sata = bus is Cdrom.HostBusAdapterType.SATA
    return {devices.cdrom_key(bus, 0 if sata else 1, 0): devices.cdrom(bus, iso_file, running)}


@cache
def _floppies() -> dict[ids.VcenterVmHardwareFloppyId, Floppy.Info]:
    return {devices.FLOPPY_KEY: devices.floppy()}


@cache
def _serial_ports(location: str, running: bool) -> dict[ids.VcenterVmHardwareSerialPortId, Serial.Info]:
    return {devices.SERIAL_KEY: devices.serial_port(location, running)}


@cache
def cpu_info(count: int, cores_per_socket: int, hot_add: bool) -> Cpu.Info:
    """So many virtual processors in all."""
    return Cpu.Info(count=count, cores_per_socket=cores_per_socket, hot_add_enabled=hot_add, hot_remove_enabled=False)


@cache
def memory_info(size_MiB: int, hot_add: bool, running: bool, family: GuestOSFamily | None = None) -> Memory.Info:
    """So much memory; the figures for hot add are known only while the VM runs."""
    return memory_of(Memory.Info(size_MiB=size_MiB, hot_add_enabled=hot_add), running, family)


@cache
def tools_info(family: GuestOSFamily, open_vm_tools: bool, release: ToolsRelease | None, running: bool) -> Tools.Info:
    """Tools of a release as a guest of that family has them; `open_vm_tools`: the distribution's own."""
    if release is None:
        return Tools.Info(
            auto_update_supported=False,
            upgrade_policy=Tools.UpgradePolicy.MANUAL,
            version_status=Tools.VersionStatus.NOT_INSTALLED,
            run_state=Tools.RunState.NOT_RUNNING,
        )
    status = Tools.VersionStatus.CURRENT if release.current else Tools.VersionStatus.SUPPORTED_OLD
    install_type = Tools.ToolsInstallType.MSI if family is GuestOSFamily.WINDOWS else Tools.ToolsInstallType.TAR
    if open_vm_tools:
        status, install_type = Tools.VersionStatus.UNMANAGED, Tools.ToolsInstallType.OPEN_VM_TOOLS
    return Tools.Info(
        auto_update_supported=not open_vm_tools,
        version_number=release.number,
        version=release.text,
        upgrade_policy=Tools.UpgradePolicy.MANUAL,
        version_status=status,
        install_type=install_type,
        run_state=Tools.RunState.RUNNING if running else Tools.RunState.NOT_RUNNING,
    )


def _guest_state(plan: MachinePlan) -> GuestState | None:
    """What the Tools report, None without Tools."""
    if plan.tools is None:
        return None
    guest = plan.guest
    addresses: tuple[str, ...] = ()
    for nic in plan.nics:
        addresses += nic.ip_addresses
    return GuestState(
        host_name=plan.host_name or plan.name,
        family=guest.family,
        full_name=guest.full_name,
        ip_addresses=addresses,
        filesystems=_filesystems(guest, tuple(disk.capacity for disk in plan.disks), plan.used_eighths),
    )


@cache
def _filesystems(
    guest: GuestDefaults, capacities: tuple[int, ...], used_eighths: int
) -> dict[str, LocalFilesystem.Info]:
    """One filesystem a disk: `C:\\`, `D:\\` ... on Windows, else `/` and `/data`, `/data2` ..."""
    windows = guest.family is GuestOSFamily.WINDOWS
    places = disk_places(guest.disk_bus, guest.cdrom_bus)
    filesystems = {}
    for index, capacity in enumerate(capacities):
        unix = "/" if index == 0 else "/data" if index == 1 else f"/data{index}"
        # A little of each disk goes to the boot and recovery partitions.
        usable = max(capacity - GIB, capacity // 2)
        filesystems[f"{chr(ord('C') + index)}:\\" if windows else unix] = LocalFilesystem.Info(
            capacity=usable,
            free_space=usable // 8 * (8 - used_eighths),
            filesystem=guest.filesystem,
            mappings=(LocalFilesystem.VirtualDiskMapping(disk=places[index][0]),),
        )
    return filesystems
