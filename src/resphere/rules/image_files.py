"""Files of CD-ROM drives that came with a machine and lie beside it: they go with the last machine that has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from resphere.inventory.contents import DiskContent
from resphere.inventory.model import Datastore, DatastoreFile, UnregisteredVm, VirtualMachine
from resphere.inventory.relations import vms_with_images_on
from resphere.inventory.tables import home, path_on_datastore
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.admission import admit
from resphere.rules.files import file_at, store_of

IMAGE_END = ".iso"


def is_image(path: str) -> bool:
    """Whether the file of that path is an image of a drive, and no disk."""
    return path.endswith(IMAGE_END)


def put_images(inventory: Replica, edit: Edit, vm: VirtualMachine, images: Mapping[str, DiskContent]) -> None:
    """Have the files be on their datastores, which come with a new machine.

    :raises UnableToAllocateResource: there is no room for them.
    """
    growth: Counter[str] = Counter()
    for path, content in images.items():
        store = store_of(inventory, vm, path)
        if store is not None:
            growth[store.id] += content.capacity
            edit.put(
                DatastoreFile(
                    id=edit.new_id(DatastoreFile.id_prefix),
                    name=path_on_datastore(path),
                    parent=store.id,
                    capacity=content.capacity,
                    content=content if content.parts else None,
                )
            )
    admit(inventory, edit, growth)


def drop_images(inventory: Replica, edit: Edit, vm: VirtualMachine) -> None:
    """Delete what lay beside a machine that is deleted, or was in its drives, and no other one has."""
    found = {file.id: (store, file) for store, file in (*_beside(inventory, vm), *_in_drives(inventory, vm))}
    for store, file in found.values():
        if not _is_of_another(inventory, edit, vm, store, file):
            edit.delete(DatastoreFile, file.id)


def _beside(inventory: Replica, vm: VirtualMachine) -> Iterator[tuple[Datastore, DatastoreFile]]:
    store = inventory.get(Datastore, vm.datastore)
    for file in inventory.by(DatastoreFile, "home", home(vm.datastore, vm.vmx_path)).values():
        if store is not None and is_image(file.name):
            yield store, file


def _in_drives(inventory: Replica, vm: VirtualMachine) -> Iterator[tuple[Datastore, DatastoreFile]]:
    for path in _paths(vm):
        store = store_of(inventory, vm, path)
        file = None if store is None else file_at(inventory, store.id, path)
        if store is not None and file is not None and is_image(file.name):
            yield store, file


def _paths(vm: VirtualMachine) -> frozenset[str]:
    return frozenset(drive.backing.iso_file for drive in vm.cdroms.values() if drive.backing.iso_file is not None)


def _is_of_another(inventory: Replica, edit: Edit, vm: VirtualMachine, store: Datastore, file: DatastoreFile) -> bool:
    folder, path = home(store.id, file.name), f"[{store.name}] {file.name}"
    if inventory.by(UnregisteredVm, "home", folder):
        return True
    beside = inventory.by(VirtualMachine, "home", folder).values()
    having = (other for other in vms_with_images_on(inventory, store) if path in _paths(other))
    # Several machines may go at once.
    return any(other.id != vm.id and edit.get(VirtualMachine, other.id) for other in (*beside, *having))
