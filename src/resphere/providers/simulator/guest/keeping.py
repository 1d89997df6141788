"""What becomes of simulated guests when their machines stop, are copied, kept by snapshots or come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from resphere.inventory.guest import GuestContent, GuestSystem, GuestTransfer, content_id
from resphere.providers.simulator.notes import Documents
from resphere.replica.replica import Replica


def put_system(
    inventory: Replica, notes: Documents, system: GuestSystem, contents: Mapping[str, bytes], files: Iterable[str] = ()
) -> None:
    """Write a guest with its new ``contents`` (digest -> bytes) and ``files`` (large ones), and drop those that nobody
    has any more."""
    notes.put(system)
    machine, wanted = system.machine, contents_of(system)
    for digest, data in contents.items():
        if digest in wanted:
            notes.put(GuestContent(id=content_id(machine, digest), machine=machine, data=data))
    for name in files:
        if name in wanted:
            notes.put(GuestContent(id=content_id(machine, name), machine=machine, file=name))
    drop_unused(inventory, notes, system.machine)


def contents_of(system: GuestSystem) -> set[str]:
    """The contents that a guest's files have: digests, and names of large ones."""
    names = (node.digest or node.file for node in system.nodes.values())
    return {name for name in names if name is not None}


def drop_unused(inventory: Replica, notes: Documents, machine: str) -> None:
    """Delete the contents that neither the guest nor a snapshot of it has, as the notes leave them."""
    stored = inventory.by(GuestContent, "machine", machine)
    if not stored:
        return
    used: set[str] = set()
    for identity in {machine, *inventory.by(GuestSystem, "machine", machine)}:
        system = notes.get(GuestSystem, identity)
        used |= contents_of(system) if system is not None else set()
    for content in list(stored):
        if content.rpartition("/")[2] not in used and notes.get(GuestContent, content) is not None:
            notes.delete(GuestContent, content)


def keep_guest(notes: Documents, machine: str, snapshot: str) -> None:
    """Keep a VM's guest with a snapshot."""
    system = notes.get(GuestSystem, machine)
    if system is not None:
        # Whoever changes its files at this moment may let go of contents that nobody else has.
        notes.rely_on(system)
        notes.put(msgspec.structs.replace(system, id=snapshot))


def forget_kept_guest(inventory: Replica, notes: Documents, machine: str, snapshot: str) -> None:
    """Forget the guest that a snapshot kept."""
    if notes.get(GuestSystem, snapshot) is not None:
        notes.delete(GuestSystem, snapshot)
        drop_unused(inventory, notes, machine)


def revert_guest(inventory: Replica, notes: Documents, machine: str, snapshot: str, running: bool) -> None:
    """Bring a VM's guest back to what a snapshot kept; ``running``: with the processes that it had."""
    kept, current = notes.get(GuestSystem, snapshot), notes.get(GuestSystem, machine)
    boot = current.boot + 1 if current is not None else 0
    if kept is not None:
        back = msgspec.structs.replace(kept, id=machine, boot=max(boot, kept.boot + 1))
        notes.put(back if running else back.restarted())
    elif current is not None:
        notes.delete(GuestSystem, machine)
    drop_unused(inventory, notes, machine)
    for transfer in list(inventory.by(GuestTransfer, "machine", machine)):
        notes.delete(GuestTransfer, transfer)


def stop_guest(inventory: Replica, notes: Documents, machine: str, keeps_processes: bool = False) -> None:
    """Have a guest's transfers end, and its processes too unless it is only suspended."""
    system = notes.get(GuestSystem, machine)
    if system is not None:
        stopped = system if keeps_processes else system.restarted()
        notes.put(msgspec.structs.replace(stopped, boot=system.boot + 1))
    for transfer in list(inventory.by(GuestTransfer, "machine", machine)):
        notes.delete(GuestTransfer, transfer)


def copy_guest(inventory: Replica, notes: Documents, source: str, machine: str) -> None:
    """Give the VM ``machine`` the files of the guest of the VM or snapshot ``source``, without processes."""
    system = notes.get(GuestSystem, source)
    if system is None:
        return
    notes.put(msgspec.structs.replace(system.restarted(), id=machine, machine=machine, boot=0))
    for name in contents_of(system):
        content = notes.get(GuestContent, content_id(system.machine, name))
        assert content is not None, f"the content {name} of {system.machine} is missing"
        # Of a file the name is copied: it must be there still when that is committed.
        notes.rely_on(content)
        notes.put(msgspec.structs.replace(content, id=content_id(machine, name), machine=machine))


def move_guest(inventory: Replica, notes: Documents, old: str, machine: str, snapshots: Mapping[str, str]) -> None:
    """Give the VM ``machine`` the guest of ``old``, which is no more; ``snapshots``: old ids -> new ones."""
    for system in list(inventory.by(GuestSystem, "machine", old).values()):
        notes.delete(GuestSystem, system.id)
        identity = machine if system.id == old else snapshots.get(system.id)
        if identity is not None:
            notes.put(msgspec.structs.replace(system, id=identity, machine=machine))
    for content in list(inventory.by(GuestContent, "machine", old).values()):
        notes.delete(GuestContent, content.id)
        moved = content_id(machine, content.id.rpartition("/")[2])
        notes.put(msgspec.structs.replace(content, id=moved, machine=machine))
