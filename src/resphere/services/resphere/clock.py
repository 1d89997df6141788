"""``resphere.clock``: what time it is in the vCenter."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.clock import Clock
from resphere.inventory.clock import ONLY, SetClock
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.simulated import require_simulated
from resphere.services.registry import implements

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
MOST_SECONDS = (LAST - FIRST).total_seconds()


@implements(Clock.get)
async def get(call: Call) -> Clock.Info:
    """What time it is."""
    setting = call.get(SetClock, ONLY)
    present = call.environment.present()
    return Clock.Info(
        time=present if setting is None else setting.moment(present),
        machine_time=present,
        set=setting is not None,
        frozen=setting is not None and setting.frozen is not None,
    )


@implements(Clock.set)
async def put(call: Call, spec: Clock.SetSpec) -> None:
    """Set it.

    :raises InvalidArgument: the time is too long ago, or too far ahead.
    :raises Unsupported: machines outside have their own clocks.
    """
    require_simulated(call)
    require_time(spec.time)
    present = call.environment.present()
    await call.settle(lambda edit: edit.put(clock_at(spec.time, present, frozen=bool(spec.frozen))))


@implements(Clock.advance)
async def advance(call: Call, spec: Clock.AdvanceSpec) -> None:
    """Move it.

    :raises InvalidArgument: so far that the time would be too long ago, or too far ahead.
    :raises Unsupported: machines outside have their own clocks.
    """
    require_simulated(call)
    if not math.isfinite(spec.seconds) or abs(spec.seconds) > MOST_SECONDS:
        raise too_far()
    present = call.environment.present()

    def plan(edit: Edit) -> None:
        setting = edit.get(SetClock, ONLY) or SetClock()
        time = setting.moment(present) + timedelta(seconds=spec.seconds)
        require_time(time)
        edit.put(clock_at(time, present, frozen=setting.frozen is not None))

    await call.settle(plan)


@implements(Clock.release)
async def release(call: Call) -> None:
    """Have it be the machine's again; one that is stays."""

    def plan(edit: Edit) -> None:
        if edit.get(SetClock, ONLY) is not None:
            edit.delete(SetClock, ONLY)

    await call.settle(plan)


def clock_at(time: datetime, present: datetime, *, frozen: bool) -> SetClock:
    """A clock that shows ``time`` where the machine's shows ``present``."""
    if frozen:
        return SetClock(frozen=time)
    return SetClock(ahead_milliseconds=(time - present) // timedelta(milliseconds=1))


def require_time(time: datetime) -> None:
    """:raises InvalidArgument: it is out of range."""
    if not FIRST <= time <= LAST:
        raise too_far()


def too_far() -> InvalidArgument:
    """The refusal of a time that is out of range."""
    return InvalidArgument(
        message("resphere.clock.range", "The clock goes from the beginning of 2000 to the end of 2099.")
    )
