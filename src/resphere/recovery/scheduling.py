"""Schedules of backups as they are made and changed, and the clock that one elected worker looks at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.contract.generated.appliance_recovery_backup import Schedules
from resphere.contract.model import LocalizableMessage
from resphere.inventory.appliance.clock import TimeZone
from resphere.inventory.appliance.settings import setting_of
from resphere.recovery.backups import Backups
from resphere.recovery.places.location import Login
from resphere.recovery.record import BackupJob, BackupSchedule, Kind
from resphere.recovery.requests import Request, faults
from resphere.recovery.times import next_time
from resphere.recovery.work import in_use, require_idle, under_way
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the clock is looked at."""
GRACE = timedelta(minutes=10)
"""What is later than this, as the server was away, is left for the next time."""
MOST_SCHEDULES = 100
LONGEST_ID = 80
LAST_HOUR, LAST_MINUTE = 23, 59
MOST_KEPT = 10_000


class BackupSchedules:
    """All schedules."""

    def __init__(self, replica: Replica, backups: Backups, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._backups = backups
        self._now = now

    async def create(self, schedule: BackupSchedule) -> None:
        """Make a schedule.

        :raises AlreadyExists: there is one of that id.
        :raises InvalidArgument: names the field.
        """
        require_good(schedule)
        name = schedule.id

        def plan(edit: Edit) -> None:
            if edit.get(BackupSchedule, name) is not None:
                text = "There is a schedule {0} already."
                raise AlreadyExists(message("resphere.recovery.schedule_exists", text, name))
            if self._replica.count(BackupSchedule) >= MOST_SCHEDULES:
                raise refused("schedule", f"there are {MOST_SCHEDULES} schedules, and may be")
            self.put(edit, schedule)

        await self._replica.change(plan)

    async def update(self, id: str, changed: Callable[[BackupSchedule], BackupSchedule]) -> None:
        """Change a schedule.

        :raises NotFound: there is none.
        :raises InvalidArgument: names the field.
        """

        def plan(edit: Edit) -> None:
            self.put(edit, changed(require(edit, id)))

        await self._replica.change(plan)

    def put(self, edit: Edit, schedule: BackupSchedule) -> None:
        """Have a schedule be so.

        :raises InvalidArgument: names the field.
        """
        require_good(schedule)
        edit.put(self._timed(schedule, zone_of(edit)))

    async def delete(self, id: str) -> None:
        """Forget a schedule; its backups stay.

        :raises NotFound: there is none.
        """
        await self._replica.change(lambda edit: edit.delete(BackupSchedule, require(edit, id).id))

    async def run_now(self, id: str, comment: str, user: str) -> BackupJob:
        """Make the schedule's backup, whatever its time.

        :raises NotFound: there is none.
        :raises FeatureInUse: a backup or a restoration is in progress.
        """
        request: Request | None = None

        def plan(edit: Edit) -> BackupJob:
            nonlocal request
            request = request_of(require(edit, id), comment)
            require_idle(edit)
            return self._backups.put(edit, request, user, faults(request))

        job = await self._replica.change(plan)
        assert request is not None
        self._backups.launch(job, request)
        return job

    async def run(self) -> None:
        """Make the backups that are due by the appliance's clocks, until canceled."""
        while True:
            zone = zone_of(self._replica)
            for schedule in list(self._replica.all(BackupSchedule).values()):
                if schedule.time_zone != zone:
                    await self._time_anew(schedule.id)
                elif schedule.next_time is not None and schedule.next_time <= self._now():
                    await self._fire(schedule.id)
            await asyncio.sleep(LOOK_SECONDS)

    async def _time_anew(self, id: str) -> None:
        """The appliance is in another time zone than it was when the schedule's time was told."""

        def plan(edit: Edit) -> None:
            schedule = edit.get(BackupSchedule, id)
            if schedule is not None and schedule.time_zone != zone_of(edit):
                edit.put(self._timed(schedule, zone_of(edit)))

        await self._replica.change(plan)

    async def _fire(self, id: str) -> None:
        request: Request | None = None

        def plan(edit: Edit) -> BackupJob | None:
            nonlocal request
            schedule, now = edit.get(BackupSchedule, id), self._now()
            if schedule is None or schedule.next_time is None or schedule.next_time > now:
                return None
            edit.put(self._timed(schedule, zone_of(edit)))
            if now - schedule.next_time > GRACE:
                log.warning("the backup of the schedule %s was missed at %s", id, schedule.next_time)
                return None
            request = request_of(schedule, "")
            busy = under_way(edit)
            wrong = faults(request) if busy is None else in_use(busy).messages
            return self._backups.put(edit, request, None, wrong)

        job = await self._replica.change(plan)
        if job is not None and request is not None:
            self._backups.launch(job, request)

    def _timed(self, schedule: BackupSchedule, zone: str) -> BackupSchedule:
        """The schedule with its next time, by the clocks of the zone."""
        due = None
        if schedule.enabled and schedule.recurrence is not None:
            due = next_time(schedule.recurrence, zone, self._now())
        return msgspec.structs.replace(schedule, next_time=due, time_zone=zone)


def zone_of(among: Lookup) -> str:
    """The appliance's time zone."""
    return setting_of(among, TimeZone).name


def request_of(schedule: BackupSchedule, comment: str) -> Request:
    """The backup that a schedule orders."""
    return Request(
        parts=schedule.parts,
        password=schedule.backup_password,
        location=schedule.location,
        login=Login(schedule.location_user, schedule.location_password),
        comment=comment,
        fast_backup=schedule.fast_backup,
        type=Kind.SCHEDULED,
        schedule=schedule.id,
        max_count=schedule.max_count,
    )


def require(edit: Edit, id: str) -> BackupSchedule:
    """The schedule of that id.

    :raises NotFound: there is none.
    """
    schedule = edit.get(BackupSchedule, id)
    if schedule is None:
        raise no_schedule(id)
    return schedule


def no_schedule(id: str) -> NotFound:
    """The refusal of what is not there."""
    return NotFound(message("resphere.recovery.no_schedule", "There is no schedule {0}.", id[:LONGEST_ID]))


def require_good(schedule: BackupSchedule) -> None:
    """Refuse what cannot be a schedule.

    :raises InvalidArgument: names the field.
    """
    if not 1 <= len(schedule.id) <= LONGEST_ID or not schedule.id.isprintable():
        raise refused("schedule", f"it has to have 1 to {LONGEST_ID} visible characters")
    require_recurrence(schedule.recurrence)
    if schedule.max_count is not None and not 1 <= schedule.max_count <= MOST_KEPT:
        raise refused("retention_info.max_count", f"it has to be 1 to {MOST_KEPT}")
    wrong = faults(request_of(schedule, ""))
    if wrong:
        raise InvalidArgument(*wrong)


def require_recurrence(recurrence: Schedules.RecurrenceInfo | None) -> None:
    """Refuse times that there are not.

    :raises InvalidArgument: names the field.
    """
    if recurrence is None:
        return
    if not 0 <= recurrence.hour <= LAST_HOUR:
        raise refused("recurrence_info.hour", f"it has to be 0 to {LAST_HOUR}")
    if not 0 <= recurrence.minute <= LAST_MINUTE:
        raise refused("recurrence_info.minute", f"it has to be 0 to {LAST_MINUTE}")
    if recurrence.days is not None and len(set(recurrence.days)) != len(recurrence.days):
        raise refused("recurrence_info.days", "a day is in it twice")


def refused(field: str, why: str) -> InvalidArgument:
    """The refusal of what a field holds."""
    return InvalidArgument(field_message(field, why))


def field_message(field: str, why: str) -> LocalizableMessage:
    """What is wrong with a field."""
    return message("resphere.recovery.field", "The field {0} is not good: {1}.", field, why)
