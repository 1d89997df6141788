"""Customizations that take their time: begun by a start, finished when they are due, whoever has begun them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from resphere.inventory.customization import GuestCustomization
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.guest.customizing import customize
from resphere.providers.simulator.work.due import Due
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


class Customizations:
    """What is under way in all guests."""

    def __init__(self, inventory: Replica, now: Callable[[], datetime]) -> None:
        self._inventory = inventory
        self._now = now
        self.due = Due(inventory, now, GuestCustomization, self._under_way, self._finish)

    def _under_way(self) -> Iterator[tuple[datetime, str]]:
        for found in self._inventory.by(GuestCustomization, "due", "yes").values():
            if found.due is not None:
                yield found.due, found.id

    async def _finish(self, machines: list[str]) -> None:
        def plan(edit: Edit) -> None:
            now = self._now()
            for machine in machines:
                current, vm = edit.get(GuestCustomization, machine), edit.get(VirtualMachine, machine)
                # Another worker may have been faster, or the machine may have been stopped meanwhile.
                if current is None or current.spec is None or current.due is None or current.due > now or vm is None:
                    continue
                edit.put(customize(edit, vm, current.spec, now, started=current.start_time, live=False))

        await self._inventory.change(plan)
