"""When a schedule is due: once, or by cron (:mod:`resphere.rules.clocks`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from cronsim import CronSimError

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.schedules import Schedules
from resphere.rules.clocks import cron_times, is_zone

LONGEST_CRON, LONGEST_ZONE = 128, 64
FIELDS = 5
USUAL_ZONE = "UTC"
MOST_NAMES = 1000
"""Of types and of objects, in a filter of events."""
USUAL_INTERVAL_SECONDS, MOST_INTERVAL_SECONDS = 1, 86_400
LEAST_OWN_SECONDS = 10
"""Between two runs, where one may bring about the next."""
Type = Schedules.TriggerType


def times_after(trigger: Schedules.Trigger, moment: datetime) -> Iterator[datetime]:
    """The times after a moment at which the trigger is due, in UTC."""
    if trigger.type is Type.ONCE:
        if trigger.time is not None and trigger.time > moment:
            yield trigger.time.astimezone(UTC)
        return
    if trigger.type is Type.EVENT:
        return
    yield from cron_times(trigger.cron or "", trigger.time_zone or USUAL_ZONE, moment)


def next_time(trigger: Schedules.Trigger, moment: datetime) -> datetime | None:
    """The first of them, ``None`` where there is none any more."""
    return next(times_after(trigger, moment), None)


def some_times(trigger: Schedules.Trigger, moment: datetime, count: int) -> tuple[datetime, ...]:
    """The first of them, so many."""
    return tuple(islice(times_after(trigger, moment), count))


def require_trigger(trigger: Schedules.Trigger, moment: datetime) -> None:
    """Refuse a trigger that is none, or is never due.

    :raises InvalidArgument: naming the field.
    """
    if trigger.type is Type.EVENT:
        require_events(trigger)
        return
    if trigger.type is Type.ONCE:
        if trigger.time is None or trigger.time <= moment:
            raise refused("trigger.time", "must lie ahead.")
        return
    require_zone(trigger.time_zone or USUAL_ZONE)
    cron = trigger.cron or ""
    if len(cron) > LONGEST_CRON or len(cron.split()) != FIELDS:
        raise refused(
            "trigger.cron",
            f"must have {FIELDS} fields (minute, hour, day of the month, month, day of the week) and "
            f"{LONGEST_CRON} characters at most.",
        )
    try:
        found = next_time(trigger, moment)
    except CronSimError as error:
        raise refused("trigger.cron", f"{error}, as in {cron!r}.") from None
    if found is None:
        raise refused("trigger.cron", f"{cron!r} is never due.")


def require_events(trigger: Schedules.Trigger) -> None:
    """Refuse a trigger at events that waits for everything, for too much, or that would never rest.

    :raises InvalidArgument: naming the field.
    """
    events = trigger.events or Schedules.EventFilter()
    if not (events.kinds or events.types or events.objects or events.branch):
        raise refused("trigger.events", "one of kinds, types, objects, branch must be set.")
    for name, among in (("types", events.types), ("objects", events.objects)):
        if among is not None and len(among) > MOST_NAMES:
            raise refused(f"trigger.events.{name}", f"must have {MOST_NAMES} at most, not {len(among)}.")
    seconds = USUAL_INTERVAL_SECONDS if trigger.interval_seconds is None else trigger.interval_seconds
    least = LEAST_OWN_SECONDS if trigger.own else 0
    if not least <= seconds <= MOST_INTERVAL_SECONDS:
        why = ", where it waits for what it causes itself," if trigger.own else ""
        raise refused(
            "trigger.interval_seconds", f"must be from {least} to {MOST_INTERVAL_SECONDS}{why} and not {seconds}."
        )


def require_zone(name: str) -> None:
    """Refuse a time zone that is none.

    :raises InvalidArgument: it is none.
    """
    if not is_zone(name):
        given = name[:LONGEST_ZONE]
        raise refused(
            "trigger.time_zone", f"there is no time zone {given!r}; they are called as Europe/Berlin and UTC are."
        )


def refused(where: str, why: str) -> InvalidArgument:
    """The refusal of what stands at that place."""
    return InvalidArgument(message("resphere.schedule.input", "{0}: {1}", where, why))
