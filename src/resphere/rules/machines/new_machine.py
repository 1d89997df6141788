"""A new virtual machine, from a spec and a place: what the spec leaves open is as vCenter proposes for the guest.

Pure: the devices are added one after the other by the same functions that add them to a VM that exists.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import msgspec

from resphere.contract.errors import InvalidArgument, ResourceBusy, ResourceInUse, Unsupported, message
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cdrom, Cpu, Disk, Memory
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.effects import Intent
from resphere.inventory.model import Datastore, DatastoreFile, UnregisteredVm, VirtualMachine
from resphere.inventory.tables import file_stem, home, vmx_claim
from resphere.replica.replica import Replica
from resphere.rules.candidates import Usable, anything
from resphere.rules.fields import within
from resphere.rules.hardware.addresses import UNITS, Bus, buses, used
from resphere.rules.hardware.boot import with_boot
from resphere.rules.hardware.boot_devices import with_boot_devices
from resphere.rules.hardware.cdrom import with_cdrom
from resphere.rules.hardware.cpu import with_cpu
from resphere.rules.hardware.disk import with_disk
from resphere.rules.hardware.ethernet import with_nic
from resphere.rules.hardware.families import DISKS, NICS
from resphere.rules.hardware.floppy import with_floppy
from resphere.rules.hardware.memory import with_memory
from resphere.rules.hardware.nvme import with_nvme_adapter
from resphere.rules.hardware.parallel import with_parallel
from resphere.rules.hardware.sata import with_sata_adapter
from resphere.rules.hardware.scsi import with_scsi_adapter
from resphere.rules.hardware.serial import with_serial
from resphere.rules.hardware.version import NEWEST
from resphere.rules.machines.guest_os_defaults import GuestDefaults, defaults_of
from resphere.rules.machines.proposals import boot_info, hardware_info
from resphere.rules.named_policies import named_policy
from resphere.rules.placement.resolution import Place
from resphere.rules.space import files_on
from resphere.rules.storage_policies import with_home_policy
from resphere.uuids import new_uuid

Hardware = vcenter_vm.Hardware
Tools = vcenter_vm.Tools
Spec = vcenter.VM.CreateSpec
S = TypeVar("S")

MOST_BUSES = 4
NO_TOOLS = Tools.Info(
    auto_update_supported=False,
    upgrade_policy=Tools.UpgradePolicy.MANUAL,
    version_status=Tools.VersionStatus.NOT_INSTALLED,
    run_state=Tools.RunState.NOT_RUNNING,
)
"""A new VM has no operating system yet."""
GUEST_SPECIFIC = ("boot", "cpu", "memory", "disks")
"""What of a spec has guest-specific defaults where it is unset."""


class Identity(msgspec.Struct, frozen=True):
    """What tells a VM from all others."""

    bios_uuid: str
    instance_uuid: str


def new_identity(random_bytes: Callable[[int], bytes]) -> Identity:
    """Two random UUIDs."""
    return Identity(new_uuid(random_bytes), new_uuid(random_bytes))


def new_machine(
    inventory: Replica, spec: Spec, id: str, name: str, place: Place, identity: Identity, usable: Usable = anything
) -> VirtualMachine:
    """The VM that ``spec`` asks for; networks that it leaves open are ``usable`` ones.

    :raises VapiError: what the spec asks for cannot be; see the functions of each kind of device.
    """
    version = spec.hardware_version or NEWEST
    require_supported(spec, version)
    vm = blank(
        id, name, place, defaults_of(spec.guest_OS), version, identity, vmx_path(inventory, place.datastore, name)
    )
    if spec.boot is not None:
        with within("boot"):
            vm = with_boot(vm, Boot.UpdateSpec(**msgspec.structs.asdict(spec.boot)))
    if spec.cpu is not None:
        with within("cpu"):
            vm = with_cpu(vm, spec.cpu)
    if spec.memory is not None:
        with within("memory"):
            vm = with_memory(vm, spec.memory)
    if spec.storage_policy is not None:
        policy = named_policy(inventory, spec.storage_policy.policy, "spec.storage_policy.policy")
        vm = with_home_policy(vm, policy)
    vm = with_storage(inventory, vm, spec)
    vm = with_each(vm, "nics", spec.nics, lambda vm, nic: with_nic(inventory, vm, nic, usable))
    vm = with_each(vm, "floppies", spec.floppies, with_floppy)
    vm = with_each(vm, "parallel_ports", spec.parallel_ports, with_parallel)
    vm = with_each(vm, "serial_ports", spec.serial_ports, with_serial)
    return with_boot_order(vm, spec.boot_devices or ())


def require_supported(spec: Spec, version: Hardware.Version) -> None:
    """Refuse hardware that no host offers, or that is too old for what the guest is proposed.

    :raises InvalidArgument: the version is too new.
    :raises Unsupported: it is too old for the guest, and something has a guest-specific default.
    """
    if version > NEWEST:
        raise InvalidArgument(
            message(
                "resphere.vm.create.hardware_version",
                "spec.hardware_version: must be at most {0}, not {1}.",
                NEWEST,
                version,
            )
        )
    oldest = defaults_of(spec.guest_OS).oldest_version
    if version < oldest and any(getattr(spec, field) is None for field in GUEST_SPECIFIC):
        raise Unsupported(
            message(
                "resphere.vm.create.guest_version",
                "The guest {0} needs the hardware version {1} or later, not {2}.",
                spec.guest_OS,
                oldest,
                version,
            )
        )


def blank(
    id: str, name: str, place: Place, proposed: GuestDefaults, version: Hardware.Version, identity: Identity, path: str
) -> VirtualMachine:
    """A VM that is off, without any device, with what is proposed for its guest."""
    return VirtualMachine(
        id=id,
        name=name,
        parent=place.folder.id,
        guest_OS=proposed.guest_OS,
        resource_pool=ids.ResourcePoolId(place.resource_pool.id),
        host=ids.HostSystemId(place.host.id),
        datastore=ids.DatastoreId(place.datastore.id),
        bios_uuid=identity.bios_uuid,
        instance_uuid=identity.instance_uuid,
        hardware=hardware_info(version),
        boot=boot_info(proposed.firmware),
        cpu=cpu_info(proposed.cpu_count),
        memory=Memory.Info(size_MiB=proposed.memory_size_MiB, hot_add_enabled=False),
        tools=NO_TOOLS,
        vmx_path=path,
    )


@cache
def cpu_info(count: int) -> Cpu.Info:
    """So many CPUs, each in a socket of its own."""
    return Cpu.Info(count=count, cores_per_socket=1, hot_add_enabled=False, hot_remove_enabled=False)


def vmx_path(inventory: Replica, datastore: Datastore, name: str) -> str:
    """Where the VM's files go: into a folder of its name, or with a number where there is such a folder."""
    stem = file_stem(name)
    folder, number = stem, 0
    while folder_exists(inventory, datastore, folder):
        number += 1
        folder = f"{stem}_{number}"
    return f"[{datastore.name}] {folder}/{folder}.vmx"


def folder_exists(inventory: Replica, datastore: Datastore, folder: str) -> bool:
    """Whether the datastore has a folder of that name with files of a VM, or left by one, or a disk that VMs share."""
    key = home(datastore.id, f"{folder}/")
    disk = f"[{datastore.name}] {folder}/{folder}.vmdk"
    vmx = vmx_claim(datastore.id, f"{folder}/{folder}.vmx")
    if disk in files_on(inventory, datastore.id) or inventory.by(Intent, "claim", vmx):
        return True
    return any(inventory.by(cls, "home", key) for cls in (VirtualMachine, UnregisteredVm, DatastoreFile))


def with_each(
    vm: VirtualMachine,
    field: str,
    specs: tuple[S, ...] | None,
    add: Callable[[VirtualMachine, S], tuple[VirtualMachine, str]],
) -> VirtualMachine:
    """``vm`` with a device for each of ``specs``, in their order; ``field`` is where they stand."""
    for position, spec in enumerate(specs or ()):
        with within(f"{field}[{position}]"):
            vm, _ = add(vm, spec)
    return vm


def with_storage(inventory: Replica, vm: VirtualMachine, spec: Spec) -> VirtualMachine:
    """``vm`` with its adapters, disks and CD-ROM drives.

    A list of adapters that is given is all there is; else those are added that disks and drives need.
    """
    vm = with_each(vm, "scsi_adapters", spec.scsi_adapters, with_scsi_adapter)
    vm = with_each(vm, "sata_adapters", spec.sata_adapters, with_sata_adapter)
    vm = with_each(vm, "nvme_adapters", spec.nvme_adapters, with_nvme_adapter)
    given = {Bus.SCSI: spec.scsi_adapters, Bus.SATA: spec.sata_adapters, Bus.NVME: spec.nvme_adapters}
    missing = {kind for kind, adapters in given.items() if adapters is None}
    disks = default_disks(vm) if spec.disks is None else spec.disks
    # Whoever asks for a certain place gets it before the others choose.
    for number in sorted(range(len(disks)), key=lambda number: not names_place(disks[number])):
        disk = disks[number]
        try:
            with within(f"disks[{number}]"):
                if Bus(disk.type or defaults_of(vm.guest_OS).disk_bus) in missing:
                    vm = with_adapter_for_disk(vm, disk)
                vm, _ = with_disk(inventory, vm, disk, number)
        except ResourceBusy as busy:
            # A file that another VM uses: create declares RESOURCE_IN_USE for what the disk service calls busy.
            raise ResourceInUse(*busy.messages) from None
    cdroms = spec.cdroms or ()
    for number in sorted(range(len(cdroms)), key=lambda number: not names_place(cdroms[number])):
        with within(f"cdroms[{number}]"):
            vm = with_drive(inventory, vm, cdroms[number], Bus.SATA in missing)
    return vm


def default_disks(vm: VirtualMachine) -> tuple[Disk.CreateSpec, ...]:
    """One disk of the size that is proposed for the guest; none where that is 0."""
    proposed = defaults_of(vm.guest_OS).disk_size_GiB
    return (Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec()),) if proposed else ()


def names_place(spec: Disk.CreateSpec | Cdrom.CreateSpec) -> bool:
    """Whether a spec asks for a certain place, not only for a bus."""
    if spec.ide is not None:
        return spec.ide.primary is not None and spec.ide.master is not None
    address = spec.sata
    if isinstance(spec, Disk.CreateSpec):
        address = spec.sata or spec.scsi or spec.nvme  # type: ignore[assignment]
    return address is not None and address.unit is not None


def with_adapter_for_disk(vm: VirtualMachine, spec: Disk.CreateSpec) -> VirtualMachine:
    """``vm`` with the adapter that the disk needs."""
    kind = Bus(spec.type or defaults_of(vm.guest_OS).disk_bus)
    address = spec.scsi or spec.sata or spec.nvme
    return with_adapter_for(vm, kind, address.bus if address is not None else None)


def with_drive(inventory: Replica, vm: VirtualMachine, spec: Cdrom.CreateSpec, may_add: bool) -> VirtualMachine:
    """``vm`` with the CD-ROM drive, on the guest's usual bus if it names none; ``may_add``: SATA adapters too."""
    usual = defaults_of(vm.guest_OS).cdrom_bus
    if spec.type is None and (may_add or usual is Cdrom.HostBusAdapterType.IDE):
        spec = msgspec.structs.replace(spec, type=usual)
    if spec.type is Cdrom.HostBusAdapterType.SATA and may_add:
        vm = with_adapter_for(vm, Bus.SATA, spec.sata.bus if spec.sata is not None else None)
    vm, _ = with_cdrom(inventory, vm, spec)
    return vm


def with_adapter_for(vm: VirtualMachine, kind: Bus, bus: int | None) -> VirtualMachine:
    """``vm`` with an adapter on ``bus``, or with a free unit on some bus, as far as adapters go."""
    there = buses(vm, kind)
    if bus is None:
        taken = [place for place in used(vm) if place.kind is kind]
        if len(taken) < len(there) * len(UNITS[kind]) or len(there) == MOST_BUSES:
            return vm
    elif bus in there or not 0 <= bus < MOST_BUSES:
        return vm
    if kind is Bus.SCSI:
        return with_scsi_adapter(vm, Scsi.CreateSpec(bus=bus))[0]
    if kind is Bus.SATA:
        return with_sata_adapter(vm, Sata.CreateSpec(bus=bus))[0]
    if kind is Bus.NVME:
        return with_nvme_adapter(vm, Nvme.CreateSpec(bus=bus))[0]
    return vm


def with_boot_order(vm: VirtualMachine, types: tuple[Device.EntryCreateSpec, ...]) -> VirtualMachine:
    """``vm`` with a boot order of kinds of devices: NICs and disks in the order of their keys.

    :raises InvalidArgument: a kind stands twice; NICs or disks, of which there are none.
    """
    entries: list[Device.Entry] = []
    if len({entry.type for entry in types}) < len(types):
        raise InvalidArgument(
            message("resphere.vm.create.boot_device_twice", "spec.boot_devices: each type may stand only once.")
        )
    for entry in types:
        kind = entry.type
        keys = NICS.keys(vm) if kind is Device.Type.ETHERNET else DISKS.keys(vm) if kind is Device.Type.DISK else None
        if keys == []:
            raise InvalidArgument(
                message(
                    "resphere.vm.create.no_boot_device",
                    "spec.boot_devices: {0} stands there, and the virtual machine has none.",
                    kind,
                )
            )
        if kind is Device.Type.ETHERNET:
            entries += [Device.Entry(type=kind, nic=nic) for nic in NICS.keys(vm)]
        elif kind is Device.Type.DISK:
            entries.append(Device.Entry(type=kind, disks=tuple(DISKS.keys(vm))))
        else:
            entries.append(Device.Entry(type=kind))
    return with_boot_devices(vm, tuple(entries))
