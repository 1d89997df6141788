"""A virtual machine as a machine of a package: the inverse of :mod:`resphere.rules.machines.packaged`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resphere.contract.generated.vcenter_vm_hardware import Boot, Cdrom, Disk, Ethernet, Floppy
from resphere.inventory.contents import DiskContent
from resphere.inventory.model import Network, VirtualMachine
from resphere.ovf.machine import (
    Bus,
    Controller,
    Drive,
    Machine,
    MachineCdrom,
    MachineDisk,
    MachineFloppy,
    MachineNic,
    MachinePort,
)
from resphere.ovf.model import File
from resphere.ovf.vmdk import empty_size
from resphere.replica.table import Lookup
from resphere.rules.machines.guest_os_ids import vim_guest_id

STREAM_OPTIMIZED = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
PACKED = ".gz"
"""What the name of a file ends with that is compressed besides."""
ON_A_HOST = "vmware.serialport.device"
PARALLEL_ON_A_HOST = "vmware.parallelport.device"


def machine_of(inventory: Lookup, vm: VirtualMachine, name: str, disks_before: int = 0) -> Machine:
    """The VM under that name, each of its disks in a file of its own: ``name-1.vmdk`` and so on, as it came where its
    content came from a file. Of a package of several ``disks_before`` says how many disks the others have.

    Images of drives do not come along: the drive is a client's then.
    """
    drives = [*(_place(each) for each in vm.disks.values()), *(_place(each) for each in vm.cdroms.values())]
    return Machine(
        id=name,
        name=name,
        annotation=vm.annotation,
        guest_id=vim_guest_id(vm.guest_OS),
        hardware_version=vm.hardware.version,
        cpu_count=vm.cpu.count,
        cores_per_socket=vm.cpu.cores_per_socket,
        memory_MiB=vm.memory.size_MiB,
        cpu_hot_add_enabled=vm.cpu.hot_add_enabled,
        cpu_hot_remove_enabled=vm.cpu.hot_remove_enabled,
        memory_hot_add_enabled=vm.memory.hot_add_enabled,
        firmware=Boot.Type(vm.boot.type),
        boot_delay_ms=vm.boot.delay,
        boot_retry=vm.boot.retry,
        boot_retry_delay_ms=vm.boot.retry_delay,
        enter_setup_mode=vm.boot.enter_setup_mode,
        controllers=tuple(_controllers(vm, drives)),
        disks=tuple(
            [
                _disk(each, vm.disk_contents.get(key), f"{name}-{number}", disks_before + number)
                for number, (key, each) in enumerate(vm.disks.items(), 1)
            ]
        ),
        nics=tuple([_nic(inventory, each) for each in vm.nics.values()]),
        cdroms=tuple([_cdrom(each) for each in vm.cdroms.values()]),
        floppies=tuple([_floppy(each) for each in vm.floppies.values()]),
        serial_ports=tuple(
            [
                MachinePort(sub_type=ON_A_HOST, start_connected=each.start_connected, label=each.label)
                for each in vm.serial_ports.values()
            ]
        ),
        parallel_ports=tuple(
            [
                MachinePort(sub_type=PARALLEL_ON_A_HOST, start_connected=each.start_connected, label=each.label)
                for each in vm.parallel_ports.values()
            ]
        ),
    )


def _controllers(vm: VirtualMachine, drives: Iterable[Drive]) -> Iterator[Controller]:
    """The VM's adapters, and the channels of IDE that something is on."""
    for scsi in vm.scsi_adapters.values():
        yield Controller(kind=Bus.SCSI, bus=scsi.scsi.bus, scsi_type=scsi.type)
    for sata in vm.sata_adapters.values():
        yield Controller(kind=Bus.SATA, bus=sata.bus)
    for nvme in vm.nvme_adapters.values():
        yield Controller(kind=Bus.NVME, bus=nvme.bus)
    for bus in sorted({drive.bus for drive in drives if drive.kind is Bus.IDE}):
        yield Controller(kind=Bus.IDE, bus=bus)


def _place(device: Disk.Info | Cdrom.Info) -> Drive:
    if device.ide is not None:
        return Drive(kind=Bus.IDE, bus=0 if device.ide.primary else 1, unit=0 if device.ide.master else 1)
    address = device.sata or (device.scsi or device.nvme if isinstance(device, Disk.Info) else None)
    assert address is not None, "a drive is on some bus"
    return Drive(kind=Bus(device.type.value), bus=address.bus, unit=address.unit)


def _disk(disk: Disk.Info, content: DiskContent | None, name: str, number: int) -> MachineDisk:
    capacity = disk.capacity or 1
    file = File(id=f"file{number}", href=f"{name}.vmdk", size=empty_size(capacity))
    if content is not None:
        file = File(
            id=file.id,
            href=f"{file.href}{PACKED}" if content.compression else file.href,
            size=content.size_bytes,
            compression=content.compression,
            chunk_size=content.chunk_size,
        )
    return MachineDisk(
        id=f"vmdisk{number}",
        capacity=capacity,
        place=_place(disk),
        file=file,
        format=STREAM_OPTIMIZED if content is None else content.format,
        label=disk.label,
    )


def file_names(file: File, count: int) -> list[str]:
    """What the file is called of which there are so many pieces."""
    return [file.href] if file.chunk_size is None else [f"{file.href}.{number:09d}" for number in range(count)]


def _nic(inventory: Lookup, nic: Ethernet.Info) -> MachineNic:
    network = None if nic.backing.network is None else inventory.get(Network, nic.backing.network)
    return MachineNic(
        network=nic.backing.network_name if network is None else network.name,
        type=nic.type,
        mac_address=nic.mac_address,
        start_connected=nic.start_connected,
        wake_on_lan_enabled=nic.wake_on_lan_enabled,
        upt_compatibility_enabled=bool(nic.upt_compatibility_enabled),
        label=nic.label,
    )


def _cdrom(cdrom: Cdrom.Info) -> MachineCdrom:
    is_image = cdrom.backing.type is Cdrom.BackingType.ISO_FILE
    return MachineCdrom(
        place=_place(cdrom),
        backing=Cdrom.BackingType.CLIENT_DEVICE if is_image else cdrom.backing.type,
        start_connected=cdrom.start_connected and not is_image,
        label=cdrom.label,
    )


def _floppy(floppy: Floppy.Info) -> MachineFloppy:
    is_image = floppy.backing.type is Floppy.BackingType.IMAGE_FILE
    return MachineFloppy(
        backing=Floppy.BackingType.CLIENT_DEVICE if is_image else floppy.backing.type,
        start_connected=floppy.start_connected and not is_image,
        label=floppy.label,
    )
