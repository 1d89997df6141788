"""Virtual devices as vCenter numbers and labels them: adapters, disks, NICs, CD-ROM drives, floppies, ports.

A device's key is its id in the API. vCenter derives it from the device's kind and place: the disk on SCSI 0:1 is
``2001``, the second NIC ``4001``.
"""

from __future__ import annotations

from functools import cache

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import (
    Cdrom,
    ConnectionState,
    Disk,
    Ethernet,
    Floppy,
    IdeAddressInfo,
    NvmeAddressInfo,
    SataAddressInfo,
    ScsiAddressInfo,
    Serial,
)
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi

SCSI_UNITS = tuple(unit for unit in range(16) if unit != 7)
"""Places on a SCSI adapter; the adapter itself is unit 7."""
SATA_UNITS = tuple(range(30))
NVME_UNITS = tuple(range(15))
BUSES = 4
"""Adapters of one kind that a VM may have."""

_FIRST_NIC_SLOT = 192
_FIRST_SCSI_SLOT = 160
_SATA_SLOT = 32
_NVME_SLOT = 224

SCSI, SATA = Disk.HostBusAdapterType.SCSI, Disk.HostBusAdapterType.SATA
NVME, IDE = Disk.HostBusAdapterType.NVME, Disk.HostBusAdapterType.IDE


def scsi_key(bus: int) -> ids.VcenterVmHardwareScsiAdapterId:
    """The key of the SCSI adapter on a bus."""
    return ids.VcenterVmHardwareScsiAdapterId(str(1000 + bus))


def sata_key(bus: int) -> ids.VcenterVmHardwareSataAdapterId:
    """The key of the SATA adapter on a bus."""
    return ids.VcenterVmHardwareSataAdapterId(str(15000 + bus))


def nvme_key(bus: int) -> ids.VcenterVmHardwareNvmeAdapterId:
    """The key of the NVMe adapter on a bus."""
    return ids.VcenterVmHardwareNvmeAdapterId(str(31000 + bus))


def disk_key(bus_type: Disk.HostBusAdapterType, bus: int, unit: int) -> ids.VcenterVmHardwareDiskId:
    """The key of the disk in a place; on IDE `bus` is 0 for primary, `unit` 0 for master."""
    first, units = {SCSI: (2000, 16), SATA: (16000, 30), NVME: (32000, 15), IDE: (3000, 2)}[bus_type]
    return ids.VcenterVmHardwareDiskId(str(first + units * bus + unit))


def cdrom_key(bus_type: Cdrom.HostBusAdapterType, bus: int, unit: int) -> ids.VcenterVmHardwareCdromId:
    """The key of the CD-ROM drive in a place; on IDE `bus` is 0 for primary, `unit` 0 for master."""
    sata = bus_type is Cdrom.HostBusAdapterType.SATA
    return ids.VcenterVmHardwareCdromId(str(16000 + 30 * bus + unit if sata else 3000 + 2 * bus + unit))


def nic_key(index: int) -> ids.VcenterVmHardwareEthernetId:
    """The key of the `index`-th NIC, from 0."""
    return ids.VcenterVmHardwareEthernetId(str(4000 + index))


def connection(connected: bool) -> ConnectionState:
    """The state of a device that is connected, or is not."""
    return ConnectionState.CONNECTED if connected else ConnectionState.NOT_CONNECTED


@cache
def scsi_adapter(type: Scsi.Type, bus: int = 0) -> Scsi.Info:
    """A SCSI adapter."""
    return Scsi.Info(
        label=f"SCSI controller {bus}",
        type=type,
        scsi=ScsiAddressInfo(bus=bus, unit=7),
        pci_slot_number=_FIRST_SCSI_SLOT + 32 * bus if type is not Scsi.Type.LSILOGIC else 16 + bus,
        sharing=Scsi.Sharing.NONE,
    )


@cache
def sata_adapter(bus: int = 0) -> Sata.Info:
    """A SATA adapter."""
    return Sata.Info(label=f"SATA controller {bus}", type=Sata.Type.AHCI, bus=bus, pci_slot_number=_SATA_SLOT + bus)


@cache
def nvme_adapter(bus: int = 0) -> Nvme.Info:
    """An NVMe adapter."""
    return Nvme.Info(label=f"NVME controller {bus}", bus=bus, pci_slot_number=_NVME_SLOT + 32 * bus)


@cache
def _scsi_address(bus: int, unit: int) -> ScsiAddressInfo:
    return ScsiAddressInfo(bus=bus, unit=unit)


@cache
def _sata_address(bus: int, unit: int) -> SataAddressInfo:
    return SataAddressInfo(bus=bus, unit=unit)


@cache
def _nvme_address(bus: int, unit: int) -> NvmeAddressInfo:
    return NvmeAddressInfo(bus=bus, unit=unit)


@cache
def _ide_address(bus: int, unit: int) -> IdeAddressInfo:
    return IdeAddressInfo(primary=bus == 0, master=unit == 0)


def disk(
    index: int, bus_type: Disk.HostBusAdapterType, bus: int, unit: int, vmdk_file: str, capacity: int
) -> Disk.Info:
    """The `index`-th disk of a VM, from 0; `capacity` in bytes."""
    label = f"Hard disk {index + 1}"
    backing = Disk.BackingInfo(type=Disk.BackingType.VMDK_FILE, vmdk_file=vmdk_file)
    if bus_type is SCSI:
        return Disk.Info(label=label, type=bus_type, scsi=_scsi_address(bus, unit), backing=backing, capacity=capacity)
    if bus_type is SATA:
        return Disk.Info(label=label, type=bus_type, sata=_sata_address(bus, unit), backing=backing, capacity=capacity)
    if bus_type is NVME:
        return Disk.Info(label=label, type=bus_type, nvme=_nvme_address(bus, unit), backing=backing, capacity=capacity)
    return Disk.Info(label=label, type=bus_type, ide=_ide_address(bus, unit), backing=backing, capacity=capacity)


def nic(
    index: int,
    type: Ethernet.EmulationType,
    mac_address: str,
    backing: Ethernet.BackingInfo,
    *,
    connected: bool,
    mac_type: Ethernet.MacAddressType = Ethernet.MacAddressType.ASSIGNED,
) -> Ethernet.Info:
    """The `index`-th NIC of a VM, from 0."""
    vmxnet3 = type is Ethernet.EmulationType.VMXNET3
    return Ethernet.Info(
        label=f"Network adapter {index + 1}",
        type=type,
        upt_compatibility_enabled=True if vmxnet3 else None,
        mac_type=mac_type,
        mac_address=mac_address,
        pci_slot_number=_FIRST_NIC_SLOT + 32 * index if vmxnet3 else 33 + index,
        wake_on_lan_enabled=True,
        backing=backing,
        state=connection(connected),
        start_connected=True,
        allow_guest_control=True,
    )


@cache
def cdrom(bus_type: Cdrom.HostBusAdapterType, iso_file: str | None, connected: bool) -> Cdrom.Info:
    """The first CD-ROM drive: SATA 0:0, or the master on the secondary IDE channel; without `iso_file` the client's."""
    if iso_file is None:
        backing = Cdrom.BackingInfo(
            type=Cdrom.BackingType.CLIENT_DEVICE, device_access_type=Cdrom.DeviceAccessType.PASSTHRU
        )
    else:
        backing = Cdrom.BackingInfo(type=Cdrom.BackingType.ISO_FILE, iso_file=iso_file)
    sata = bus_type is Cdrom.HostBusAdapterType.SATA
    return Cdrom.Info(
        type=bus_type,
        label="CD/DVD drive 1",
        sata=_sata_address(0, 0) if sata else None,
        ide=None if sata else _ide_address(1, 0),
        backing=backing,
        state=connection(connected and iso_file is not None),
        start_connected=iso_file is not None,
        allow_guest_control=True,
    )


FLOPPY_KEY = ids.VcenterVmHardwareFloppyId("8000")
SERIAL_KEY = ids.VcenterVmHardwareSerialPortId("9000")


@cache
def floppy() -> Floppy.Info:
    """A floppy drive, the client's, not connected."""
    return Floppy.Info(
        label="Floppy drive 1",
        backing=Floppy.BackingInfo(type=Floppy.BackingType.CLIENT_DEVICE),
        state=ConnectionState.NOT_CONNECTED,
        start_connected=False,
        allow_guest_control=True,
    )


@cache
def serial_port(network_location: str, connected: bool) -> Serial.Info:
    """A serial port that is a server at a network address: `telnet://:13370`."""
    return Serial.Info(
        label="Serial port 1",
        yield_on_poll=True,
        backing=Serial.BackingInfo(type=Serial.BackingType.NETWORK_SERVER, network_location=network_location),
        state=connection(connected),
        start_connected=True,
        allow_guest_control=True,
    )
