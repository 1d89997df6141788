"""``$orderby``: items in the order of their fields. What is unset comes before all else, and last where it descends."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from resphere.queries.compiling import AttributesOf, Root, TagsOf, defined, no_attributes
from resphere.queries.fields import ATTRIBUTES
from resphere.queries.nodes import Order
from resphere.queries.places import Scope
from resphere.queries.refusals import too_much

OPTION = "$orderby"
MOST_KEYS = 8
RUN = 25_000
"""So many items are put in order at one go, in some milliseconds."""
MERGED = 5000
"""So many are merged in one turn."""


Values: TypeAlias = Callable[[Sequence[Any], AttributesOf], list[Any]]
"""The values of a key of items, ``None`` where it is unset."""


class Sort(msgspec.Struct, frozen=True):
    """One key; ``uses_attributes``: it is a custom attribute."""

    values: Values
    descending: bool
    uses_attributes: bool = False


class Column(msgspec.Struct, frozen=True, array_like=True):
    """The values of one key for all items of a list, and whether the order descends by it."""

    keys: list[Any]
    descending: bool


def sorts_of(orders: Sequence[Order], root: Root) -> tuple[Sort, ...]:
    """The keys that ``$orderby`` names.

    :raises InvalidArgument: there is no such field, or it is no single value.
    """
    if len(orders) > MOST_KEYS:
        raise too_much(OPTION, f"may name {MOST_KEYS} fields at most")
    scope = Scope(OPTION, root.bound())
    made: list[Sort] = []
    for order in orders:
        place = scope.scalar(order.path)
        source = f"def values(items, attributes):\n    return [{place.or_none} for {root.whole} in items]\n"
        values = defined(source, "values", {"tags": no_order})
        made.append(Sort(values, order.descending, ATTRIBUTES in order.path.names))
    return tuple(made)


def no_order(_id: str) -> TagsOf:
    """Tags are several: no path to a single value leads through them."""
    raise TypeError("nothing is ordered by tags")


class Permuted(Sequence[Any]):
    """Items by their places in an order. Each is looked at when it is asked for: of a long list most never are."""

    def __init__(self, items: Sequence[Any], places: Sequence[int]) -> None:
        self._items = items
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Any) -> Any:
        items = self._items
        if isinstance(index, slice):
            return Permuted(items, self.places[index])
        return items[self.places[index]]

    def __iter__(self) -> Iterator[Any]:
        return map(self._items.__getitem__, self.places)


async def ordered(items: Sequence[Any], sorts: Sequence[Sort], attributes: AttributesOf = no_attributes) -> Permuted:
    """The items in that order; equal ones as they were. Long lists in turns."""
    return Permuted(items, await placed(len(items), await columns_of(items, sorts, attributes)))


async def columns_of(
    items: Sequence[Any], sorts: Sequence[Sort], attributes: AttributesOf = no_attributes
) -> list[Column]:
    """What an order goes by: the values of each key for all items. Long lists in turns."""
    columns: list[Column] = []
    for sort in sorts:
        keys: list[Any] = []
        for begin in range(0, len(items), RUN):
            if columns or begin:
                await asyncio.sleep(0)
            keys += sort.values(items[begin : begin + RUN], attributes)
        columns.append(Column(keys, sort.descending))
    return columns


async def placed(count: int, columns: Sequence[Column]) -> Sequence[int]:
    """The places of so many items in the order of the columns; equal ones as they were."""
    places: Sequence[int] = range(count)
    for column in reversed(columns):
        if column is not columns[-1]:
            await asyncio.sleep(0)
        keys = column.keys
        unset, others = apart(places, keys)
        found = await in_order(others, keys.__getitem__, column.descending)
        places = [*found, *unset] if column.descending else [*unset, *found]
    return places


def first_placed(count: int, column: Column, most: int) -> list[int]:
    """The first of these places by one column: cheaper than to put all in order."""
    keys = column.keys
    unset, others = apart(range(count), keys)
    first, key = (unset[:most] if not column.descending else []), keys.__getitem__
    choose = heapq.nlargest if column.descending else heapq.nsmallest
    first = [*first, *choose(most - len(first), others, key=key)]
    return [*first, *unset[: most - len(first)]] if column.descending else first


def apart(places: Sequence[int], keys: list[Any]) -> tuple[list[int], Sequence[int]]:
    """The places of what is unset, and the others."""
    if None not in keys:
        return [], places
    return [at for at in places if keys[at] is None], [at for at in places if keys[at] is not None]


async def in_order(places: Sequence[int], key: Callable[[int], Any], descending: bool) -> list[int]:
    """Places in the order of their keys. What is long in runs, which are then one."""
    runs: list[list[int]] = []
    for begin in range(0, len(places), RUN):
        if begin:
            await asyncio.sleep(0)
        runs.append(sorted(places[begin : begin + RUN], key=key, reverse=descending))
    if len(runs) <= 1:
        return runs[0] if runs else []
    found: list[int] = []
    for place in heapq.merge(*runs, key=key, reverse=descending):
        found.append(place)
        if len(found) % MERGED == 0:
            await asyncio.sleep(0)
    return found


async def first_by_identity(
    items: Sequence[Any], identity: Callable[[Any], str], after: str | None, most: int | None
) -> list[Any]:
    """The first items in the order of their identifiers, of those behind ``after``. Long lists in turns.

    Shorter identifiers are before longer ones: ``vm-99`` before ``vm-1049``.
    """
    ids: list[str] = []
    for begin in range(0, len(items), RUN):
        if begin:
            await asyncio.sleep(0)
        ids += map(identity, items[begin : begin + RUN])
    sizes = list(map(len, ids))
    found: list[int] = []
    for size in sorted(set(sizes)):
        if (most is not None and len(found) >= most) or (after is not None and size < len(after)):
            continue
        places = [place for place, each in enumerate(sizes) if each == size]
        if after is not None and size == len(after):
            places = [place for place in places if ids[place] > after]
        if most is not None and most - len(found) < len(places):
            found += heapq.nsmallest(most - len(found), places, key=ids.__getitem__)
        else:
            found += await in_order(places, ids.__getitem__, False)
    return [items[place] for place in found]
