"""Schedules of backups within a profile."""

from __future__ import annotations

from msgspec.structs import replace

from resphere.access.refusals import no_privileges
from resphere.contract.generated import (
    appliance_vcenter_settings_v1_config_components_applmgmt as form,
)
from resphere.contract.generated.appliance_recovery_backup import Schedules
from resphere.contract.model import Secret
from resphere.recovery.record import BackupSchedule
from resphere.recovery.scheduling import MOST_SCHEDULES
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import invalid
from resphere.services.appliance.recovery.forms import given, given_text
from resphere.services.call import Call
from resphere.services.checks.profiles.state import Among, Planned

NEEDED = "Global.Settings"
"""What whoever looks at schedules needs: they name places and users elsewhere."""
Day = form.RecurrenceInfo.DayOfWeek


def told_schedules(call: Call, among: Among, *, secrets: bool) -> tuple[form.BackupSchedule, ...] | None:
    """All of them, if the caller may know of them."""
    if not call.view.holds(NEEDED, None):
        return None
    return tuple(told(each, secrets=secrets) for _, each in sorted(among.all(BackupSchedule).items()))


def told(kept: BackupSchedule, *, secrets: bool) -> form.BackupSchedule:
    """One of them."""
    recurrence = kept.recurrence
    return form.BackupSchedule(
        schedule_id=kept.id,
        parts=kept.parts,
        backup_password=Secret(kept.backup_password) if secrets and kept.backup_password is not None else None,
        location=kept.location,
        location_user=kept.location_user,
        location_password=Secret(kept.location_password) if secrets and kept.location_password is not None else None,
        enable=kept.enabled,
        recurrence_info=None
        if recurrence is None
        else form.RecurrenceInfo(
            minute=recurrence.minute,
            hour=recurrence.hour,
            days=None if recurrence.days is None else tuple(Day(each) for each in recurrence.days),
        ),
        retention_info=None if kept.max_count is None else form.RetentionInfo(max_count=kept.max_count),
    )


def keep_schedules(call: Call, edit: Edit, wanted: tuple[form.BackupSchedule, ...], field: str) -> None:
    """Have these and no others.

    :raises Unauthorized: the caller may not know of any.
    """
    if not call.view.holds(NEEDED, None):
        raise no_privileges(NEEDED, None, call.vcenter)
    if len(wanted) > MOST_SCHEDULES:
        raise invalid(field, "{1} are more than {2}.", len(wanted), MOST_SCHEDULES)
    ids = [each.schedule_id for each in wanted]
    for place, each in enumerate(wanted):
        if each.schedule_id in ids[:place]:
            raise invalid(f"{field}[{place}].schedule_id", "there is another one of that id.")
        before = edit.get(BackupSchedule, each.schedule_id)
        made = schedule_of(each, before)
        if before is None or replace(before, next_time=None) != made:
            call.environment.recovery.schedules.put(edit, made)
    for id in Planned(call.unfiltered, edit).all(BackupSchedule).keys() - set(ids):
        edit.delete(BackupSchedule, id)


def schedule_of(wanted: form.BackupSchedule, before: BackupSchedule | None) -> BackupSchedule:
    """What is to be kept of one. A password that is not given stays, that of the location with this and its user."""
    user = given_text(wanted.location_user)
    same = before is not None and (wanted.location, user) == (before.location, before.location_user)
    recurrence = wanted.recurrence_info
    return BackupSchedule(
        id=wanted.schedule_id,
        parts=wanted.parts or (),
        backup_password=given(wanted.backup_password) or (None if before is None else before.backup_password),
        location=wanted.location,
        location_user=user,
        location_password=given(wanted.location_password)
        or (before.location_password if same and before is not None else None),
        enabled=wanted.enable is not False,
        recurrence=None
        if recurrence is None
        else Schedules.RecurrenceInfo(
            minute=recurrence.minute,
            hour=recurrence.hour,
            days=None if recurrence.days is None else tuple(Schedules.DayOfWeek(each) for each in recurrence.days),
        ),
        max_count=None if wanted.retention_info is None else wanted.retention_info.max_count,
        fast_backup=None if before is None else before.fast_backup,
    )
