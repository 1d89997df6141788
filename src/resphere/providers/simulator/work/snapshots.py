"""Snapshots of simulated virtual machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from resphere.contract.generated import vcenter_vm
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.model import Snapshot, VirtualMachine
from resphere.providers.base import Work
from resphere.providers.simulator.guest.customizing import break_off_customization
from resphere.providers.simulator.guest.keeping import forget_kept_guest, keep_guest, revert_guest
from resphere.providers.simulator.notes import Notes
from resphere.replica.replica import Replica

ON = vcenter_vm.Power.State.POWERED_ON


class Snapshots:
    """A snapshot keeps the guest whole."""

    def __init__(self, inventory: Replica, now: Callable[[], datetime]) -> None:
        self._inventory = inventory
        self._now = now

    async def take(self, work: Work, vm: VirtualMachine, snapshot: Snapshot) -> Facts:
        """Keep the guest as it is."""
        notes = Notes(self._inventory)
        keep_guest(notes, vm.id, snapshot.id)
        return notes.facts()

    async def revert(self, work: Work, before: VirtualMachine, after: VirtualMachine, snapshot: Snapshot) -> Facts:
        """Bring the guest back, with its processes where the machine runs."""
        notes = Notes(self._inventory)
        why = f"{before.name} was reverted to a snapshot before it was done"
        break_off_customization(notes, before.id, self._now(), why)
        revert_guest(self._inventory, notes, before.id, snapshot.id, after.power_state is ON)
        return notes.facts()

    async def delete(self, work: Work, vm: VirtualMachine, snapshots: Sequence[str], consolidate: bool) -> Facts:
        """Forget the guests that they keep."""
        notes = Notes(self._inventory)
        for snapshot in snapshots:
            forget_kept_guest(self._inventory, notes, vm.id, snapshot)
        return notes.facts()

    async def consolidate(self, work: Work, vm: VirtualMachine) -> Facts:
        """There is nothing to merge."""
        return NOTHING
