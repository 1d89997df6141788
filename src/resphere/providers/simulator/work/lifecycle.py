"""The coming, going and moving of simulated virtual machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from resphere.inventory.customization import GuestCustomization
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.guest import GuestSystem
from resphere.inventory.model import UnregisteredVm, VirtualMachine
from resphere.providers.base import Work
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.image import fork, image
from resphere.providers.simulator.guest.keeping import copy_guest, move_guest
from resphere.providers.simulator.guest.tools import with_new_leases, with_system_of_disk
from resphere.providers.simulator.notes import Notes
from resphere.providers.simulator.work.power import started
from resphere.replica.replica import Replica
from resphere.rules.machines.power_states import powered_off


class Lifecycle:
    """Machines without a machine: what they are is what the inventory says, and their guests lie beside it."""

    def __init__(self, inventory: Replica, now: Callable[[], datetime], durations: Durations) -> None:
        self._inventory = inventory
        self._now = now
        self._durations = durations

    async def create(self, work: Work, vm: VirtualMachine) -> Facts:
        """A system that lies on the first disk is there."""
        return Facts(machine=with_system_of_disk(self._inventory, vm))

    async def delete(self, work: Work, vm: VirtualMachine) -> Facts:
        """The guest goes with the machine that it belongs to."""
        return NOTHING

    async def register(
        self, work: Work, vm: VirtualMachine, files: UnregisteredVm, snapshots: Mapping[str, str]
    ) -> Facts:
        """The guest lies in the files."""
        notes = Notes(self._inventory)
        move_guest(self._inventory, notes, files.machine.id, vm.id, snapshots)
        return notes.facts(vm)

    async def unregister(self, work: Work, vm: VirtualMachine) -> Facts:
        """The guest stays with the files."""
        return NOTHING

    async def clone(
        self,
        work: Work,
        source: VirtualMachine,
        vm: VirtualMachine,
        power_on: bool,
        customization: GuestCustomization | None,
    ) -> Facts:
        """A machine with a guest like the source's."""
        notes = Notes(self._inventory)
        copy_guest(self._inventory, notes, source.id, vm.id)
        if customization is not None:
            notes.put(customization)
        clone = powered_off(with_new_leases(vm))
        if power_on:
            clone = started(notes, clone, self._now(), self._durations)
        return notes.facts(clone)

    async def instant_clone(self, work: Work, source: VirtualMachine, vm: VirtualMachine) -> Facts:
        """A machine whose guest runs on from where the source's is."""
        notes = Notes(self._inventory)
        copy_guest(self._inventory, notes, source.id, vm.id)
        notes.put(fork(notes.get(GuestSystem, source.id) or image(source), source, vm.id))
        return notes.facts(with_new_leases(vm))

    async def relocate(self, work: Work, before: VirtualMachine, after: VirtualMachine) -> Facts:
        """Nothing is carried."""
        return NOTHING

    async def migrate(self, work: Work, vm: str, host: str) -> Facts:
        """Nothing is carried."""
        return NOTHING
