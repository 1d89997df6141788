"""Saved virtual machines -> rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

from resphere.contract.generated.vcenter_vm import Hardware, Power, Tools
from resphere.contract.generated.vcenter_vm_hardware import Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.importing.guests import guest_of
from resphere.importing.report import Report
from resphere.importing.rows import (
    NO_PARENT,
    CdromRow,
    DiskRow,
    MachineRow,
    NicRow,
    PartitionRow,
    SnapshotRow,
    ToolsRow,
)
from resphere.importing.sources import words
from resphere.importing.sources.saved_objects import Node, SavedObject, unescaped

Type = Disk.HostBusAdapterType
_CONTROLLERS: dict[str, tuple[Type, Scsi.Type | None]] = {
    "ParaVirtualSCSIController": (Type.SCSI, Scsi.Type.PVSCSI),
    "VirtualLsiLogicController": (Type.SCSI, Scsi.Type.LSILOGIC),
    "VirtualLsiLogicSASController": (Type.SCSI, Scsi.Type.LSILOGICSAS),
    "VirtualBusLogicController": (Type.SCSI, Scsi.Type.BUSLOGIC),
    "VirtualAHCIController": (Type.SATA, None),
    "VirtualSATAController": (Type.SATA, None),
    "VirtualNVMEController": (Type.NVME, None),
    "VirtualIDEController": (Type.IDE, None),
}
_NICS = {
    "VirtualVmxnet3": Ethernet.EmulationType.VMXNET3,
    "VirtualVmxnet2": Ethernet.EmulationType.VMXNET2,
    "VirtualVmxnet": Ethernet.EmulationType.VMXNET,
    "VirtualE1000": Ethernet.EmulationType.E1000,
    "VirtualE1000e": Ethernet.EmulationType.E1000E,
    "VirtualPCNet32": Ethernet.EmulationType.PCNET32,
    "VirtualSriovEthernetCard": Ethernet.EmulationType.VMXNET3,
    "VirtualVmxnet3Vrdma": Ethernet.EmulationType.VMXNET3,
}
_HELD = {*_CONTROLLERS, *_NICS, "VirtualDisk", "VirtualCdrom"}
_ALWAYS = ("Keyboard", "Pointing", "VideoCard", "VMCI", "PCIController", "PS2Controller", "SIOController", "USB")
_STATUSES = {
    "guestToolsNotInstalled": Tools.VersionStatus.NOT_INSTALLED,
    "guestToolsCurrent": Tools.VersionStatus.CURRENT,
    "guestToolsUnmanaged": Tools.VersionStatus.UNMANAGED,
    "guestToolsTooOld": Tools.VersionStatus.TOO_OLD_UNSUPPORTED,
    "guestToolsSupportedOld": Tools.VersionStatus.SUPPORTED_OLD,
    "guestToolsNeedUpgrade": Tools.VersionStatus.SUPPORTED_OLD,
    "guestToolsSupportedNew": Tools.VersionStatus.SUPPORTED_NEW,
    "guestToolsTooNew": Tools.VersionStatus.TOO_NEW,
    "guestToolsBlacklisted": Tools.VersionStatus.BLACKLISTED,
}
_INSTALLS = {
    "guestToolsTypeMSI": Tools.ToolsInstallType.MSI,
    "guestToolsTypeTar": Tools.ToolsInstallType.TAR,
    "guestToolsTypeOSP": Tools.ToolsInstallType.OSP,
    "guestToolsTypeOpenVMTools": Tools.ToolsInstallType.OPEN_VM_TOOLS,
}
_VERSIONS = ("guest/toolsVersionStatus2", "guest/toolsVersionStatus")


class Places(Protocol):
    """Where objects are."""

    def get(self, id: str) -> SavedObject | None:
        """An object."""

    def of(self, *types: str) -> list[SavedObject]:
        """The objects of types."""

    def datacenter(self, item: SavedObject | None) -> str:
        """The name of a datacenter."""

    def cluster(self, host: SavedObject | None) -> str:
        """The name of a cluster."""

    def folders(self, item: SavedObject) -> tuple[str, ...]:
        """The names of folders."""

    def pool(self, item: SavedObject | None) -> tuple[tuple[str, ...], SavedObject | None]:
        """A path of pools, and what has them."""


class MachineReader:
    """Reads the machines of a folder."""

    def __init__(self, world: Places, report: Report) -> None:
        self._world = world
        self._report = report
        self._fields: dict[str, str] = {}
        for manager in world.of("CustomFieldsManager"):
            for field in manager.all("field/CustomFieldDef"):
                self._fields[field.text("key")] = field.text("name")

    def row(self, item: SavedObject) -> MachineRow:
        """The row of a machine."""
        host = self._world.get(item.text("runtime/host"))
        folder = self._world.get(item.text("parent"))
        guest_id = item.text("config/guestId")
        state = item.text("runtime/connectionState")
        if state and state != "connected":
            self._report.left("connection states of machines: they are connected as their hosts are", item.place)
        snapshots = list(_snapshots(item, item.all("snapshot/rootSnapshotList")))
        current = item.text("snapshot/currentSnapshot")
        disks, nics, cdroms = self._devices(item)
        return MachineRow(
            place=item.place,
            name=item.name,
            id=item.id,
            datacenter=self._world.datacenter(item),
            cluster=self._world.cluster(host),
            host=host.name if host is not None else "",
            folder=self._world.folders(item),
            folder_id=folder.id if folder is not None and self._world.folders(item) else None,
            pool=self._world.pool(self._world.get(item.text("resourcePool")))[0],
            power_state=words.POWER.get(item.text("runtime/powerState").lower(), Power.State.POWERED_OFF),
            template=bool(item.truth("config/template")),
            guest_OS=guest_of(guest_id) if guest_id else None,
            guest_text=guest_id,
            version=words.hardware_version(item.text("config/version")),
            upgrade_policy=_policy(item),
            firmware=words.FIRMWARE.get(item.text("config/firmware")),
            boot_delay=item.number("config/bootOptions/bootDelay"),
            boot_retry=item.truth("config/bootOptions/bootRetryEnabled"),
            boot_retry_delay=item.number("config/bootOptions/bootRetryDelay"),
            boot_setup=item.truth("config/bootOptions/enterBIOSSetup"),
            cpu_count=item.number("config/hardware/numCPU"),
            cores_per_socket=item.number("config/hardware/numCoresPerSocket"),
            cpu_hot_add=item.truth("config/cpuHotAddEnabled"),
            cpu_hot_remove=item.truth("config/cpuHotRemoveEnabled"),
            memory_size_MiB=item.number("config/hardware/memoryMB"),
            memory_hot_add=item.truth("config/memoryHotAddEnabled"),
            vmx_path=item.text("config/files/vmPathName") or None,
            bios_uuid=item.text("config/uuid") or None,
            instance_uuid=item.text("config/instanceUuid") or None,
            annotation=item.text("config/annotation"),
            host_name=item.text("guest/hostName") or None,
            guest_full_name=item.text("guest/guestFullName") or None,
            ip_addresses=tuple(filter(None, (item.text("guest/ipAddress"),))),
            needs_consolidation=bool(item.truth("runtime/consolidationNeeded")),
            tools=_tools(item),
            partitions=tuple(_partitions(item)),
            snapshots=tuple(snapshots),
            current_snapshot=next((at for at, each in enumerate(snapshots) if each.id == current), None),
            custom=self._custom(item),
            disks=tuple(disks),
            nics=tuple(nics),
            cdroms=tuple(cdroms),
        )

    def _custom(self, item: SavedObject) -> tuple[tuple[str, str], ...]:
        fields = dict(self._fields)
        for field in item.all("availableField/CustomFieldDef"):
            fields.setdefault(field.text("key"), field.text("name"))
        values = (
            (fields.get(each.text("key")), each.text("value")) for each in item.all("customValue/CustomFieldValue")
        )
        return tuple((name, value) for name, value in values if name and value)

    def _devices(self, item: SavedObject) -> tuple[list[DiskRow], list[NicRow], list[CdromRow]]:
        devices = item.all("config/hardware/device")
        controllers = {each.text("key"): each for each in devices if each.type in _CONTROLLERS}
        addresses = {each.text("macAddress").lower(): each for each in item.all("guest/net")}
        disks: list[DiskRow] = []
        nics: list[NicRow] = []
        cdroms: list[CdromRow] = []
        for device in devices:
            if device.type == "VirtualDisk":
                disks.append(self._disk(item, device, controllers))
            elif device.type in _NICS:
                nics.append(self._nic(item, device, addresses))
            elif device.type == "VirtualCdrom":
                cdroms.append(_cdrom(item, device, controllers))
            elif device.type not in _HELD and not any(word in device.type for word in _ALWAYS):
                self._report.left("devices that are neither disks, NICs nor CD-ROM drives", item.place)
        return disks, nics, cdroms

    def _disk(self, item: SavedObject, device: Node, controllers: dict[str, Node]) -> DiskRow:
        controller = controllers.get(device.text("controllerKey"))
        kind = _CONTROLLERS[controller.type] if controller is not None else (None, None)
        capacity = device.number("capacityInBytes")
        if capacity is None and (kilobytes := device.number("capacityInKB")) is not None:
            capacity = kilobytes << 10
        if "RawDisk" in (backing.type if (backing := device.first("backing")) is not None else ""):
            self._report.left("raw device mappings: they become disks with files", item.place)
        sharing = controller.text("sharedBus").lower() if controller is not None else ""
        return DiskRow(
            place=item.place.at("config.hardware.device"),
            label=device.text("deviceInfo/label"),
            key=device.text("key") if device.number("key") is not None else None,
            vmdk_file=device.text("backing/fileName") or None,
            capacity=capacity,
            bus_type=kind[0],
            bus=controller.number("busNumber") if controller is not None else None,
            unit=device.number("unitNumber"),
            scsi_type=kind[1],
            sharing=words.SHARING.get(sharing, Scsi.Sharing.NONE),
        )

    def _nic(self, item: SavedObject, device: Node, addresses: dict[str, Node]) -> NicRow:
        key = device.text("backing/port/portgroupKey") or device.text("backing/network")
        network = self._world.get(key)
        name = network.name if network is not None else unescaped(device.text("backing/deviceName"))
        mac = device.text("macAddress").lower()
        guest = addresses.get(mac)
        return NicRow(
            place=item.place.at("config.hardware.device"),
            network=name,
            network_id=network.id if network is not None else None,
            label=device.text("deviceInfo/label"),
            key=device.text("key") if device.number("key") is not None else None,
            adapter=_NICS[device.type],
            connected=device.truth("connectable/connected"),
            start_connected=device.truth("connectable/startConnected") is not False,
            mac_address=mac or None,
            mac_type=words.MAC_TYPES.get(device.text("addressType").lower()),
            ip_addresses=tuple(each.text() for each in guest.all("ipAddress")) if guest is not None else (),
        )


def _snapshots(item: SavedObject, trees: list[Node]) -> Iterator[SnapshotRow]:
    """The snapshots of trees, each before its children, whose parents are told by their places among all."""
    pending = [(tree, NO_PARENT) for tree in reversed(trees)]
    count = 0
    while pending:
        tree, above = pending.pop()
        yield SnapshotRow(
            place=item.place.at("snapshot"),
            name=unescaped(tree.text("name")),
            description=tree.text("description"),
            id=tree.text("snapshot") or None,
            parent=above,
            created_time=moment(tree.text("createTime")),
            memory=tree.text("state") == "poweredOn",
            quiesced=bool(tree.truth("quiesced")),
        )
        pending += [(child, count) for child in reversed(list(tree.all("childSnapshotList")))]
        count += 1


def moment(text: str) -> datetime | None:
    """A time as the API writes it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _partitions(item: SavedObject) -> Iterator[PartitionRow]:
    for disk in item.all("guest/disk"):
        capacity, free = disk.number("capacity"), disk.number("freeSpace")
        if disk.text("diskPath") and capacity is not None:
            path, left = disk.text("diskPath"), min(free or 0, capacity)
            yield PartitionRow(place=item.place.at("guest.disk"), path=path, capacity=capacity, free=left)


def _policy(item: SavedObject) -> Hardware.UpgradePolicy | None:
    return words.UPGRADE.get(item.text("config/scheduledHardwareUpgradeInfo/upgradePolicy").lower())


def _cdrom(item: SavedObject, device: Node, controllers: dict[str, Node]) -> CdromRow:
    controller = controllers.get(device.text("controllerKey"))
    kind = _CONTROLLERS[controller.type][0] if controller is not None else None
    known = controller is not None and kind in (Type.SATA, Type.IDE)
    file = device.text("backing/fileName")
    return CdromRow(
        place=item.place.at("config.hardware.device"),
        label=device.text("deviceInfo/label"),
        sata=kind is Type.SATA if known else None,
        bus=controller.number("busNumber") if known and controller is not None else None,
        unit=device.number("unitNumber") if known else None,
        iso_file=file if file.startswith("[") and "] " in file else None,
        connected=bool(device.truth("connectable/connected")),
        start_connected=bool(device.truth("connectable/startConnected")),
    )


def _tools(item: SavedObject) -> ToolsRow:
    status = next((_STATUSES[text] for path in _VERSIONS if (text := item.text(path)) in _STATUSES), None)
    old = item.text("guest/toolsStatus") == "toolsNotInstalled"
    return ToolsRow(
        place=item.place,
        installed=not (old if status is None else status is Tools.VersionStatus.NOT_INSTALLED),
        running=item.text("guest/toolsRunningStatus") == "guestToolsRunning",
        version_status=status,
        version_number=item.number("guest/toolsVersion") or None,
        upgrade_policy=words.TOOLS_POLICIES.get(item.text("config/tools/toolsUpgradePolicy").lower()),
        install_type=_INSTALLS.get(item.text("config/tools/toolsInstallType")),
    )
