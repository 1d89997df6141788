"""Guests as they are stored, opened to be looked at or changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.inventory.guest import GuestContent, GuestNode, GuestSystem, content_id
from resphere.inventory.model import VirtualMachine
from resphere.inventory.states import GUEST_FILE, SavedState
from resphere.providers.base import NotReady, Outdated
from resphere.providers.simulator.guest.image import image, style_of
from resphere.providers.simulator.guest.keeping import put_system
from resphere.providers.simulator.guest.package import disc
from resphere.providers.simulator.guest.tree import Limits, Tree
from resphere.providers.simulator.notes import Documents
from resphere.replica.replica import Replica
from resphere.store.base import ContentMissing, Contents


class Systems:
    """All guests. Large contents of their files are in ``contents``, and go when the last guest that has them lets go
    of them."""

    def __init__(self, inventory: Replica, contents: Contents, limits: Limits) -> None:
        self._inventory = inventory
        self._contents = contents
        self._limits = limits
        self._at_hand: dict[str, bytes] = {}
        inventory.subscribe(GuestContent, self._forget)
        inventory.subscribe(SavedState, self._forget_state)

    def stored(self, vm: VirtualMachine) -> GuestSystem:
        """The guest as it is stored, or as it follows from the VM."""
        return self._inventory.get(GuestSystem, vm.id) or image(vm)

    def look(self, vm: VirtualMachine, now: datetime) -> Tree:
        """The guest's files, to be looked at."""
        return self._tree(vm, self.stored(vm), now, self._inventory.get)

    def open(self, notes: Documents, vm: VirtualMachine, now: datetime) -> tuple[GuestSystem, Tree]:
        """The guest and its files, to be changed."""
        system = notes.get(GuestSystem, vm.id) or image(vm)
        # Who changes the guest relies on the VM: it runs still, and is where and what it was.
        notes.rely_on(vm)
        return system, self._tree(vm, system, now, notes.get)

    def store(self, notes: Documents, system: GuestSystem, tree: Tree) -> None:
        """Write the guest with its files."""
        put_system(
            self._inventory, notes, msgspec.structs.replace(system, nodes=tree.own_nodes), tree.contents, tree.files
        )

    def filesystems(self, vm: VirtualMachine) -> dict[str, LocalFilesystem.Info]:
        """The guest's file systems by mount point: what its files have grown by is free no more."""
        found = vm.guest.filesystems if vm.guest is not None else {}
        system, stored = found.get(system_mount(vm)), self._inventory.get(GuestSystem, vm.id)
        if system is None or stored is None:
            return found
        grown = max(0, size_bytes(stored.nodes) - size_bytes(image(vm).nodes))
        left = msgspec.structs.replace(system, free_space=max(0, system.free_space - grown))
        return {**found, system_mount(vm): left}

    async def drop_unnamed(self, file: str) -> None:
        """Delete a large content unless a guest has it, or had it in a state that is kept."""
        await self._inventory.refresh()
        self._drop(file)

    def _forget(self, old: GuestContent | None, _new: GuestContent | None) -> None:
        # Whoever lets go of the last name, every worker hears of it; nobody can take it up again.
        if old is not None and old.file is not None:
            self._drop(old.file)

    def _forget_state(self, old: SavedState | None, new: SavedState | None) -> None:
        if old is not None and (new is None or new.guest_files != old.guest_files):
            for file in old.guest_files:
                self._drop(file)

    def _drop(self, file: str) -> None:
        inventory = self._inventory
        if not inventory.by(GuestContent, "file", file) and not inventory.by(SavedState, GUEST_FILE, file):
            self._contents.delete(file)

    def _read(self, file: str) -> bytes:
        """A large content, of which a program reads.

        :raises NotReady: it is not at hand.
        """
        data = self._at_hand.get(file)
        if data is None:
            raise NotReady(self._having(file))
        return data

    @asynccontextmanager
    async def _having(self, file: str) -> AsyncIterator[None]:
        """Have a large content at hand."""
        try:
            data = await self._contents.read(file)
        except ContentMissing as error:
            # Another worker has let go of it since this one has looked last.
            raise Outdated from error
        self._at_hand[file] = data
        try:
            yield
        finally:
            # Others who have it at hand ask again.
            self._at_hand.pop(file, None)

    def _tree(
        self,
        vm: VirtualMachine,
        system: GuestSystem,
        now: datetime,
        get: Callable[[type[GuestContent], str], GuestContent | None],
    ) -> Tree:
        def stored(name: str) -> bytes:
            content = get(GuestContent, content_id(vm.id, name))
            assert content is not None, f"the content {name} of {vm.id} is missing"
            return content.data if content.file is None else self._read(content.file)

        limits = msgspec.structs.replace(self._limits, disk_bytes=min(self._limits.disk_bytes, room_bytes(vm)))
        return Tree(style_of(vm), system.nodes, stored, now, limits, disc(self._inventory, vm))


def system_mount(vm: VirtualMachine) -> str:
    """Where the disk of the guest's system is mounted, on which all of its files are."""
    return "C:\\" if style_of(vm).windows else "/"


def room_bytes(vm: VirtualMachine) -> int:
    """What is free on that disk when the system is as it was installed."""
    filesystems = vm.guest.filesystems if vm.guest is not None else {}
    system = filesystems.get(system_mount(vm))
    return system.free_space if system is not None else 0


def size_bytes(nodes: Mapping[str, GuestNode]) -> int:
    """What files have in all."""
    return sum(node.size for node in nodes.values())
