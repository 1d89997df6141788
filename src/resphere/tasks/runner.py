"""Runs work on managed objects and keeps its tasks.

Work that is over at once is one transaction: its effect and its finished task. Work that takes time is recorded as
running first, so that others see it, can cancel it, and know after a crash that it did not finish.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from resphere.contract.errors import (
    Canceled,
    InternalServerError,
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
    message,
)
from resphere.contract.generated.cis_task import Status
from resphere.inventory.edit import Edit
from resphere.inventory.model import ManagedObject
from resphere.inventory.replica import Replica
from resphere.tasks.record import Task

log = logging.getLogger(__name__)

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")

MOST_FINISHED = 10_000
PRUNED_AT_ONCE = 500
WATCH_SECONDS = 0.1


class Origin(msgspec.Struct, frozen=True):
    """Who asked for the work and by which operation."""

    service: str
    operation: str
    description: str
    user: str | None


class TaskJob(Generic[O]):
    """One piece of work; see :class:`resphere.providers.base.Job`, which this is."""

    def __init__(self, tasks: Tasks, origin: Origin, target: O, guard: Callable[[O], None], cancelable: bool) -> None:
        self._tasks = tasks
        self._origin = origin
        self._target = target
        self._guard = guard
        self._cancelable = cancelable
        self._queued_time = tasks.now()
        self._task: Task | None = None
        self._canceled = asyncio.Event()

    @property
    def target(self) -> O:
        return self._target

    def now(self) -> datetime:
        return self._tasks.now()

    @property
    def task_id(self) -> str | None:
        """The task's id once it has been recorded."""
        return self._task.id if self._task else None

    async def begin(self) -> None:
        if self._task is not None:
            return

        def plan(edit: Edit) -> Task:
            task = self._record(edit, Status.RUNNING)
            edit.put(task)
            return task

        self._task = await self._tasks.replica.change(plan)
        self._tasks.watch(self._task.id, self._canceled)

    async def spend(self, seconds: float) -> None:
        if seconds <= 0:
            return
        await self.begin()
        try:
            await asyncio.wait_for(self._canceled.wait(), seconds)
        except TimeoutError:
            return
        raise Canceled(message("com.vmware.cis.task.canceled", "The task was canceled."))

    async def progress(self, percent: int) -> None:
        await self.begin()
        assert self._task is not None
        task = self._task

        def plan(edit: Edit) -> None:
            current = edit.get(Task, task.id)
            if current is not None and not current.is_finished:
                edit.put(msgspec.structs.replace(current, progress=percent))

        await self._tasks.replica.change(plan)

    async def complete(self, plan: Callable[[Edit, O], R], *, reports: bool = False) -> R:
        def whole(edit: Edit) -> tuple[R, Task]:
            current = edit.get(type(self._target), self._target.id)
            if current is None:
                raise gone(self._target)
            self._guard(current)
            result = plan(edit, current)
            running = edit.get(Task, self._task.id) if self._task else None
            task = msgspec.structs.replace(
                running or self._record(edit, Status.RUNNING),
                status=Status.SUCCEEDED,
                progress=100,
                result=result if reports else None,
                end_time=self._tasks.now(),
            )
            edit.put(task)
            self._tasks.prune(edit)
            return result, task

        result, self._task = await self._tasks.replica.change(whole)
        return result

    async def fail(self, error: VapiError) -> None:
        """Record the failure of work that had begun; work refused before it began leaves no task."""
        if self._task is None:
            return
        task = self._task

        def plan(edit: Edit) -> None:
            current = edit.get(Task, task.id)
            if current is not None and not current.is_finished:
                edit.put(failed(current, error, self._tasks.now()))

        await self._tasks.replica.change(plan)

    def _record(self, edit: Edit, status: Status) -> Task:
        return Task(
            id=edit.new_id("task-"),
            service=self._origin.service,
            operation=self._origin.operation,
            description=self._origin.description,
            target_type=self._target.resource_type,
            target=self._target.id,
            user=self._origin.user,
            owner=self._tasks.owner,
            status=status,
            cancelable=self._cancelable,
            queued_time=self._queued_time,
            start_time=self._queued_time,
        )


class Tasks:
    """All tasks of the store, and the work that this worker does itself.

    ``owner`` names this worker; ``is_alive`` tells whether the worker of that name still runs.
    """

    def __init__(
        self, replica: Replica, now: Callable[[], datetime], owner: str, is_alive: Callable[[str], bool]
    ) -> None:
        self.replica = replica
        self.now = now
        self.owner = owner
        self._is_alive = is_alive
        self._watched: dict[str, asyncio.Event] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def run(
        self,
        origin: Origin,
        target: O,
        action: Callable[[TaskJob[O]], Awaitable[R]],
        guard: Callable[[O], None] = lambda _: None,
        cancelable: bool = False,
    ) -> R:
        """Do ``action`` on ``target`` and wait for its end.

        ``guard`` raises where the object's state forbids the work; it is asked before and again in the transaction.

        :raises VapiError: what the guard or the action raised.
        """
        guard(target)
        job = TaskJob(self, origin, target, guard, cancelable)
        try:
            return await action(job)
        except VapiError as error:
            await job.fail(error)
            raise
        except Exception:
            await job.fail(InternalServerError(message("resphere.task.failed", "The work failed unexpectedly.")))
            raise
        finally:
            if job.task_id is not None:
                self._watched.pop(job.task_id, None)

    async def cancel(self, task_id: str) -> None:
        """Ask the worker that does the task to stop.

        :raises NotFound: no such task.
        :raises NotAllowedInCurrentState: it is over, or cannot be canceled.
        """

        def plan(edit: Edit) -> None:
            task = edit.get(Task, task_id)
            if task is None:
                raise no_task(task_id)
            if task.is_finished:
                raise NotAllowedInCurrentState(
                    message("com.vmware.cis.task.already_finished", "The task {0} has already finished.", task_id)
                )
            if not task.cancelable:
                raise NotAllowedInCurrentState(
                    message("com.vmware.cis.task.not_cancelable", "The task {0} cannot be canceled.", task_id)
                )
            edit.put(msgspec.structs.replace(task, cancel_requested=True))

        await self.replica.change(plan)
        self._notice()

    def watch(self, task_id: str, canceled: asyncio.Event) -> None:
        """Set ``canceled`` when any worker asks for the task's cancelation."""
        self._watched[task_id] = canceled
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def abandon_orphans(self) -> int:
        """Fail the tasks of workers that no longer run; returns how many there were."""
        orphans = [
            task.id for task in self.replica.by(Task, "finished", "no").values() if not self._is_alive(task.owner)
        ]
        error = InternalServerError(
            message("resphere.task.interrupted", "The server stopped while the task was running.")
        )

        def plan(edit: Edit) -> int:
            count = 0
            for identity in orphans:
                task = edit.get(Task, identity)
                if task is not None and not task.is_finished:
                    edit.put(failed(task, error, self.now()))
                    count += 1
            return count

        return await self.replica.change(plan) if orphans else 0

    def prune(self, edit: Edit) -> None:
        """Forget the oldest finished tasks where there are too many."""
        finished = self.replica.by(Task, "finished", "yes")
        if len(finished) >= MOST_FINISHED + PRUNED_AT_ONCE:
            for identity in list(finished)[:PRUNED_AT_ONCE]:
                edit.delete(Task, identity)

    async def close(self) -> None:
        """Stop watching."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)

    async def _watch(self) -> None:
        # Only while this worker has something running: an idle worker does not wake up.
        while self._watched:
            self.replica.refresh()
            self._notice()
            await asyncio.sleep(WATCH_SECONDS)

    def _notice(self) -> None:
        for task_id, canceled in self._watched.items():
            task = self.replica.get(Task, task_id)
            if task is not None and task.cancel_requested:
                canceled.set()


def failed(task: Task, error: VapiError, now: datetime) -> Task:
    """``task`` as it stands after ``error`` ended it."""
    return msgspec.structs.replace(
        task, status=Status.FAILED, error=error.value(), end_time=now, start_time=task.start_time or now
    )


def no_task(task_id: str) -> NotFound:
    """The refusal of an unknown task id."""
    return NotFound(message("com.vmware.cis.task.not_found", "The task {0} does not exist.", task_id))


def gone(target: ManagedObject) -> NotFound:
    """The refusal where the object was deleted meanwhile."""
    return NotFound(
        message(
            "com.vmware.api.vcenter.managed_object_not_found",
            "The {0} {1} no longer exists.",
            target.resource_type,
            target.id,
        )
    )
