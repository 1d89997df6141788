"""Which bulk operations this worker carries out: those that nobody alive does."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from resphere.bulk.bulks import Bulks
from resphere.bulk.carrying import Carrier
from resphere.bulk.record import BulkRecord
from resphere.bulk.run import Run, TakenOver
from resphere.contract.generated.cis_task import Status
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.store.base import Liveness
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks
from resphere.turns import heard

log = logging.getLogger(__name__)

MOST_RUNNING = 8
"""So many a worker carries out at a time; the others wait for their turn."""
LOOK_SECONDS = 1.0
"""How often it is looked, while there are some that others carry out, whether those are alive."""
RETRY_SECONDS = 5.0
"""After the store has failed."""
STOP_SECONDS = 2.0
"""What items that are under way are given to end when the server stops."""


class BulkRunner:
    """This worker's part in carrying out bulk operations."""

    def __init__(self, replica: Replica, bulks: Bulks, carrier: Carrier, tasks: Tasks, liveness: Liveness) -> None:
        self._replica = replica
        self._bulks = bulks
        self._carrier = carrier
        self._tasks = tasks
        self._liveness = liveness
        self._running: dict[str, tuple[Run, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Carry out what nobody does, until canceled; what is under way then is given some time, and left to others."""
        end = self._replica.subscribe(BulkRecord, lambda old, new: self._wake.set())
        try:
            while True:
                self._wake.clear()
                try:
                    await self._take()
                except Exception:
                    log.exception("bulk operations could not be taken, and will be tried again")
                    await asyncio.sleep(RETRY_SECONDS)
                # What others carry out is theirs as long as they live; where there is nothing, nobody wakes up.
                open_ones = self._replica.by(BulkRecord, "open", "yes")
                await heard(self._wake, LOOK_SECONDS if open_ones else None)
        finally:
            end()
            await self._leave()

    async def _take(self) -> None:
        """Begin what nobody carries out, as many as there is room for: first of whom this worker works least for."""
        while len(self._running) < MOST_RUNNING:
            free = [bulk for bulk in self._replica.by(BulkRecord, "open", "yes").values() if self._is_free(bulk)]
            if not free:
                return
            users = [run.user for run, _ in self._running.values()]
            chosen = min(free, key=lambda bulk: (users.count(bulk.requester.user), bulk.created_time))
            taken = await self._replica.change(lambda edit, id=chosen.id: self._claim(edit, id))  # type: ignore[misc]
            if taken is not None:
                self._begin(taken)

    def _is_free(self, bulk: BulkRecord) -> bool:
        if bulk.id in self._running:
            return False
        return bulk.holder in (None, self._liveness.name) or not self._liveness.is_alive(bulk.holder)

    def _claim(self, edit: Edit, id: str) -> BulkRecord | None:
        found = edit.get(BulkRecord, id)
        if found is None or found.is_finished or not self._is_free(found):
            return None
        now = self._tasks.now()
        claimed = msgspec.structs.replace(
            found, holder=self._liveness.name, status=Status.RUNNING, start_time=found.start_time or now
        )
        edit.put(claimed)
        task = edit.get(Task, id)
        if task is not None and not task.is_finished:
            started = task.start_time or now
            edit.put(
                msgspec.structs.replace(task, status=Status.RUNNING, start_time=started, owner=self._liveness.name)
            )
        return claimed

    def _begin(self, bulk: BulkRecord) -> None:
        run = Run(bulk, self._replica, self._bulks, self._carrier, self._tasks)
        self._running[bulk.id] = run, asyncio.ensure_future(self._carry_out(bulk.id, run))

    async def _carry_out(self, id: str, run: Run) -> None:
        try:
            await run.run()
        except TakenOver:
            log.warning("the bulk operation %s is carried out by another worker", id)
        except Exception:
            log.exception("the bulk operation %s was interrupted, and will be gone on with", id)
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            del self._running[id]
            self._wake.set()

    async def _leave(self) -> None:
        """Leave to others what is under way."""
        running = [(run, task) for run, task in self._running.values()]
        for run, _ in running:
            run.pause()
        if running:
            _, late = await asyncio.wait([task for _, task in running], timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
