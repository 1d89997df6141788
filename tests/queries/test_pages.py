"""Pages of lists beside plain sorting, and while others change what is listed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.contract.errors import InvalidArgument
from resphere.contract.model import Operation, Parted, Route, Struct
from resphere.queries.compiling import no_tags
from resphere.queries.options import MOST_TOP, Query, understood
from resphere.queries.ordering import Column, placed
from resphere.queries.pages import Means, Page, page, streamed
from resphere.queries.standing import OFTEN, StandingLists
from tests.queries.samples import NOON, THINGS, Inner, Part, State, Thing
from tests.support.examples import examples

GET = Route("GET", "/test/thing", 200)


class NoInput(Struct, frozen=True):
    pass


class Nameless(Struct, frozen=True):
    name: str


def listed(output: Any) -> Operation[..., Any]:
    return Operation("test.thing", "list", input=NoInput, output=lambda: output, api=GET)


THINGS_LIST: Operation[..., Any] = listed(tuple[Thing, ...])
MAP: Operation[..., Any] = listed(dict[str, Part])
PLAIN: Operation[..., Any] = listed(frozenset[str])
NAMELESS: Operation[..., Any] = listed(tuple[Nameless, ...])


class Orders:
    """Keeps orders in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, list[str]] = {}

    async def keep(self, identifiers: Sequence[str], columns: Sequence[Column]) -> str:
        name = str(len(self.kept))
        self.kept[name] = [identifiers[place] for place in await placed(len(identifiers), columns)]
        return name

    async def find(self, name: str) -> list[str] | None:
        return self.kept.get(name)


async def nothing(_identifier: str) -> Struct | None:
    return None


def means(orders: Orders | None = None, read: Callable[[str], Any] = nothing) -> Means:
    return Means(NOON, no_tags, orders or Orders(), StandingLists(fewest=2), asyncio.Lock(), read)


class Answers:
    """What an operation answers: a list as one, or in parts of a size, which are the same as long as they hold the
    same."""

    def __init__(self, part: int | None) -> None:
        self.part = part
        self.known: dict[tuple[str, ...], tuple[Thing, ...]] = {}

    def __call__(self, things: Sequence[Thing]) -> Any:
        if self.part is None:
            return tuple(things)
        parts = [tuple(things[begin : begin + self.part]) for begin in range(0, len(things), self.part)]
        return Parted(tuple(self.known.setdefault(tuple(map(repr, part)), part) for part in parts))


def asked(operation: Operation[..., Any], **options: str) -> Query:
    given = {name if name == "full" else f"${name}": [value] for name, value in options.items()}
    return understood(operation, given)


def paged(query: Query, result: Any, by: Means) -> Page:
    return asyncio.run(page(query, result, by))


def by_number(thing: Thing) -> tuple[int, str]:
    return len(thing.id), thing.id


UNIQUE = st.lists(THINGS, max_size=25, unique_by=lambda thing: thing.id)
PARTS = st.none() | st.integers(1, 9)
ORDERS = st.sampled_from(
    ["name", "name desc", "number desc, name", "inner/label, number desc", "state desc,ready", "toupper(name)"]
)


def sorted_plainly(things: Sequence[Thing], orderby: str) -> list[Thing]:
    """The same by comparing all: what is unset is less than anything else."""
    found = list(things)
    for each in reversed(orderby.split(",")):
        path, _, direction = each.strip().replace("toupper(name)", "name").partition(" ")

        def key(thing: Thing, path: str = path) -> tuple[bool, Any]:
            value: Any = thing
            for name in path.split("/"):
                value = getattr(value, name)
            value = value.upper() if "toupper" in orderby else value
            return (value is not None, 0 if value is None else value)

        found.sort(key=key, reverse=direction == "desc")
    return found


@settings(deadline=None, max_examples=examples(100))
@given(UNIQUE, st.none() | ORDERS, st.integers(1, 8), st.integers(0, 3), st.booleans(), PARTS)
def test_pages_are_parts_of_the_order(
    things: list[Thing], orderby: str | None, top: int, skip: int, filters: bool, part: int | None
) -> None:
    answer, by, found = Answers(part), means(), []
    options = {"top": str(top)} | ({} if orderby is None else {"orderby": orderby})
    options |= {"filter": "number ge 1"} if filters else {}
    matching = [thing for thing in things if not filters or (thing.number is not None and thing.number >= 1)]
    ordered = sorted(matching, key=by_number) if orderby is None else sorted_plainly(matching, orderby)
    for count in ("true", "false"):  # the second time a long list may be in order already
        first = paged(asked(THINGS_LIST, **options, skip=str(skip), count=count), answer(things), by)
        assert first.items == ordered[skip : skip + top]
    query, expected = asked(THINGS_LIST, **options, skip=str(skip), count="true"), ordered[skip:]
    while True:
        got = paged(query, answer(things), by)
        assert got.count == len(matching)
        assert len(got.items) <= top
        found += got.items
        if got.next is None:
            break
        query = asked(THINGS_LIST, **options, skiptoken=got.next, count="true")
    assert found == expected


@settings(deadline=None, max_examples=examples(50))
@given(st.lists(THINGS, min_size=2, max_size=25, unique_by=lambda thing: thing.id), st.integers(1, 9))
def test_a_long_list_is_filtered_the_same_however_often(things: list[Thing], part: int) -> None:
    answer, by, query = Answers(part), means(), asked(THINGS_LIST, filter="number ge 1 or name ne 'a'", count="true")
    expected = paged(query, tuple(things), means())
    for _ in range(2 * OFTEN):
        assert paged(query, answer(things), by) == expected


CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "delete", "rename"]), st.integers(0, 200), st.sampled_from("abcxyz")), max_size=6
)


@settings(deadline=None, max_examples=examples(150))
@given(UNIQUE, st.none() | ORDERS, st.integers(1, 6), st.lists(CHANGES, max_size=12), st.booleans(), PARTS)
def test_nothing_comes_twice_and_nothing_that_stays_is_missed(
    things: list[Thing],
    orderby: str | None,
    top: int,
    changes: list[list[tuple[str, int, str]]],
    again: bool,
    part: int | None,
) -> None:
    answer = Answers(part)
    present = {thing.id: thing for thing in things}
    stayed = set(present)
    options = {"top": str(top)} if orderby is None else {"top": str(top), "orderby": orderby}
    by, found, following, rounds = means(), [], None, iter(changes)
    if again:
        paged(asked(THINGS_LIST, **options), answer(list(present.values())), by)
    while True:
        more = options if following is None else {**options, "skiptoken": following}
        got = paged(asked(THINGS_LIST, **more), answer(list(present.values())), by)
        found += [thing.id for thing in got.items]
        if got.next is None:
            break
        following = got.next
        for what, number, name in next(rounds, []):
            changed(present, stayed, what, f"thing-{number}", name)
    assert len(found) == len(set(found))
    assert stayed <= set(found)


def changed(present: dict[str, Thing], stayed: set[str], what: str, id: str, name: str) -> None:
    """Have somebody else change what is listed."""
    if what == "add" and id not in present:
        sample = next(iter(present.values()), None)
        if sample is not None:
            present[id] = msgspec.structs.replace(sample, id=id, name=name)
    elif what == "delete":
        present.pop(id, None)
        stayed.discard(id)
    elif id in present:
        present[id] = msgspec.structs.replace(present[id], name=name, number=len(name))


def test_maps_and_sets_and_what_nothing_tells_apart_have_pages_too() -> None:
    by, part = means(), Part(state=State.ON)
    first = paged(asked(MAP, top="2"), {"b": part, "a": part, "cc": part}, by)
    assert [key for key, _ in first.items] == ["a", "b"]
    assert first.next is not None
    rest = paged(asked(MAP, top="2", skiptoken=first.next), {"b": part, "a": part, "cc": part}, by)
    assert [key for key, _ in rest.items] == ["cc"]
    assert paged(asked(PLAIN, top="1", filter="$it gt 'a'"), frozenset({"b", "a", "c"}), by).items == ["b"]
    nameless = (Nameless("b"), Nameless("a"))
    first = paged(asked(NAMELESS, top="1"), nameless, by)
    assert first.items == [Nameless("b")]
    assert first.next is not None
    assert paged(asked(NAMELESS, top="1", skiptoken=first.next), nameless, by).items == [Nameless("a")]


def test_long_lists_are_in_order() -> None:
    ids = [f"thing-{number * 7919 % 25_000}" for number in range(25_000)]
    part = Part(state=State.ON, capacity=1)
    things = {id: msgspec.structs.replace(part, capacity=None if n % 5 == 0 else n) for n, id in enumerate(ids)}
    found = paged(asked(MAP, orderby="capacity desc"), things, means()).items
    assert [value.capacity for _, value in found[:3]] == [24_999, 24_998, 24_997]
    assert [key for key, _ in found[-3:]] == [ids[24_985], ids[24_990], ids[24_995]]
    assert paged(asked(MAP, top="3", skip="24997"), things, means()).items[-1][0] == "thing-24999"


def test_streams_hold_what_pages_do() -> None:
    things = {f"thing-{number}": Part(state=State.ON, capacity=number) for number in range(120)}
    query = msgspec.structs.replace(asked(MAP, orderby="capacity desc", top="70"), streamed=True)

    async def collected() -> list[list[Any]]:
        return [piece async for piece in streamed(query, things, means())]

    pieces = asyncio.run(collected())
    assert len(pieces) > 1
    assert [key for piece in pieces for key, _ in piece] == [f"thing-{number}" for number in range(119, 49, -1)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"top": "-1"}, "$top: is a whole number from 0, not '-1'"),
        ({"top": str(MOST_TOP + 1)}, f"$top: may be {MOST_TOP} at most"),
        ({"top": "0"}, "$top: 0 asks for nothing"),
        ({"skip": "x"}, "$skip: is a whole number"),
        ({"count": "yes"}, "$count: is true or false"),
        ({"skiptoken": "x"}, "$skiptoken: must be the text"),
        ({"skiptoken": "WzEsbnVsbF0"}, "$skiptoken: belongs to another list"),
        ({"orderby": "words"}, "$orderby, character 1: words is no single value"),
        ({"orderby": "name sideways"}, "$orderby, character 6"),
        ({"orderby": ",".join(["name"] * 9)}, "$orderby: may name 8 fields at most"),
        ({"select": "nmae"}, "$select, character 1: an item has no field nmae; did you mean name?"),
        ({"select": "name/x"}, "told whole"),
        ({"select": "tolower(name)"}, "$select, character 8: there is ( where there must be"),
        ({"select": ",".join(["name"] * 101)}, "$select: may name 100 fields at most"),
        ({"fitler": "x"}, "did you mean $filter?"),
        ({"full": "true"}, "no operation that has all of one item"),
    ],
)
def test_refusals(options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        asked(THINGS_LIST, **options)
    assert words in str(refused.value)


def test_cursors_go_with_their_list_alone() -> None:
    things = tuple(Thing(id=f"thing-{n}", name=str(n), inner=THING.inner) for n in range(3))
    following = paged(asked(THINGS_LIST, top="1"), things, means()).next
    assert following is not None
    with pytest.raises(InvalidArgument, match="another list"):
        asked(THINGS_LIST, top="1", orderby="name", skiptoken=following)
    with pytest.raises(InvalidArgument, match="does not go with"):
        asked(THINGS_LIST, top="1", skip="1", skiptoken=following)
    with pytest.raises(InvalidArgument, match="only once"):
        understood(THINGS_LIST, {"$top": ["1", "2"]})
    ordered = paged(asked(THINGS_LIST, top="1", orderby="name"), things, means()).next
    assert ordered is not None
    with pytest.raises(InvalidArgument, match="kept no more"):
        paged(asked(THINGS_LIST, top="1", orderby="name", skiptoken=ordered), things, means())


THING = Thing(id="thing-1", name="a", inner=Inner(count=1, label="x"))


def test_fields_are_selected_within_structures() -> None:
    query = asked(THINGS_LIST, select="id,inner/count,other/label")
    (item,) = paged(query, (THING,), means()).items
    assert msgspec.json.encode(item) == b'{"id":"thing-1","inner":{"count":1}}'
    (item,) = paged(asked(THINGS_LIST, select="inner,inner/count"), (THING,), means()).items
    assert msgspec.json.encode(item) == b'{"inner":{"count":1,"label":"x"}}'
