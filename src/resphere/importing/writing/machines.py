"""The sheets of machines: ``vInfo`` and those of their parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.contract.generated.vcenter_vm import Power, Tools
from resphere.contract.generated.vcenter_vm_hardware import ConnectionState, Disk
from resphere.importing.guests import display_text
from resphere.importing.sources import words
from resphere.importing.writing.sheets import Inventory, Record, Sheet, Value, megabytes, sheet
from resphere.inventory.model import Host, Network, VirtualMachine

ON = Power.State.POWERED_ON
_NETWORKS = tuple(f"Network #{number}" for number in range(1, 9))
_BEFORE = (
    *("VM", "Powerstate", "Template", "SRM Placeholder", "DNS Name", "Connection state", "Guest state"),
    *("Consolidation Needed", "CPUs", "Memory", "NICs", "Disks", "Total disk capacity MiB", "Primary IP Address"),
    *(*_NETWORKS, "Resource pool", "Folder ID", "Folder", "Provisioned MiB", "Boot delay", "Boot retry delay"),
    *("Boot retry enabled", "Boot BIOS setup", "Firmware", "HW version", "HW upgrade policy", "Path", "Annotation"),
)
_AFTER = (
    *("Datacenter", "Cluster", "Host", "OS according to the configuration file"),
    *("OS according to the VMware Tools", "VM ID", "SMBIOS UUID", "VM UUID"),
)
_OWNER = ("VM ID", "VM UUID")


def info(inventory: Inventory) -> Sheet:
    """A row a machine; custom attributes are further columns, under the names of those that have none of ours."""
    own = {*_BEFORE, *_AFTER}
    names = {item.id: item.name for item in inventory.attributes if item.name not in own}
    headers = (*_BEFORE, *dict.fromkeys(names.values()), *_AFTER)
    return sheet("vInfo", headers, (_info(inventory, vm, names) for vm in inventory.of(VirtualMachine)))


def _info(inventory: Inventory, vm: VirtualMachine, names: dict[str, str]) -> Record:
    host = inventory.get(Host, vm.host)
    connected = host is None or host.connection_state is ApiHost.ConnectionState.CONNECTED
    networks = [nic_network(inventory, vm, key) for key in vm.nics]
    guest = vm.guest
    capacity = sum(disk.capacity or 0 for disk in vm.disks.values())
    record: dict[str, Value] = {
        "VM": vm.name,
        "Powerstate": words.POWER_TEXTS[vm.power_state],
        "Template": vm.template,
        "SRM Placeholder": False,
        "DNS Name": guest.host_name if guest is not None else None,
        "Connection state": "connected" if connected else "disconnected",
        "Guest state": "running" if vm.tools.run_state is Tools.RunState.RUNNING else "notRunning",
        "Consolidation Needed": vm.needs_consolidation,
        "CPUs": vm.cpu.count,
        "Memory": vm.memory.size_MiB,
        "NICs": len(vm.nics),
        "Disks": len(vm.disks),
        "Total disk capacity MiB": megabytes(capacity),
        "Primary IP Address": next(iter(guest.ip_addresses), None) if guest is not None else None,
        **dict(zip(_NETWORKS, networks, strict=False)),
        "Resource pool": inventory.pool_path(vm.resource_pool),
        "Folder ID": vm.parent,
        "Folder": inventory.path(vm.parent),
        "Provisioned MiB": megabytes(capacity),
        "Boot delay": vm.boot.delay,
        "Boot retry delay": vm.boot.retry_delay,
        "Boot retry enabled": vm.boot.retry,
        "Boot BIOS setup": vm.boot.enter_setup_mode,
        "Firmware": vm.boot.type.value.lower(),
        "HW version": int(vm.hardware.version.value.removeprefix("VMX_")),
        "HW upgrade policy": words.UPGRADE_TEXTS[vm.hardware.upgrade_policy],
        "Path": vm.vmx_path,
        "Annotation": vm.annotation,
        "Datacenter": inventory.datacenter(vm.host),
        "Cluster": inventory.cluster(host),
        "Host": inventory.name(vm.host),
        "OS according to the configuration file": display_text(vm.guest_OS),
        "OS according to the VMware Tools": guest.full_name if guest is not None else None,
        "VM ID": vm.id,
        "SMBIOS UUID": vm.bios_uuid,
        "VM UUID": vm.instance_uuid,
    }
    for attribute, name in names.items():
        value = inventory.custom.get((vm.id, attribute))
        if value is not None:
            record[name] = value
    return record


def _owned(vm: VirtualMachine, record: Record) -> Record:
    return {"VM": vm.name, **record, "VM ID": vm.id, "VM UUID": vm.instance_uuid}


def _per_machine(name: str, headers: tuple[str, ...], records: Iterable[Record]) -> Sheet:
    return sheet(name, ("VM", *headers, *_OWNER), records)


def processors(inventory: Inventory) -> Sheet:
    """``vCPU``."""
    headers = ("CPUs", "Sockets", "Cores p/s", "Hot Add", "Hot Remove")
    return _per_machine("vCPU", headers, map(_cpu, inventory.of(VirtualMachine)))


def _cpu(vm: VirtualMachine) -> Record:
    cpu = vm.cpu
    return _owned(
        vm,
        {
            "CPUs": cpu.count,
            "Sockets": cpu.count // cpu.cores_per_socket,
            "Cores p/s": cpu.cores_per_socket,
            "Hot Add": cpu.hot_add_enabled,
            "Hot Remove": cpu.hot_remove_enabled,
        },
    )


def memory(inventory: Inventory) -> Sheet:
    """``vMemory``."""
    records = (
        _owned(vm, {"Size MiB": vm.memory.size_MiB, "Hot Add": vm.memory.hot_add_enabled})
        for vm in inventory.of(VirtualMachine)
    )
    return _per_machine("vMemory", ("Size MiB", "Hot Add"), records)


def disks(inventory: Inventory) -> Sheet:
    """``vDisk``; ``Controller type`` is a column of ours, for the types of SCSI adapters."""
    headers = (
        *("Disk", "Disk Key", "Path", "Capacity MiB", "Raw", "Controller", "Controller type", "Unit #"),
        "Shared Bus",
    )
    records = (record for vm in inventory.of(VirtualMachine) for record in _disks(vm))
    return _per_machine("vDisk", headers, records)


def _disks(vm: VirtualMachine) -> Iterator[Record]:
    for key, disk in vm.disks.items():
        controller, bus, unit = _disk_place(disk)
        adapter = next((each for each in vm.scsi_adapters.values() if each.scsi.bus == bus), None)
        scsi = adapter if disk.scsi is not None else None
        yield _owned(
            vm,
            {
                "Disk": disk.label,
                "Disk Key": int(key) if key.isdecimal() else key,
                "Path": disk.backing.vmdk_file,
                "Capacity MiB": megabytes(disk.capacity or 0),
                "Raw": False,
                "Controller": controller,
                "Controller type": scsi.type.value if scsi is not None else None,
                "Unit #": unit,
                "Shared Bus": words.SHARING_TEXTS[scsi.sharing] if scsi is not None else "noSharing",
            },
        )


def _disk_place(disk: Disk.Info) -> tuple[str, int, int]:
    """The controller's label, its number, and the unit on it."""
    if disk.scsi is not None:
        return f"SCSI controller {disk.scsi.bus}", disk.scsi.bus, disk.scsi.unit or 0
    if disk.sata is not None:
        return f"SATA controller {disk.sata.bus}", disk.sata.bus, disk.sata.unit or 0
    if disk.nvme is not None:
        return f"NVME controller {disk.nvme.bus}", disk.nvme.bus, disk.nvme.unit or 0
    ide = disk.ide
    bus = int(ide is not None and not ide.primary)
    return f"IDE {bus}", bus, int(ide is not None and not ide.master)


def nic_network(inventory: Inventory, vm: VirtualMachine, key: str) -> str:
    """The name of a NIC's network."""
    backing = next(nic.backing for other, nic in vm.nics.items() if other == key)
    return inventory.name(backing.network) or backing.network_name or ""


def nics(inventory: Inventory) -> Sheet:
    """``vNetwork``. The inventory does not know which address is on which NIC: all are with the first."""
    headers = (
        *("NIC label", "Adapter", "Network", "Switch", "Connected", "Starts Connected", "Mac Address", "Type"),
        *("IPv4 Address", "IPv6 Address"),
    )
    records = (record for vm in inventory.of(VirtualMachine) for record in _nics(inventory, vm))
    return _per_machine("vNetwork", headers, records)


def _nics(inventory: Inventory, vm: VirtualMachine) -> Iterator[Record]:
    addresses = vm.guest.ip_addresses if vm.guest is not None else ()
    for index, (key, nic) in enumerate(vm.nics.items()):
        network = inventory.get(Network, nic.backing.network)
        own = addresses if index == 0 else ()
        yield _owned(
            vm,
            {
                "NIC label": nic.label,
                "Adapter": words.ADAPTER_TEXTS[nic.type],
                "Network": nic_network(inventory, vm, key),
                "Switch": network.distributed_switch if network is not None else None,
                "Connected": nic.state is ConnectionState.CONNECTED,
                "Starts Connected": nic.start_connected,
                "Mac Address": nic.mac_address,
                "Type": nic.mac_type.value.lower(),
                "IPv4 Address": ", ".join(each for each in own if ":" not in each),
                "IPv6 Address": ", ".join(each for each in own if ":" in each),
            },
        )


def drives(inventory: Inventory) -> Sheet:
    """``vCD``."""
    records = (record for vm in inventory.of(VirtualMachine) for record in _drives(vm))
    return _per_machine("vCD", ("Device Node", "Connected", "Starts Connected", "Device Type"), records)


def _drives(vm: VirtualMachine) -> Iterator[Record]:
    for drive in vm.cdroms.values():
        place = ""
        if drive.sata is not None:
            place = f" (SATA {drive.sata.bus}:{drive.sata.unit})"
        elif drive.ide is not None:
            place = f" (IDE {int(not drive.ide.primary)}:{int(not drive.ide.master)})"
        iso = drive.backing.iso_file
        yield _owned(
            vm,
            {
                "Device Node": f"{drive.label}{place}",
                "Connected": drive.state is ConnectionState.CONNECTED,
                "Starts Connected": drive.start_connected,
                "Device Type": f"ISO {iso}" if iso is not None else "Client device",
            },
        )


def snapshots(inventory: Inventory) -> Sheet:
    """``vSnapshot``, the oldest of each machine first."""
    headers = ("Name", "Description", "Date / time", "Quiesced", "State")
    records = (
        _owned(
            vm,
            {
                "Name": snapshot.name,
                "Description": snapshot.description,
                "Date / time": snapshot.created_time.strftime("%Y/%m/%d %H:%M:%S"),
                "Quiesced": snapshot.quiesced,
                "State": "poweredOn" if snapshot.memory else "poweredOff",
            },
        )
        for vm in inventory.of(VirtualMachine)
        for snapshot in inventory.snapshots.get(vm.id, ())
    )
    return _per_machine("vSnapshot", headers, records)


def partitions(inventory: Inventory) -> Sheet:
    """``vPartition``."""
    headers = ("Disk", "Capacity MiB", "Consumed MiB", "Free MiB")
    records = (
        _owned(
            vm,
            {
                "Disk": path,
                "Capacity MiB": megabytes(each.capacity),
                "Consumed MiB": megabytes(each.capacity - each.free_space),
                "Free MiB": megabytes(each.free_space),
            },
        )
        for vm in inventory.of(VirtualMachine)
        if vm.guest is not None
        for path, each in vm.guest.filesystems.items()
    )
    return _per_machine("vPartition", headers, records)


def tools(inventory: Inventory) -> Sheet:
    """``vTools``."""
    headers = ("VM Version", "Tools", "Tools Version", "Upgrade Policy")
    return _per_machine("vTools", headers, map(_tools, inventory.of(VirtualMachine)))


def _tools(vm: VirtualMachine) -> Record:
    own = vm.tools
    if own.version_status in (None, Tools.VersionStatus.NOT_INSTALLED):
        text = "toolsNotInstalled"
    elif own.run_state is Tools.RunState.NOT_RUNNING and vm.power_state is ON:
        text = "toolsNotRunning"
    elif own.version_status is Tools.VersionStatus.SUPPORTED_OLD:
        text = "toolsOld"
    elif own.run_state is Tools.RunState.NOT_RUNNING:
        text = "toolsNotRunning"
    else:
        text = "toolsOk"
    return _owned(
        vm,
        {
            "VM Version": int(vm.hardware.version.value.removeprefix("VMX_")),
            "Tools": text,
            "Tools Version": own.version_number,
            "Upgrade Policy": words.TOOLS_POLICY_TEXTS[own.upgrade_policy],
        },
    )
