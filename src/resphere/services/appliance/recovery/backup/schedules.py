"""``com.vmware.appliance.recovery.backup.schedules``: when backups are made, in the appliance's time zone."""

from __future__ import annotations

from functools import partial

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_recovery_backup import Job, Schedules
from resphere.recovery.record import BackupSchedule
from resphere.recovery.requests import all_parts
from resphere.recovery.scheduling import no_schedule
from resphere.services.appliance.recovery.backup.job.job import status
from resphere.services.appliance.recovery.forms import given, given_text
from resphere.services.call import Call
from resphere.services.registry import implements

Id = ids.ApplianceRecoveryBackupScheduleId


@implements(Schedules.create)
async def create(call: Call, schedule: Id, spec: Schedules.CreateSpec) -> None:
    """Make one; its location is not tried before it is due.

    :raises AlreadyExists: there is one of that id.
    :raises InvalidArgument: names the field.
    """
    await call.environment.recovery.schedules.create(
        BackupSchedule(
            id=schedule,
            parts=spec.parts or (),
            backup_password=given(spec.backup_password),
            location=spec.location,
            location_user=given_text(spec.location_user),
            location_password=given(spec.location_password),
            enabled=spec.enable is not False,
            recurrence=spec.recurrence_info,
            max_count=None if spec.retention_info is None else spec.retention_info.max_count,
            fast_backup=spec.fast_backup,
        )
    )


@implements(Schedules.list)
async def list_schedules(call: Call) -> dict[str, Schedules.Info]:
    """All, without their passwords."""
    return {id: info(each) for id, each in call.unfiltered.all(BackupSchedule).items()}


@implements(Schedules.get)
async def get(call: Call, schedule: Id) -> Schedules.Info:
    """One, without its passwords.

    :raises NotFound: there is none.
    """
    found = call.unfiltered.get(BackupSchedule, schedule)
    if found is None:
        raise no_schedule(schedule)
    return info(found)


@implements(Schedules.update)
async def update(call: Call, schedule: Id, spec: Schedules.UpdateSpec) -> None:
    """Change what ``spec`` says.

    :raises NotFound: there is none.
    :raises InvalidArgument: names the field.
    """
    await call.environment.recovery.schedules.update(schedule, partial(updated, spec=spec))


def updated(schedule: BackupSchedule, spec: Schedules.UpdateSpec) -> BackupSchedule:
    """The schedule with what is set. A password and a user belong to a location: where that changes to another host,
    they have to be given again, so that nobody learns a password by having it sent elsewhere."""
    elsewhere = spec.location is not None and spec.location != schedule.location
    kept = None if elsewhere else schedule.location_password
    return msgspec.structs.replace(
        schedule,
        parts=schedule.parts if spec.parts is None else spec.parts,
        backup_password=schedule.backup_password if spec.backup_password is None else given(spec.backup_password),
        location=schedule.location if spec.location is None else spec.location,
        location_user=schedule.location_user if spec.location_user is None else given_text(spec.location_user),
        location_password=kept if spec.location_password is None else given(spec.location_password),
        enabled=schedule.enabled if spec.enable is None else spec.enable,
        recurrence=schedule.recurrence if spec.recurrence_info is None else spec.recurrence_info,
        max_count=schedule.max_count if spec.retention_info is None else spec.retention_info.max_count,
        fast_backup=schedule.fast_backup if spec.fast_backup is None else spec.fast_backup,
    )


@implements(Schedules.delete)
async def delete(call: Call, schedule: Id) -> None:
    """Forget one; its backups stay.

    :raises NotFound: there is none.
    """
    await call.environment.recovery.schedules.delete(schedule)


@implements(Schedules.run)
async def run(call: Call, schedule: Id, comment: str | None) -> Job.BackupJobStatus:
    """Make its backup now, whether it is enabled or not.

    :raises NotFound: there is none.
    :raises FeatureInUse: a backup or a restoration is in progress.
    """
    return status(await call.environment.recovery.schedules.run_now(schedule, comment or "", call.session.user))


def info(schedule: BackupSchedule) -> Schedules.Info:
    """A schedule as it is shown."""
    count = schedule.max_count
    return Schedules.Info(
        parts=all_parts(schedule.parts),
        location=schedule.location,
        location_user=schedule.location_user,
        enable=schedule.enabled,
        recurrence_info=schedule.recurrence,
        retention_info=None if count is None else Schedules.RetentionInfo(max_count=count),
        fast_backup=schedule.fast_backup,
    )
