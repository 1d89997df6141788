"""Shuts the appliance down when that is planned: it is away for a while, and knows no sessions any more.

What is in the store stays, and so do the worker processes, which answer meanwhile that nobody is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from resphere.inventory.appliance.power import AppliancePower, PlannedShutdown, boot, power_of
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.turns import heard

LOOK_SECONDS = 1.0
"""How often the clock is looked at while something is planned: clocks are set."""


class Shutdowns:
    """What is planned, and doing it. ``end_sessions`` ends all of them as part of a change; the appliance is away for
    ``away_seconds``."""

    def __init__(
        self,
        replica: Replica,
        now: Callable[[], datetime],
        end_sessions: Callable[[Edit], None],
        away_seconds: float,
    ) -> None:
        self._replica = replica
        self._now = now
        self._end_sessions = end_sessions
        self._away = timedelta(seconds=away_seconds)

    async def plan(self, planned: PlannedShutdown) -> None:
        """Have it done at its time, instead of what was planned before: now, where that has come."""

        def put(edit: Edit) -> None:
            if planned.time <= self._now():
                self._shut_down(edit)
            else:
                edit.put(AppliancePower(booted=power_of(edit).booted, planned=planned))

        await self._replica.change(put)

    async def cancel(self) -> None:
        """Have nothing be planned."""

        def put(edit: Edit) -> None:
            edit.put(AppliancePower(booted=power_of(edit).booted))

        await self._replica.change(put)

    async def run(self) -> None:
        """Do what is planned when its time has come, until canceled."""
        changed = asyncio.Event()
        end = self._replica.subscribe(AppliancePower, lambda _, __: changed.set())
        try:
            while True:
                changed.clear()
                if power_of(self._replica).planned is not None:
                    await self._replica.change(self._do_what_is_due)
                waits = power_of(self._replica).planned is not None
                await heard(changed, LOOK_SECONDS if waits else None)
        finally:
            end()

    def _do_what_is_due(self, edit: Edit) -> None:
        planned = power_of(edit).planned
        if planned is not None and planned.time <= self._now():
            self._shut_down(edit)

    def _shut_down(self, edit: Edit) -> None:
        self._end_sessions(edit)
        boot(edit, self._now() + self._away)
