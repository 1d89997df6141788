"""What is stored of backups, of their schedules, and of restorations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from resphere.contract.generated.appliance_recovery_backup import Schedules
from resphere.contract.generated.appliance_recovery_backup_job import Details
from resphere.contract.model import LocalizableMessage
from resphere.inventory.appliance.clock import USUAL_ZONE
from resphere.replica.table import Table

Kind = Details.Type

AT_WORK = "recovery"
"""The claim of whoever is at work: of backups, restorations and reconciliations there is one at a time."""
LAST = "last"
"""The id of the one restoration, and the one reconciliation, that is remembered."""


class State(StrEnum):
    """How far work is."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Work(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Work in progress, or what became of it.

    ``owner`` is the worker that does it; ``progress`` goes from 0 to 100. ``start_time`` and ``end_time`` are aware, in
    UTC. ``cancel_requested``: somebody wants it to stop; ``final``: nobody can stop it any more.
    """

    kind: ClassVar[str]

    id: str
    owner: str
    user: str | None = None
    state: State = State.RUNNING
    progress: int = 0
    messages: tuple[LocalizableMessage, ...] = ()
    start_time: datetime
    end_time: datetime | None = None
    cancel_requested: bool = False
    final: bool = False


class BackupJob(Work, frozen=True, kw_only=True, omit_defaults=True):
    """A backup. ``location`` is the URL that was asked for, ``folder`` the path below it that the files lie in, and
    ``archive`` the name of the archive there; ``size_bytes`` is how much was sent.

    ``schedule`` is the id of the one that it was made by, whose retention may have ``removed`` its files since.
    """

    kind: ClassVar[str] = "backup_job"

    type: Kind = Kind.MANUAL
    schedule: str | None = None
    location: str
    location_user: str | None = None
    folder: str = ""
    archive: str = ""
    parts: tuple[str, ...] = ()
    comment: str = ""
    fast_backup: bool | None = None
    version: str = ""
    build: str = ""
    size_bytes: int = 0
    removed: bool = False


class BackupSchedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a backup is made, where to, and how many are kept (``max_count``; ``None``: all).

    ``backup_password`` and ``location_password`` are sealed in the store. ``next_time`` is when it is due by the
    clocks of ``time_zone``, which was the appliance's then; ``None`` where it is not.
    """

    kind: ClassVar[str] = "backup_schedule"

    id: str
    parts: tuple[str, ...] = ()
    backup_password: str | None = None
    location: str
    location_user: str | None = None
    location_password: str | None = None
    enabled: bool = True
    recurrence: Schedules.RecurrenceInfo | None = None
    max_count: int | None = None
    fast_backup: bool | None = None
    next_time: datetime | None = None
    time_zone: str = USUAL_ZONE


class RestoreJob(Work, frozen=True, kw_only=True, omit_defaults=True):
    """The restoration that was asked for last, of ``parts``, from the folder at the URL ``location``."""

    kind: ClassVar[str] = "restore_job"

    location: str
    parts: tuple[str, ...] = ()


class ReconciliationJob(Work, frozen=True, kw_only=True, omit_defaults=True):
    """The last look at what was restored."""

    kind: ClassVar[str] = "reconciliation_job"


def busy_claim(work: Work) -> tuple[str, ...]:
    """What work in progress claims."""
    return (AT_WORK,) if work.state is State.RUNNING else ()


def state_key(work: Work) -> tuple[str, ...]:
    """The key of work by its state."""
    return (work.state.value,)


JOBS = Table(
    cls=BackupJob,
    indexes={"state": state_key, "schedule": lambda job: () if job.schedule is None else (job.schedule,)},
    claims=busy_claim,
    revises=False,
)
SCHEDULES = Table(cls=BackupSchedule, revises=False, sealed=("backup_password", "location_password"))
RESTORES = Table(cls=RestoreJob, indexes={"state": state_key}, claims=busy_claim, revises=False)
RECONCILIATIONS = Table(cls=ReconciliationJob, indexes={"state": state_key}, claims=busy_claim, revises=False)
