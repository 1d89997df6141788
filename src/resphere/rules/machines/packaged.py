"""A machine of a package as the specification of a new VM.

What the package says is all there is: no default of the guest fills it up.
"""

from __future__ import annotations

from collections.abc import Mapping

from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import GuestOS
from resphere.contract.generated.vcenter_vm_hardware import (
    Boot,
    Cdrom,
    Cpu,
    Disk,
    Ethernet,
    Floppy,
    IdeAddressSpec,
    Memory,
    NvmeAddressSpec,
    SataAddressSpec,
    ScsiAddressSpec,
    Serial,
)
from resphere.contract.generated.vcenter_vm_hardware import Parallel as ParallelPort
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.inventory.model import Network
from resphere.ovf.machine import Bus, Drive, Machine, MachineCdrom, MachineDisk, MachineFloppy, MachineNic
from resphere.rules.hardware.ethernet import BACKING_OF_NETWORK
from resphere.rules.machines.guest_os_ids import guest_OS_of

Spec = vcenter.VM.CreateSpec
MANUAL = Ethernet.MacAddressType.MANUAL


def spec_of(machine: Machine, networks: Mapping[str, Network], policy: str | None = None) -> Spec:
    """What VM the machine becomes.

    ``networks`` are found by the package's names of them, and others chosen by the server; ``policy`` is the id of the
    storage policy for its home and disks.

    Guests that this vCenter does not know are others; firmware that is not said is BIOS, as in vSphere. Drives of
    images that lie in the package are a client's, until :func:`resphere.rules.machines.package_files.with_images`.
    """
    wanted = None if policy is None else Disk.StoragePolicySpec(policy=ids.VcenterStoragePolicyId(policy))
    return Spec(
        guest_OS=guest_OS_of(machine.guest_id) or GuestOS.OTHER,
        hardware_version=machine.hardware_version,
        boot=Boot.CreateSpec(
            type=machine.firmware or Boot.Type.BIOS,
            delay=machine.boot_delay_ms,
            retry=machine.boot_retry,
            retry_delay=machine.boot_retry_delay_ms,
            enter_setup_mode=machine.enter_setup_mode,
        ),
        cpu=Cpu.UpdateSpec(
            count=machine.cpu_count,
            cores_per_socket=machine.cores_per_socket,
            hot_add_enabled=machine.cpu_hot_add_enabled,
            hot_remove_enabled=machine.cpu_hot_remove_enabled,
        ),
        memory=Memory.UpdateSpec(size_MiB=machine.memory_MiB, hot_add_enabled=machine.memory_hot_add_enabled),
        disks=tuple([_disk(each, wanted) for each in machine.disks]),
        nics=tuple([_nic(each, networks) for each in machine.nics]),
        cdroms=tuple([_cdrom(each) for each in machine.cdroms]),
        floppies=tuple([_floppy(each) for each in machine.floppies]),
        serial_ports=tuple([Serial.CreateSpec(start_connected=each.start_connected) for each in machine.serial_ports]),
        parallel_ports=tuple(
            [ParallelPort.CreateSpec(start_connected=each.start_connected) for each in machine.parallel_ports]
        ),
        scsi_adapters=tuple(
            [
                Scsi.CreateSpec(type=each.scsi_type, bus=each.bus)
                for each in machine.controllers
                if each.kind is Bus.SCSI
            ]
        ),
        sata_adapters=tuple([Sata.CreateSpec(bus=each.bus) for each in machine.controllers if each.kind is Bus.SATA]),
        nvme_adapters=tuple([Nvme.CreateSpec(bus=each.bus) for each in machine.controllers if each.kind is Bus.NVME]),
        storage_policy=None if wanted is None else vcenter.VM.StoragePolicySpec(policy=wanted.policy),
    )


def _disk(disk: MachineDisk, policy: Disk.StoragePolicySpec | None) -> Disk.CreateSpec:
    place = disk.place
    return Disk.CreateSpec(
        type=place.kind,
        ide=_ide(place) if place.kind is Bus.IDE else None,
        scsi=ScsiAddressSpec(bus=place.bus, unit=place.unit) if place.kind is Bus.SCSI else None,
        sata=SataAddressSpec(bus=place.bus, unit=place.unit) if place.kind is Bus.SATA else None,
        nvme=NvmeAddressSpec(bus=place.bus, unit=place.unit) if place.kind is Bus.NVME else None,
        new_vmdk=Disk.VmdkCreateSpec(capacity=disk.capacity, storage_policy=policy),
    )


def _ide(place: Drive) -> IdeAddressSpec:
    return IdeAddressSpec(primary=place.bus == 0, master=place.unit == 0)


def _nic(nic: MachineNic, networks: Mapping[str, Network]) -> Ethernet.CreateSpec:
    network = None if nic.network is None else networks.get(nic.network)
    is_fast = nic.type is Ethernet.EmulationType.VMXNET3
    return Ethernet.CreateSpec(
        type=nic.type,
        upt_compatibility_enabled=nic.upt_compatibility_enabled if is_fast else None,
        mac_type=None if nic.mac_address is None else MANUAL,
        mac_address=nic.mac_address,
        wake_on_lan_enabled=nic.wake_on_lan_enabled,
        backing=(
            None
            if network is None
            else Ethernet.BackingSpec(type=BACKING_OF_NETWORK[network.type], network=ids.NetworkId(network.id))
        ),
        start_connected=nic.start_connected,
        allow_guest_control=True,
    )


def _cdrom(cdrom: MachineCdrom) -> Cdrom.CreateSpec:
    place = cdrom.place
    is_image = cdrom.backing is Cdrom.BackingType.ISO_FILE
    return Cdrom.CreateSpec(
        type=Cdrom.HostBusAdapterType(place.kind.value),
        ide=_ide(place) if place.kind is Bus.IDE else None,
        sata=SataAddressSpec(bus=place.bus, unit=place.unit) if place.kind is Bus.SATA else None,
        backing=Cdrom.BackingSpec(type=Cdrom.BackingType.CLIENT_DEVICE if is_image else cdrom.backing),
        start_connected=cdrom.start_connected and not is_image,
        allow_guest_control=True,
    )


def _floppy(floppy: MachineFloppy) -> Floppy.CreateSpec:
    is_image = floppy.backing is Floppy.BackingType.IMAGE_FILE
    return Floppy.CreateSpec(
        backing=Floppy.BackingSpec(type=Floppy.BackingType.CLIENT_DEVICE if is_image else floppy.backing),
        start_connected=floppy.start_connected and not is_image,
        allow_guest_control=True,
    )
