"""Machines and their snapshots, of rows that say more or less of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import Hardware, Power, Tools
from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cpu, Ethernet, Memory
from resphere.importing.building.compute import Compute, HostDraft
from resphere.importing.building.connections import Datastores, Networks
from resphere.importing.building.disks import Buses
from resphere.importing.building.identities import Identities
from resphere.importing.building.tree import Tree
from resphere.importing.guests import nearest_guest
from resphere.importing.report import Place, Report
from resphere.importing.rows import DiskRow, MachineRow, NicRow, Rows, ToolsRow
from resphere.inventory.model import GuestState, Snapshot, VirtualMachine
from resphere.inventory.tables import datastore_name, file_stem
from resphere.providers.simulator import devices
from resphere.providers.simulator.addresses import assigned_mac
from resphere.providers.simulator.catalog import BASE_TIME, CURRENT_TOOLS, GIB, OPEN_VM_TOOLS
from resphere.providers.simulator.machine import nic_backing, tools_info
from resphere.providers.simulator.snapshots import switched_off
from resphere.rules.hardware.ethernet import MAC
from resphere.rules.hardware.hot_add import memory_of
from resphere.rules.machines.guest_os_defaults import GuestDefaults, defaults_of
from resphere.rules.machines.proposals import boot_info, hardware_info

ON, OFF = Power.State.POWERED_ON, Power.State.POWERED_OFF
_PATH = re.compile(r"\[.{1,200}\] .{1,2000}", re.DOTALL)
_DEFAULT_VERSION = Hardware.Version.VMX_19
_MEMORY_STEP_MIB = 4
_TEXT_PARTS = 32
NO_PLACE = "machines of one name in a folder are put into folders of their own"


class Machines:
    """Makes machines of rows, one after the other."""

    def __init__(
        self,
        rows: Rows,
        tree: Tree,
        compute: Compute,
        connections: tuple[Datastores, Networks],
        identities: Identities,
        report: Report,
    ) -> None:
        self._rows = rows
        self._tree = tree
        self._compute = compute
        self._datastores, self._networks = connections
        self._identities = identities
        self._report = report
        self._names: set[tuple[str, str]] = set()
        self._homes: set[str] = set()
        given = (nic.mac_address for row in rows.machines for nic in row.nics or () if nic.mac_address)
        self._macs_given = {mac.lower() for mac in given}
        self._macs: set[str] = set()
        self._last_mac = 0

    def built(self, row: MachineRow) -> tuple[VirtualMachine, list[Snapshot]]:
        """The machine of a row, and its snapshots."""
        report = self._report
        host = self._compute.host_of(row)
        guest = self._guest(row)
        power = row.power_state
        if row.template and power is not OFF:
            report.contradiction(
                row.place.at("Powerstate"), f"a template is never {power.value}", "templates are powered off"
            )
            power = OFF
        running = power is ON
        id = self._identities.id("vm-", row.id, row.place.at("VM ID"))
        seed = f"machine {row.datacenter} {row.folder} {row.name} {row.id or row.place}"
        store, vmx_path = self._home(row, host)
        buses = self._buses(row, host, guest, vmx_path)
        for cdrom in row.cdroms:
            iso = cdrom.iso_file
            if iso is not None:
                self._datastores.mounted(host, datastore_name(iso), cdrom.place.at("Device Type"))
            buses.add_cdrom(cdrom, iso, running=running)
        vm = VirtualMachine(
            id=id,
            name=row.name,
            parent=self._folder(row, host),
            guest_OS=guest.guest_OS,
            power_state=power,
            template=row.template,
            resource_pool=ids.ResourcePoolId(self._compute.pool(host, row.pool).id),
            host=ids.HostSystemId(host.id),
            datastore=ids.DatastoreId(store),
            bios_uuid=self._identities.uuid(row.bios_uuid, f"bios {seed}", row.place.at("SMBIOS UUID"), unique=False),
            instance_uuid=self._identities.uuid(row.instance_uuid, f"instance {seed}", row.place.at("VM UUID")),
            hardware=_hardware(row.version or _DEFAULT_VERSION, row.upgrade_policy),
            boot=_boot(
                row.firmware or guest.firmware, row.boot_delay, row.boot_retry, row.boot_retry_delay, row.boot_setup
            ),
            cpu=self._cpu(row, guest),
            memory=self._memory(row, guest, running=running),
            disks=buses.disks,
            nics=self._nics(row, host, guest, running=running),
            cdroms=buses.cdroms,
            sata_adapters=buses.sata_adapters,
            scsi_adapters=buses.scsi_adapters,
            nvme_adapters=buses.nvme_adapters,
            tools=_tools(guest, row.tools, running),
            guest=self._guest_state(row, guest),
            vmx_path=vmx_path,
            annotation=row.annotation,
            needs_consolidation=row.needs_consolidation,
        )
        return self._with_snapshots(vm, row)

    def _guest(self, row: MachineRow) -> GuestDefaults:
        if row.guest_OS is not None:
            return defaults_of(row.guest_OS)
        place = row.place.at("OS according to the configuration file")
        if row.guest_text:
            self._report.guessed("guest systems of texts that are not known are one of their family", place)
        else:
            self._report.guessed("guest systems that are not told are OTHER_64", place)
        return defaults_of(nearest_guest(row.guest_text))

    def _folder(self, row: MachineRow, host: HostDraft) -> str:
        folder = self._tree.vm_folder(host.datacenter, row.folder, row.folder_id)
        if (folder, row.name) in self._names:
            self._report.contradiction(
                row.place.at("VM"), f"another machine in the same folder is named {row.name!r}", NO_PLACE
            )
            number = 2
            while (folder, row.name) in self._names:
                folder = self._tree.vm_folder(host.datacenter, (*row.folder, f"same name {number}"), None)
                number += 1
        self._names.add((folder, row.name))
        return folder

    def _home(self, row: MachineRow, host: HostDraft) -> tuple[str, str]:
        """The datastore's id and the path of the VMX file."""
        place, path = row.place.at("Path"), row.vmx_path or ""
        if path and not _PATH.fullmatch(path):
            self._report.fault(place, f"must be a path such as [datastore] folder/file.vmx, not {path[:60]!r}")
            path = ""
        if not path:
            self._report.guessed("files of machines are on a datastore of their host", place)
            stem = file_stem(row.name)
            store, name = self._datastores.any_of(host, place)
            number = 1
            while f"{store} {(path := _vmx(name, stem, number))}" in self._homes:
                number += 1
        else:
            store = self._datastores.mounted(host, datastore_name(path), place)
            if f"{store} {path}" in self._homes:
                self._report.contradiction(
                    place, f"{path} is the file of another machine already", "machines have VMX files of their own"
                )
                number = 2
                while f"{store} {path}" in self._homes:
                    path = _vmx(datastore_name(path), file_stem(row.name), number)
                    number += 1
        self._homes.add(f"{store} {path}")
        return store, path

    def _buses(self, row: MachineRow, host: HostDraft, guest: GuestDefaults, vmx_path: str) -> Buses:
        buses = Buses(guest, self._report)
        home = vmx_path.removesuffix(".vmx")
        for index, disk in enumerate(self._disk_rows(row, guest)):
            path, place = disk.vmdk_file, disk.place.at("Path")
            if path is not None and not _PATH.fullmatch(path):
                self._report.left("paths of disks that are not on datastores", place)
                path = None
            if path is None:
                path = f"{home}_{index}.vmdk" if index else f"{home}.vmdk"
            self._datastores.mounted(host, datastore_name(path), place)
            capacity = disk.capacity
            if capacity is None:
                self._report.guessed("capacities of disks that are not told", disk.place.at("Capacity MiB"))
                capacity = guest.disk_size_GiB * GIB
            buses.add_disk(disk, path, capacity)
        return buses

    def _disk_rows(self, row: MachineRow, guest: GuestDefaults) -> tuple[DiskRow, ...]:
        """Those that are told, or as many as are counted, of equal size."""
        if row.disks is not None:
            return row.disks
        place = row.place.at("Disks")
        count = min(1 if row.disk_count is None else row.disk_count, 60)
        self._report.guessed("disks are of equal size, as the sheet vDisk is missing", place)
        total = row.disk_bytes or guest.disk_size_GiB * GIB * count
        # In whole MiB, the rest with the first.
        each = (total // count >> 20 << 20) if count else 0
        rows = [DiskRow(place=place, capacity=each) for _ in range(count)]
        return (msgspec.structs.replace(rows[0], capacity=total - each * (count - 1)), *rows[1:]) if rows else ()

    def _cpu(self, row: MachineRow, guest: GuestDefaults) -> Cpu.Info:
        count = row.cpu_count
        if not count:
            self._report.guessed("numbers of processors that are not told", row.place.at("CPUs"))
            count = guest.cpu_count
        cores = row.cores_per_socket or 1
        if count % cores:
            self._report.contradiction(
                row.place.at("CPUs"),
                f"{count} processors cannot be on sockets of {cores} cores",
                "processors that sockets cannot hold have sockets of their own",
            )
            cores = 1
        return _cpu(count, cores, bool(row.cpu_hot_add), bool(row.cpu_hot_remove))

    def _memory(self, row: MachineRow, guest: GuestDefaults, *, running: bool) -> Memory.Info:
        size = row.memory_size_MiB
        if not size:
            self._report.guessed("sizes of memory that are not told", row.place.at("Memory"))
            size = guest.memory_size_MiB
        if size % _MEMORY_STEP_MIB:
            self._report.guessed("sizes of memory are multiples of 4 MiB", row.place.at("Memory"))
            size += _MEMORY_STEP_MIB - size % _MEMORY_STEP_MIB
        return _memory(size, bool(row.memory_hot_add), running, guest)

    def _nics(
        self, row: MachineRow, host: HostDraft, guest: GuestDefaults, *, running: bool
    ) -> dict[ids.VcenterVmHardwareEthernetId, Ethernet.Info]:
        nics: dict[ids.VcenterVmHardwareEthernetId, Ethernet.Info] = {}
        for index, nic in enumerate(row.nics or ()):
            network = self._networks.connected(host, row, nic)
            mac, mac_type = self._mac(nic)
            connected = running and (nic.connected is not False)
            made = devices.nic(
                index, nic.adapter or guest.nic_type, mac, nic_backing(network), connected=connected, mac_type=mac_type
            )
            if nic.start_connected is not made.start_connected or nic.label not in ("", made.label):
                made = msgspec.structs.replace(made, start_connected=nic.start_connected, label=nic.label or made.label)
            key = nic.key or devices.nic_key(index)
            nics[ids.VcenterVmHardwareEthernetId(key)] = made
        return nics

    def _mac(self, nic: NicRow) -> tuple[str, Ethernet.MacAddressType]:
        given, type = nic.mac_address, nic.mac_type or Ethernet.MacAddressType.ASSIGNED
        place = nic.place.at("Mac Address")
        if given is not None and not MAC.match(given):
            self._report.fault(place, f"must be a MAC address such as 00:50:56:81:2a:04, not {given[:60]!r}")
            given = None
        if given is None:
            self._report.guessed("MAC addresses that are not told are assigned", place)
            while True:
                self._last_mac += 1
                made = assigned_mac(self._last_mac)
                if made not in self._macs_given:
                    self._macs.add(made)
                    return made, Ethernet.MacAddressType.ASSIGNED
        if type is not Ethernet.MacAddressType.MANUAL:
            if given.lower() in self._macs:
                # As of machines that were copied; vcsim's have it, too.
                self._report.guessed("MAC addresses that stand twice are of type manual", place)
                type = Ethernet.MacAddressType.MANUAL
            self._macs.add(given.lower())
        return given, type

    def _guest_state(self, row: MachineRow, guest: GuestDefaults) -> GuestState | None:
        """What Tools have reported, none where they are not installed."""
        tools = row.tools
        addresses = list(dict.fromkeys((*row.ip_addresses, *(a for nic in row.nics or () for a in nic.ip_addresses))))
        if tools is not None and not tools.installed:
            return None
        told = (row.host_name, row.guest_full_name, *addresses, *row.partitions)
        if tools is None and not any(each is not None for each in told):
            return None
        kept = [address for address in addresses if _is_address(address)]
        if len(kept) != len(addresses):
            self._report.left("addresses of guests that are none", row.place)
        return GuestState(
            host_name=row.host_name or row.name,
            family=guest.family,
            full_name=row.guest_full_name or guest.full_name,
            ip_addresses=tuple(kept),
            filesystems={
                each.path: LocalFilesystem.Info(
                    capacity=each.capacity, free_space=each.free, filesystem=guest.filesystem
                )
                for each in row.partitions
                if each.path
            },
        )

    def _with_snapshots(self, vm: VirtualMachine, row: MachineRow) -> tuple[VirtualMachine, list[Snapshot]]:
        snapshots: list[Snapshot] = []
        if len(row.snapshots) > 1 and all(each.parent is None for each in row.snapshots):
            self._report.guessed("each snapshot descends from the one before", row.place)
        for index, given in enumerate(row.snapshots):
            above = given.parent if given.parent is not None else index - 1
            parent = snapshots[above].id if 0 <= above < index else None
            state = msgspec.structs.replace(vm, snapshot=parent)
            memory = given.memory and not vm.template
            if memory and state.power_state is not ON:
                state = self._running(state)
            if not given.name:
                self._report.fault(given.place.at("Name"), "must have the name of a snapshot")
            snapshots.append(
                Snapshot(
                    id=self._identities.id("snapshot-", given.id, given.place),
                    name=given.name or "?",
                    parent=vm.id,
                    parent_snapshot=parent,
                    description=given.description,
                    created_time=given.created_time or BASE_TIME,
                    memory=memory,
                    quiesced=given.quiesced,
                    takes_room=True,
                    state=state if memory else switched_off(state),
                )
            )
        if not snapshots:
            return vm, snapshots
        current = snapshots[-1 if row.current_snapshot is None else row.current_snapshot]
        return msgspec.structs.replace(vm, snapshot=current.id), snapshots

    @staticmethod
    def _running(vm: VirtualMachine) -> VirtualMachine:
        guest = defaults_of(vm.guest_OS)
        return msgspec.structs.replace(vm, power_state=ON, memory=memory_of(vm.memory, True, guest.family))


def _vmx(datastore: str, stem: str, number: int) -> str:
    folder = stem if number == 1 else f"{stem}_{number}"
    return f"[{datastore}] {folder}/{stem}.vmx"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(1024)
def _hardware(version: Hardware.Version, policy: Hardware.UpgradePolicy | None) -> Hardware.Info:
    made = hardware_info(version)
    if policy is None or policy is made.upgrade_policy:
        return made
    # Which version it would become is not told: that of the release.
    return msgspec.structs.replace(
        made, upgrade_policy=policy, upgrade_version=version, upgrade_status=Hardware.UpgradeStatus.PENDING
    )


@lru_cache(1024)
def _boot(
    firmware: Boot.Type, delay: int | None, retry: bool | None, retry_delay: int | None, setup: bool | None
) -> Boot.Info:
    made = boot_info(firmware)
    return msgspec.structs.replace(
        made,
        delay=delay if delay is not None else made.delay,
        retry=retry if retry is not None else made.retry,
        retry_delay=retry_delay if retry_delay else made.retry_delay,
        enter_setup_mode=setup if setup is not None else made.enter_setup_mode,
    )


@lru_cache(1024)
def _cpu(count: int, cores: int, hot_add: bool, hot_remove: bool) -> Cpu.Info:
    return Cpu.Info(count=count, cores_per_socket=cores, hot_add_enabled=hot_add, hot_remove_enabled=hot_remove)


@lru_cache(1024)
def _memory(size_MiB: int, hot_add: bool, running: bool, guest: GuestDefaults) -> Memory.Info:
    return memory_of(Memory.Info(size_MiB=size_MiB, hot_add_enabled=hot_add), running, guest.family)


def _tools(guest: GuestDefaults, row: ToolsRow | None, running: bool) -> Tools.Info:
    if row is None:
        row = ToolsRow(place=Place(""), installed=True)
    plain = msgspec.structs.replace(row, place=Place(""))
    return _tools_of(guest, plain, running)


@lru_cache(4096)
def _tools_of(guest: GuestDefaults, row: ToolsRow, running: bool) -> Tools.Info:
    if not row.installed:
        made = tools_info(guest.family, guest.open_vm_tools, None, running)
    else:
        release = OPEN_VM_TOOLS[-1] if guest.open_vm_tools else CURRENT_TOOLS
        made = tools_info(guest.family, guest.open_vm_tools, release, running)
        number = row.version_number
        if number is not None:
            major, rest = divmod(number, _TEXT_PARTS * _TEXT_PARTS)
            minor, revision = divmod(rest, _TEXT_PARTS)
            made = msgspec.structs.replace(made, version_number=number, version=f"{major}.{minor}.{revision}")
        if row.version_status is not None:
            made = msgspec.structs.replace(made, version_status=row.version_status)
        if row.install_type is not None:
            made = msgspec.structs.replace(made, install_type=row.install_type)
        if row.running is not None:
            state = Tools.RunState.RUNNING if row.running and running else Tools.RunState.NOT_RUNNING
            made = msgspec.structs.replace(made, run_state=state)
    if row.upgrade_policy is not None:
        made = msgspec.structs.replace(made, upgrade_policy=row.upgrade_policy)
    return made


def rows_of(rows: Rows) -> Iterator[MachineRow]:
    """The machines, those whose hosts are named first: others are put beside them."""
    yield from sorted(rows.machines, key=lambda row: not row.host)
