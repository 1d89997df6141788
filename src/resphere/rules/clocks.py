"""When it is what time: cron's times by the clocks of a time zone, and which zones there are.

Cron is Debian's (by cronsim). Where clocks go forward, what falls into the hour that is not there is due right after
it; where they go back, what is at fixed hours is due once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name, such as ``Europe/Berlin``: upper and lower case count, and neither
    ``localtime`` nor a file's path (``posix/UTC``) is one."""
    return name in zones()


@cache
def zones() -> frozenset[str]:
    """The names of all zones, of the system's time zone database and of the package ``tzdata``, read once."""
    return frozenset(available_timezones())


def cron_times(cron: str, zone: str, moment: datetime) -> Iterator[datetime]:
    """The times after ``moment`` (aware) at which five fields of cron are due by the clocks of ``zone``, in UTC.

    :raises CronSimError: they are none.
    """
    last = moment
    for due in CronSim(cron, moment.astimezone(ZoneInfo(zone))):
        # Neither twice nor backwards, whatever clocks do there.
        found = due.astimezone(UTC)
        if found > last:
            last = found
            yield found
