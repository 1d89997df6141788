"""What is stored of schedules, and of what became of their times."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.requesters import Requester
from resphere.contract.extensions.schedules import Schedules
from resphere.replica.table import Table
from resphere.tasks.record import Failure

RunState = Schedules.RunState
UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schedule. ``work`` is what a bulk operation is asked for with, JSON; ``operation`` is the first of it.

    ``next_time`` is when it is due, ``None`` where it is not; ``runs`` is how many times there were. At events,
    ``position`` is the number of the last one that it is done with. Times are aware, in UTC.
    """

    kind: ClassVar[str] = "schedule"

    id: str
    name: str
    description: str = ""
    requester: Requester
    trigger: Schedules.Trigger
    work: bytes
    operation: str
    enabled: bool = True
    misfire: Schedules.Misfire = Schedules.Misfire.RUN
    overlap: Schedules.Overlap = Schedules.Overlap.SKIP
    next_time: datetime | None = None
    previous_time: datetime | None = None
    position: int = 0
    runs: int = 0
    created_time: datetime
    modified_time: datetime
    modified_by: str

    @property
    def listens(self) -> bool:
        """Whether it waits for events."""
        return self.enabled and self.trigger.type is Schedules.TriggerType.EVENT


class Cursor(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What schedules wait for was looked for in all events up to the number ``position``: whatever a schedule is not
    done with comes after that."""

    kind: ClassVar[str] = "schedule_cursor"

    id: str
    position: int


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a time of a schedule: ``number`` counts them. ``bulk`` is what was begun, and ``user`` who has
    asked for it, where it was not the time that did. At events: how many, and from which number to which."""

    kind: ClassVar[str] = "schedule_run"

    id: str
    schedule: str
    number: int
    due_time: datetime
    start_time: datetime | None = None
    state: RunState
    bulk: str | None = None
    user: str | None = None
    error: Failure | None = None
    events: int | None = None
    first_event: int | None = None
    last_event: int | None = None


def run_id(schedule: str, number: int) -> str:
    """The id of a run."""
    return f"{schedule}/{number}"


def name_claim(requester: Requester, name: str) -> str:
    """The claim of a name, of which each user has names of his own."""
    return f"schedule/{canonical_name(requester.user)}/{name.casefold()}"


SCHEDULES = Table(
    cls=Schedule,
    indexes={
        "user": lambda schedule: (canonical_name(schedule.requester.user),),
        "name": lambda schedule: (name_claim(schedule.requester, schedule.name),),
    },
    claims=lambda schedule: (name_claim(schedule.requester, schedule.name),),
    revises=False,
    sealed=("work",),
)
RUNS = Table(
    cls=Run,
    indexes={
        "schedule": lambda run: (run.schedule,),
        "open": lambda run: (run.schedule,) if run.state in UNDER_WAY else (),
        "bulk": lambda run: () if run.bulk is None else (run.bulk,),
    },
    revises=False,
)
CURSORS = Table(cls=Cursor, revises=False)
