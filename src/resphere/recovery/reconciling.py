"""Looks at what was restored: whether the inventory holds together, as one that was never away does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import KINDS, ManagedObject
from resphere.recovery.archives import ArchiveFailure
from resphere.recovery.record import LAST, ReconciliationJob, RestoreJob, State
from resphere.recovery.threads import Progress
from resphere.recovery.work import Runner, require_idle
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.soundness.check import findings

MOST_TOLD = 20


class Reconciliations:
    """Looks that somebody asks for, after a restoration."""

    def __init__(self, replica: Replica, owner: str, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._owner = owner
        self._now = now
        self.runner = Runner(ReconciliationJob, replica, now)

    async def create(self, user: str, *, ignore_warnings: bool) -> ReconciliationJob:
        """Begin to look; with ``ignore_warnings`` it succeeds whatever is found.

        :raises FeatureInUse: a backup or a restoration is in progress.
        :raises NotAllowedInCurrentState: nothing was restored.
        """

        def plan(edit: Edit) -> ReconciliationJob:
            require_idle(edit)
            restored = edit.get(RestoreJob, LAST)
            if restored is None or restored.state is not State.SUCCEEDED:
                text = "There is nothing to reconcile: no backup was restored into this server."
                raise NotAllowedInCurrentState(message("resphere.recovery.not_restored", text))
            job = ReconciliationJob(id=LAST, owner=self._owner, user=user, start_time=self._now())
            edit.put(job)
            return job

        job = await self._replica.change(plan)

        async def look(_: ReconciliationJob, __: Progress) -> Callable[[ReconciliationJob], ReconciliationJob]:
            found = await self._found()
            if found and not ignore_warnings:
                raise ArchiveFailure(found[0])
            return lambda current: msgspec.structs.replace(current, messages=found)

        self.runner.begin(job, look)
        return job

    async def _found(self) -> tuple[LocalizableMessage, ...]:
        objects: list[ManagedObject] = [obj for cls in KINDS.values() for obj in self._replica.all(cls).values()]
        found = await asyncio.to_thread(
            lambda: [f"{objects[each.position].id} {each.field}: {each.message}" for each in findings(objects)]
        )
        text = "The restored inventory does not hold together: {0}"
        return tuple(message("resphere.recovery.unsound", text, each) for each in found[:MOST_TOLD])
