"""What becomes of files when virtual machines change, go or come back.

A file on a datastore is a disk of a VM, or an object of its own: a VMDK that was taken out of a VM stays behind as a
:class:`~resphere.inventory.model.DatastoreFile`, and a VM that is unregistered as an
:class:`~resphere.inventory.model.UnregisteredVm`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from typing import TypeVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, Ethernet, Floppy, Parallel, Serial
from resphere.inventory.contents import DiskContent
from resphere.inventory.model import Datastore, DatastoreFile, Host, Network, Snapshot, UnregisteredVm, VirtualMachine
from resphere.inventory.relations import vms_of_datastore
from resphere.inventory.tables import datastore_name, path_on_datastore
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.admission import admit
from resphere.rules.belongings import STAY_WITH_FILES
from resphere.rules.space import files_of, files_on

D = TypeVar("D", Cdrom.Info, Disk.Info, Floppy.Info, Parallel.Info, Serial.Info)
STANDARD = Ethernet.BackingType.STANDARD_PORTGROUP


def disk_files(vm: VirtualMachine) -> dict[str, int]:
    """The files of the VM's disks: path -> capacity in bytes."""
    disks = vm.disks.values()
    return {disk.backing.vmdk_file: disk.capacity or 0 for disk in disks if disk.backing.vmdk_file is not None}


def contents_by_path(vm: VirtualMachine) -> dict[str, DiskContent]:
    """What the files of the VM's disks hold, of those that are not empty."""
    found: dict[str, DiskContent] = {}
    for key, content in vm.disk_contents.items():
        disk = vm.disks.get(key)
        if disk is not None and disk.backing.vmdk_file is not None:
            found[disk.backing.vmdk_file] = content
    return found


def stores_of(inventory: Replica, vm: VirtualMachine) -> dict[str, Datastore]:
    """The datastores that the names in the VM's paths mean: those its host has mounted, by name."""
    host = inventory.get(Host, vm.host)
    mounted = (inventory.get(Datastore, id) for id in (host.datastores if host is not None else ()))
    return {store.name: store for store in mounted if store is not None}


def store_of(inventory: Replica, vm: VirtualMachine, path: str) -> Datastore | None:
    """The datastore that a path of the VM means."""
    name, home = datastore_name(path), inventory.get(Datastore, vm.datastore)
    # Hosts may have mounted many, and most files lie where the VM does.
    return home if home is not None and home.name == name else stores_of(inventory, vm).get(name)


def file_at(inventory: Replica, datastore: str, path: str) -> DatastoreFile | None:
    """The file of that path, ``[datastore] folder/file``, if it is a disk of no VM; ``datastore`` is the id."""
    found = inventory.by(DatastoreFile, "path", f"{datastore}/{path_on_datastore(path)}")
    return next(iter(found.values()), None)


def settle(inventory: Replica, edit: Edit, before: VirtualMachine | None, after: VirtualMachine | None) -> None:
    """Have files follow a VM that comes (``before`` is ``None``), changes or is deleted (``after`` is ``None``).

    New files are admitted to their datastores. What is no disk of the VM any more stays as a file of its own, and what
    has become one is no more such a file. Not for a VM that moves to other datastores: its files go along.

    :raises UnableToAllocateResource: there is no room for the new files.
    """
    had = disk_files(before) if before is not None else {}
    has = disk_files(after) if after is not None else {}
    if had == has and after is not None:
        return
    if after is not None:
        _take_up(inventory, edit, after, had, has)
        left = {path: size for path, size in had.items() if path not in has}
        _leave(inventory, edit, after, left, contents_by_path(before) if before is not None else {})
    elif before is not None:
        _leave(inventory, edit, before, {p: size for p, size in before.detached_vmdks.items() if p not in had}, {})


def room_by_store(inventory: Replica, vm: VirtualMachine, rooms: Iterable[Mapping[str, int]]) -> Counter[str]:
    """What takes room beside files of the VM, by the datastore's id, in bytes; ``rooms``: path -> bytes."""
    found: Counter[str] = Counter()
    for room in rooms:
        for path, size in room.items():
            store = store_of(inventory, vm, path)
            if store is not None:
                found[store.id] += size
    return found


def still_unmerged(before: VirtualMachine, after: VirtualMachine) -> VirtualMachine:
    """``after``, which ``before`` becomes, with the unmerged files of those disks that are the same ones."""
    if not before.unmerged:
        return after
    files = {key: disk.backing.vmdk_file for key, disk in before.disks.items()}
    same = {key for key, disk in after.disks.items() if disk.backing.vmdk_file == files.get(key)}
    kept = {key: size for key, size in before.unmerged.items() if key in same}
    return msgspec.structs.replace(after, unmerged=kept)


def taken_by_another(
    inventory: Replica, before: VirtualMachine, after: VirtualMachine
) -> tuple[str, VirtualMachine] | None:
    """A file that would become a disk of the VM again and is one of another VM now, with that."""
    had = disk_files(before)
    for path in disk_files(after):
        store = store_of(inventory, after, path) if path not in had else None
        # Whoever takes a file out of a VM leaves an object; where there is none, it has been taken up.
        if store is None or file_at(inventory, store.id, path) is not None:
            continue
        for other in vms_of_datastore(inventory, store):
            if other.id != before.id and path in disk_files(other):
                return path, other
    return None


def _take_up(
    inventory: Replica, edit: Edit, vm: VirtualMachine, had: Mapping[str, int], has: Mapping[str, int]
) -> None:
    growth: defaultdict[str, int] = defaultdict(int)
    for path, size in has.items():
        store = store_of(inventory, vm, path)
        if store is None or had.get(path) == size:
            continue
        file = file_at(inventory, store.id, path)
        if file is not None:
            edit.delete(DatastoreFile, file.id)
        growth[store.id] += max(0, size - files_on(inventory, store.id).get(path, 0))
    admit(inventory, edit, growth)


def _leave(
    inventory: Replica, edit: Edit, vm: VirtualMachine, files: Mapping[str, int], contents: Mapping[str, DiskContent]
) -> None:
    for path, size in files.items():
        store = store_of(inventory, vm, path)
        if store is not None and file_at(inventory, store.id, path) is None:
            edit.put(
                DatastoreFile(
                    id=edit.new_id(DatastoreFile.id_prefix),
                    name=path_on_datastore(path),
                    parent=store.id,
                    capacity=size,
                    content=contents.get(path),
                )
            )


def unregister(inventory: Replica, edit: Edit, vm: VirtualMachine, lost: Container[str] = ()) -> None:
    """Take the VM and its snapshots out of the inventory; its files stay, but for those on the ``lost`` datastores."""
    snapshots = tuple(inventory.by(Snapshot, "parent", vm.id).values())
    paths = [vm.vmx_path, *files_of(vm), *(path for snapshot in snapshots for path in files_of(snapshot.state))]
    named = {datastore_name(path) for path in paths}
    stores = stores_of(inventory, vm).items()
    datastores = {name: ids.DatastoreId(store.id) for name, store in stores if name in named and store.id not in lost}
    for snapshot in snapshots:
        edit.delete(Snapshot, snapshot.id, leaving=STAY_WITH_FILES)
    edit.delete(VirtualMachine, vm.id, leaving=STAY_WITH_FILES)
    edit.put(
        UnregisteredVm(
            id=edit.new_id(UnregisteredVm.id_prefix),
            name=path_on_datastore(vm.vmx_path),
            parent=vm.datastore,
            machine=vm,
            snapshots=snapshots,
            datastores=datastores,
        )
    )


def registered(
    inventory: Replica,
    files: UnregisteredVm,
    state: VirtualMachine,
    id: str,
    snapshots: Mapping[str, str],
    placed: Mapping[str, str],
) -> VirtualMachine:
    """An unregistered VM as it will be back under a new ``id``; ``state`` is what its files say, or its snapshots'.

    ``snapshots`` tells new ids by old ones; ``placed`` are its name, folder, host and resource pool. Its paths get the
    names that its datastores have now, and NICs lose networks that are no more.
    """
    names = {}
    for old, datastore in files.datastores.items():
        store = inventory.get(Datastore, datastore)
        if store is not None and store.name != old:
            names[old] = store.name
    return msgspec.structs.replace(
        without_lost_networks(inventory, with_datastores_named(state, names)),
        **placed,
        id=id,
        snapshot=snapshots.get(state.snapshot or ""),
    )


def without_lost_networks(inventory: Replica, vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with NICs on networks that exist, or on none."""

    def kept(nic: Ethernet.Info) -> Ethernet.Info:
        if nic.backing.network is None or inventory.get(Network, nic.backing.network) is not None:
            return nic
        # A standard backing must have a name, even where nobody knows it any more.
        name = nic.backing.network_name or "" if nic.backing.type is STANDARD else None
        backing = msgspec.structs.replace(nic.backing, network=None, network_name=name)
        return msgspec.structs.replace(nic, backing=backing)

    nics = {key: kept(nic) for key, nic in vm.nics.items()}
    return vm if nics == vm.nics else msgspec.structs.replace(vm, nics=nics)


def with_datastores_named(vm: VirtualMachine, names: Mapping[str, str]) -> VirtualMachine:
    """``vm`` with other names of datastores in its paths: old name -> new name."""
    if not names:
        return vm

    def renamed(path: str) -> str:
        name = datastore_name(path)
        return f"[{names[name]}] {path_on_datastore(path)}" if name in names else path

    def with_file(device: D, field: str) -> D:
        path = getattr(device.backing, field)
        if path is None:
            return device
        backing = msgspec.structs.replace(device.backing, **{field: renamed(path)})
        return msgspec.structs.replace(device, backing=backing)

    return msgspec.structs.replace(
        vm,
        vmx_path=renamed(vm.vmx_path),
        cdroms={key: with_file(device, "iso_file") for key, device in vm.cdroms.items()},
        floppies={key: with_file(device, "image_file") for key, device in vm.floppies.items()},
        serial_ports={key: with_file(device, "file") for key, device in vm.serial_ports.items()},
        parallel_ports={key: with_file(device, "file") for key, device in vm.parallel_ports.items()},
        disks={key: with_file(disk, "vmdk_file") for key, disk in vm.disks.items()},
        detached_vmdks={renamed(path): size for path, size in vm.detached_vmdks.items()},
    )
