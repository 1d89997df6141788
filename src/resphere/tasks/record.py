"""A task's durable record."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from resphere.contract.generated.cis_task import Status
from resphere.contract.mentions import Knows, NamingMessage, all_told
from resphere.contract.model import ErrorValue
from resphere.replica.table import Table


class Failure(ErrorValue, frozen=True, kw_only=True):
    """How a task failed: its messages may name objects that not everybody who sees the task may know of."""

    messages: tuple[NamingMessage, ...]

    def told(self, knows: Knows) -> ErrorValue:
        """The error in the words for somebody who knows of these objects."""
        return ErrorValue(error_type=self.error_type, messages=all_told(self.messages, knows), data=self.data)


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Work on ``target`` (of resource type ``target_type``), asked for by ``service``.``operation``.

    ``owner`` is the worker that does it; ``progress`` goes from 0 to 100. ``exclusive``: while it is not finished,
    no other exclusive work goes on on the target. ``resumed``: where its owner dies, another worker goes on with it.
    ``result`` is of plain values, as JSON has them. Times are aware, in UTC. ``request`` is the id of the request that
    asked for it, ``behind`` are the schedules by which it came to that.
    """

    kind: ClassVar[str] = "task"

    id: str
    service: str
    operation: str
    description: str
    target_type: str | None = None
    target: str | None = None
    user: str | None = None
    request: str | None = None
    behind: tuple[str, ...] = ()
    exclusive: bool = False
    resumed: bool = False
    owner: str
    status: Status
    progress: int = 0
    cancelable: bool = False
    cancel_requested: bool = False
    result: Any = None
    error: Failure | None = None
    queued_time: datetime
    start_time: datetime | None = None
    end_time: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in (Status.SUCCEEDED, Status.FAILED)


def busy_claim(target: str) -> str:
    """The claim that an unfinished exclusive task holds on its target, and no other can."""
    return f"busy/{target}/"  # the end keeps vm-1 apart from vm-10 where the claim is asked for as a prefix


def _keeps_busy(task: Task) -> tuple[str, ...]:
    return () if task.is_finished or not task.exclusive or task.target is None else (task.target,)


TASKS = Table(
    cls=Task,
    indexes={
        "busy": _keeps_busy,
        "owner": lambda task: () if task.is_finished else (task.owner,),
        "finished": lambda task: ("yes",) if task.is_finished else ("no",),
    },
    claims=lambda task: tuple([busy_claim(target) for target in _keeps_busy(task)]),
    revises=False,
)
