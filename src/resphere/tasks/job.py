"""One piece of work on one managed object, and the record of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from resphere.contract.errors import VapiError
from resphere.contract.generated.cis_task import Status
from resphere.contract.moments import plain
from resphere.inventory.effects import AnyEffect, Intent
from resphere.inventory.model import ManagedObject
from resphere.replica.edit import Edit
from resphere.replica.errors import BrokenReference
from resphere.replica.replica import Replica
from resphere.tasks.intents import in_use, release, require_kept, require_undisturbed
from resphere.tasks.origin import Origin
from resphere.tasks.outcomes import canceled, failed, gone, interrupted, succeeded
from resphere.tasks.record import Task, busy_claim
from resphere.turns import heard

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")


class Done(msgspec.Struct, Generic[R], frozen=True):
    """Work that is over in the transaction in which it was decided."""

    result: R
    reports: bool = False


class Held(msgspec.Struct, frozen=True):
    """Work that is decided and goes on: ``effect`` is what a provider does, ``result`` what the task will result in."""

    effect: AnyEffect
    claims: tuple[str, ...]
    room: dict[str, int]
    result: Any
    reports: bool = False


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

    def prune(self) -> None: ...


class TaskJob(Generic[O]):
    """One piece of work: the handle by which it is recorded, slowed down, canceled and ended.

    It begins with :meth:`begin` or :meth:`decide` where it takes time, and must end with exactly one :meth:`complete`
    or :meth:`fail`. ``reports``: whatever the work completes with is the task's result.
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
        self.is_uncertain = False
        """Whether a provider acts outside, or has done so: only it knows what is true until that is settled, and it is
        asked, whoever ends the task. Where it raises a ``VapiError``, nothing was done."""

    @property
    def id(self) -> str:
        """The task's id, once something is decided."""
        return self.number or ""

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

    async def decide(self, plan: Callable[[Edit, O], Done[R] | Held]) -> Done[R] | Held:
        """Commit a decision: with its outcome and the task's success, or with the task as running and all that the
        outcome needs claimed for it.

        ``plan`` gets the object as it is *now*, after the guard of the operation has been asked again.
        """

        def whole(edit: Edit) -> tuple[Done[R] | Held, Task]:
            if self._exclusive:
                self._tasks.make_way(edit, self._target.id, self.origin, self.task_id)
            current = self._current(edit)
            self._guard(current)
            decision = plan(edit, current)
            task = self._running(edit) or self._record(edit)
            if isinstance(decision, Done):
                if self._exclusive:
                    edit.vacant(busy_claim(self._target.id))
                task = self._succeeded(task, decision.result, decision.reports)
            else:
                if self._exclusive:
                    # That nobody does other tasks any more was withheld with the settlement that was tried.
                    self._tasks.make_way(edit, self._target.id, self.origin, self.task_id)
                require_undisturbed(self._tasks.replica, edit, self.origin, decision.effect)
                result = plain(decision.result) if decision.reports or self._reports else None
                edit.put(
                    Intent(
                        id=task.id, effect=decision.effect, claims=decision.claims, room=decision.room, result=result
                    )
                )
                self._tasks.watch(task.id, self._canceled)
            edit.put(task)
            return decision, task

        decision, task = await self._commit(whole)
        self._know(task)
        return decision

    async def consider(self, plan: Callable[[Edit, O], R]) -> R:
        """What ``plan`` would do, of which nothing is done; its refusals are raised."""

        def look(edit: Edit) -> R:
            if self._exclusive:
                self._tasks.make_way(edit, self._target.id, self.origin, self.task_id)
            current = self._current(edit)
            self._guard(current)
            result = plan(edit, current)
            require_kept(self._tasks.replica, edit, self.origin)
            edit.withhold()
            return result

        return await self._tasks.replica.change(look)

    def is_canceled(self) -> bool:
        """Whether somebody has asked for the work to be stopped."""
        return self._canceled.is_set()

    @asynccontextmanager
    async def interruptible(self) -> AsyncIterator[None]:
        """What is done within is broken off at the moment that somebody has the task canceled.

        :raises VapiError: it is canceled.
        """
        await self.begin()
        try:
            async with asyncio.timeout(None) as limit, self._watching(limit):
                yield
        except TimeoutError:
            if not self.is_canceled():
                raise
            raise canceled() from None

    @asynccontextmanager
    async def _watching(self, limit: asyncio.Timeout) -> AsyncIterator[None]:
        """Have ``limit`` be over when the task is canceled."""
        loop = asyncio.get_running_loop()

        async def end() -> None:
            await self._canceled.wait()
            limit.reschedule(loop.time())

        watcher = loop.create_task(end())
        try:
            yield
        finally:
            watcher.cancel()

    async def amend(self, more: Callable[[Edit, AnyEffect], AnyEffect]) -> AnyEffect:
        """Commit what is known by now of decided work that goes on; returns its effect.

        :raises VapiError: it was canceled, or another worker took this one for dead and failed the task.
        """

        def plan(edit: Edit) -> AnyEffect:
            self._running(edit)
            intent = edit.get(Intent, self.id)
            if intent is None:
                raise interrupted()
            effect = more(edit, intent.effect)
            edit.put(msgspec.structs.replace(intent, effect=effect))
            return effect

        return await self._tasks.replica.change(plan)

    async def spend(self, seconds: float) -> None:
        if seconds <= 0:
            return
        await self.begin()
        if await heard(self._canceled, seconds):
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

    async def complete(self, plan: Callable[[Edit, O], R], *, reports: bool = False, is_done: bool = False) -> R:
        """Commit the outcome and the task's success in one transaction; what was claimed for it is released.

        ``plan`` gets the object as it is *now*, after the guard of the operation has been asked again. ``is_done``: it
        has happened already, and is neither canceled nor refused any more. ``reports``: what ``plan`` returns is the
        task's result, for others to read.
        """

        def whole(edit: Edit) -> tuple[R, Task]:
            running = self._running(edit, cancelable=not is_done)
            intended = running is not None and edit.get(Intent, running.id) is not None
            if self._exclusive:
                self._tasks.make_way(edit, self._target.id, self.origin, self.task_id)
                edit.vacant(busy_claim(self._target.id))
            if running is not None and intended:
                edit.delete(Intent, running.id)
            current = self._current(edit)
            # What others must not take meanwhile is claimed for decided work, and looks taken to its guard.
            if not is_done and (self._exclusive or not intended):
                self._guard(current)
            result = plan(edit, current)
            task = self._succeeded(running or self._record(edit), result, reports)
            edit.put(task)
            return result, task

        result, task = await self._commit(whole)
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
            release(edit, task.id, error, self._tasks.now())
            return task

        task = await self._tasks.replica.change(plan)
        if task is not None:
            self._know(task)

    async def _commit(self, whole: Callable[[Edit], R]) -> R:
        """Make the change.

        :raises VapiError: it deletes what work under way needs.
        """
        try:
            return await self._tasks.replica.change(whole)
        except BrokenReference as error:
            refusal = in_use(self._tasks.replica, self.origin, error)
            if refusal is None:
                raise
            raise refusal from error

    def _know(self, task: Task) -> None:
        if task.is_finished:
            self._tasks.prune()
        self._task = task
        self.recorded.set()

    def _current(self, edit: Edit) -> O:
        """The object as it is now.

        :raises NotFound: it is no more.
        """
        current = edit.get(type(self._target), self._target.id)
        if current is None:
            raise gone(self._target)
        return current

    def _succeeded(self, task: Task, result: object, reports: bool) -> Task:
        # Plain values: what this worker shows is what others read from the store.
        return succeeded(task, plain(result) if reports or self._reports else None, self._tasks.now())

    def _running(self, edit: Edit, *, cancelable: bool = True) -> Task | None:
        """The task as it was recorded, ``None`` where it was not yet.

        :raises VapiError: it was canceled, or another worker took this one for dead and failed the task.
        """
        if self._task is None:
            return None
        running = edit.get(Task, self._task.id)
        if running is None or running.is_finished:
            raise interrupted()
        if running.cancel_requested and cancelable:
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
            request=self.origin.request,
            behind=self.origin.behind,
            exclusive=self._exclusive,
            owner=self._tasks.owner,
            status=Status.RUNNING,
            cancelable=self._cancelable,
            queued_time=self._queued_time,
            start_time=self._queued_time,
        )
