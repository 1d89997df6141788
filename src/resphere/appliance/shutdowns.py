"""Shuts the appliance down when that is planned: it knows no sessions any more, and answers that nobody is there.

A reboot is over after a while, for which the worker processes stay. Powered off, the appliance is gone until the server
is started again: the server ends. What is in the store stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from resphere.inventory.appliance.power import (
    Absence,
    Action,
    AppliancePower,
    PlannedShutdown,
    boot,
    power_of,
    power_off,
)
from resphere.replica.edit import Edit
from resphere.replica.noticing import noticing
from resphere.replica.replica import Replica
from resphere.turns import heard

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the clock is looked at while something is planned: clocks are set."""


class Shutdowns:
    """What is planned, and doing it. ``end_sessions`` ends all of them as part of a change; at a reboot the appliance
    is away for ``away_seconds``, and ``end_server`` has the server end, as if it were told to: ``None`` where powering
    off is as good as a reboot."""

    def __init__(
        self,
        replica: Replica,
        now: Callable[[], datetime],
        end_sessions: Callable[[Edit], None],
        away_seconds: float,
        end_server: Callable[[], None] | None,
    ) -> None:
        self._replica = replica
        self._now = now
        self._end_sessions = end_sessions
        self._away = timedelta(seconds=away_seconds)
        self._end_server = end_server

    async def plan(self, planned: PlannedShutdown) -> None:
        """Have it done at its time, instead of what was planned before: now, where that has come."""

        def put(edit: Edit) -> None:
            if planned.time <= self._now():
                self._shut_down(edit, planned)
            else:
                edit.put(AppliancePower(booted=power_of(edit).booted, planned=planned))

        await self._replica.change(put)

    async def restart(self, away_seconds: float, absence: Absence) -> None:
        """Have it be away from now on for so long, and then be there again; what is planned stays."""

        def put(edit: Edit) -> None:
            self._end_sessions(edit)
            back = self._now() + timedelta(seconds=away_seconds)
            edit.put(AppliancePower(booted=back, planned=power_of(edit).planned, absence=absence))

        await self._replica.change(put)

    async def cancel(self) -> None:
        """Have nothing be planned."""

        def put(edit: Edit) -> None:
            edit.put(AppliancePower(booted=power_of(edit).booted))

        await self._replica.change(put)

    async def run(self) -> None:
        """Do what is planned when its time has come, and end the server once the appliance is powered off, until
        canceled."""
        with noticing(self._replica, AppliancePower) as changed:
            while True:
                changed.clear()
                self._end_if_powered_off()
                if power_of(self._replica).planned is not None:
                    await self._replica.change(self._do_what_is_due)
                waits = power_of(self._replica).planned is not None
                await heard(changed, LOOK_SECONDS if waits else None)

    def _do_what_is_due(self, edit: Edit) -> None:
        planned = power_of(edit).planned
        if planned is not None and planned.time <= self._now():
            self._shut_down(edit, planned)

    def _shut_down(self, edit: Edit, done: PlannedShutdown) -> None:
        self._end_sessions(edit)
        if done.action is Action.POWEROFF and self._end_server is not None:
            power_off(edit, done)
        else:
            boot(edit, self._now() + self._away)

    def _end_if_powered_off(self) -> None:
        done = power_of(self._replica).powered_off
        if done is not None and self._end_server is not None:
            log.warning("the appliance was powered off (%s): the server ends", done.reason or "no reason was given")
            self._end_server()
