"""Items of hardware written: in the order and with the words that vCenter has for them."""

from __future__ import annotations

from lxml import etree

from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Ethernet, Floppy
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.ovf.machine import Allocation, Bus, Controller, Drive, Machine, MachineNic, MachinePort
from resphere.ovf.model import File
from resphere.ovf.names import OVF_1, RASD, VMW, ResourceType
from resphere.ovf.text import xml_text

_OVF = f"{{{OVF_1}}}"
_RASD = f"{{{RASD}}}"
_VMW = f"{{{VMW}}}"

_SCSI = {
    Scsi.Type.LSILOGIC: "lsilogic",
    Scsi.Type.LSILOGICSAS: "lsilogicsas",
    Scsi.Type.PVSCSI: "VirtualSCSI",
    Scsi.Type.BUSLOGIC: "buslogic",
}
_NICS = {
    Ethernet.EmulationType.E1000: "E1000",
    Ethernet.EmulationType.E1000E: "E1000e",
    Ethernet.EmulationType.PCNET32: "PCNet32",
    Ethernet.EmulationType.VMXNET: "VmxNet",
    Ethernet.EmulationType.VMXNET2: "VmxNet2",
    Ethernet.EmulationType.VMXNET3: "VmxNet3",
}
_CDROMS = {
    Cdrom.BackingType.ISO_FILE: "vmware.cdrom.iso",
    Cdrom.BackingType.HOST_DEVICE: "vmware.cdrom.atapi",
    Cdrom.BackingType.CLIENT_DEVICE: "vmware.cdrom.remotepassthrough",
}
_FLOPPIES = {
    Floppy.BackingType.IMAGE_FILE: "vmware.floppy.image",
    Floppy.BackingType.HOST_DEVICE: "vmware.floppy.device",
    Floppy.BackingType.CLIENT_DEVICE: "vmware.floppy.remotedevice",
}
_CONTROLLERS = {
    Bus.IDE: (ResourceType.IDE, "IDE Controller"),
    Bus.SCSI: (ResourceType.SCSI, "SCSI Controller"),
    Bus.SATA: (ResourceType.OTHER_STORAGE, "SATA Controller"),
    Bus.NVME: (ResourceType.OTHER_STORAGE, "NVMe Controller"),
}
_FIRST_UNIT_OF_NICS = 7


class HardwareWriter:
    """Writes the items of a machine into its hardware section."""

    def __init__(self, section: etree._Element, preserve_mac: bool) -> None:
        self._section = section
        self._preserve_mac = preserve_mac
        self._written = 0
        self._controllers: dict[tuple[Bus, int], str] = {}

    def write(self, machine: Machine) -> None:
        """All of them."""
        self._write_cpus(machine)
        self._write_memory(machine)
        for controller in machine.controllers:
            self._write_controller(controller)
        for disk in machine.disks:
            fields = self._on(disk.place) | {"HostResource": f"ovf:/disk/{disk.id}"}
            self._item(ResourceType.DISK, disk.label or "Hard disk", fields)
        for cdrom in machine.cdroms:
            fields = self._on(cdrom.place) | _behind(_CDROMS[cdrom.backing], cdrom.file, cdrom.start_connected)
            self._item(ResourceType.CDROM, cdrom.label or "CD/DVD drive", fields, required=False)
        for number, nic in enumerate(machine.nics):
            self._write_nic(number, nic)
        for floppy in machine.floppies:
            fields = _behind(_FLOPPIES[floppy.backing], floppy.file, floppy.start_connected)
            self._item(ResourceType.FLOPPY, floppy.label or "Floppy drive", fields, required=False)
        for port in machine.serial_ports:
            self._write_port(ResourceType.SERIAL, port, "Serial port")
        for port in machine.parallel_ports:
            self._write_port(ResourceType.PARALLEL, port, "Parallel port")
        for other in machine.other_devices:
            self._item(
                other.resource_type, other.label or "Device", {"ResourceSubType": other.sub_type}, required=False
            )

    def _write_cpus(self, machine: Machine) -> None:
        item = self._item(
            ResourceType.CPU,
            f"{machine.cpu_count} virtual CPU(s)",
            {
                "AllocationUnits": "hertz * 10^6",
                "Description": "Number of Virtual CPUs",
                "VirtualQuantity": str(machine.cpu_count),
            }
            | _allocation(machine.cpu_allocation),
        )
        if machine.cores_per_socket != 1:
            cores = etree.SubElement(item, f"{_VMW}CoresPerSocket", {f"{_OVF}required": "false"})
            cores.text = str(machine.cores_per_socket)

    def _write_memory(self, machine: Machine) -> None:
        self._item(
            ResourceType.MEMORY,
            f"{machine.memory_MiB}MB of memory",
            {
                "AllocationUnits": "byte * 2^20",
                "Description": "Memory Size",
                "VirtualQuantity": str(machine.memory_MiB),
            }
            | _allocation(machine.memory_allocation),
        )

    def _write_controller(self, controller: Controller) -> None:
        resource_type, description = _CONTROLLERS[controller.kind]
        sub_type = {
            Bus.IDE: "",
            Bus.SCSI: _SCSI[controller.scsi_type or Scsi.Type.LSILOGIC],
            Bus.SATA: "vmware.sata.ahci",
            Bus.NVME: "vmware.nvme.controller",
        }[controller.kind]
        self._item(
            resource_type,
            f"{description} {controller.bus}",
            {"Address": str(controller.bus), "Description": description, "ResourceSubType": sub_type},
        )
        self._controllers[controller.kind, controller.bus] = str(self._written)

    def _write_nic(self, number: int, nic: MachineNic) -> None:
        fields = {
            "AddressOnParent": str(_FIRST_UNIT_OF_NICS + number),
            "AutomaticAllocation": "true" if nic.start_connected else "false",
            "Connection": nic.network or "",
            "ResourceSubType": "" if nic.type is None else _NICS[nic.type],
        }
        if self._preserve_mac and nic.mac_address is not None:
            fields["Address"] = nic.mac_address
        item = self._item(ResourceType.ETHERNET, nic.label or f"Network adapter {number + 1}", fields)
        self._setting(item, "uptCompatibilityEnabled", nic.upt_compatibility_enabled)
        self._setting(item, "wakeOnLanEnabled", nic.wake_on_lan_enabled)

    def _write_port(self, resource_type: int, port: MachinePort, name: str) -> None:
        fields = {
            "AutomaticAllocation": "true" if port.start_connected else "false",
            "ResourceSubType": port.sub_type,
        }
        self._item(resource_type, port.label or name, fields, required=False)

    def _on(self, place: Drive) -> dict[str, str]:
        return {"AddressOnParent": str(place.unit), "Parent": self._controllers[place.kind, place.bus]}

    def _item(self, resource_type: int, name: str, fields: dict[str, str], *, required: bool = True) -> etree._Element:
        """An item, whose elements stand in the order of the alphabet, as the schema wants; empty ones do not."""
        self._written += 1
        attributes = {} if required else {f"{_OVF}required": "false"}
        item = etree.SubElement(self._section, f"{_OVF}Item", attributes)
        all_fields = fields | {
            "ElementName": name,
            "InstanceID": str(self._written),
            "ResourceType": str(resource_type),
        }
        for local, text in sorted(all_fields.items()):
            if text:
                etree.SubElement(item, f"{_RASD}{local}").text = xml_text(text)
        return item

    @staticmethod
    def _setting(item: etree._Element, key: str, value: bool) -> None:
        etree.SubElement(
            item,
            f"{_VMW}Config",
            {f"{_OVF}required": "false", f"{_VMW}key": key, f"{_VMW}value": "true" if value else "false"},
        )


def write_allocations(section: etree._Element, cpu: Allocation, memory: Allocation) -> None:
    """What a vApp has of the resources, as the items of its section."""
    for instance, (kind, units, allocation) in enumerate(
        ((ResourceType.CPU, "hertz * 10^6", cpu), (ResourceType.MEMORY, "byte * 2^20", memory))
    ):
        fields = {
            "AllocationUnits": units,
            "ElementName": f"{allocation.reservation or 0} reservation",
            "InstanceID": str(instance),
            "ResourceType": str(kind),
        } | _allocation(allocation)
        item = etree.SubElement(section, f"{_OVF}Item")
        for local, text in sorted(fields.items()):
            etree.SubElement(item, f"{_RASD}{local}").text = text


def _behind(sub_type: str, file: File | None, start_connected: bool) -> dict[str, str]:
    return {
        "AutomaticAllocation": "true" if start_connected else "false",
        "HostResource": "" if file is None else f"ovf:/file/{file.id}",
        "ResourceSubType": sub_type,
    }


def _allocation(allocation: Allocation) -> dict[str, str]:
    amounts = (("Limit", allocation.limit), ("Reservation", allocation.reservation), ("Weight", allocation.shares))
    return {name: str(amount) for name, amount in amounts if amount is not None}
