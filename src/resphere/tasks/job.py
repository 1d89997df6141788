"""One piece of work on one managed object, and the record of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import msgspec

from resphere.contract.errors import ResourceBusy, VapiError
from resphere.contract.generated.cis_task import Status
from resphere.contract.moments import plain
from resphere.inventory.model import ManagedObject
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.tasks.outcomes import canceled, failed, gone, interrupted
from resphere.tasks.record import Task, busy_claim

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")


class Origin(msgspec.Struct, frozen=True):
    """Who asked for the work and by which operation; ``busy`` is the error where other work is in the way."""

    service: str
    operation: str
    description: str
    user: str | None
    busy: type[VapiError] = ResourceBusy


class Keeper(Protocol):
    """What a job needs of :class:`resphere.tasks.runner.Tasks`, which keeps it."""

    @property
    def replica(self) -> Replica: ...

    @property
    def now(self) -> Callable[[], datetime]: ...

    @property
    def owner(self) -> str: ...

    def watch(self, task_id: str, canceled: asyncio.Event) -> None: ...

    def make_way(self, edit: Edit, target: str, origin: Origin, own: str | None) -> None: ...

    def prune(self, edit: Edit) -> None: ...


class TaskJob(Generic[O]):
    """One piece of work; see :class:`resphere.providers.base.Job`, which this is.

    ``reports``: whatever the work completes with is the task's result.
    """

    def __init__(
        self,
        tasks: Keeper,
        origin: Origin,
        target: O,
        guard: Callable[[O], None],
        *,
        cancelable: bool = False,
        exclusive: bool = False,
        reports: bool = False,
    ) -> None:
        self.origin = origin
        self.recorded = asyncio.Event()
        self._tasks = tasks
        self._target = target
        self._guard = guard
        self._cancelable = cancelable
        self._exclusive = exclusive
        self._reports = reports
        self._queued_time = tasks.now()
        self._task: Task | None = None
        self.number: str | None = None
        """The task's id from before its recording on."""
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
            if self._exclusive:
                self._tasks.make_way(edit, self._target.id, self.origin, None)
            task = self._record(edit)
            edit.put(task)
            # Before the commit, not after: nobody is to see an unfinished task that its owner does not know.
            self._tasks.watch(task.id, self._canceled)
            return task

        self._know(await self._tasks.replica.change(plan))

    async def spend(self, seconds: float) -> None:
        if seconds <= 0:
            return
        await self.begin()
        try:
            await asyncio.wait_for(self._canceled.wait(), seconds)
        except TimeoutError:
            return
        raise canceled()

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
            running = self._running(edit)
            if self._exclusive:
                self._tasks.make_way(edit, self._target.id, self.origin, self.task_id)
                edit.vacant(busy_claim(self._target.id))
            current = edit.get(type(self._target), self._target.id)
            if current is None:
                raise gone(self._target)
            self._guard(current)
            result = plan(edit, current)
            task = msgspec.structs.replace(
                running or self._record(edit),
                status=Status.SUCCEEDED,
                progress=100,
                # Plain values: what this worker shows is what others read from the store.
                result=plain(result) if reports or self._reports else None,
                end_time=self._tasks.now(),
            )
            edit.put(task)
            self._tasks.prune(edit)
            return result, task

        result, task = await self._tasks.replica.change(whole)
        self._know(task)
        return result

    async def fail(self, error: VapiError, *, leaves_task: bool = False) -> None:
        """Record the failure of work that had begun; work refused before leaves a task only where that is asked for."""
        if self._task is None and not leaves_task:
            return

        def plan(edit: Edit) -> Task | None:
            current = edit.get(Task, self._task.id) if self._task is not None else self._record(edit)
            if current is None or current.is_finished:
                return self._task
            task = failed(current, error, self._tasks.now())
            edit.put(task)
            return task

        task = await self._tasks.replica.change(plan)
        if task is not None:
            self._know(task)

    def _know(self, task: Task) -> None:
        self._task = task
        self.recorded.set()

    def _running(self, edit: Edit) -> Task | None:
        """The task as it was recorded, ``None`` where it was not yet.

        :raises VapiError: it was canceled, or another worker took this one for dead and failed the task.
        """
        if self._task is None:
            return None
        running = edit.get(Task, self._task.id)
        if running is None or running.is_finished:
            raise interrupted()
        if running.cancel_requested:
            raise canceled()
        return running

    def _record(self, edit: Edit) -> Task:
        # Plans may run again: one piece of work has one id.
        self.number = self.number or edit.new_id("task-")
        return Task(
            id=self.number,
            service=self.origin.service,
            operation=self.origin.operation,
            description=self.origin.description,
            target_type=self._target.resource_type,
            target=self._target.id,
            user=self.origin.user,
            exclusive=self._exclusive,
            owner=self._tasks.owner,
            status=Status.RUNNING,
            cancelable=self._cancelable,
            queued_time=self._queued_time,
            start_time=self._queued_time,
        )
