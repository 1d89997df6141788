"""Long lists as they stand: what was found out about one is good until something in it changes.

An operation that answers in parts (:class:`Parted`) gives the same parts as long as there is nothing new in them. So
the orders in which such a list is asked for again and again are made once for all who ask, and a page of one is what
the filter finds first in it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from types import GenericAlias
from typing import Any

import msgspec

from resphere.contract.model import Parted
from resphere.queries.cursors import Orders
from resphere.queries.ordering import Column, Sort, columns_of, first_by_identity, placed

FEWEST = 500
"""Items of a list that is worth it."""
MOST_LISTS = 8
MOST_ORDERS = 4
"""Of one list: those that were asked for last."""
OFTEN = 4
"""So many times, it is worth the copies."""
HELD = timedelta(minutes=1)
"""So long an order that is kept for all workers is taken for one that still is."""


class Ordered:
    """A list in an order: ``columns`` are what it is in order of, none of them where that is its identifiers."""

    def __init__(self, items: Sequence[Any], identity: Callable[[Any], str], columns: Sequence[Column] = ()) -> None:
        self.items = items
        self._identity = identity
        self._columns = columns
        self._own: tuple[Sequence[Any], Sequence[Column]] = ((), ())
        self._name: str | None = None
        self._held: datetime | None = None

    @classmethod
    def by(
        cls, items: Sequence[Any], places: Sequence[int], columns: Sequence[Column], identity: Callable[[Any], str]
    ) -> Ordered:
        """The items in the order that ``places`` are of ``columns``."""
        made = cls([items[place] for place in places], identity, columns)
        made._own = items, columns
        return made

    def after(self, identifier: str) -> int:
        """The place behind an identifier, of a list in the order of these: shorter ones are before longer ones."""
        return bisect_right(self.items, numeric(identifier), key=lambda item: numeric(self._identity(item)))

    def is_named(self, name: str | None) -> bool:
        """Whether this is the order that is kept under a name."""
        return self._name is not None and name == self._name

    async def name(self, orders: Orders, now: datetime) -> str:
        """The name under which all workers have the order: it is kept, or held a while longer."""
        if self._name is None or self._held is None or abs(now - self._held) > HELD:
            items, columns = self._own
            self._name = await orders.keep([self._identity(item) for item in items], columns)
            self._held = now
        return self._name


class Standing:
    """One list as it stands."""

    def __init__(self, parts: tuple[Any, ...], item: Any, identity: Callable[[Any], str]) -> None:
        self._parts = parts
        self._item = item
        self._identity = identity
        self.items: tuple[Any, ...] = tuple(chain.from_iterable(parts))
        self._read = 0
        self._beside: tuple[Any, ...] | None = None
        self._by_identity: Ordered | None = None
        self._orders: dict[str, Ordered | None] = {}
        """By what ``$orderby`` says; ``None`` for what was asked for once."""

    def has(self, parts: tuple[Any, ...]) -> bool:
        """Whether these are its parts still."""
        mine = self._parts
        return len(mine) == len(parts) and all(one is other for one, other in zip(mine, parts, strict=True))

    async def to_read(self) -> tuple[Any, ...]:
        """The items for somebody who looks at all of them; once that has happened often, copies that lie beside each
        other in memory. The texts of the items came to be at all times and lie anywhere: of what a filter of 20,000
        names took, two thirds were waiting for them."""
        self._read += 1
        if self._read == OFTEN:
            self._beside = await asyncio.to_thread(copies, self.items, self._item)
        return self.items if self._beside is None else self._beside

    async def by_identity(self) -> Ordered:
        """The list in the order of its identifiers."""
        if self._by_identity is None:
            items = await first_by_identity(self.items, self._identity, None, None)
            self._by_identity = Ordered(items, self._identity)
        return self._by_identity

    async def ordered(self, orderby: str, sorts: Sequence[Sort]) -> Ordered | None:
        """The list in an order; ``None`` where nobody has asked for that before: who wants few items of a list that
        changes all the time does better without all of it in order."""
        asked = orderby in self._orders
        found = self._orders.pop(orderby, None)
        if asked and found is None:
            columns = await columns_of(self.items, sorts)
            found = Ordered.by(self.items, await placed(len(self.items), columns), columns, self._identity)
        self._orders[orderby] = found  # at the end: what was asked for last is the last to go
        while len(self._orders) > MOST_ORDERS:
            del self._orders[next(iter(self._orders))]
        return found


class StandingLists:
    """The long lists that this worker was asked for last."""

    def __init__(self, fewest: int = FEWEST) -> None:
        self._fewest = fewest
        self._lists: dict[str, Standing] = {}

    def of(self, name: str, item: Any, identity: Callable[[Any], str], result: Parted[Any]) -> Standing | None:
        """The list of that name, of items of a type, as an operation has answered it; ``None`` where it is short."""
        if len(result) < self._fewest:
            return None
        found = self._lists.pop(name, None)
        if found is None or not found.has(result.parts):
            found = Standing(result.parts, item, identity)
        self._lists[name] = found
        while len(self._lists) > MOST_LISTS:
            del self._lists[next(iter(self._lists))]
        return found


def copies(items: tuple[Any, ...], item: Any) -> tuple[Any, ...]:
    """Copies of the items, made one after the other; the items themselves where they are of no type that can be."""
    try:
        made: tuple[Any, ...] = msgspec.msgpack.decode(
            msgspec.msgpack.encode(items), type=GenericAlias(tuple, (item, ...))
        )
    except msgspec.ValidationError:
        return items
    return made if made == items else items


def numeric(identifier: str) -> tuple[int, str]:
    """What identifiers are in order by."""
    return len(identifier), identifier


def growing(begin: int, count: int, first: int, most: int) -> Iterator[tuple[int, int]]:
    """The places from ``begin`` on in pieces, each twice as long as the one before, up to ``most``."""
    size = first
    while begin < count:
        end = min(begin + min(size, most), count)
        yield begin, end
        begin, size = end, 2 * size
