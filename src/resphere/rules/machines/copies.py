"""What a clone, an instant clone or a move makes of a virtual machine: its files, its place, its identity. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

import msgspec

from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.mentions import named
from resphere.inventory.model import Datastore, Network, VirtualMachine
from resphere.replica.replica import Replica
from resphere.rules.files import store_of
from resphere.rules.hardware.ethernet import mac_address
from resphere.rules.hardware.families import DISKS, NICS
from resphere.rules.machines.new_machine import Identity, vmx_path
from resphere.rules.placement.resolution import Needs, Place
from resphere.rules.refusals import not_found
from resphere.uuids import new_uuid

DiskKey = ids.VcenterVmHardwareDiskId
Targets = Mapping[DiskKey, Datastore]
"""The datastore that each disk goes to."""


def targets(
    inventory: Replica,
    vm: VirtualMachine,
    home: str | None,
    wanted: Mapping[DiskKey, str | None],
    without: Collection[DiskKey] = (),
) -> Targets:
    """Where the disks go: to what ``wanted`` says of a disk, else to ``home``, else they stay on their datastore.

    :raises NotFound: the VM has no such disk, or there is no such datastore.
    :raises InvalidArgument: a disk is both moved and left ``without``.
    """
    for key in (*wanted, *without):
        if key not in vm.disks:
            raise NotFound(
                message("resphere.vm.hardware.no_device", "The virtual machine {0} has no disk {1}.", named(vm), key)
            )
        if key in wanted and key in without:
            raise InvalidArgument(
                message("resphere.vm.clone.disk_twice", "spec: the disk {0} is both to be removed and updated.", key)
            )
    found = {}
    for key in DISKS.keys(vm):
        if key not in without:
            found[key] = _store(inventory, vm, key, wanted.get(key) or home)
    return found


def _store(inventory: Replica, vm: VirtualMachine, key: DiskKey, wanted: str | None) -> Datastore:
    if wanted is not None:
        store = inventory.get(Datastore, wanted)
        if store is None:
            raise not_found(inventory.epoch, Datastore, wanted)
        return store
    store = store_of(inventory, vm, vm.disks[key].backing.vmdk_file or "") or inventory.get(Datastore, vm.datastore)
    if store is None:
        raise not_found(inventory.epoch, Datastore, vm.datastore)
    return store


def needs_of(inventory: Replica, vm: VirtualMachine, disks: Targets) -> Needs:
    """What the host must reach: the disks' datastores and the networks that still are."""
    networks = (nic.backing.network for nic in vm.nics.values())
    return Needs(
        networks=frozenset(id for id in networks if id is not None and inventory.get(Network, id) is not None),
        datastores=frozenset(store.id for store in disks.values()),
    )


def copied(
    inventory: Replica,
    source: VirtualMachine,
    id: str,
    name: str,
    place: Place,
    disks: Targets,
    identity: Identity,
) -> VirtualMachine:
    """A machine like ``source`` with an identity and files of its own, and those of the disks that ``disks`` has.

    As with vCenter 8.0: addresses of NICs are new but for those that somebody chose; snapshots are not copied.
    """
    path = vmx_path(inventory, place.datastore, name)
    vm = msgspec.structs.replace(
        source,
        id=id,
        name=name,
        parent=place.folder.id,
        resource_pool=ids.ResourcePoolId(place.resource_pool.id),
        host=ids.HostSystemId(place.host.id),
        datastore=ids.DatastoreId(place.datastore.id),
        bios_uuid=identity.bios_uuid,
        instance_uuid=identity.instance_uuid,
        vmx_path=path,
        template=False,
        snapshot=None,
        needs_consolidation=False,
        unmerged={},
        detached_vmdks={},
        disks=copied_disks(inventory, source, name, path, disks),
        boot_devices=boot_devices_with(source, disks),
    )
    return msgspec.structs.replace(vm, nics=new_addresses(vm))


def copied_disks(
    inventory: Replica, source: VirtualMachine, name: str, home: str, disks: Targets
) -> dict[DiskKey, Disk.Info]:
    """The disks with new files: ``web/web.vmdk``, ``web/web_1.vmdk``, in a folder on each datastore."""
    stems: dict[str, str] = {}
    made = {}
    for number, (key, store) in enumerate(disks.items()):
        if store.id not in stems:
            here = home if home.startswith(f"[{store.name}] ") else vmx_path(inventory, store, name)
            stems[store.id] = here.removesuffix(".vmx")
        path = f"{stems[store.id]}{f'_{number}' if number else ''}.vmdk"
        made[key] = with_file(source.disks[key], path)
    return made


def with_file(disk: Disk.Info, path: str) -> Disk.Info:
    """``disk`` with another file."""
    return msgspec.structs.replace(disk, backing=msgspec.structs.replace(disk.backing, vmdk_file=path))


def boot_devices_with(vm: VirtualMachine, disks: Collection[DiskKey]) -> tuple[Device.Entry, ...]:
    """The boot order without the disks that are not among ``disks``."""
    entries = []
    for entry in vm.boot_devices:
        if entry.disks is None:
            entries.append(entry)
        elif left := tuple(disk for disk in entry.disks if disk in disks):
            entries.append(msgspec.structs.replace(entry, disks=left))
    return tuple(entries)


def new_addresses(vm: VirtualMachine) -> dict[ids.VcenterVmHardwareEthernetId, Ethernet.Info]:
    """The NICs of a new machine; an address that was chosen by hand stays."""
    manual = Ethernet.MacAddressType.MANUAL
    return {
        key: nic
        if nic.mac_type is manual
        else msgspec.structs.replace(
            nic, mac_address=mac_address(vm, int(key) - NICS.first_key, nic.mac_type, None, None)
        )
        for key, nic in vm.nics.items()
    }


def moved(inventory: Replica, vm: VirtualMachine, place: Place, disks: Targets) -> VirtualMachine:
    """``vm`` at ``place``, its disks where ``disks`` says. Files that change their datastore get a folder there."""
    home = vm.vmx_path
    if place.datastore.id != vm.datastore:
        home = vmx_path(inventory, place.datastore, vm.name)
    stems: dict[str, str] = {place.datastore.id: home.removesuffix(".vmx")}
    made: dict[DiskKey, Disk.Info] = {}
    for number, (key, store) in enumerate(disks.items()):
        disk = vm.disks[key]
        path = disk.backing.vmdk_file or ""
        if store_of(inventory, vm, path) != store:
            if store.id not in stems:
                stems[store.id] = vmx_path(inventory, store, vm.name).removesuffix(".vmx")
            path = f"{stems[store.id]}{f'_{number}' if number else ''}.vmdk"
            while path in {other.backing.vmdk_file for other in (*vm.disks.values(), *made.values())}:
                number += len(disks)
                path = f"{stems[store.id]}_{number}.vmdk"
        made[key] = with_file(disk, path)
    return msgspec.structs.replace(
        vm,
        parent=place.folder.id,
        resource_pool=ids.ResourcePoolId(place.resource_pool.id),
        host=ids.HostSystemId(place.host.id),
        datastore=ids.DatastoreId(place.datastore.id),
        vmx_path=home,
        disks=made,
    )


def require_uuid(text: str, random_bytes: Callable[[int], bytes]) -> Identity:
    """An identity with a given BIOS UUID.

    :raises InvalidArgument: it is none.
    """
    try:
        bios = str(UUID(text))
    except ValueError:
        raise InvalidArgument(
            message("resphere.vm.clone.bios_uuid", "spec.bios_uuid: must be a UUID, not {0}.", text)
        ) from None
    return Identity(bios, new_uuid(random_bytes))
