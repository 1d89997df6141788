"""How much room there is on datastores.

What files take follows from the VMs, their snapshots, the files that belong to none, and the items of content
libraries: it is never stored, and kept up to date by their changes. What snapshots add (delta and memory files) is
counted, but is no file that anybody could use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import LeavingLibrary, Library
from resphere.inventory.content.sessions import UpdateSession
from resphere.inventory.model import (
    Datastore,
    DatastoreFile,
    Host,
    ManagedObject,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.inventory.tables import datastore_name
from resphere.replica.derived import Derived
from resphere.replica.replica import Replica

MIB = 1 << 20
DELTA_PART = 16
"""Of how many parts of a disk its delta file takes one, from the taking of the snapshot on."""


def files_of(vm: VirtualMachine) -> dict[str, int]:
    """The VMDK files of a VM, in and out of use: path -> capacity in bytes."""
    paths = {disk.backing.vmdk_file: disk.capacity or 0 for disk in vm.disks.values()}
    return {**vm.detached_vmdks, **{path: capacity for path, capacity in paths.items() if path is not None}}


def delta_bytes(capacity: int) -> int:
    """What the delta file of a disk of that capacity is taken to have."""
    return -(-capacity // DELTA_PART)


def snapshot_room(snapshot: Snapshot) -> dict[str, int]:
    """What a snapshot adds beside what it keeps: path of a file in the same folder -> bytes.

    A delta file for each disk beside it, and the memory beside the VMX file.
    """
    if not snapshot.takes_room:
        return {}
    state = snapshot.state
    room = {path: delta_bytes(disk.capacity or 0) for disk in state.disks.values() if (path := disk.backing.vmdk_file)}
    return {**room, state.vmx_path: state.memory.size_MiB * MIB} if snapshot.memory else room


def unmerged_room(vm: VirtualMachine) -> dict[str, int]:
    """What delta files of deleted snapshots still take, that were not merged: path of the disk -> bytes."""
    found = ((vm.disks[key].backing.vmdk_file, size) for key, size in vm.unmerged.items() if key in vm.disks)
    return {path: size for path, size in found if path is not None}


class ContentObjects(msgspec.Struct, frozen=True):
    """What of content libraries takes room on datastores."""

    libraries: Iterable[Library | LeavingLibrary] = ()
    items: Iterable[LibraryItem] = ()
    sessions: Iterable[UpdateSession] = ()


class FileLedger:
    """The files on each datastore: path -> capacity in bytes. A file counts once, however many objects hold it.

    A path means the datastore of its name that the VM's host has mounted; others may have that name elsewhere. Files
    on none are passed over.
    """

    def __init__(self) -> None:
        self.sizes: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """By the datastore's id."""
        self.used: defaultdict[str, int] = defaultdict(int)
        """The sum of them and of what snapshots add, by the datastore's id."""
        self._shared: dict[tuple[str, str], list[int]] = {}
        """The sizes that its holders know of a file, of those that several hold."""
        self._names: dict[str, str] = {}
        self._mounts: dict[str, tuple[str, ...]] = {}
        self._by_name: dict[str, dict[str, str]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._snapshots_of: dict[str, set[str]] = {}
        self._hosts: dict[str, str] = {}
        """The hosts of VMs that have snapshots."""
        self._libraries: dict[str, str | None] = {}
        """The datastores of content libraries, also of some that are no more."""
        self._items: dict[str, str] = {}
        """The libraries of items, also of some that are no more."""
        self._sound = False

    @property
    def is_sound(self) -> bool:
        """Whether all this is true; else it is to be counted anew."""
        return self._sound

    def count(
        self,
        hosts: Iterable[Host],
        datastores: Iterable[Datastore],
        vms: Iterable[VirtualMachine],
        snapshots: Iterable[Snapshot] = (),
        files: Iterable[DatastoreFile] = (),
        unregistered: Iterable[UnregisteredVm] = (),
        content: ContentObjects | None = None,
    ) -> FileLedger:
        """Count everything anew."""
        for kept in (self.sizes, self.used, self._shared, self._by_name, self._snapshots, self._snapshots_of):
            kept.clear()
        for names in (self._hosts, self._libraries, self._items):
            names.clear()
        self._names = {store.id: store.name for store in datastores}
        self._mounts = {host.id: host.datastores for host in hosts}
        of: dict[str | None, list[Snapshot]] = {}
        for snapshot in snapshots:
            of.setdefault(snapshot.parent, []).append(snapshot)
        for vm in vms:
            self._add(self._placed(vm.host, files_of(vm)))
            self._take(self._placed(vm.host, unmerged_room(vm)))
            for snapshot in of.get(vm.id, ()):
                self._take_snapshot(snapshot, vm.host)
        for file in files:
            self._add(self._file(file))
        for other in unregistered:
            self._add(self._unregistered(other))
            self._take(self._beside_unregistered(other))
        if content is not None:
            self._count_content(content)
        self._sound = True
        return self

    def _count_content(self, content: ContentObjects) -> None:
        self._libraries.update((library.id, library.datastore) for library in content.libraries)
        for item in content.items:
            self._items[item.id] = item.library
            self._take(self._of_item(item))
        for session in content.sessions:
            self._take(self._of_session(session))

    def vm_changed(self, old: VirtualMachine | None, new: VirtualMachine | None) -> None:
        """A VM came, went or changed."""
        if not self._sound or (old is not None and new is not None and _same_files(old, new)):
            return
        self._sound = False  # until this is done
        if old is not None:
            self._remove(self._placed(old.host, files_of(old)))
            self._give_back(self._placed(old.host, unmerged_room(old)))
        if new is not None:
            self._add(self._placed(new.host, files_of(new)))
            self._take(self._placed(new.host, unmerged_room(new)))
            if new.id in self._hosts and self._hosts[new.id] != new.host:
                self._move_snapshots(new)
        self._sound = True

    def snapshot_changed(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """A snapshot came, went or changed."""
        if not self._sound or (old is not None and new is not None and old.state is new.state):
            return
        self._sound = False
        if old is not None:
            self._forget_snapshot(old.id)
        if new is not None:
            self._take_snapshot(new, self._hosts.get(new.state.id, new.state.host))
        self._sound = True

    def file_changed(self, old: DatastoreFile | None, new: DatastoreFile | None) -> None:
        """A file that belongs to no VM came, went or changed."""
        if self._sound:
            self._sound = False
            self._remove(self._file(old) if old is not None else ())
            self._add(self._file(new) if new is not None else ())
            self._sound = True

    def unregistered_changed(self, old: UnregisteredVm | None, new: UnregisteredVm | None) -> None:
        """The files of an unregistered VM came, went or changed."""
        if self._sound:
            self._sound = False
            self._remove(self._unregistered(old) if old is not None else ())
            self._give_back(self._beside_unregistered(old) if old is not None else ())
            self._add(self._unregistered(new) if new is not None else ())
            self._take(self._beside_unregistered(new) if new is not None else ())
            self._sound = True

    def library_changed(self, old: Library | None, new: Library | None) -> None:
        """A content library came, went or changed. Of one that goes the items go too, before or after."""
        if old is not None and new is not None and old.datastore != new.datastore:
            self._sound = False
        elif new is not None:
            self._libraries[new.id] = new.datastore

    def leaving_library_changed(self, old: LeavingLibrary | None, new: LeavingLibrary | None) -> None:
        """A deleted library has items yet, or has none any more."""
        if new is not None and self._libraries.get(new.id) != new.datastore:
            self._sound = False

    def item_changed(self, old: LibraryItem | None, new: LibraryItem | None) -> None:
        """An item of a content library came, went or changed."""
        if self._sound:
            self._give_back(self._of_item(old) if old is not None else ())
            if new is not None:
                self._items[new.id] = new.library
                self._take(self._of_item(new))

    def session_changed(self, old: UpdateSession | None, new: UpdateSession | None) -> None:
        """Files that are sent to an item came or went."""
        if self._sound:
            self._give_back(self._of_session(old) if old is not None else ())
            self._take(self._of_session(new) if new is not None else ())

    def host_changed(self, old: Host | None, new: Host | None) -> None:
        """A host came, went or changed."""
        if new is None or (old is not None and old.datastores != new.datastores):
            self._sound = False
        elif old is None:
            self._mounts[new.id] = new.datastores
            self._by_name.pop(new.id, None)

    def datastore_changed(self, old: Datastore | None, new: Datastore | None) -> None:
        """A datastore came, went or changed."""
        if old is None or new is None or old.name != new.name:
            # One that is mounted already, under a name that paths have: whoever counts on that must look again.
            self._sound = False

    def _placed(self, host: str, files: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
        stores = self._by_name.get(host)
        if stores is None:
            mounts = self._mounts.get(host, ())
            stores = self._by_name[host] = {self._names[id]: id for id in mounts if id in self._names}
        return _located(files, stores)

    def _file(self, file: DatastoreFile) -> Iterator[tuple[str, str, int]]:
        store = file.parent or ""
        if store in self._names:
            yield store, f"[{self._names[store]}] {file.name}", file.capacity

    def _unregistered(self, vm: UnregisteredVm) -> Iterator[tuple[str, str, int]]:
        files = {path: size for snapshot in vm.snapshots for path, size in files_of(snapshot.state).items()}
        return _located({**files, **files_of(vm.machine)}, vm.datastores)

    def _beside_unregistered(self, vm: UnregisteredVm) -> Iterator[tuple[str, str, int]]:
        for room in (unmerged_room(vm.machine), *map(snapshot_room, vm.snapshots)):
            yield from _located(room, vm.datastores)

    def _of_item(self, item: LibraryItem) -> Iterator[tuple[str, str, int]]:
        return self._of_content(item.library, item.size_bytes)

    def _of_session(self, session: UpdateSession) -> Iterator[tuple[str, str, int]]:
        library = self._items.get(session.item)
        if library is None:
            # It came with its item, of which the ledger has not heard yet.
            self._sound = False
            return iter(())
        return self._of_content(library, session.taken_bytes)

    def _of_content(self, library: str, size: int) -> Iterator[tuple[str, str, int]]:
        if library not in self._libraries:
            self._sound = False
        store = self._libraries.get(library)
        if store is not None:
            yield store, "", size

    def _take_snapshot(self, snapshot: Snapshot, host: str) -> None:
        vm = snapshot.state.id
        self._snapshots[snapshot.id] = snapshot
        self._snapshots_of.setdefault(vm, set()).add(snapshot.id)
        self._hosts[vm] = host
        # The files are where the VM is now; it may have gone to another host since.
        self._add(self._placed(host, files_of(snapshot.state)))
        self._take(self._placed(host, snapshot_room(snapshot)))

    def _forget_snapshot(self, id: str) -> None:
        snapshot = self._snapshots.pop(id, None)
        if snapshot is None:
            return
        vm = snapshot.state.id
        self._remove(self._placed(self._hosts[vm], files_of(snapshot.state)))
        self._give_back(self._placed(self._hosts[vm], snapshot_room(snapshot)))
        self._snapshots_of[vm].discard(id)
        if not self._snapshots_of[vm]:
            del self._snapshots_of[vm], self._hosts[vm]

    def _move_snapshots(self, vm: VirtualMachine) -> None:
        before, self._hosts[vm.id] = self._hosts[vm.id], vm.host
        for id in self._snapshots_of[vm.id]:
            snapshot = self._snapshots[id]
            files, room = files_of(snapshot.state), snapshot_room(snapshot)
            self._remove(self._placed(before, files))
            self._give_back(self._placed(before, room))
            self._add(self._placed(vm.host, files))
            self._take(self._placed(vm.host, room))

    def _take(self, room: Iterable[tuple[str, str, int]]) -> None:
        for store, _, size in room:
            self.used[store] += size

    def _give_back(self, room: Iterable[tuple[str, str, int]]) -> None:
        for store, _, size in room:
            self.used[store] -= size

    def _add(self, files: Iterable[tuple[str, str, int]]) -> None:
        for store, path, size in files:
            present = self.sizes[store].get(path)
            if present is not None:
                self._shared.setdefault((store, path), [present]).append(size)
                # The largest counts: a VM's disk may have grown since a snapshot was taken.
                size = max(size, present)
            self._set(store, path, size)

    def _remove(self, files: Iterable[tuple[str, str, int]]) -> None:
        for store, path, size in files:
            known = self._shared.get((store, path), [size])
            known.remove(size)
            if known:
                self._set(store, path, max(known))
            else:
                self.used[store] -= self.sizes[store].pop(path)
            if len(known) == 1:
                del self._shared[store, path]

    def _set(self, store: str, path: str, size: int) -> None:
        sizes = self.sizes[store]
        self.used[store] += size - sizes.get(path, 0)
        sizes[path] = size


def _located(files: Mapping[str, int], stores: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    for path, size in files.items():
        store = stores.get(datastore_name(path))
        if store is not None:
            yield store, path, size


def _same_files(old: VirtualMachine, new: VirtualMachine) -> bool:
    return old.host == new.host and (
        (old.disks is new.disks or old.disks == new.disks)
        and old.detached_vmdks == new.detached_vmdks
        and old.unmerged == new.unmerged
    )


def content_of(inventory: Replica) -> ContentObjects:
    """What of the inventory's content libraries takes room."""
    return ContentObjects(
        [*inventory.all(Library).values(), *inventory.all(LeavingLibrary).values()],
        inventory.all(LibraryItem).values(),
        inventory.all(UpdateSession).values(),
    )


def files_among(objects: Iterable[ManagedObject], content: ContentObjects | None = None) -> FileLedger:
    """The files of an inventory that is not in a replica."""
    found = tuple(objects)
    return FileLedger().count(
        [obj for obj in found if isinstance(obj, Host)],
        [obj for obj in found if isinstance(obj, Datastore)],
        [obj for obj in found if isinstance(obj, VirtualMachine)],
        [obj for obj in found if isinstance(obj, Snapshot)],
        [obj for obj in found if isinstance(obj, DatastoreFile)],
        [obj for obj in found if isinstance(obj, UnregisteredVm)],
        content,
    )


FILES = Derived(
    FileLedger,
    {
        Host: FileLedger.host_changed,
        Datastore: FileLedger.datastore_changed,
        VirtualMachine: FileLedger.vm_changed,
        Snapshot: FileLedger.snapshot_changed,
        DatastoreFile: FileLedger.file_changed,
        UnregisteredVm: FileLedger.unregistered_changed,
        Library: FileLedger.library_changed,
        LeavingLibrary: FileLedger.leaving_library_changed,
        LibraryItem: FileLedger.item_changed,
        UpdateSession: FileLedger.session_changed,
    },
)


def _files(inventory: Replica) -> FileLedger:
    files = inventory.derived(FILES)
    if not files.is_sound:
        files.count(
            inventory.all(Host).values(),
            inventory.all(Datastore).values(),
            inventory.all(VirtualMachine).values(),
            inventory.all(Snapshot).values(),
            inventory.all(DatastoreFile).values(),
            inventory.all(UnregisteredVm).values(),
            content_of(inventory),
        )
    return files


def files_on(inventory: Replica, datastore_id: str) -> Mapping[str, int]:
    """The VMDK files on a datastore: path -> capacity in bytes."""
    return _files(inventory).sizes.get(datastore_id, {})


def used_in(inventory: Replica) -> Mapping[str, int]:
    """What files take on each datastore of the inventory, by id, in bytes; 0 where none are known."""
    return _files(inventory).used


def free_space(inventory: Replica, datastore: Datastore) -> int:
    """What is left on the datastore, in bytes."""
    return max(0, datastore.capacity - datastore.other_used - used_in(inventory).get(datastore.id, 0))


def disk_bytes(objects: Iterable[ManagedObject]) -> dict[str, int]:
    """The capacity of all VMDK files on each datastore, by id. Files elsewhere are passed over."""
    return dict(files_among(objects).used)
