"""A task's durable record."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from resphere.contract.generated.cis_task import Status
from resphere.contract.model import ErrorValue
from resphere.inventory.table import Table


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Work on ``target`` (of resource type ``target_type``), asked for by ``service``.``operation``.

    ``owner`` is the worker that does it; ``progress`` goes from 0 to 100. Times are aware, in UTC.
    """

    kind: ClassVar[str] = "task"

    id: str
    service: str
    operation: str
    description: str
    target_type: str | None = None
    target: str | None = None
    user: str | None = None
    owner: str
    status: Status
    progress: int = 0
    cancelable: bool = False
    cancel_requested: bool = False
    result: Any = None
    error: ErrorValue | None = None
    queued_time: datetime
    start_time: datetime | None = None
    end_time: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in (Status.SUCCEEDED, Status.FAILED)


TASKS = Table(
    cls=Task,
    indexes={
        "owner": lambda task: () if task.is_finished else (task.owner,),
        "finished": lambda task: ("yes",) if task.is_finished else ("no",),
    },
    revises=False,
)
