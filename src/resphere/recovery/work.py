"""Work as it is recorded: one at a time, by one worker, watched by all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from resphere.contract.errors import FeatureInUse, message
from resphere.contract.model import LocalizableMessage
from resphere.recovery.archives import ArchiveFailure
from resphere.recovery.places.errors import PlaceError
from resphere.recovery.record import BackupJob, ReconciliationJob, RestoreJob, State, Work
from resphere.recovery.sealed import SealError
from resphere.recovery.threads import Canceled, Progress
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

log = logging.getLogger(__name__)

W = TypeVar("W", bound=Work)

LOOK_SECONDS = 0.5
"""How often it is told how far work is, and asked whether it shall stop."""
KINDS: tuple[type[Work], ...] = (BackupJob, RestoreJob, ReconciliationJob)
WORDS = {BackupJob: "backup", RestoreJob: "restoration", ReconciliationJob: "reconciliation"}


def under_way(edit: Edit) -> Work | None:
    """What is in progress."""
    for kind in KINDS:
        for work in edit.stored_by(kind, "state", State.RUNNING.value).values():
            return work
    return None


def require_idle(edit: Edit) -> None:
    """Refuse while anything is in progress.

    :raises FeatureInUse: something is.
    """
    work = under_way(edit)
    if work is not None:
        raise in_use(work)


def in_use(work: Work) -> FeatureInUse:
    """The refusal of further work."""
    text = "A {0} is in progress since {1} UTC: there is one backup or restoration at a time."
    since = f"{work.start_time:%Y-%m-%d %H:%M:%S}"
    return FeatureInUse(message("resphere.recovery.in_use", text, WORDS[type(work)], since))


class Runner(Generic[W]):
    """Does one kind of work in this worker, and records how it goes."""

    def __init__(self, kind: type[W], replica: Replica, now: Callable[[], datetime]) -> None:
        self._kind = kind
        self._replica = replica
        self._now = now
        self._tasks: dict[asyncio.Task[None], Progress] = {}

    def begin(self, work: W, do: Callable[[W, Progress], Awaitable[Callable[[W], W]]]) -> None:
        """Begin what was recorded as running; what ``do`` returns is what success makes of the record."""
        progress = Progress()
        task = asyncio.get_running_loop().create_task(self._carry(work, do, progress))
        self._tasks[task] = progress
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def close(self) -> None:
        """Stop what is in progress."""
        tasks = dict(self._tasks)
        for task, progress in tasks.items():
            # Its thread first, which no cancelation reaches.
            progress.stop()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def finalize(self, id: str) -> None:
        """Have nobody stop it any more.

        :raises Canceled: somebody wants to.
        """

        def plan(edit: Edit) -> None:
            current = edit.get(self._kind, id)
            if current is None or current.cancel_requested:
                raise Canceled()
            edit.put(msgspec.structs.replace(current, final=True))

        await self._replica.change(plan)

    async def _carry(
        self, work: W, do: Callable[[W, Progress], Awaitable[Callable[[W], W]]], progress: Progress
    ) -> None:
        telling = asyncio.get_running_loop().create_task(self._tell(work.id, progress))
        try:
            succeeded = await do(work, progress)
        except asyncio.CancelledError:
            await self._end(work.id, lambda current: failed(current, stopped(), self._now()))
            raise
        except (PlaceError, ArchiveFailure) as error:
            why = error.message
            await self._end(work.id, lambda current: failed(current, why, self._now()))
        except SealError as error:
            why = message("resphere.recovery.sealed", "The backup cannot be opened: {0}.", error)
            await self._end(work.id, lambda current: failed(current, why, self._now()))
        except Exception:
            log.exception("the %s %s failed", WORDS[self._kind], work.id)
            await self._end(work.id, lambda current: failed(current, unforeseen(), self._now()))
        else:
            await self._end(work.id, lambda current: ended(succeeded(current), self._now()))
        finally:
            progress.stop()
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _end(self, id: str, outcome: Callable[[W], W]) -> None:
        def plan(edit: Edit) -> None:
            current = edit.get(self._kind, id)
            if current is not None and current.state is State.RUNNING:
                edit.put(outcome(current))

        await self._replica.change(plan)

    async def _tell(self, id: str, progress: Progress) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._replica.refresh()
            work = self._replica.get(self._kind, id)
            if work is None or work.cancel_requested:
                progress.stop()
            if work is not None and progress.percent != work.progress:
                await self._advance(id, progress.percent)

    async def _advance(self, id: str, percent: int) -> None:
        def plan(edit: Edit) -> None:
            current = edit.get(self._kind, id)
            if current is not None and current.state is State.RUNNING:
                edit.put(msgspec.structs.replace(current, progress=percent))

        await self._replica.change(plan)


def ended(work: W, now: datetime) -> W:
    """The work, done."""
    return msgspec.structs.replace(work, state=State.SUCCEEDED, progress=100, end_time=now)


def failed(work: W, why: LocalizableMessage, now: datetime) -> W:
    """The work, not done."""
    return msgspec.structs.replace(work, state=State.FAILED, messages=(*work.messages, why), end_time=now)


def interrupted() -> LocalizableMessage:
    """Why work has failed whose worker is no more."""
    return message("resphere.recovery.interrupted", "The server stopped while it was in progress.")


def stopped() -> LocalizableMessage:
    """Why work has failed that an orderly stop did not wait for."""
    return message("resphere.recovery.stopped", "The server was stopped before it was done.")


def unforeseen() -> LocalizableMessage:
    """Of what should not be."""
    return message("resphere.recovery.unforeseen", "It failed for a reason that nobody has foreseen: the log has more.")
