"""Runs work on managed objects and keeps its tasks.

Work that is over at once is one transaction: its effect and its finished task. Work that takes time is recorded as
running first, so that others see it, can cancel it, and know after a crash that it did not finish. Its effect is one
transaction in the end, together with the task's success: work that is canceled or interrupted has changed nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import msgspec

from resphere.contract.errors import NotAllowedInCurrentState, VapiError, message
from resphere.inventory.effects import Intent
from resphere.inventory.facts import Facts
from resphere.inventory.model import Host, ManagedObject, VirtualMachine
from resphere.providers.base import Provider
from resphere.replica.edit import Edit
from resphere.replica.errors import ConcurrentChange as ChangedConcurrently
from resphere.replica.replica import Replica
from resphere.replica.riders import DryRun, Unmet, riding
from resphere.rules.settlement.effects import rebased, settle
from resphere.rules.settlement.settlement import Settlement
from resphere.rules.under_way import needing
from resphere.store.base import StoreError
from resphere.tasks.intents import release
from resphere.tasks.job import TaskJob
from resphere.tasks.origin import Origin
from resphere.tasks.outcomes import (
    busy_messages,
    failed,
    interrupted,
    is_busy,
    no_task,
    overtaken,
    stopped,
    succeeded,
    unforeseen,
)
from resphere.tasks.record import Task

log = logging.getLogger(__name__)

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")

MOST_FINISHED = 10_000
PRUNED_AT_ONCE = 100
WATCH_SECONDS = 0.1
STOP_SECONDS = 2.0
"""What launched work is given to end when the server stops."""

ONE_AT_A_TIME: tuple[type[ManagedObject], ...] = (VirtualMachine, Host)
"""On these one piece of work goes on at a time, as vCenter has it; containers take any number."""


class Tasks:
    """All tasks of the store, and the work that this worker does itself.

    ``owner`` names this worker; ``is_alive`` tells whether the worker of that name still runs;
    ``provider`` tells what has become of what a dead one has begun.
    """

    def __init__(
        self,
        replica: Replica,
        now: Callable[[], datetime],
        owner: str,
        is_alive: Callable[[str], bool],
        provider: Provider,
    ) -> None:
        self.replica = replica
        self.now = now
        self.owner = owner
        self._is_alive = is_alive
        self._provider = provider
        self._watched: dict[str, asyncio.Event] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._launched: set[asyncio.Task[None]] = set()
        self._pruning: asyncio.Task[None] | None = None

    async def run(
        self,
        origin: Origin,
        target: O,
        action: Callable[[TaskJob[O]], Awaitable[R]],
        guard: Callable[[O], None] = lambda _: None,
        cancelable: bool = False,
        exclusive: bool | None = None,
    ) -> R:
        """Do ``action`` on ``target`` and wait for its end.

        ``guard`` raises where the object's state forbids the work; it is asked before and again in the transaction.
        ``exclusive``: no other such work may be under way on the target; by default so for VMs and hosts.

        :raises VapiError: what the guard or the action raised, or ``origin.busy``.
        """
        target = await self._at_rest(target)
        guard(target)
        job = self._job(origin, target, guard, cancelable, exclusive, reports=False)
        try:
            return await action(job)
        except VapiError as error:
            await job.fail(error)
            raise
        except Exception:
            if not job.is_uncertain:
                await job.fail(unforeseen())
            raise
        except asyncio.CancelledError:
            if not job.is_uncertain:
                self._spawn(job.fail(stopped()))
            raise
        finally:
            self._forget(job)

    async def launch(
        self,
        origin: Origin,
        target: O,
        action: Callable[[TaskJob[O]], Awaitable[object]],
        guard: Callable[[O], None] = lambda _: None,
        cancelable: bool = False,
        exclusive: bool | None = None,
    ) -> str:
        """Begin ``action`` on ``target`` and return the id of its task once that is recorded; as :meth:`run` otherwise.

        What goes wrong from then on stands in the task; what ``action`` completes with is the task's result.

        :raises VapiError: what the guard raised before, or ``origin.busy``.
        """
        target = await self._at_rest(target)
        guard(target)
        job = self._job(origin, target, guard, cancelable, exclusive, reports=True)
        refusal: asyncio.Future[VapiError] = asyncio.get_running_loop().create_future()
        carried = self._spawn(self._carry(job, action, refusal))
        recorded = asyncio.ensure_future(job.recorded.wait())
        try:
            await asyncio.wait((recorded, refusal, carried), return_when=asyncio.FIRST_COMPLETED)
        finally:
            recorded.cancel()
        if refusal.done():
            raise refusal.result()
        if job.task_id is None:
            raise unforeseen()
        return job.task_id

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
                    message("resphere.task.already_finished", "The task {0} has already finished.", task_id)
                )
            if not task.cancelable:
                raise NotAllowedInCurrentState(
                    message("resphere.task.not_cancelable", "The task {0} cannot be canceled.", task_id)
                )
            edit.put(msgspec.structs.replace(task, cancel_requested=True))

        await self.replica.change(plan)
        self._notice()

    def watch(self, task_id: str, canceled: asyncio.Event) -> None:
        """Count the task as this worker's, and set ``canceled`` when any worker asks for its cancelation."""
        self._watched[task_id] = canceled
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    def is_worked_on(self, task: Task) -> bool:
        """Whether anybody still does the task."""
        return task.id in self._watched if task.owner == self.owner else self._is_alive(task.owner)

    def make_way(self, edit: Edit, target: str, origin: Origin, own: str | None) -> None:
        """Refuse where an exclusive task other than ``own`` is under way on ``target``.

        A task that nobody does any more is in nobody's way: the same edit fails it.

        :raises VapiError: ``origin.busy``.
        """
        for task in tuple(self.replica.by(Task, "busy", target).values()):
            if task.id == own:
                continue
            # What a provider may have done is for the sweep to ask; until then it is under way.
            decided = edit.get(Intent, task.id) is not None
            if self.is_worked_on(task) or (decided and not self._provider.capabilities.at_once):
                raise origin.busy(*busy_messages(task))
            self._interrupt(edit, task)

    async def take_over_orphans(self) -> int:
        """End the tasks that nobody does any more; returns how many there were.

        Of what was decided and begun the provider is asked whether it has come true: then it is settled. Whatever else
        had been begun has failed, and what was claimed for it is released. Where the provider cannot tell, the task is
        left for the next time.
        """
        running = self.replica.by(Task, "finished", "no").values()
        orphans = [task.id for task in running if not task.resumed and not self.is_worked_on(task)]
        return sum([await self._end_orphan(identity) for identity in orphans])

    async def _end_orphan(self, identity: str) -> int:
        """End one of them, if that can be: 1, else 0."""
        intent = self.replica.get(Intent, identity)
        try:
            facts = await self._provider.observe(identity, intent.effect) if intent is not None else None
        except Exception:
            log.exception("the provider cannot tell what became of the task %s", identity)
            return 0
        try:
            return await self.replica.change(partial(self._take_over, identity=identity, facts=facts))
        except StoreError:
            raise
        except ChangedConcurrently:
            log.warning("others are faster all the time, and the task %s is left for the next time", identity)
            return 0
        except VapiError as refusal:
            error = refusal
        except Exception:
            log.exception("what the task %s has brought about cannot be settled", identity)
            error = unforeseen()
        return await self.replica.change(partial(self._end_badly, identity=identity, error=error))

    async def _at_rest(self, target: O) -> O:
        """``target`` as it is once what a dead worker had begun with it, or needed it for, is ended, as far as the
        provider can tell."""
        if not self.replica.count(Intent):
            return target
        begun = [*self.replica.by(Task, "busy", target.id), *(intent.id for intent in needing(self.replica, target))]
        tasks = (self.replica.get(Task, identity) for identity in dict.fromkeys(begun))
        left = [task.id for task in tasks if task is not None and not self.is_worked_on(task)]
        if not left:
            return target
        with riding():  # what others had begun is no change of the call's
            for identity in left:
                await self._end_orphan(identity)
        return self.replica.get(type(target), target.id) or target

    def _take_over(self, edit: Edit, *, identity: str, facts: Facts | None) -> int:
        task, intent = edit.get(Task, identity), edit.get(Intent, identity)
        if task is None or task.is_finished:
            return 0
        if intent is None or facts is None:
            self._interrupt(edit, task)
            return 1
        edit.delete(Intent, identity)
        effect = rebased(self.replica, edit, intent.effect, undone=False)
        settle(Settlement(self.replica, edit, self.now()), effect, facts, decided=intent.effect)
        edit.put(succeeded(task, intent.result, self.now()))
        return 1

    def _end_badly(self, edit: Edit, *, identity: str, error: VapiError) -> int:
        task = edit.get(Task, identity)
        if task is None or task.is_finished:
            return 0
        self._interrupt(edit, task, error)
        return 1

    def _interrupt(self, edit: Edit, task: Task, error: VapiError | None = None) -> None:
        """Fail a task that nobody does any more."""
        error = error or interrupted()
        edit.put(failed(task, error, self.now()))
        release(edit, task.id, error, self.now())

    def prune(self) -> None:
        """Have the oldest finished tasks forgotten where there are too many: beside what goes on, and in changes of
        their own, of which those that end tasks need not wait for each other."""
        if self._pruning is None and self._are_too_many():
            # Nobody's call: it would be said to have caused it, and what rides along with it ride along here.
            self._pruning = asyncio.get_running_loop().create_task(self._prune(), context=Context())

    async def _prune(self) -> None:
        try:
            while self._are_too_many():
                await self.replica.change(self._forget_oldest)
        except Exception:
            log.exception("the oldest tasks could not be forgotten, and will be when another one ends")
        finally:
            self._pruning = None

    def _are_too_many(self) -> bool:
        return len(self.replica.by(Task, "finished", "yes")) >= MOST_FINISHED + PRUNED_AT_ONCE

    def _forget_oldest(self, edit: Edit) -> None:
        if self._are_too_many():
            for identity in tuple(islice(self.replica.by(Task, "finished", "yes"), PRUNED_AT_ONCE)):
                edit.delete(Task, identity)

    async def close(self, patience_seconds: float = STOP_SECONDS) -> None:
        """Wait a little for what was launched, fail what is not over by then, and stop watching."""
        if self._launched:
            _, late = await asyncio.wait(self._launched, timeout=patience_seconds)
            for task in late:
                task.cancel()
            # Those that had been canceled may have left their failing behind.
            while self._launched:
                await asyncio.gather(*self._launched, return_exceptions=True)
        beside = [each for each in (self._watcher, self._pruning) if each is not None]
        for each in beside:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)

    def _job(
        self,
        origin: Origin,
        target: O,
        guard: Callable[[O], None],
        cancelable: bool,
        exclusive: bool | None,
        *,
        reports: bool,
    ) -> TaskJob[O]:
        if exclusive is None:
            exclusive = isinstance(target, ONE_AT_A_TIME)
        return TaskJob(self, origin, target, guard, cancelable=cancelable, exclusive=exclusive, reports=reports)

    async def _carry(
        self, job: TaskJob[O], action: Callable[[TaskJob[O]], Awaitable[object]], refusal: asyncio.Future[VapiError]
    ) -> None:
        """Do launched work to its end, whatever that is."""
        try:
            await action(job)
        except ChangedConcurrently:
            if not job.is_uncertain:
                await job.fail(overtaken(), leaves_task=True)
        except VapiError as error:
            if job.task_id is None and (is_busy(error) or isinstance(error, (DryRun, Unmet))):
                refusal.set_result(error)
            else:
                await job.fail(error, leaves_task=True)
        except asyncio.CancelledError:
            if not job.is_uncertain:
                await job.fail(stopped())
            raise
        except Exception:
            log.exception("the work of %s.%s failed", job.origin.service, job.origin.operation)
            if not job.is_uncertain:
                await job.fail(unforeseen(), leaves_task=True)
        finally:
            self._forget(job)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have ``work`` done beside the requests; the end of the server waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._launched.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._launched.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # The record says that the task runs, and nobody does it: the next sweep will say so.
            log.error("the end of a task could not be recorded", exc_info=task.exception())

    def _forget(self, job: TaskJob[Any]) -> None:
        if job.number is not None:
            self._watched.pop(job.number, None)

    async def _watch(self) -> None:
        # Only while this worker has something running: an idle worker does not wake up.
        while self._watched:
            await self.replica.refresh()
            self._notice()
            await asyncio.sleep(WATCH_SECONDS)

    def _notice(self) -> None:
        for task_id, canceled in self._watched.items():
            task = self.replica.get(Task, task_id)
            if task is not None and task.cancel_requested:
                canceled.set()
