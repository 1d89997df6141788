"""What is stored of bulk operations: what shall be done, how far that is, and what became of each item.

Items are many and small: they are kept in parts, packed, and so is what became of them. Workers take parts one by one;
one that is taken has a share until all of it is written down. An item that is under way has a mark from the first
change on that it makes, written in the same transaction; when what became of it is written down, its mark is deleted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.requesters import Requester
from resphere.contract.generated.cis_task import Status
from resphere.replica.table import Table
from resphere.tasks.record import Failure

ITEMS_OF_PART = 500


class Each(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That all items are one operation, with ``input`` in common, and differ in ``parameter`` alone.

    Where the values are not known yet, ``list`` is the operation that gives them, ``list_input`` its input, and
    ``field`` the member of what is listed that is the value.
    """

    operation: str
    parameter: str
    input: dict[str, Any] = {}
    list: str | None = None
    list_input: dict[str, Any] = {}
    field: str | None = None


class BulkRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A bulk operation; its id is that of its task.

    ``total`` is how many items there are, ``None`` until that is known; ``holder`` is the worker that finds that out.
    So many ``taken_parts`` has anybody begun with: of those that have no share any more all is written down.
    ``behind`` are the ``schedule`` and those by which it came to that. Times are aware, in UTC.
    """

    kind: ClassVar[str] = "bulk"

    id: str
    requester: Requester
    name: str | None = None
    each: Each | None = None
    total: int | None = None
    concurrency: int
    rate: float | None = None
    stop_on_error: bool = False
    dry_run: bool = False
    retried: str | None = None
    schedule: str | None = None
    behind: tuple[str, ...] = ()
    status: Status = Status.PENDING
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cancel_requested: bool = False
    error: Failure | None = None
    holder: str | None = None
    taken_parts: int = 0
    created_time: datetime
    start_time: datetime | None = None
    end_time: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in (Status.SUCCEEDED, Status.FAILED)

    @property
    def parts(self) -> int:
        """In how many parts its items are."""
        return -(-(self.total or 0) // ITEMS_OF_PART)

    @property
    def done(self) -> int:
        """Of how many items it is known what became of them."""
        return self.succeeded + self.failed + self.skipped


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Items ``number * ITEMS_OF_PART`` and following of a bulk operation, packed."""

    kind: ClassVar[str] = "bulk_part"

    id: str
    bulk: str
    items: bytes


class Share(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """That ``holder``, a worker, carries out the items of the part of the same id, up to ``lanes`` at the same time;
    ``None``: it has stopped, and another one goes on."""

    kind: ClassVar[str] = "bulk_share"

    id: str
    bulk: str
    part: int
    lanes: int
    holder: str | None = None


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the items of the part of the same id, as far as they are done, packed."""

    kind: ClassVar[str] = "bulk_outcomes"

    id: str
    bulk: str
    outcomes: bytes


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """That item ``number`` has changed something: within the ``task``, where it has one. ``done``: with that it has
    succeeded, and ``outcome`` is what became of it, where there is more to tell."""

    kind: ClassVar[str] = "bulk_mark"

    id: str
    bulk: str
    number: int
    task: str | None = None
    done: bool = False
    outcome: bytes | None = None


def part_id(bulk: str, part: int) -> str:
    """The id of a part, and of what became of its items."""
    return f"{bulk}/{part}"


BULKS = Table(
    cls=BulkRecord,
    indexes={
        "open": lambda bulk: () if bulk.is_finished else ("yes",),
        "user": lambda bulk: (canonical_name(bulk.requester.user),),
        "schedule": lambda bulk: () if bulk.schedule is None else (bulk.schedule,),
    },
    revises=False,
    sealed=("each",),
)
PARTS = Table(cls=Part, indexes={"bulk": lambda part: (part.bulk,)}, revises=False, sealed=("items",))
SHARES = Table(cls=Share, indexes={"bulk": lambda share: (share.bulk,)}, revises=False)
OUTCOMES = Table(cls=Outcomes, indexes={"bulk": lambda part: (part.bulk,)}, revises=False, sealed=("outcomes",))
MARKS = Table(cls=Mark, indexes={"bulk": lambda mark: (mark.bulk,)}, revises=False, sealed=("outcome",))
