"""Which parts of a bulk operation a worker may carry out, and how many items of them at the same time.

However many workers there are, no more items are under way at the same time than were asked for: each share has some of
these lanes, and who takes one says so in the store, where nobody else can take the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from resphere.bulk.record import BulkRecord, Share, part_id
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.tasks.record import Task

LANES = "bulk-lanes/"
"""What follows is the id of the bulk operation whose lanes are taken."""


class Sharing:
    """One worker's view of who carries out what; ``workers`` is among how many the lanes are shared out.

    ``is_held`` says whether the share is that of a worker which goes on with it.
    """

    def __init__(self, replica: Replica, name: str, workers: int, is_held: Callable[[Share], bool]) -> None:
        self._replica = replica
        self._name = name
        self._workers = workers
        self._is_held = is_held

    def shares(self, bulk: BulkRecord) -> Collection[Share]:
        """All that were taken and are not done."""
        return self._replica.by(Share, "bulk", bulk.id).values()

    def works_at(self, bulk: BulkRecord) -> bool:
        """Whether this worker has one already."""
        return any(share.holder == self._name and self._is_held(share) for share in self.shares(bulk))

    def next(self, bulk: BulkRecord) -> Share | None:
        """What this worker may take, what others have left first; ``None``: there is nothing, or no lane is free."""
        if bulk.is_finished or bulk.total is None:
            return None
        free = self._free_lanes(bulk)
        left = [share.part for share in self.shares(bulk) if not self._is_held(share)]
        if free < 1 or (not left and bulk.taken_parts >= bulk.parts):
            return None
        # At a rate one worker does all: no two could keep it together.
        among = 1 if bulk.rate is not None else min(self._workers, self._parts_to_do(bulk))
        lanes = min(free, -(-bulk.concurrency // among))
        part = min(left, default=bulk.taken_parts)
        return Share(id=part_id(bulk.id, part), bulk=bulk.id, part=part, lanes=lanes, holder=self._name)

    def take(self, edit: Edit, bulk: BulkRecord) -> Share | None:
        """Have ``edit`` take what is next."""
        share = self.next(bulk)
        if share is None or not edit.take(f"{LANES}{bulk.id}", share.lanes, self._free_lanes(bulk)):
            return None
        edit.put(share)
        if share.part >= bulk.taken_parts:
            edit.put(msgspec.structs.replace(bulk, taken_parts=share.part + 1))
        return share

    def widened(self, edit: Edit, id: str) -> Share | None:
        """The share of that id, to which ``edit`` gives the lanes that nobody uses; ``None``: there are none."""
        share = edit.get(Share, id)
        bulk = None if share is None else edit.get(BulkRecord, share.bulk)
        if share is None or bulk is None or not self.is_narrow(bulk):
            return None
        free = self._free_lanes(bulk)
        if not edit.take(f"{LANES}{bulk.id}", free, free):
            return None
        share = msgspec.structs.replace(share, lanes=share.lanes + free)
        edit.put(share)
        return share

    def is_narrow(self, bulk: BulkRecord) -> bool:
        """Whether lanes are free, and no part is."""
        return not bulk.is_finished and self.next(bulk) is None and self._free_lanes(bulk) > 0

    def _parts_to_do(self, bulk: BulkRecord) -> int:
        return bulk.parts - bulk.taken_parts + len(self.shares(bulk))

    def _free_lanes(self, bulk: BulkRecord) -> int:
        return bulk.concurrency - sum(share.lanes for share in self.shares(bulk) if self._is_held(share))


def asked_to_stop(bulk: BulkRecord | None, task: Task | None) -> bool:
    """Whether no further item shall be begun."""
    canceled = any(each is not None and each.cancel_requested for each in (bulk, task))
    return canceled or (bulk is not None and bulk.stop_on_error and bulk.failed > 0)
