"""What the REST API tells of a machine -> a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resphere.contract.generated import vcenter
from resphere.contract.generated.vcenter_vm import Tools
from resphere.contract.generated.vcenter_vm_guest import Identity
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, ConnectionState, Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.importing.report import Place
from resphere.importing.rows import CdromRow, DiskRow, MachineRow, NicRow, ToolsRow
from resphere.inventory.tables import datastore_name, file_stem, path_on_datastore


@dataclass
class Found:
    """Where lists have shown a machine."""

    host: str
    datacenter: str
    cluster: str
    folder: tuple[str, ...] = ()
    folder_id: str | None = None
    pool: tuple[str, ...] = ()


def machine_row(
    id: str,
    found: Found,
    info: vcenter.VM.Info,
    tools: Tools.Info | None,
    guest: Identity.Info | None,
    networks: Mapping[str, str],
) -> MachineRow:
    """The row of a machine; ``networks`` are the names of networks by id."""
    place = Place(f"vm {id}")
    disks = tuple(_disk(place, key, disk, info) for key, disk in info.disks.items())
    identity = info.identity
    return MachineRow(
        place=place,
        name=info.name,
        id=id,
        datacenter=found.datacenter,
        cluster=found.cluster,
        host=found.host,
        folder=found.folder,
        folder_id=found.folder_id,
        pool=found.pool,
        power_state=info.power_state,
        guest_OS=info.guest_OS,
        version=info.hardware.version,
        upgrade_policy=info.hardware.upgrade_policy,
        firmware=info.boot.type,
        boot_delay=info.boot.delay,
        boot_retry=info.boot.retry,
        boot_retry_delay=info.boot.retry_delay,
        boot_setup=info.boot.enter_setup_mode,
        cpu_count=info.cpu.count,
        cores_per_socket=info.cpu.cores_per_socket,
        cpu_hot_add=info.cpu.hot_add_enabled,
        cpu_hot_remove=info.cpu.hot_remove_enabled,
        memory_size_MiB=info.memory.size_MiB,
        memory_hot_add=info.memory.hot_add_enabled,
        vmx_path=_home(info.name, disks),
        bios_uuid=identity.bios_uuid if identity is not None else None,
        instance_uuid=identity.instance_uuid if identity is not None else None,
        host_name=guest.host_name if guest is not None else None,
        guest_full_name=guest.full_name.default_message if guest is not None else None,
        ip_addresses=(guest.ip_address,) if guest is not None and guest.ip_address else (),
        tools=_tools(place, tools) if tools is not None else None,
        disks=disks,
        nics=tuple(_nic(place, key, nic, networks) for key, nic in info.nics.items()),
        cdroms=tuple(_cdrom(place, drive) for drive in info.cdroms.values()),
    )


def _home(name: str, disks: tuple[DiskRow, ...]) -> str | None:
    """The VMX file, which is not told: beside the first disk."""
    for disk in disks:
        if disk.vmdk_file is not None:
            folder = path_on_datastore(disk.vmdk_file).rpartition("/")[0]
            stem = file_stem(name)
            return f"[{datastore_name(disk.vmdk_file)}] {folder or stem}/{stem}.vmx"
    return None


def _disk(place: Place, key: str, disk: Disk.Info, info: vcenter.VM.Info) -> DiskRow:
    address = disk.scsi or disk.sata or disk.nvme
    bus, unit = (address.bus, address.unit) if address is not None else (None, None)
    if disk.ide is not None:
        bus, unit = int(not disk.ide.primary), int(not disk.ide.master)
    adapter = next((each for each in info.scsi_adapters.values() if each.scsi.bus == bus), None)
    scsi = adapter if disk.scsi is not None else None
    return DiskRow(
        place=place.at("disks"),
        label=disk.label,
        key=key,
        vmdk_file=disk.backing.vmdk_file,
        capacity=disk.capacity,
        bus_type=disk.type,
        bus=bus,
        unit=unit,
        scsi_type=scsi.type if scsi is not None else None,
        sharing=scsi.sharing if scsi is not None else Scsi.Sharing.NONE,
    )


def _nic(place: Place, key: str, nic: Ethernet.Info, networks: Mapping[str, str]) -> NicRow:
    network = nic.backing.network
    return NicRow(
        place=place.at("nics"),
        network=networks.get(network or "", nic.backing.network_name or ""),
        network_id=network,
        label=nic.label,
        key=key,
        adapter=nic.type,
        connected=nic.state is ConnectionState.CONNECTED,
        start_connected=nic.start_connected,
        mac_address=nic.mac_address,
        mac_type=nic.mac_type,
    )


def _cdrom(place: Place, drive: Cdrom.Info) -> CdromRow:
    bus, unit = (drive.sata.bus, drive.sata.unit) if drive.sata is not None else (None, None)
    if drive.ide is not None:
        bus, unit = int(not drive.ide.primary), int(not drive.ide.master)
    return CdromRow(
        place=place.at("cdroms"),
        label=drive.label,
        sata=drive.type is Cdrom.HostBusAdapterType.SATA,
        bus=bus,
        unit=unit,
        iso_file=drive.backing.iso_file,
        connected=drive.state is ConnectionState.CONNECTED,
        start_connected=drive.start_connected,
    )


def _tools(place: Place, tools: Tools.Info) -> ToolsRow:
    return ToolsRow(
        place=place,
        installed=tools.version_status is not Tools.VersionStatus.NOT_INSTALLED,
        running=tools.run_state is not Tools.RunState.NOT_RUNNING,
        version_status=tools.version_status,
        version_number=tools.version_number,
        upgrade_policy=tools.upgrade_policy,
        install_type=tools.install_type,
    )
