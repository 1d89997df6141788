"""How a provider tells the inventory what has happened behind vCenter's back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from resphere.inventory.effects import CloneVm, CreateVm, InstantCloneVm, Intent, RegisterVm
from resphere.inventory.facts import Facts, ObservedMachine
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules import observations
from resphere.rules.settlement.settlement import Settlement
from resphere.rules.under_way import needing
from resphere.tasks.record import Task, busy_claim

NEW = (CreateVm, CloneVm, InstantCloneVm, RegisterVm)
"""What makes a machine."""


class Observations:
    """A :class:`resphere.providers.base.Inventory`.

    A machine at which work is under way, or that such work reads, is left to that work, which settles what the provider
    says in the end; then it is looked at again.
    """

    def __init__(self, replica: Replica, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._now = now

    async def machines(self) -> Mapping[str, VirtualMachine]:
        """The machines that the inventory knows at this moment, by id."""
        await self._replica.refresh()
        return self._replica.all(VirtualMachine)

    async def machine_changed(self, before: VirtualMachine, facts: Facts) -> None:
        """The machine is as ``facts`` say."""

        def plan(edit: Edit) -> None:
            if self._is_at_rest(edit, before):
                observations.changed(self._settlement(edit), before.id, facts)

        await self._replica.change(plan)

    async def machine_appeared(self, machine: ObservedMachine) -> str | None:
        """There is a machine that nobody made through vCenter; returns its id from now on."""

        def plan(edit: Edit) -> str | None:
            if self._is_intended(machine.bios_uuid):
                return None
            return observations.appeared(self._settlement(edit), machine).id

        return await self._replica.change(plan)

    async def machine_gone(self, before: VirtualMachine) -> None:
        """The machine is no more."""

        def plan(edit: Edit) -> None:
            if self._is_at_rest(edit, before) and not self._is_needed(edit, before):
                observations.gone(self._settlement(edit), before.id)

        await self._replica.change(plan)

    def _is_intended(self, bios_uuid: str) -> bool:
        """Whether a machine is being made."""
        effects = (intent.effect for intent in self._replica.all(Intent).values())
        return any(effect.vm.bios_uuid == bios_uuid for effect in effects if isinstance(effect, NEW))

    def _is_at_rest(self, edit: Edit, before: VirtualMachine) -> bool:
        """Whether nothing has been done with the machine since it was seen, and nothing is under way."""
        # The very object: it may have become another, and then again like this.
        if edit.get(VirtualMachine, before.id) is not before or self._replica.by(Task, "busy", before.id):
            return False
        edit.vacant(busy_claim(before.id))
        return True

    def _is_needed(self, edit: Edit, machine: VirtualMachine) -> bool:
        """Whether work is under way that reads the machine, and settles what has become of that."""
        return any(edit.get(Intent, intent.id) is not None for intent in needing(self._replica, machine))

    def _settlement(self, edit: Edit) -> Settlement:
        return Settlement(self._replica, edit, self._now())
