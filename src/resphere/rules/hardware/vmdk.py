"""VMDK files: the names and room of new ones, and finding existing ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from resphere.contract.errors import (
    InvalidArgument,
    NotFound,
    ResourceBusy,
    ResourceInaccessible,
    ResourceInUse,
    message,
)
from resphere.contract.generated.vcenter_vm_hardware import Disk
from resphere.inventory.mentions import named
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.relations import vms_of_datastore
from resphere.inventory.tables import is_of_file_names
from resphere.replica.replica import Replica
from resphere.rules.admission import no_room
from resphere.rules.files import disk_files, file_at, store_of
from resphere.rules.image_files import is_image
from resphere.rules.machines.guest_os_defaults import defaults_of
from resphere.rules.space import files_on, free_space

GIB = 1 << 30
LARGEST_BYTES = 62 << 40
"""The largest virtual disk of vSphere 7.0 and 8.0."""
LONGEST_NAME = 80


def new_file(inventory: Replica, vm: VirtualMachine, spec: Disk.VmdkCreateSpec) -> tuple[str, int]:
    """Path and capacity in bytes of the file that ``spec`` asks for, in the VM's own folder.

    :raises InvalidArgument: a name that no file can have, or a size that no disk can have.
    :raises ResourceInUse: there is a file of that name.
    :raises ResourceInaccessible: the datastore is.
    :raises UnableToAllocateResource: the datastore has no room.
    """
    capacity = defaults_of(vm.guest_OS).disk_size_GiB * GIB if spec.capacity is None else spec.capacity
    if not 0 < capacity <= LARGEST_BYTES:
        raise InvalidArgument(
            message(
                "resphere.vm.disk.capacity",
                "spec.new_vmdk.capacity: must be from 1 to {0} bytes, not {1}.",
                LARGEST_BYTES,
                capacity,
            )
        )
    path = new_path(inventory, vm, spec.name)
    store = inventory.get(Datastore, vm.datastore)
    if store is None or not store.accessible:
        raise ResourceInaccessible(
            message("resphere.vm.disk.inaccessible", "The datastore of {0} is not accessible.", named(vm))
        )
    free = free_space(inventory, store)
    if capacity > free:
        raise no_room(store, free, capacity)
    return path, capacity


def new_path(inventory: Replica, vm: VirtualMachine, name: str | None) -> str:
    """Where a file of that name goes; without a name the first free one of ``web.vmdk``, ``web_1.vmdk``, ..."""
    folder = vm.vmx_path.rpartition("/")[0]
    if name is None:
        stem = vm.vmx_path.rpartition("/")[2].removesuffix(".vmx")
        names: Iterator[str] = (f"{stem}_{number}" if number else stem for number in count())
    else:
        if not name.strip() or len(name) > LONGEST_NAME or not all(map(is_of_file_names, name)):
            raise InvalidArgument(
                message(
                    "resphere.vm.disk.name",
                    "spec.new_vmdk.name: must have 1 to {0} characters, and no slash, bracket or control character.",
                    LONGEST_NAME,
                )
            )
        names = iter((name,))
    taken, own = files_on(inventory, vm.datastore), disk_files(vm)
    paths = (f"{folder}/{each}.vmdk" for each in names)
    path = next((path for path in paths if path not in taken and path not in own), None)
    if path is None:
        raise ResourceInUse(message("resphere.vm.disk.file_exists", "The file {0}.vmdk exists.", f"{folder}/{name}"))
    return path


def existing_file(inventory: Replica, vm: VirtualMachine, backing: Disk.BackingSpec | None) -> tuple[str, int]:
    """Path and capacity in bytes of a file that is known, and a disk of no VM now.

    :raises NotFound: there is no such file on a datastore that the VM's host has mounted.
    :raises ResourceBusy: it is a disk of a VM.
    """
    path = (backing.vmdk_file if backing is not None else None) or ""
    if path in disk_files(vm):
        raise in_use(path, vm)
    store = mounted_store(inventory, vm, path)
    capacity = files_on(inventory, store.id).get(path) if store is not None else None
    if store is None or capacity is None or is_image(path):
        raise NotFound(message("resphere.vm.disk.no_file", "There is no VMDK file {0}.", path))
    if file_at(inventory, store.id, path) is not None:
        return path, capacity
    for other in vms_of_datastore(inventory, store):
        if any(disk.backing.vmdk_file == path for disk in other.disks.values()):
            raise in_use(path, other)
    return path, capacity


def in_use(path: str, vm: VirtualMachine) -> ResourceBusy:
    """The refusal of a file that a VM has as a disk."""
    return ResourceBusy(message("resphere.vm.disk.in_use", "The file {0} is a disk of {1}.", path, named(vm)))


def mounted_store(inventory: Replica, vm: VirtualMachine, path: str) -> Datastore | None:
    """The datastore that a path means on the VM's host."""
    return store_of(inventory, vm, path)
