"""What of bulk operations this worker carries out: parts that nobody alive does, beside others that do the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

import msgspec

from resphere.bulk.bulks import Bulks
from resphere.bulk.carrying import Carrier
from resphere.bulk.finding import find_values
from resphere.bulk.progress import begun
from resphere.bulk.record import BulkRecord, Share
from resphere.bulk.run import Run, TakenOver
from resphere.bulk.shares import Sharing
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.store.base import Liveness
from resphere.tasks.runner import Tasks
from resphere.turns import heard

log = logging.getLogger(__name__)

MOST_RUNNING = 8
"""So many parts a worker carries out at a time; the others wait for their turn."""
LOOK_SECONDS = 0.25
"""How often it is looked what other workers have been asked for, and whether they are alive."""
PATIENCE_SECONDS = 1.0
"""So long lanes are left to other workers that this one could take besides those that it has."""
RETRY_SECONDS = 5.0
"""After the store has failed."""
STOP_SECONDS = 2.0
"""What items that are under way are given to end when the server stops."""


class Working(msgspec.Struct, frozen=True):
    """What this worker does for somebody: a part of a bulk operation, or to look for its values (no ``run``)."""

    bulk: str
    user: str
    run: Run | None
    task: asyncio.Task[None]


class BulkRunner:
    """This worker's part in carrying out bulk operations; ``workers`` is how many there are."""

    def __init__(
        self,
        replica: Replica,
        bulks: Bulks,
        carrier: Carrier,
        tasks: Tasks,
        liveness: Liveness,
        workers: int = 1,
    ) -> None:
        self._replica = replica
        self._bulks = bulks
        self._carrier = carrier
        self._tasks = tasks
        self._liveness = liveness
        self._sharing = Sharing(replica, liveness.name, workers, self._is_held)
        self._working: dict[str, Working] = {}
        """By the id of the part; of the bulk operation, where its values are looked for."""
        self._spare_since: dict[str, float] = {}
        """Since when there has been more to do of bulk operations at which this worker does something already."""
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Carry out what nobody does, until canceled; what is under way then is given some time, and left to others."""
        endings = [self._replica.subscribe(cls, lambda old, new: self._wake.set()) for cls in (BulkRecord, Share)]
        try:
            while True:
                self._wake.clear()
                try:
                    await self._replica.refresh()
                    await self._take()
                    await self._widen()
                except Exception:
                    log.exception("bulk operations could not be taken, and will be tried again")
                    await asyncio.sleep(RETRY_SECONDS)
                await heard(self._wake, LOOK_SECONDS)
        finally:
            for end in endings:
                end()
            await self._leave()

    async def _take(self) -> None:
        """Begin what nobody carries out, as much as there is room for: first of whom this worker works least for."""
        while len(self._working) < MOST_RUNNING:
            users = [working.user for working in self._working.values()]
            chosen = min(
                self._possible(),
                key=lambda bulk: (users.count(bulk.requester.user), bulk.created_time),
                default=None,
            )
            if chosen is None:
                return
            taken = await self._replica.change(lambda edit, id=chosen.id: self._claim(edit, id))  # type: ignore[misc]
            if taken is not None:
                self._begin(*taken)

    def _possible(self) -> Iterator[BulkRecord]:
        """Those of which this worker could do something."""
        now, spare_before, self._spare_since = asyncio.get_running_loop().time(), self._spare_since, {}
        for bulk in self._replica.by(BulkRecord, "open", "yes").values():
            if self._seeks(bulk):
                yield bulk
            elif self._sharing.next(bulk) is not None:
                if not self._sharing.works_at(bulk):
                    yield bulk
                    continue
                since = self._spare_since[bulk.id] = spare_before.get(bulk.id, now)
                if now - since >= PATIENCE_SECONDS:
                    yield bulk

    def _seeks(self, bulk: BulkRecord) -> bool:
        """Whether its values are to be looked for, and nobody does."""
        if bulk.is_finished or bulk.total is not None:
            return False
        return bulk.id not in self._working and not self._is_elsewhere(bulk.holder)

    def _is_held(self, share: Share) -> bool:
        return share.id in self._working if share.holder == self._liveness.name else self._is_elsewhere(share.holder)

    def _is_elsewhere(self, holder: str | None) -> bool:
        """Whether that is another worker, which is alive."""
        return holder not in (None, self._liveness.name) and self._liveness.is_alive(holder or "")

    def _claim(self, edit: Edit, id: str) -> tuple[BulkRecord, Share | None] | None:
        bulk = edit.get(BulkRecord, id)
        if bulk is None:
            return None
        if self._seeks(bulk):
            bulk = begun(edit, bulk, self._liveness.name, self._tasks.now())
            bulk = msgspec.structs.replace(bulk, holder=self._liveness.name)
            edit.put(bulk)
            return bulk, None
        share = self._sharing.take(edit, bulk)
        if share is None:
            return None
        found = edit.get(BulkRecord, id) or bulk
        return begun(edit, found, self._liveness.name, self._tasks.now()), share

    async def _widen(self) -> None:
        """Have parts that are under way use the lanes of those that are done, where there is no other to begin."""
        for id, working in list(self._working.items()):
            bulk = self._replica.get(BulkRecord, working.bulk)
            if working.run is None or bulk is None or not self._sharing.is_narrow(bulk):
                continue
            wider = await self._replica.change(lambda edit, id=id: self._sharing.widened(edit, id))  # type: ignore[misc]
            if wider is not None:
                working.run.widen(wider)

    def _begin(self, bulk: BulkRecord, share: Share | None) -> None:
        parts = self._replica, self._bulks, self._carrier, self._tasks
        if share is None:
            id, run, work = bulk.id, None, find_values(bulk, *parts)
        else:
            run = Run(bulk, share, *parts)
            id, work = share.id, run.run()
        carrying = asyncio.ensure_future(self._carry_out(id, work))
        self._working[id] = Working(bulk.id, bulk.requester.user, run, carrying)

    async def _carry_out(self, id: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except TakenOver:
            log.warning("the part %s of a bulk operation is carried out by another worker", id)
        except Exception:
            log.exception("the part %s of a bulk operation was interrupted, and will be gone on with", id)
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            del self._working[id]
            self._wake.set()

    async def _leave(self) -> None:
        """Leave to others what is under way."""
        working = list(self._working.values())
        for each in working:
            if each.run is not None:
                each.run.pause()
        if working:
            _, late = await asyncio.wait([each.task for each in working], timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
