"""When a schedule of vCenter's form is due: at an hour and a minute by the clocks of a zone, every day or on some."""

from __future__ import annotations

from datetime import datetime

from resphere.contract.generated.appliance_recovery_backup import Schedules
from resphere.rules.clocks import cron_times

DAYS = (
    Schedules.DayOfWeek.MONDAY,
    Schedules.DayOfWeek.TUESDAY,
    Schedules.DayOfWeek.WEDNESDAY,
    Schedules.DayOfWeek.THURSDAY,
    Schedules.DayOfWeek.FRIDAY,
    Schedules.DayOfWeek.SATURDAY,
    Schedules.DayOfWeek.SUNDAY,
)
"""As cron counts them, from 1 on."""


def next_time(recurrence: Schedules.RecurrenceInfo, zone: str, moment: datetime) -> datetime:
    """The first time after ``moment`` (aware), in UTC."""
    days = "*" if not recurrence.days else ",".join(str(DAYS.index(day) + 1) for day in recurrence.days)
    return next(cron_times(f"{recurrence.minute} {recurrence.hour} * * {days}", zone, moment))
