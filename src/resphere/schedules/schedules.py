"""Schedules as they are made and changed, and what a time or an event does: always in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.requesters import Requester
from resphere.bulk.acceptance import Acceptance
from resphere.bulk.bulks import Bulks, Order
from resphere.bulk.orders import order_of
from resphere.bulk.record import BulkRecord
from resphere.contract.errors import AlreadyExists, NotFound, ServiceUnavailable, VapiError, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.extensions.schedules import Schedules
from resphere.contract.generated.cis_task import Status
from resphere.events.heard import Heard
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.schedules.events import needed, needs_event, work_at
from resphere.schedules.record import UNDER_WAY, Run, Schedule, name_claim, run_id
from resphere.schedules.times import next_time
from resphere.tasks.outcomes import failure

MOST_SCHEDULES = 20_000
MOST_RUNS = 100
"""Of each schedule it is kept what became of so many times."""
GRACE = timedelta(minutes=1)
"""What is later than this has been missed."""

RunState = Schedules.RunState
Misfire = Schedules.Misfire
Overlap = Schedules.Overlap
Type = Schedules.TriggerType
_work = msgspec.json.Decoder(Bulk.CreateSpec)


class Prepared(msgspec.Struct, frozen=True):
    """What a run begins: an order and its parts, or why there is none."""

    order: Order = Order()
    parts: Sequence[bytes] = ()
    refusal: VapiError | None = None


class Batch(msgspec.Struct, frozen=True):
    """Events that a schedule waited for, of those after the number ``after`` and up to ``position``. ``missed``: they
    are passed over; without any, what there was is no longer kept."""

    after: int
    position: int
    events: tuple[Heard, ...] = ()
    missed: bool = False

    @property
    def behind(self) -> tuple[str, ...]:
        """The schedules by which it came to them."""
        causes = [each.event.cause for each in self.events]
        return tuple(dict.fromkeys(id for cause in causes if cause is not None for id in cause.behind))


class Planner:
    """Makes, changes and fires schedules. ``acceptance`` says what may be done so; ``latest`` the number of the latest
    event."""

    def __init__(
        self,
        replica: Replica,
        bulks: Bulks,
        acceptance: Callable[[], Acceptance],
        now: Callable[[], datetime],
        latest: Callable[[], Awaitable[int]],
    ) -> None:
        self._replica = replica
        self._bulks = bulks
        self._acceptance = acceptance
        self._now = now
        self._latest = latest

    # --- making and changing -----------------------------------------------------------------------------------------

    async def create(self, *made: Schedule) -> tuple[str, ...]:
        """Make schedules durable, all or none; they get ids and the times at which they are due. Returns the ids.

        :raises AlreadyExists: the owner has one of that name.
        :raises ServiceUnavailable: there are too many.
        """
        latest = await self._latest() if any(each.listens for each in made) else 0

        def plan(edit: Edit) -> tuple[str, ...]:
            if self._replica.count(Schedule) + len(made) > MOST_SCHEDULES:
                raise ServiceUnavailable(
                    message("resphere.schedule.too_many", "There are {0} schedules, and may be.", MOST_SCHEDULES)
                )
            given = [
                self._timed(msgspec.structs.replace(each, id=edit.new_id("schedule-"), position=latest))
                for each in made
            ]
            for schedule in given:
                self._require_name(edit, schedule)
                edit.put(schedule)
            return tuple(schedule.id for schedule in given)

        return await self._replica.change(plan)

    async def update(self, id: str, changed: Callable[[Schedule], Schedule]) -> None:
        """Change a schedule.

        :raises AlreadyExists: the owner has another one of that name.
        :raises NotFound: it is no more.
        """
        latest = await self._latest()

        def plan(edit: Edit) -> None:
            before = require(edit, id)
            schedule = changed(before)
            self._require_name(edit, schedule)
            if schedule.listens and not (before.listens and before.trigger.events == schedule.trigger.events):
                schedule = msgspec.structs.replace(schedule, position=latest)
            edit.put(self._timed(schedule))

        await self._replica.change(plan)

    async def delete(self, id: str) -> None:
        """Forget a schedule and what became of its times; what it has begun goes on.

        :raises NotFound: it is no more.
        """

        def plan(edit: Edit) -> None:
            edit.delete(Schedule, require(edit, id).id)
            for run in list(self._replica.by(Run, "schedule", id)):
                edit.delete(Run, run)

        await self._replica.change(plan)

    def _timed(self, schedule: Schedule) -> Schedule:
        due = next_time(schedule.trigger, self._now()) if schedule.enabled else None
        return msgspec.structs.replace(schedule, next_time=due)

    def _require_name(self, edit: Edit, schedule: Schedule) -> None:
        name = schedule.name
        claim = name_claim(schedule.requester, name)
        others = edit.stored_by(Schedule, "name", claim)
        if any(other != schedule.id for other in others):
            raise AlreadyExists(message("resphere.schedule.name_taken", "There is a schedule {0} already.", name))

    # --- times -------------------------------------------------------------------------------------------------------

    async def prepare(self, schedule: Schedule, events: Sequence[Heard] = (), behind: Sequence[str] = ()) -> Prepared:
        """What the schedule orders, at the ``events`` if it is about some, as that is accepted now; ``behind`` are the
        schedules by which it came to those."""
        try:
            order = await order_of(self._acceptance(), work_of(schedule, events))
            order = msgspec.structs.replace(
                order,
                schedule=schedule.id,
                behind=tuple(dict.fromkeys((schedule.id, *behind))),
                name=order.name or schedule.name,
            )
            return Prepared(order, await asyncio.to_thread(order.packed))
        except VapiError as refusal:
            return Prepared(refusal=refusal)

    async def run_now(self, schedule: Schedule, user: str) -> str:
        """Begin what it orders, whatever its time; the id of the bulk operation.

        :raises InvalidArgument: what it orders is not accepted any more.
        :raises NotFound: it is no more.
        :raises ServiceUnavailable: too many bulk operations are under way.
        """
        prepared = await self.prepare(schedule)
        if prepared.refusal is not None:
            raise prepared.refusal

        def plan(edit: Edit) -> str:
            current, now = require(edit, schedule.id), self._now()
            run = self._begun(edit, current, self._next_run(current, now, user), prepared)
            edit.put(run)
            edit.put(msgspec.structs.replace(current, runs=current.runs + 1, previous_time=now))
            self._forget_oldest(edit, current)
            return run.bulk or ""

        return await self._replica.change(plan)

    async def fire(self, id: str, prepared: Prepared) -> None:
        """Do what the schedule is for, if it is due: once for each time, whoever else does.

        :raises ServiceUnavailable: too many bulk operations are under way; it is due still.
        """

        def plan(edit: Edit) -> None:
            schedule, now = edit.get(Schedule, id), self._now()
            if schedule is None or schedule.next_time is None or schedule.next_time > now:
                return
            due = schedule.next_time
            run = self._next_run(schedule, due, None)
            state = self._passed_over(schedule, due, now)
            run = self._begun(edit, schedule, run, prepared) if state is None else with_state(run, state)
            edit.put(run)
            edit.put(
                msgspec.structs.replace(
                    schedule,
                    next_time=next_time(schedule.trigger, now),
                    previous_time=due if run.start_time is not None else schedule.previous_time,
                    runs=schedule.runs + 1,
                )
            )
            self._forget_oldest(edit, schedule)

        await self._replica.change(plan)

    async def fire_at_events(self, schedule: Schedule, batch: Batch) -> None:
        """Do what the schedule is for at these events, and be done with them: once, whoever else does.

        Nothing is done where the schedule is another by now, or has to wait until its run has ended.

        :raises ServiceUnavailable: too many bulk operations are under way; they are waiting still.
        """
        prepared = Prepared() if batch.missed else await self.prepare(schedule, batch.events, batch.behind)

        def plan(edit: Edit) -> None:
            current, now = edit.get(Schedule, schedule.id), self._now()
            if current is None or not means_the_same(current, schedule) or current.position > batch.after:
                return
            state = RunState.MISSED if batch.missed else None
            if state is None and current.overlap is not Overlap.ALLOW and self.is_under_way(schedule.id):
                if current.overlap is Overlap.QUEUE:
                    return
                state = RunState.OVERLAPPED
            run = of_batch(self._next_run(current, now, None), batch)
            run = self._begun(edit, current, run, prepared) if state is None else with_state(run, state)
            edit.put(run)
            edit.put(
                msgspec.structs.replace(
                    current,
                    position=batch.position,
                    previous_time=now if run.start_time is not None else current.previous_time,
                    runs=current.runs + 1,
                )
            )
            self._forget_oldest(edit, current)

        await self._replica.change(plan)

    async def settle(self, run: Run) -> None:
        """Note how a run has ended, if its bulk operation has; what is queued behind it follows."""
        queued = [each for each in self._under_way(run.schedule) if each.state is RunState.QUEUED]
        schedule = self._replica.get(Schedule, run.schedule)
        prepared = await self.prepare(schedule) if queued and schedule is not None else Prepared()

        def plan(edit: Edit) -> None:
            current = edit.get(Run, run.id)
            if current is None:
                return
            if current.state is RunState.RUNNING:
                bulk = edit.get(BulkRecord, current.bulk or "")
                if bulk is not None and not bulk.is_finished:
                    return
                current = ended(current, bulk)
                edit.put(current)
            self._follow(edit, run.schedule, prepared)

        await self._replica.change(plan)

    def _follow(self, edit: Edit, schedule: str, prepared: Prepared) -> None:
        """Begin what is queued, where nothing goes on any more."""
        under_way = [edit.get(Run, each.id) for each in self._under_way(schedule)]
        if any(each is not None and each.state is RunState.RUNNING for each in under_way):
            return
        found = edit.get(Schedule, schedule)
        for each in under_way:
            if each is not None and each.state is RunState.QUEUED and found is not None:
                edit.put(self._begun(edit, found, each, prepared))
                return

    def is_under_way(self, schedule: str) -> bool:
        """Whether a run of it has not ended."""
        return any(each.state in UNDER_WAY for each in self._under_way(schedule))

    def _under_way(self, schedule: str) -> list[Run]:
        return list(self._replica.by(Run, "open", schedule).values())

    def _passed_over(self, schedule: Schedule, due: datetime, now: datetime) -> Schedules.RunState | None:
        """What becomes of a time at which nothing is begun; ``None`` where something is."""
        if schedule.misfire is Misfire.SKIP and now - due > GRACE:
            return RunState.MISSED
        under_way = self._under_way(schedule.id)
        if not under_way or schedule.overlap is Overlap.ALLOW:
            return None
        if schedule.overlap is Overlap.QUEUE and all(each.state is not RunState.QUEUED for each in under_way):
            return RunState.QUEUED
        return RunState.OVERLAPPED

    def _next_run(self, schedule: Schedule, due: datetime, user: str | None) -> Run:
        number = schedule.runs
        identity = run_id(schedule.id, number)
        return Run(id=identity, schedule=schedule.id, number=number, due_time=due, state=RunState.RUNNING, user=user)

    def _begun(self, edit: Edit, schedule: Schedule, run: Run, prepared: Prepared) -> Run:
        """The run with what it has begun."""
        now = self._now()
        if prepared.refusal is not None:
            refused = failure(prepared.refusal)
            return msgspec.structs.replace(run, start_time=now, state=RunState.ERROR, error=refused)
        bulk = self._bulks.begin(edit, prepared.order, schedule.requester, prepared.parts)
        return msgspec.structs.replace(run, start_time=now, state=RunState.RUNNING, bulk=bulk)

    def _forget_oldest(self, edit: Edit, schedule: Schedule) -> None:
        runs = self._replica.by(Run, "schedule", schedule.id)
        if len(runs) >= MOST_RUNS:
            over = sorted(runs.values(), key=lambda each: each.number)[: len(runs) - MOST_RUNS + 1]
            for run in over:
                edit.delete(Run, run.id)

    def of_user(self, user: str) -> list[Schedule]:
        """The schedules of an owner."""
        return list(self._replica.by(Schedule, "user", canonical_name(user)).values())


def planned_work(schedule: Schedule) -> Bulk.CreateSpec:
    """The work that the schedule is for, as it was asked for."""
    return _work.decode(schedule.work)


def work_of(schedule: Schedule, events: Sequence[Heard]) -> Bulk.CreateSpec:
    """The work that the schedule is for, at these events.

    :raises InvalidArgument: it is about an event, and there is none.
    """
    work = planned_work(schedule)
    if not needed(work):
        return work
    if not events:
        raise needs_event()
    return work_at(work, events)


def means_the_same(one: Schedule, other: Schedule) -> bool:
    """Whether both do the same, for the same, in the same name."""
    return (one.work, one.trigger, one.requester, one.listens) == (
        other.work,
        other.trigger,
        other.requester,
        other.listens,
    )


def of_batch(run: Run, batch: Batch) -> Run:
    """The run, of events."""
    if not batch.events:
        return msgspec.structs.replace(run, events=0, first_event=batch.after + 1, last_event=batch.position)
    first, last = batch.events[0], batch.events[-1]
    return msgspec.structs.replace(
        run,
        due_time=datetime.fromtimestamp(first.event.time / 1000, UTC),
        events=len(batch.events),
        first_event=first.number,
        last_event=last.number,
    )


def with_state(run: Run, state: Schedules.RunState) -> Run:
    """The run in another state."""
    return msgspec.structs.replace(run, state=state)


def ended(run: Run, bulk: BulkRecord | None) -> Run:
    """The run as its bulk operation has ended; where that is kept no more, nobody knows of a failure."""
    if bulk is None or bulk.status is Status.SUCCEEDED:
        return with_state(run, RunState.SUCCESS)
    return msgspec.structs.replace(run, state=RunState.ERROR, error=bulk.error)


def require(edit: Edit, id: str) -> Schedule:
    """The schedule as it is now.

    :raises NotFound: it is no more.
    """
    found = edit.get(Schedule, id)
    if found is None:
        raise no_schedule(id)
    return found


def no_schedule(id: str) -> NotFound:
    """The refusal of a schedule that is none."""
    return NotFound(message("resphere.schedule.not_found", "There is no schedule {0}.", id))


def new_schedule(spec: Schedules.CreateSpec, order: Order, requester: Requester, now: datetime) -> Schedule:
    """The schedule that was asked for, without id and times."""
    return Schedule(
        id="",
        name=spec.name,
        description=spec.description or "",
        requester=requester,
        trigger=spec.trigger,
        work=msgspec.json.encode(spec.work),
        operation=first_operation(order),
        enabled=spec.enabled is not False,
        misfire=spec.misfire or Misfire.RUN,
        overlap=spec.overlap or (Overlap.QUEUE if spec.trigger.type is Type.EVENT else Overlap.SKIP),
        created_time=now,
        modified_time=now,
        modified_by=requester.user,
    )


def first_operation(order: Order) -> str:
    """The operation that an order begins with."""
    return order.items[0].operation if order.each is None else order.each.operation
