"""How a provider tells the inventory what has happened behind vCenter's back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from resphere.inventory.effects import Intent
from resphere.inventory.facts import Facts, ObservedMachine
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules import observations
from resphere.rules.settlement.settlement import Settlement
from resphere.tasks.record import Task


class Observations:
    """A :class:`resphere.providers.base.Inventory`.

    A machine at which work is under way is left to that work, which settles what the provider says in the end.
    """

    def __init__(self, replica: Replica, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._now = now

    def machines(self) -> Mapping[str, VirtualMachine]:
        """The machines that the inventory knows, by id."""
        return self._replica.all(VirtualMachine)

    async def machine_changed(self, id: str, facts: Facts) -> None:
        """The machine is as ``facts`` say."""

        def plan(edit: Edit) -> None:
            if not self._is_busy(id):
                observations.changed(self._settlement(edit), id, facts)

        await self._replica.change(plan)

    async def machine_appeared(self, machine: ObservedMachine) -> str:
        """There is a machine that nobody made through vCenter; returns the id that it has from now on."""
        return await self._replica.change(lambda edit: observations.appeared(self._settlement(edit), machine).id)

    async def machine_gone(self, id: str) -> None:
        """The machine is no more."""

        def plan(edit: Edit) -> None:
            if not self._is_busy(id):
                observations.gone(self._settlement(edit), id)

        await self._replica.change(plan)

    def intended(self) -> frozenset[str]:
        """The ids of machines that are being made."""
        effects = (intent.effect for intent in self._replica.all(Intent).values())
        return frozenset(effect.vm.id for effect in effects if hasattr(effect, "vm"))

    def _is_busy(self, id: str) -> bool:
        return bool(self._replica.by(Task, "busy", id))

    def _settlement(self, edit: Edit) -> Settlement:
        return Settlement(self._replica, edit, self._now())
