"""The clock of all schedules: one elected worker fires what is due."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable
from datetime import datetime

from resphere.bulk.record import BulkRecord
from resphere.contract.errors import ServiceUnavailable
from resphere.replica.replica import Replica
from resphere.schedules.record import Run, Schedule
from resphere.schedules.schedules import Planner
from resphere.turns import heard

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the clock is looked at while something is due in the future: clocks are set."""
AGAIN_SECONDS = 1.0
"""When it is tried again where there was no room."""
STALE = 100
"""So many more entries than schedules there may be before they are sorted anew."""


class Clock:
    """Fires schedules when they are due, from the earliest on."""

    def __init__(self, replica: Replica, planner: Planner, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._planner = planner
        self._now = now
        self._heap: list[tuple[datetime, str]] = []
        self._ended: dict[str, None] = {}
        self._wake = asyncio.Event()
        self.looked = asyncio.Event()
        """All was done that was due when it looked first."""

    async def run(self) -> None:
        """Fire what is due, until canceled."""
        ends = (
            self._replica.subscribe(Schedule, self._hear),
            self._replica.subscribe(BulkRecord, self._hear_bulk),
        )
        try:
            self._sort()
            # What has ended while nobody looked.
            self._ended = {
                run.id: None for schedule in self._replica.all(Schedule) for run in self._under_way(schedule)
            }
            while True:
                self._wake.clear()
                full = await self._fire()
                await self._settle()
                self.looked.set()
                seconds = AGAIN_SECONDS if full else LOOK_SECONDS if self._heap else None
                await heard(self._wake, seconds)
        finally:
            for end in ends:
                end()

    async def _fire(self) -> bool:
        """Fire all that is due; whether some has to wait, as there is no room."""
        waiting: list[tuple[datetime, str]] = []
        while self._heap and self._heap[0][0] <= self._now():
            due, id = heapq.heappop(self._heap)
            schedule = self._replica.get(Schedule, id)
            if schedule is None or schedule.next_time != due:
                continue
            try:
                await self._planner.fire(id, await self._planner.prepare(schedule))
            except ServiceUnavailable:
                waiting.append((due, id))
        for entry in waiting:
            heapq.heappush(self._heap, entry)
        return bool(waiting)

    async def _settle(self) -> None:
        while self._ended:
            id = next(iter(self._ended))
            del self._ended[id]
            run = self._replica.get(Run, id)
            if run is not None:
                try:
                    await self._planner.settle(run)
                except ServiceUnavailable:
                    log.warning("the schedule %s has to wait, as too much is under way", run.schedule)
                    self._ended[id] = None
                    return

    def _sort(self) -> None:
        schedules = self._replica.all(Schedule).values()
        self._heap = [(each.next_time, each.id) for each in schedules if each.next_time is not None]
        heapq.heapify(self._heap)

    def _hear(self, _: Schedule | None, new: Schedule | None) -> None:
        if new is not None and new.next_time is not None:
            if len(self._heap) > 2 * self._replica.count(Schedule) + STALE:
                self._sort()
            else:
                heapq.heappush(self._heap, (new.next_time, new.id))
            self._wake.set()

    def _hear_bulk(self, _: BulkRecord | None, new: BulkRecord | None) -> None:
        if new is None or new.schedule is None or not new.is_finished:
            return
        for run in self._replica.by(Run, "bulk", new.id):
            self._ended[run] = None
            self._wake.set()

    def _under_way(self, schedule: str) -> list[Run]:
        return list(self._replica.by(Run, "open", schedule).values())
