"""Customizations that take their time: begun by a start, finished when they are due, whoever has begun them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from resphere.inventory.customization import GuestCustomization, finished
from resphere.inventory.edit import Edit
from resphere.inventory.model import VirtualMachine
from resphere.inventory.replica import Replica
from resphere.providers.simulator.guest.customizing import customize

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""After a failure of the store."""


class Customizations:
    """What is under way in all guests stands in the store: it outlives every worker, and any of them may finish it."""

    def __init__(self, inventory: Replica, now: Callable[[], datetime]) -> None:
        self._inventory = inventory
        self._now = now
        self._changed = asyncio.Event()
        inventory.subscribe(GuestCustomization, lambda _old, _new: self._changed.set())

    async def run(self) -> None:
        """Finish each when it is due, until canceled."""
        while True:
            self._changed.clear()
            try:
                await self.finish_due()
            except Exception:
                log.exception("the customization of a guest could not be finished, and will be tried again")
                await asyncio.sleep(RETRY_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._seconds_left())

    async def fail_live(self, machine: str, began: datetime, why: str) -> None:
        """Keep that the customization of a running guest has failed."""

        def plan(edit: Edit) -> None:
            if edit.get(VirtualMachine, machine) is not None:
                edit.put(finished(machine, self._now(), started=began, error=why, live=True))

        await self._inventory.change(plan)

    async def finish_due(self) -> None:
        """Finish those whose time has come."""
        for found in self._under_way():
            if found.due is not None and found.due <= self._now():
                await self._finish(found.id)

    def _under_way(self) -> list[GuestCustomization]:
        return list(self._inventory.by(GuestCustomization, "due", "yes").values())

    def _seconds_left(self) -> float | None:
        """How long nothing is due; ``None`` where nothing is under way."""
        dues = [found.due for found in self._under_way() if found.due is not None]
        return max(0.0, (min(dues) - self._now()).total_seconds()) if dues else None

    async def _finish(self, machine: str) -> None:
        def plan(edit: Edit) -> None:
            now = self._now()
            current, vm = edit.get(GuestCustomization, machine), edit.get(VirtualMachine, machine)
            # Another worker may have been faster, or the machine may have been stopped meanwhile.
            if current is None or current.spec is None or current.due is None or current.due > now or vm is None:
                return
            edit.put(customize(edit, vm, current.spec, now, started=current.start_time, live=False))

        await self._inventory.change(plan)
