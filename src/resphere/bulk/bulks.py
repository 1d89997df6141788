"""Bulk operations as they are asked for, looked at, canceled and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.requesters import Requester
from resphere.bulk.items import Item, Operations, Outcome, pack, unpack_items, unpack_outcomes
from resphere.bulk.record import (
    ITEMS_OF_PART,
    BulkRecord,
    Each,
    Mark,
    Outcomes,
    Part,
    Share,
    part_id,
)
from resphere.contract.errors import NotAllowedInCurrentState, ServiceUnavailable, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.generated.cis_task import Status
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.tasks.record import Task

MOST_ITEMS = 100_000
"""Of one bulk operation."""
MOST_OPEN_OF_USER, MOST_OPEN = 100, 1_000
"""So many are not finished at a time: of one user, and in all."""
MOST_OPEN_ITEMS = 1_000_000
"""And so many items are in those."""
MOST_KEPT, MOST_KEPT_ITEMS = 1_000, 1_000_000
"""Of so many that are finished, and of so many items in those, it is kept what became of them."""
SERVICE, OPERATION = Bulk.create.service, Bulk.create.name
DESCRIPTION = "BulkOperation"
"""What its task is called."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be done: ``items``, or ``each`` with its ``values``, which may be unknown yet."""

    items: Sequence[Item] = ()
    each: Each | None = None
    values: Sequence[str] | None = None
    name: str | None = None
    concurrency: int = 16
    rate: float | None = None
    stop_on_error: bool = False
    dry_run: bool = False
    retried: str | None = None
    schedule: str | None = None
    behind: tuple[str, ...] = ()

    @property
    def total(self) -> int | None:
        """How many items there are, ``None`` where that is not known yet."""
        if self.each is None:
            return len(self.items)
        return None if self.values is None else len(self.values)

    def packed(self) -> tuple[bytes, ...]:
        """The items in parts, in any thread."""
        content: Sequence[object] = self.items if self.each is None else self.values or ()
        return packed_parts(content)


def packed_parts(content: Sequence[object]) -> tuple[bytes, ...]:
    """Items or values in parts, in any thread."""
    return tuple(pack(content[begin : begin + ITEMS_OF_PART]) for begin in range(0, len(content), ITEMS_OF_PART))


class Bulks:
    """All bulk operations of the store. ``keep`` is for how long the finished ones are kept."""

    def __init__(
        self, replica: Replica, operations: Operations, now: Callable[[], datetime], owner: str, keep: timedelta
    ) -> None:
        self._replica = replica
        self.operations = operations
        self._now = now
        self._owner = owner
        self._keep = keep

    def begin(self, edit: Edit, order: Order, requester: Requester, parts: Sequence[bytes]) -> str:
        """Begin a bulk operation, which is carried out from the commit of ``edit`` on. Returns its id; ``parts`` are
        those of the order.

        :raises ServiceUnavailable: too many are under way.
        """
        self._require_room(order, requester)
        identity = edit.new_id("task-")
        now = self._now()
        edit.put(
            BulkRecord(
                id=identity,
                requester=requester,
                name=order.name,
                each=order.each,
                total=order.total,
                concurrency=order.concurrency,
                rate=order.rate,
                stop_on_error=order.stop_on_error,
                dry_run=order.dry_run,
                retried=order.retried,
                schedule=order.schedule,
                behind=order.behind,
                created_time=now,
            )
        )
        put_parts(edit, identity, parts)
        edit.put(
            Task(
                id=identity,
                service=SERVICE,
                operation=OPERATION,
                description=DESCRIPTION,
                user=requester.user,
                behind=order.behind,
                owner=self._owner,
                resumed=True,
                status=Status.PENDING,
                cancelable=True,
                queued_time=now,
            )
        )
        return identity

    def _require_room(self, order: Order, requester: Requester) -> None:
        user = canonical_name(requester.user)
        unfinished = self._replica.by(BulkRecord, "open", "yes").values()
        own = sum(1 for each in unfinished if canonical_name(each.requester.user) == user)
        if own >= MOST_OPEN_OF_USER:
            raise ServiceUnavailable(
                message(
                    "resphere.bulk.too_many_of_user",
                    "{0} bulk operations of {1} are not finished, as many as one user may have.",
                    own,
                    requester.user,
                )
            )
        items = sum(each.total or 0 for each in unfinished)
        if len(unfinished) >= MOST_OPEN or items + (order.total or 0) > MOST_OPEN_ITEMS:
            raise ServiceUnavailable(
                message(
                    "resphere.bulk.too_many",
                    "{0} bulk operations with {1} items are not finished: there may be {2} with {3}.",
                    len(unfinished),
                    items,
                    MOST_OPEN,
                    MOST_OPEN_ITEMS,
                )
            )

    async def cancel(self, id: str) -> None:
        """Have no further items be begun.

        :raises NotAllowedInCurrentState: it is finished.
        """

        def plan(edit: Edit) -> None:
            found = edit.get(BulkRecord, id)
            if found is None or found.is_finished:
                raise finished(id)
            edit.put(msgspec.structs.replace(found, cancel_requested=True))
            task = edit.get(Task, id)
            if task is not None:
                edit.put(msgspec.structs.replace(task, cancel_requested=True))

        await self._replica.change(plan)

    async def delete(self, id: str) -> None:
        """Forget a finished one.

        :raises NotAllowedInCurrentState: it is not finished.
        """

        def plan(edit: Edit) -> None:
            found = edit.get(BulkRecord, id)
            if found is not None and not found.is_finished:
                raise NotAllowedInCurrentState(
                    message("resphere.bulk.under_way", "The bulk operation {0} is under way. Cancel it first.", id)
                )
            self._remove(edit, id)

        await self._replica.change(plan)

    def outcomes(self, id: str, part: int) -> dict[int, Outcome]:
        """What became of the items of a part, by number, as far as that is written down."""
        found = self._replica.get(Outcomes, part_id(id, part))
        return {} if found is None else {each.number: each for each in unpack_outcomes(found.outcomes)}

    def items(self, bulk: BulkRecord, part: int) -> list[Item]:
        """The items of a part."""
        found = self._replica.get(Part, part_id(bulk.id, part))
        return [] if found is None else unpack_items(found.items, bulk.each)

    def left(self, bulk: BulkRecord) -> Iterator[Item]:
        """The items that have failed, or were not carried out."""
        for part in range(bulk.parts):
            outcomes = self.outcomes(bulk.id, part)
            for number, item in enumerate(self.items(bulk, part), part * ITEMS_OF_PART):
                outcome = outcomes.get(number)
                if outcome is not None and outcome.state is not Bulk.ItemState.SUCCEEDED:
                    yield item

    async def sweep(self) -> int:
        """Forget what is finished for long, and the oldest where too many are kept; returns how many that were."""
        limit = self._now() - self._keep
        ended = [bulk for bulk in self._replica.all(BulkRecord).values() if bulk.end_time is not None]
        ended.sort(key=lambda bulk: bulk.end_time or limit)
        count, items, gone = len(ended), sum(bulk.total or 0 for bulk in ended), 0
        for bulk in ended:
            old = bulk.end_time is not None and bulk.end_time <= limit
            if not old and count <= MOST_KEPT and items <= MOST_KEPT_ITEMS:
                break
            await self._replica.change(lambda edit, id=bulk.id: self._remove(edit, id))  # type: ignore[misc]
            count, items, gone = count - 1, items - (bulk.total or 0), gone + 1
        return gone

    def _remove(self, edit: Edit, id: str) -> None:
        if edit.get(BulkRecord, id) is None:
            return
        edit.delete(BulkRecord, id)
        for cls in (Part, Share, Outcomes, Mark):
            for each in list(self._replica.by(cls, "bulk", id)):
                edit.delete(cls, each)


def put_parts(edit: Edit, bulk: str, parts: Sequence[bytes]) -> None:
    """Write the items of a bulk operation."""
    for number, packed in enumerate(parts):
        edit.put(Part(id=part_id(bulk, number), bulk=bulk, items=packed))


def finished(id: str) -> NotAllowedInCurrentState:
    """The refusal to cancel what is over."""
    return NotAllowedInCurrentState(message("resphere.bulk.finished", "The bulk operation {0} is finished.", id))
