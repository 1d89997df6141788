"""A list by its options: filtered, in order, and a part of it. Long ones in turns, so that nobody waits for them."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any

import msgspec

from resphere.contract.model import Parted, Struct
from resphere.queries.compiling import AttributesOf, Filter, TagsOf, no_attributes
from resphere.queries.cursors import Cursor, Orders, gone, token
from resphere.queries.fields import ATTRIBUTES
from resphere.queries.lists import Listing
from resphere.queries.options import Query
from resphere.queries.ordering import (
    Column,
    Permuted,
    Sort,
    Values,
    columns_of,
    first_by_identity,
    first_placed,
    ordered,
    placed,
)
from resphere.queries.selecting import Attributes, Select
from resphere.queries.shapes import full_of
from resphere.queries.standing import Standing, StandingLists, growing

COMPARISONS = 50_000
"""Made in one turn: some milliseconds."""
FEWEST = 200
"""Items that are filtered in one turn at least."""
READ_AT_ONCE = 50
"""Items of which all is read in one turn."""
SELECTED_AT_ONCE = 2000


class Means(msgspec.Struct, frozen=True):
    """What lists need beside what they hold: ``read`` gives all of one item by its identifier, ``None`` where the
    caller may not have it or it is gone. Who has the ``turn`` reads a piece: however many lists are read at once,
    everybody else waits for one piece. ``standing`` are the long lists as they stand.
    """

    now: datetime
    tags_of: TagsOf
    orders: Orders
    standing: StandingLists
    turn: asyncio.Lock
    read: Callable[[str], Awaitable[Struct | None]]
    attributes_of: AttributesOf = no_attributes


class Page(msgspec.Struct, frozen=True):
    """A part of a list: its items (of a map pairs), how many match in all, where it goes on."""

    items: list[Any]
    count: int | None = None
    next: str | None = None


class Line(msgspec.Struct, frozen=True):
    """Items in order, from where a page begins: each with its place in the whole order; ``whole`` is that, where it has
    to be kept for a following page: the identifiers, and what they are in order of. ``order`` is the name of one that
    is kept."""

    items: Sequence[Any]
    begin: int = 0
    places: Sequence[int] | None = None
    whole: Callable[[], tuple[list[str], list[Column]]] | None = None
    order: str | None = None
    by_identity: bool = False


async def page(query: Query, result: Any, means: Means) -> Page:
    """The part of the list that is asked for.

    :raises InvalidArgument: the cursor's order is kept no more.
    """
    identity = identity_of(query.listing)
    if isinstance(result, Parted):
        standing = means.standing.of(query.listing.operation.id, query.listing.item, identity, result)
        if standing is not None:
            found_there = None if query.full else await page_of_standing(query, standing, identity, means)
            if found_there is not None:
                return found_there
            result = standing.items
    items = await filtered(query.filter, items_of(query.listing, result), means)
    if not query.full:
        line = await lined_up(query, items, query.sorts, identity, means, lazily=False)
        taken = line.items if query.top is None else line.items[: query.top]
        following = await next_of(query, line, len(taken), identity, means)
        return Page(await selected(query, taken, means), len(items) if query.count else None, following)
    if query.full_sorts or (query.full_filter is not None and query.count):
        return await page_of_all(query, items, means)
    line = await lined_up(query, items, (), identity, means, lazily=True)
    found: list[tuple[int, Any]] = []
    most = query.top
    async with aclosing(told(query, line.items, means, most)) as pieces:
        async for each in pieces:
            found += each
            if most is not None and len(found) >= most:
                break
    taken_items = found[:most]
    # Whether the caller may have any of those that follow is not looked at: the next page may be empty.
    consumed = taken_items[-1][0] + 1 if taken_items and len(found) >= (most or 0) else len(line.items)
    following = await next_of(query, line, consumed, identity, means)
    count = len(items) if query.count else None
    return Page(await selected(query, [item for _, item in taken_items], means), count, following)


async def page_of_standing(
    query: Query, standing: Standing, identity: Callable[[Any], str], means: Means
) -> Page | None:
    """The same of a long list as it stands, where it is in order already: what the filter finds first from the place
    on where the page begins. ``None``: it is not in that order."""
    if not query.is_paged and not query.sorts:
        items = await filtered(query.filter, await standing.to_read(), means)
        return Page(await selected(query, items, means), len(items) if query.count else None)
    if query.listing.identity is None or any(each.uses_attributes for each in query.sorts):
        # What custom attributes are stands in no part of the list.
        return None
    order = await standing.ordered(query.orderby, query.sorts) if query.sorts else await standing.by_identity()
    cursor, top = query.cursor, query.top
    if order is None or (cursor is not None and query.sorts and not order.is_named(cursor.order)):
        return None
    begin = 0 if cursor is None else cursor.at if query.sorts else order.after(cursor.after or "")
    end = None if top is None else query.skip + top
    found, at = await first_found(query.filter, order.items, begin, None if query.count else end, means)
    taken, following = found[query.skip : end], None
    if taken and end is not None and len(found) > end:
        if query.sorts:
            place = at(end - 1) + 1
            following = token(Cursor(query.of, order=await order.name(means.orders, means.now), at=place))
        else:
            following = token(Cursor(query.of, after=identity(taken[-1])))
    count = None
    if query.count:
        count = len(await filtered(query.filter, order.items[:begin], means)) + len(found)
    return Page(await selected(query, taken, means), count, following)


async def first_found(
    filter: Filter | None, items: Sequence[Any], begin: int, most: int | None, means: Means
) -> tuple[list[Any], Callable[[int], int]]:
    """What the filter is true of from a place on: all of it, or ``most`` and a little more; and what tells the place
    of each. Long lists in turns."""
    found: list[Any] = []
    pieces: list[tuple[int, int]] = []
    at_once, since = in_one_turn(filter), 0
    for start, end in growing(begin, len(items), FEWEST, at_once):
        if since + end - start > at_once:
            await asyncio.sleep(0)
            since = 0
        since += end - start
        pieces.append((len(found), start))
        piece = items[start:end]
        found += piece if filter is None else filter.keep(piece, means.tags_of, means.now, means.attributes_of)
        if most is not None and len(found) > most:
            break

    def place_of(number: int) -> int:
        _, start = pieces[bisect_right(pieces, number, key=itemgetter(0)) - 1]
        item = found[number]
        return next(place for place in range(start, len(items)) if items[place] is item)

    return found, place_of


async def page_of_all(query: Query, items: Sequence[Any], means: Means) -> Page:
    """The same where all of each item has to be read, before it is known which come first, or how many there are."""
    identity = identity_of(query.listing)
    entries: list[Any] = []
    async for each in told(query, items, means):
        entries += [(identity(items[place]), item) for place, item in each]
    sorts = [msgspec.structs.replace(sort, values=of_second(sort.values)) for sort in query.full_sorts]
    line = await lined_up(query, entries, sorts, itemgetter(0), means, lazily=False)
    taken = line.items if query.top is None else line.items[: query.top]
    following = await next_of(query, line, len(taken), itemgetter(0), means)
    count = len(entries) if query.count else None
    return Page(await selected(query, [item for _, item in taken], means), count, following)


async def streamed(query: Query, result: Any, means: Means) -> AsyncGenerator[list[Any], None]:
    """The items in pieces, all of them or as many as are asked for; nothing is held but identifiers and a piece."""
    items = await filtered(query.filter, items_of(query.listing, result), means)
    identity = identity_of(query.listing)
    if query.full_sorts:
        yield (await page_of_all(query, items, means)).items
        return
    line = await lined_up(query, items, query.sorts, identity, means, lazily=True)
    left = query.top
    async for each in told(query, line.items, means):
        piece = each if left is None else each[:left]
        left = None if left is None else left - len(piece)
        yield await selected(query, [item for _, item in piece], means)
        if left == 0:
            return


async def told(
    query: Query, items: Sequence[Any], means: Means, most: int | None = None
) -> AsyncGenerator[list[tuple[int, Any]], None]:
    """The items as they are told, each with its place: with ``full`` all of each that the caller may have, and of those
    the ones that the filter is true of. No more than ``most`` are read at once."""
    listing, identity = query.listing, identity_of(query.listing)
    size = READ_AT_ONCE if most is None else max(1, min(READ_AT_ONCE, most))
    for begin in range(0, len(items), size):
        if begin:
            await asyncio.sleep(0)
        piece = items[begin : begin + size]
        if not query.full:
            yield list(enumerate(piece, begin))
            continue
        found: list[tuple[int, Any]] = []
        async with means.turn:
            for place, item in enumerate(piece, begin):
                identifier = identity(item)
                info = await means.read(identifier)
                if info is not None:
                    whole = full_of(listing, identifier, info)
                    found.append((place, (item[0], whole) if listing.is_map else whole))
        if query.full_filter is not None:
            keep = query.full_filter.keep
            found = [each for each in found if keep((each[1],), means.tags_of, means.now, means.attributes_of)]
        yield found


def items_of(listing: Listing, result: Any) -> Sequence[Any]:
    """What an operation has answered as a sequence: of a map pairs, of a set in the order of the wire."""
    if isinstance(result, Parted):
        result = result.whole()
    if isinstance(result, frozenset):
        return sorted(result)
    if listing.is_map:
        return [] if result is None else list(result.items())
    return () if result is None else tuple(result)


def identity_of(listing: Listing) -> Callable[[Any], str]:
    """What tells an item apart."""
    if listing.is_map:
        return itemgetter(0)
    return str if listing.is_plain else attrgetter(listing.identity) if listing.identity else str


def in_one_turn(filter: Filter | None) -> int:
    """How many items a filter is asked of in one turn."""
    if filter is None:
        return COMPARISONS
    return max(FEWEST, COMPARISONS // max(filter.weight * (20 if filter.uses_tags else 1), 1))


async def filtered(filter: Filter | None, items: Sequence[Any], means: Means) -> Sequence[Any]:
    """Those that the filter is true of, in their order."""
    if filter is None:
        return items
    most = in_one_turn(filter)
    if len(items) <= most:
        return filter.keep(items, means.tags_of, means.now, means.attributes_of)
    found: list[Any] = []
    for begin in range(0, len(items), most):
        if begin:
            await asyncio.sleep(0)
        found += filter.keep(items[begin : begin + most], means.tags_of, means.now, means.attributes_of)
    return found


async def lined_up(
    query: Query,
    items: Sequence[Any],
    sorts: Sequence[Sort],
    identity: Callable[[Any], str],
    means: Means,
    *,
    lazily: bool,
) -> Line:
    """The items in order from where the page begins. ``lazily``: nobody knows yet how many are wanted."""
    cursor, skip = query.cursor, query.skip
    if not query.is_paged:
        return Line(await ordered(items, sorts, means.attributes_of) if sorts else items)
    if query.listing.identity is None:
        return counted(await ordered(items, sorts, means.attributes_of), skip if cursor is None else cursor.at)
    if sorts and cursor is not None:
        return await resumed(items, identity, cursor, None if lazily or query.top is None else query.top + 1, means)
    most = None if lazily or query.top is None else skip + query.top + 1
    if sorts:
        columns = await columns_of(items, sorts, means.attributes_of)
        few = most is not None and len(columns) == 1
        places = first_placed(len(items), columns[0], most or 0) if few else await placed(len(items), columns)
        return Line(Permuted(items, places)[skip:], skip, whole=lambda: (list(map(identity, items)), columns))
    first = await first_by_identity(items, identity, None if cursor is None else cursor.after, most)
    return Line(first[skip:], skip, by_identity=True)


def counted(items: Sequence[Any], begin: int) -> Line:
    """Items that nothing tells apart, from a place on."""
    return Line(items[begin:], begin)


async def resumed(
    items: Sequence[Any], identity: Callable[[Any], str], cursor: Cursor, most: int | None, means: Means
) -> Line:
    """The items in the order of the first page, as far as they are still there."""
    order = await means.orders.find(cursor.order or "")
    if order is None:
        raise gone()
    by_id = dict(zip(map(identity, items), items, strict=True))
    places = list(islice((place for place in range(cursor.at, len(order)) if order[place] in by_id), most))
    return Line([by_id[order[place]] for place in places], places=places, order=cursor.order)


async def next_of(query: Query, line: Line, consumed: int, identity: Callable[[Any], str], means: Means) -> str | None:
    """Where the list goes on after so many items of the line; ``None`` where there are no more, or none were taken."""
    if consumed >= len(line.items) or not query.is_paged or consumed == 0:
        return None
    if line.by_identity:
        return token(Cursor(query.of, after=identity(line.items[consumed - 1])))
    at = line.begin + consumed if line.places is None else line.places[consumed - 1] + 1
    order = line.order if line.whole is None else await means.orders.keep(*line.whole())
    return token(Cursor(query.of, order=order, at=at))


async def selected(query: Query, items: Sequence[Any], means: Means) -> list[Any]:
    """The items with the fields that are asked for. Many in turns."""
    if query.select is None:
        return list(items)
    if query.select.attributes is not None:
        return await attributed(query.select, query.select.attributes, items, means)
    take, found = query.select.take, list[Any]()
    for begin in range(0, len(items), SELECTED_AT_ONCE):
        if begin:
            await asyncio.sleep(0)
        piece = items[begin : begin + SELECTED_AT_ONCE]
        found += [(key, take(value)) for key, value in piece] if query.listing.is_map else map(take, piece)
    return found


async def attributed(select: Select, told: Attributes, items: Sequence[Any], means: Means) -> list[Any]:
    """The same with custom attributes beside the fields."""
    found: list[Any] = []
    for count, item in enumerate(items, 1):
        key, value = item if isinstance(item, tuple) else (None, item)
        beside = told.of(means.attributes_of(told.identify(value) if key is None else key))
        taken = msgspec.structs.replace(select.take(value), **{ATTRIBUTES: beside})
        found.append(taken if key is None else (key, taken))
        if count % READ_AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def of_second(values: Values) -> Values:
    """The same of the second of pairs."""
    return lambda pairs, attributes: values([pair[1] for pair in pairs], attributes)
