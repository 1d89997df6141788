"""``resphere.schedules``: what is done at a time or at events, with the rights that its owner has then."""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.access.refusals import no_privileges
from resphere.bulk.bulks import Order
from resphere.bulk.orders import order_of, require_bounded, require_text
from resphere.contract.errors import Unsupported, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.extensions.schedules import Schedules
from resphere.schedules.events import require_places, sampled
from resphere.schedules.record import Run, Schedule
from resphere.schedules.schedules import first_operation, new_schedule, no_schedule, planned_work
from resphere.schedules.times import refused, require_trigger, some_times
from resphere.services.call import Call
from resphere.services.checks.event_filters import wanted_of
from resphere.services.checks.later import acceptance, asked_for_by, caller_as_requester
from resphere.services.registry import implements

EDIT, RUN, DELETE = "ScheduledTask.Edit", "ScheduledTask.Run", "ScheduledTask.Delete"
LONGEST_NAME, LONGEST_DESCRIPTION = 80, 2000
USUAL_COUNT, MOST_COUNT = 10, 100
LARGEST_WORK_BYTES = 256 * 1024
STATES = {state.value: state for state in Schedules.State}


@implements(Schedules.create)
async def create(call: Call, spec: Schedules.CreateSpec) -> str:
    """A schedule of the caller's, whose rights it has when it is due.

    :raises AlreadyExists: the caller has one of that name.
    :raises InvalidArgument: names the field.
    :raises NotFound: the caller sees no such branch.
    :raises ServiceUnavailable: there are too many.
    :raises Unsupported: the caller has no local account.
    """
    (identity,) = await call.environment.planner.create(await made(call, spec))
    return identity


async def made(call: Call, spec: Schedules.CreateSpec) -> Schedule:
    """What ``spec`` asks for in the caller's name, not stored yet.

    :raises InvalidArgument: names the field.
    :raises NotFound: the caller sees no such branch.
    :raises Unsupported: the caller has no local account.
    """
    principal = call.session.principal
    if principal.source is not None:
        raise Unsupported(
            message(
                "resphere.schedule.not_local",
                "Schedules are for local users: what becomes of users of {0} is not told to this server.",
                principal.source,
            )
        )
    require_text("name", spec.name, LONGEST_NAME)
    require_description(spec.description)
    now = call.environment.now()
    require_trigger(spec.trigger, now)
    wanted_of(call, spec.trigger.events)
    order = await require_work(call, spec.work, spec.trigger)
    return new_schedule(spec, order, caller_as_requester(call), now)


@implements(Schedules.list)
async def list_schedules(call: Call, filter: Schedules.ListSpec | None) -> tuple[Schedules.Info, ...]:
    """The caller's own, or everybody's for whoever may edit all; by name."""
    wanted = filter or Schedules.ListSpec()
    found = [each for each in call.unfiltered.all(Schedule).values() if visible(call, each)]
    if wanted.names is not None:
        found = [each for each in found if each.name in wanted.names]
    if wanted.owners is not None:
        found = [each for each in found if each.requester.user in wanted.owners]
    if wanted.enabled is not None:
        found = [each for each in found if each.enabled == wanted.enabled]
    return tuple(info(call, each) for each in sorted(found, key=lambda each: (each.name, each.id)))


@implements(Schedules.get)
async def get(call: Call, schedule: str) -> Schedules.Info:
    """One schedule.

    :raises NotFound: there is none that the caller may know of.
    """
    return info(call, require(call, schedule))


@implements(Schedules.update)
async def update(call: Call, schedule: str, spec: Schedules.UpdateSpec) -> None:
    """Change a schedule of the caller's own: what is done in somebody's name only he may say.

    :raises AlreadyExists: the caller has another one of that name.
    :raises InvalidArgument: names the field.
    :raises NotFound: there is none that the caller may know of, or no such branch.
    :raises Unauthorized: it is somebody else's.
    """
    found = require(call, schedule)
    if not asked_for_by(call, found.requester):
        raise no_privileges(EDIT, None, call.vcenter)
    require_text("name", spec.name, LONGEST_NAME)
    require_description(spec.description)
    now = call.environment.now()
    if spec.trigger is not None:
        require_trigger(spec.trigger, now)
        wanted_of(call, spec.trigger.events)
    order = None
    if spec.work is not None or (spec.trigger is not None and spec.trigger.type is not found.trigger.type):
        order = await require_work(call, spec.work or planned_work(found), spec.trigger or found.trigger)
    given = {name: value for name in CHANGED if (value := getattr(spec, name)) is not None}
    if spec.work is not None and order is not None:
        given.update(work=msgspec.json.encode(spec.work), operation=first_operation(order))
    requester = caller_as_requester(call)
    given.update(requester=requester, modified_time=now, modified_by=requester.user)
    await call.environment.planner.update(found.id, lambda current: msgspec.structs.replace(current, **given))


CHANGED = ("name", "description", "trigger", "enabled", "misfire", "overlap")
"""What is changed as it is given."""


@implements(Schedules.enable)
async def enable(call: Call, schedule: str) -> None:
    """Have it be due again.

    :raises NotFound: there is none that the caller may know of.
    """
    await set_enabled(call, schedule, enabled=True)


@implements(Schedules.disable)
async def disable(call: Call, schedule: str) -> None:
    """Have it not be due; what it has begun goes on.

    :raises NotFound: there is none that the caller may know of.
    """
    await set_enabled(call, schedule, enabled=False)


async def set_enabled(call: Call, schedule: str, *, enabled: bool) -> None:
    """Enable or disable it."""
    found = require(call, schedule)
    given = {"enabled": enabled, "modified_time": call.environment.now(), "modified_by": call.session.user}
    await call.environment.planner.update(found.id, lambda current: msgspec.structs.replace(current, **given))


@implements(Schedules.delete)
async def delete(call: Call, schedule: str) -> None:
    """Forget it; what it has begun goes on.

    :raises NotFound: there is none that the caller may know of.
    :raises Unauthorized: it is somebody else's, and the caller may not delete all.
    """
    found = require(call, schedule)
    require_own_or(call, found, DELETE)
    await call.environment.planner.delete(found.id)


@implements(Schedules.run)
async def run(call: Call, schedule: str) -> str:
    """Do it now, with its owner's rights; the bulk operation's id.

    :raises InvalidArgument: what it is for is not accepted any more.
    :raises NotFound: there is none that the caller may know of.
    :raises ServiceUnavailable: too many bulk operations are under way.
    :raises Unauthorized: it is somebody else's, and the caller may not run all.
    """
    found = require(call, schedule)
    require_own_or(call, found, RUN)
    return await call.environment.planner.run_now(found, call.session.user)


@implements(Schedules.runs)
async def list_runs(call: Call, schedule: str) -> tuple[Schedules.RunInfo, ...]:
    """What became of its times, the latest first.

    :raises NotFound: there is none that the caller may know of.
    """
    found = require(call, schedule)
    return tuple(
        Schedules.RunInfo(
            run=each.number,
            due_time=each.due_time,
            start_time=each.start_time,
            state=each.state,
            task=each.bulk,
            user=each.user,
            error=None if each.error is None else each.error.told(call.knows),
            events=each.events,
            first_event=each.first_event,
            last_event=each.last_event,
        )
        for each in runs_of(call, found)
    )


@implements(Schedules.next_runs)
async def next_runs(call: Call, schedule: str, count: int | None) -> tuple[datetime, ...]:
    """When it is due, from now on; nothing where it is disabled, or waits for events.

    :raises InvalidArgument: too many are asked for.
    :raises NotFound: there is none that the caller may know of.
    """
    found = require(call, schedule)
    wanted = USUAL_COUNT if count is None else count
    require_bounded("count", wanted, 1, MOST_COUNT)
    return some_times(found.trigger, call.environment.now(), wanted) if found.enabled else ()


def require(call: Call, id: str) -> Schedule:
    """The schedule of that id.

    :raises NotFound: there is none that the caller may know of.
    """
    found = call.unfiltered.get(Schedule, id)
    if found is None or not visible(call, found):
        raise no_schedule(id)
    return found


def visible(call: Call, schedule: Schedule) -> bool:
    """Whether the caller may know of it."""
    return asked_for_by(call, schedule.requester) or call.view.holds(EDIT, None)


def require_own_or(call: Call, schedule: Schedule, privilege: str) -> None:
    """Refuse what is somebody else's, unless the caller has the privilege on the root folder.

    :raises Unauthorized: it is.
    """
    if not asked_for_by(call, schedule.requester) and not call.view.holds(privilege, None):
        raise no_privileges(privilege, None, call.vcenter)


def require_description(text: str | None) -> None:
    """Refuse one that is too long.

    :raises InvalidArgument: it is.
    """
    if text is not None and len(text) > LONGEST_DESCRIPTION:
        raise refused("description", f"must have {LONGEST_DESCRIPTION} characters at most, not {len(text)}.")


async def require_work(call: Call, work: Bulk.CreateSpec, trigger: Schedules.Trigger) -> Order:
    """What is to be done each time; at events, what it is with values of one.

    :raises InvalidArgument: names the field.
    """
    if work.idempotency_key is not None:
        raise refused("work.idempotency_key", "would have it done once; leave it out.")
    if len(msgspec.json.encode(work)) > LARGEST_WORK_BYTES:
        raise refused("work", f"must have {LARGEST_WORK_BYTES} bytes at most; let a filter find the objects.")
    if trigger.type is Schedules.TriggerType.EVENT:
        require_places(work)
        work = sampled(work)
    return await order_of(acceptance(call), work)


def runs_of(call: Call, schedule: Schedule) -> list[Run]:
    """What became of its times, the latest first."""
    found = call.unfiltered.by(Run, "schedule", schedule.id).values()
    return sorted(found, key=lambda each: each.number, reverse=True)


def info(call: Call, schedule: Schedule) -> Schedules.Info:
    """What is told of a schedule."""
    runs = runs_of(call, schedule)
    last = next((each for each in runs if each.state.value in STATES), None)
    active = next((each.bulk for each in runs if each.state is Schedules.RunState.RUNNING), None)
    return Schedules.Info(
        schedule=schedule.id,
        name=schedule.name,
        description=schedule.description,
        owner=schedule.requester.user,
        enabled=schedule.enabled,
        trigger=schedule.trigger,
        operation=schedule.operation,
        misfire=schedule.misfire,
        overlap=schedule.overlap,
        state=None if last is None else STATES[last.state.value],
        active_task=active,
        next_run_time=schedule.next_time,
        prev_run_time=schedule.previous_time,
        created_time=schedule.created_time,
        last_modified_time=schedule.modified_time,
        last_modified_user=schedule.modified_by,
    )
