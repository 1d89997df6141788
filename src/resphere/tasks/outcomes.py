"""How tasks end badly: the errors that a task's record or its caller gets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from resphere.contract.errors import (
    Canceled,
    ConcurrentChange,
    InternalServerError,
    NotFound,
    VapiError,
    message,
    vim_message,
)
from resphere.contract.generated.cis_task import Status
from resphere.contract.mentions import recordable
from resphere.contract.model import LocalizableMessage
from resphere.inventory.mentions import identified
from resphere.inventory.model import ManagedObject
from resphere.tasks.record import Failure, Task

BUSY = "resphere.task.busy"


def busy_messages(task: Task) -> tuple[LocalizableMessage, ...]:
    """The refusal where ``task`` is under way; the second message is vCenter's own."""
    return (
        message(
            BUSY,
            "{0} {1} is busy: the task {2} ({3}) is under way.",
            task.target_type,
            identified(task.target or ""),
            task.id,
            task.description,
        ),
        vim_message("vmsg.TaskInProgress.summary", "Another task is already in progress."),
    )


def is_busy(error: VapiError) -> bool:
    """Whether the error says that other work is under way."""
    return bool(error.messages) and error.messages[0].id == BUSY


def failure(error: VapiError) -> Failure:
    """An error as a record keeps it, whoever is going to read that."""
    return Failure(error_type=error.error_type, messages=tuple(map(recordable, error.messages)), data=error.plain_data)


def failed(task: Task, error: VapiError, now: datetime) -> Task:
    """``task`` as it stands after ``error`` ended it."""
    return msgspec.structs.replace(
        task, status=Status.FAILED, error=failure(error), end_time=now, start_time=task.start_time or now
    )


def succeeded(task: Task, result: Any, now: datetime) -> Task:
    """``task`` as it stands after it was done, with a result of plain values."""
    return msgspec.structs.replace(task, status=Status.SUCCEEDED, progress=100, result=result, end_time=now)


def interrupted() -> InternalServerError:
    """Why a task failed whose worker is no more."""
    return InternalServerError(message("resphere.task.interrupted", "The server stopped while the task was running."))


def stopped() -> InternalServerError:
    """Why a task failed that an orderly stop did not wait for."""
    return InternalServerError(
        message("resphere.task.stopped", "The server was stopped before the task was done. Nothing was changed.")
    )


def ended_by_state() -> InternalServerError:
    """Why a task failed while which the inventory was put back as it was."""
    return InternalServerError(
        message("resphere.task.ended_by_state", "The inventory was restored while the task was running.")
    )


def unforeseen() -> InternalServerError:
    """Why a task failed where there is no telling; the log has more."""
    return InternalServerError(message("resphere.task.failed", "The work failed unexpectedly."))


def overtaken() -> ConcurrentChange:
    """Why a task failed whose object others changed all the time."""
    return ConcurrentChange(
        message("resphere.concurrent_change", "Others changed the same object meanwhile, again and again.")
    )


def canceled() -> Canceled:
    """Why a task failed that somebody canceled."""
    return Canceled(message("resphere.task.canceled", "The task was canceled."))


def no_task(task_id: str) -> NotFound:
    """The refusal of an unknown task id."""
    return NotFound(message("resphere.task.not_found", "The task {0} does not exist.", task_id))


def needed_messages(task: Task, target: str) -> tuple[LocalizableMessage, ...]:
    """The refusal to take away what ``task``, which is under way, will need: ``target`` is its kind and id,
    ``host/host-12``."""
    kind, _, id = target.partition("/")
    return (
        message(
            "resphere.task.needs",
            "The {0} {1} is in use: the task {2} ({3}), which is under way, needs it.",
            kind.replace("_", " "),
            identified(id),
            task.id,
            task.description,
        ),
    )


def gone(target: ManagedObject) -> NotFound:
    """The refusal where the object was deleted meanwhile."""
    return NotFound(
        message(
            "resphere.task.object_gone",
            "The {0} {1} no longer exists.",
            target.resource_type,
            target.id,
        )
    )
