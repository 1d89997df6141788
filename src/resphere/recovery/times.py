"""When a schedule of vCenter's form is due: at an hour and a minute, in UTC, every day or on some."""

from __future__ import annotations

from datetime import datetime, timedelta

from resphere.contract.generated.appliance_recovery_backup import Schedules

DAYS = (
    Schedules.DayOfWeek.MONDAY,
    Schedules.DayOfWeek.TUESDAY,
    Schedules.DayOfWeek.WEDNESDAY,
    Schedules.DayOfWeek.THURSDAY,
    Schedules.DayOfWeek.FRIDAY,
    Schedules.DayOfWeek.SATURDAY,
    Schedules.DayOfWeek.SUNDAY,
)
"""As ``datetime.weekday`` counts them."""
A_DAY = timedelta(days=1)


def next_time(recurrence: Schedules.RecurrenceInfo, moment: datetime) -> datetime:
    """The first time after ``moment`` (aware, in UTC)."""
    days = set(recurrence.days or DAYS)
    due = moment.replace(hour=recurrence.hour, minute=recurrence.minute, second=0, microsecond=0)
    while due <= moment or DAYS[due.weekday()] not in days:
        due += A_DAY
    return due
