"""Schedules at events: one elected worker looks through the journal for what they wait for, and begins their runs.

What a schedule is done with is the number of an event, which is written in the transaction that begins a run. So each
event that it waits for is in one run, whoever is killed. Nothing is kept of events that wait for a run but where they
begin: they are read again when it may begin.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from resphere.auth.requesters import Requester
from resphere.contract.errors import ServiceUnavailable
from resphere.contract.extensions.schedules import Schedules
from resphere.events.event import Event
from resphere.events.feed import READ_AT_ONCE, Feed
from resphere.events.filters import Wanted
from resphere.events.heard import Heard, Part
from resphere.events.seeing import Eyes
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.schedules.events import has_values, most_events, needed, wanted_by
from resphere.schedules.record import UNDER_WAY, Cursor, Run, Schedule
from resphere.schedules.schedules import GRACE, Batch, Planner, planned_work
from resphere.schedules.times import USUAL_INTERVAL_SECONDS
from resphere.turns import heard

log = logging.getLogger(__name__)

CURSOR = "events"
LOOK_SECONDS = 0.25
"""How often it is looked for events: to listen as readers do, at every moment, has its price."""
NOTED_EVERY = 500
"""After so many events it is noted how far it was looked."""
NOTE_SECONDS = 60.0
"""And after so long."""
AGAIN_SECONDS = 1.0
"""When it is tried again where there was no room."""
LOOKED_AT = 10_000
"""For one run so many events are looked at, in turns."""
Overlap, Misfire = Schedules.Overlap, Schedules.Misfire


class Index:
    """What schedules wait for, by the rarest thing that an event must have."""

    def __init__(self) -> None:
        self._wanted: dict[str, Wanted] = {}
        self._by: dict[tuple[str, str], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    def __iter__(self) -> Iterator[str]:
        return iter(self._wanted)

    def put(self, id: str, wanted: Wanted) -> None:
        """A schedule waits for that, and for nothing else any more."""
        if self._wanted.get(id) == wanted:
            return
        self.remove(id)
        self._wanted[id] = wanted
        for key in keys_of(wanted):
            self._by.setdefault(key, {})[id] = None

    def remove(self, id: str) -> None:
        """A schedule waits for nothing; none is fine."""
        wanted = self._wanted.pop(id, None)
        for key in () if wanted is None else keys_of(wanted):
            waiting = self._by[key]
            del waiting[id]
            if not waiting:
                del self._by[key]

    def waiting_for(self, event: Event) -> list[str]:
        """The schedules that wait for the event."""
        found: dict[str, None] = {}
        for key in keys_at(event):
            found.update(self._by.get(key, {}))
        return [id for id in found if self._wanted[id].has(event)]


def keys_of(wanted: Wanted) -> list[tuple[str, str]]:
    """Of these an event that is wanted has one."""
    if wanted.objects is not None:
        return [("object", each) for each in wanted.objects]
    if wanted.types is not None:
        return [("type", each) for each in wanted.types]
    if wanted.branch is not None:
        return [("branch", wanted.branch)]
    return [("kind", each) for each in wanted.kinds or ()]


def keys_at(event: Event) -> list[tuple[str, str]]:
    """All that an event has of them."""
    objects = {event.object.id, event.about, *(() if event.target is None else (event.target.id,))}
    return [
        ("type", event.type),
        ("kind", event.kind),
        *(("object", each) for each in objects),
        *(("branch", each) for each in {event.about, *event.path}),
    ]


class Listener:
    """Listens for all schedules. ``eyes`` are what somebody sees who has asked for work, ``None``: nothing any more."""

    def __init__(
        self,
        replica: Replica,
        planner: Planner,
        feed: Feed,
        eyes: Callable[[Requester], Eyes | None],
        now: Callable[[], datetime],
    ) -> None:
        self._replica = replica
        self._planner = planner
        self._feed = feed
        self._eyes = eyes
        self._now = now
        self._index = Index()
        self._looked = 0
        """All events up to this one were looked at."""
        self._late = 0
        """And up to this one they were late by then."""
        self._begins: dict[str, int] = {}
        """Schedules that are done with events up to these: those that had not been looked at then are theirs."""
        self._pending: dict[str, int] = {}
        """Schedules that wait for their runs: after these events there are some for them."""
        self._ready: dict[str, None] = {}
        """Those of them that are to be looked at now; the others wait for the end of a run, or for a time."""
        self._times: list[tuple[float, str]] = []
        self._noted = 0
        self._noted_at = 0.0
        self._wake = asyncio.Event()
        self.looked = asyncio.Event()
        """All was done that was there when it looked last."""

    @property
    def position(self) -> int:
        """All events up to that number were looked at."""
        return self._looked

    async def run(self) -> None:
        """Begin the runs of schedules at events, until canceled or the worker ends."""
        ends = (self._replica.subscribe(Schedule, self._hear), self._replica.subscribe(Run, self._hear_run))
        try:
            self._begin()
            while not self._feed.stopping:
                self._wake.clear()
                if self._index:
                    await self._listen()
                else:
                    self.looked.set()
                    await self._wake.wait()
        finally:
            for end in ends:
                end()

    def _begin(self) -> None:
        cursor = self._replica.get(Cursor, CURSOR)
        self._noted = 0 if cursor is None else cursor.position
        self._noted_at = asyncio.get_running_loop().time() - NOTE_SECONDS
        for schedule in self._replica.all(Schedule).values():
            if schedule.listens:
                self._index.put(schedule.id, wanted_by(schedule.trigger.events))
                self._begins[schedule.id] = max(schedule.position, self._noted)
        self._looked = min(self._begins.values(), default=0)

    async def _listen(self) -> None:
        """Look, and begin runs, as long as there is anybody to listen for."""
        while self._index and not self._feed.stopping:
            self._wake.clear()
            more = await self._look()
            await self._fire()
            await self._note()
            if not more and not self._ready:
                self.looked.set()
                await self._rest()

    # --- looking -----------------------------------------------------------------------------------------------------

    async def _look(self) -> bool:
        """Find out who waits for the next events; whether there may be more."""
        part = await self._feed.since(self._looked)
        if part.misses(self._looked):
            log.warning("events after %d are no longer kept, and schedules that waited have missed them", self._looked)
            for id in self._index:
                self._wait_from(id, max(self._looked, self._begins.get(id, 0)))
        late = round((self._now() - GRACE).timestamp() * 1000)
        for each in part.events:
            if each.event.time < late:
                self._late = each.number
            for id in self._index.waiting_for(each.event):
                if each.number > self._begins.get(id, 0) and not self._is_own(id, each.event):
                    self._wait_from(id, each.number - 1)
        self._looked = part.events[-1].number if part.events else part.last
        return len(part.events) >= READ_AT_ONCE

    def _wait_from(self, id: str, after: int) -> None:
        if id not in self._pending:
            self._pending[id] = after
            self._ready[id] = None

    def _is_own(self, id: str, event: Event) -> bool:
        """Whether the schedule itself has brought it about, and does not want to hear of that."""
        if event.cause is None or id not in event.cause.behind:
            return False
        schedule = self._replica.get(Schedule, id)
        return schedule is None or not schedule.trigger.own

    def _hear(self, old: Schedule | None, new: Schedule | None) -> None:
        if new is None or not new.listens:
            gone = old if new is None else new
            if gone is not None:
                self._index.remove(gone.id)
                for waiting in (self._begins, self._pending, self._ready):
                    waiting.pop(gone.id, None)
        elif old is None or (old.listens, old.trigger, old.position) != (True, new.trigger, new.position):
            if not self._index:
                self._looked = new.position
            self._index.put(new.id, wanted_by(new.trigger.events))
            self._begins[new.id] = new.position
            self._pending.pop(new.id, None)
            self._ready.pop(new.id, None)
            if new.position < self._looked:
                self._wait_from(new.id, new.position)
        self._wake.set()

    def _hear_run(self, old: Run | None, new: Run | None) -> None:
        run = new or old
        if run is not None and (new is None or new.state not in UNDER_WAY) and run.schedule in self._pending:
            self._ready[run.schedule] = None
            self._wake.set()

    # --- beginning runs ----------------------------------------------------------------------------------------------

    async def _fire(self) -> None:
        """Begin all runs that may begin now."""
        loop = asyncio.get_running_loop()
        while self._times and self._times[0][0] <= loop.time():
            _, id = heapq.heappop(self._times)
            if id in self._pending:
                self._ready[id] = None
        for id in list(self._ready):
            self._ready.pop(id, None)
            schedule, after = self._replica.get(Schedule, id), self._pending.get(id)
            if schedule is None or after is None:
                continue
            pause = self._pause_seconds(schedule)
            if pause > 0:
                heapq.heappush(self._times, (loop.time() + pause, id))
            elif schedule.overlap is not Overlap.QUEUE or not self._planner.is_under_way(id):
                await self._fire_one(schedule, after)

    async def _fire_one(self, schedule: Schedule, after: int) -> None:
        """Begin a run for what a schedule waits for, as far as one may be for that."""
        id, loop = schedule.id, asyncio.get_running_loop()
        batch = await self._batch(schedule, after)
        if batch.events or batch.missed:
            try:
                await self._planner.fire_at_events(schedule, batch)
            except ServiceUnavailable:
                heapq.heappush(self._times, (loop.time() + AGAIN_SECONDS, id))
                return
            if self._pending.get(id) == after and not self._planner.is_under_way(id):
                self._ready[id] = None  # it is another schedule by now
        elif self._pending.get(id) == after:
            # Nothing that its owner sees.
            if batch.position < self._looked:
                self._pending[id] = batch.position
                self._ready[id] = None
            else:
                del self._pending[id]
                self._begins[id] = batch.position

    def _pause_seconds(self, schedule: Schedule) -> float:
        """How long it is until another run may begin."""
        given = schedule.trigger.interval_seconds
        seconds = USUAL_INTERVAL_SECONDS if given is None else given
        if schedule.previous_time is None:
            return 0.0
        left = schedule.previous_time + timedelta(seconds=seconds) - self._now()
        # A clock that was set back must not have it wait for longer.
        return min(left.total_seconds(), seconds)

    async def _batch(self, schedule: Schedule, after: int) -> Batch:
        """The events that one run is for: all that have been looked at, as far as it can be for so many."""
        work = planned_work(schedule)
        names, most = needed(work), most_events(work)
        wanted, skips = wanted_by(schedule.trigger.events), schedule.misfire is Misfire.SKIP
        eyes = self._eyes(schedule.requester)
        end, position = self._looked, after
        found: list[Heard] = []
        while position < end and position - after < LOOKED_AT:
            part = await self._feed.since(position)
            if part.misses(position):
                return missed(part, position) if not found else Batch(after, position, tuple(found))
            for each in part.events:
                if each.number > end:
                    break
                is_wanted = wanted.has(each.event) and not self._is_own(schedule.id, each.event)
                if is_wanted and has_values(each, names) and eyes is not None and eyes.see(each.event):
                    late = skips and each.number <= self._late
                    if found and late != (skips and found[-1].number <= self._late):
                        return Batch(after, position, tuple(found), missed=not late)
                    found.append(each)
                position = each.number
                if len(found) == most:
                    break
            if len(found) == most or not part.events:
                break
            await asyncio.sleep(0)
        return Batch(after, position, tuple(found), missed=bool(found) and skips and found[-1].number <= self._late)

    # --- resting -----------------------------------------------------------------------------------------------------

    async def _note(self) -> None:
        """Note how far all was looked at, now and then."""
        position = min(self._pending.values(), default=self._looked)
        if position <= self._noted:
            return
        now = asyncio.get_running_loop().time()
        if position - self._noted < NOTED_EVERY and now - self._noted_at < NOTE_SECONDS:
            return

        def plan(edit: Edit) -> None:
            edit.put(Cursor(id=CURSOR, position=position))

        await self._replica.change(plan)
        self._noted, self._noted_at = position, now

    async def _rest(self) -> None:
        """Wait for the next event, or whatever else there is to do."""
        seconds = LOOK_SECONDS
        if self._times:
            seconds = min(seconds, max(0.0, self._times[0][0] - asyncio.get_running_loop().time()))
        await heard(self._wake, seconds)


def missed(part: Part, after: int) -> Batch:
    """What is no longer kept."""
    return Batch(after, part.first - 1 if part.first > after + 1 else part.last, missed=True)
