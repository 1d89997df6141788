"""``$orderby``: items in the order of their fields. What is unset comes before all else, and last where it descends."""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from resphere.queries.compiling import Root, TagsOf, defined
from resphere.queries.nodes import Order
from resphere.queries.places import Scope
from resphere.queries.refusals import too_much

OPTION = "$orderby"
MOST_KEYS = 8
RUN = 10_000
"""So many items are put in order at one go, in a few milliseconds."""


class Sort(msgspec.Struct, frozen=True):
    """One key: its value of an item, ``None`` where it is unset."""

    value: Callable[[Any], Any]
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
        source = f"def value(item):\n    {root.whole} = item\n    return {place.or_none}\n"
        made.append(Sort(defined(source, "value", {"tags": no_order}), order.descending))
    return tuple(made)


def no_order(_id: str) -> TagsOf:
    """Tags are several: no path to a single value leads through them."""
    raise TypeError("nothing is ordered by tags")


async def ordered(items: Sequence[Any], sorts: Sequence[Sort]) -> list[Any]:
    """The items in that order; equal ones as they were. Long lists in turns."""
    found = list(items)
    for sort in reversed(sorts):
        found = await ordered_by(found, sort)
    return found


async def ordered_by(items: Sequence[Any], sort: Sort) -> list[Any]:
    """The items in the order of one key; equal ones as they were."""
    runs: list[list[Any]] = []
    unset: list[Any] = []
    value, descending = sort.value, sort.descending
    for begin in range(0, len(items), RUN):
        if begin:
            await asyncio.sleep(0)
        piece = items[begin : begin + RUN]
        unset += [item for item in piece if value(item) is None]
        runs.append(sorted([item for item in piece if value(item) is not None], key=value, reverse=descending))
    found = runs[0] if len(runs) == 1 else await merged(runs, sort)
    return found + unset if descending else unset + found


async def merged(runs: Iterable[list[Any]], sort: Sort) -> list[Any]:
    """Runs that are in order, as one."""
    found: list[Any] = []
    for item in heapq.merge(*runs, key=sort.value, reverse=sort.descending):
        found.append(item)
        if len(found) % RUN == 0:
            await asyncio.sleep(0)
    return found


def order_of(identifier: str) -> tuple[int, str]:
    """Where an identifier stands among others: shorter ones first, so that ``vm-99`` is before ``vm-1049``."""
    return len(identifier), identifier


async def first_by_identity(
    items: Sequence[Any], identity: Callable[[Any], str], after: str | None, most: int | None
) -> list[Any]:
    """The first items in the order of their identifiers, of those behind ``after``. Long lists in turns."""
    by_length: defaultdict[int, list[Any]] = defaultdict(list)
    length, last = (0, "") if after is None else order_of(after)
    for begin in range(0, len(items), RUN):
        if begin:
            await asyncio.sleep(0)
        for item in items[begin : begin + RUN]:
            identifier = identity(item)
            size = len(identifier)
            if size > length or (size == length and identifier > last) or after is None:
                by_length[size].append(item)
    found: list[Any] = []
    for size in sorted(by_length):
        if most is not None and len(found) >= most:
            break
        group = by_length[size]
        if most is not None and most - len(found) < len(group):
            found += heapq.nsmallest(most - len(found), group, key=identity)
        else:
            found += await ordered_by(group, Sort(identity, False))
    return found
