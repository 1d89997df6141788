"""``$filter`` beside a plain reading of the same conditions, and what it refuses."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated import ids
from resphere.queries.compiling import Root, compiled, compiled_filter, no_tags
from resphere.queries.fields import Tag
from resphere.queries.grammar import filter_of
from tests.queries.samples import MOMENTS, NOON, NUMBERS, TEXTS, THINGS, Inner, Part, State, Thing
from tests.support.examples import examples

Item = Any
Test = Callable[[dict[str, Any]], bool]
"""Whether a condition is true, given the item as ``""`` and each variable by its name."""

TYPED: dict[str, tuple[str, ...]] = {
    "text": ("name", "inner/label", "other/label"),
    "number": ("number", "inner/count", "other/count", "inner/size", "words/$count", "parts/$count"),
    "moment": ("since",),
    "choice": ("state",),
    "boolean": ("ready",),
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


def read(start: Any, path: str) -> Any:
    """The value at a path, ``None`` where it or what it stands in is unset."""
    value = start
    for name in path.split("/"):
        if value is None:
            return None
        value = len(value) if name == "$count" else getattr(value, name)
    return value


def written(value: Any) -> str:
    """A value as filters write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS, "number": NUMBERS | st.just(0.5), "moment": MOMENTS, "choice": st.sampled_from(State),
    "boolean": st.booleans(),
}  # fmt: skip


@st.composite
def comparisons(draw: st.DrawFn, whose: str, typed: dict[str, tuple[str, ...]]) -> tuple[str, Test]:
    """A comparison of a field of the item (``whose`` is empty) or of a variable."""
    kind = draw(st.sampled_from(sorted(typed)))
    path = draw(st.sampled_from(typed[kind]))
    shown = f"{whose}/{path}" if whose else path
    words = ("eq", "ne") if kind in ("choice", "boolean") else tuple(OPERATORS)
    word = draw(st.sampled_from(words))
    value = draw(st.none() | VALUES[kind]) if word in ("eq", "ne") else draw(VALUES[kind])
    compare = OPERATORS[word]

    def test(at: dict[str, Any]) -> bool:
        found = read(at[whose], path)
        return compare(found, value) if word in ("eq", "ne") else found is not None and compare(found, value)

    return f"{shown} {word} {'null' if value is None else written(value)}", test


@st.composite
def within(draw: st.DrawFn) -> tuple[str, Test]:
    kind = draw(st.sampled_from(sorted(TYPED)))
    path = draw(st.sampled_from(TYPED[kind]))
    values = draw(st.lists(VALUES[kind], min_size=1, max_size=4))
    return f"{path} in ({', '.join(map(written, values))})", lambda at: read(at[""], path) in values


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, Test]:
    path = draw(st.sampled_from(TYPED["text"]))
    function = draw(st.sampled_from(["contains", "startswith", "endswith"]))
    lowered = draw(st.booleans())
    value = draw(TEXTS)

    def test(at: dict[str, Any]) -> bool:
        found = read(at[""], path)
        found = found.lower() if lowered and found is not None else found
        if found is None:
            return False
        return value in found if function == "contains" else bool(getattr(found, function)(value))

    shown = f"tolower({path})" if lowered else path
    return f"{function}({shown}, {written(value)})", test


def fields(at: dict[str, Any]) -> bool:
    return bool(read(at[""], "inner/label") == read(at[""], "name"))


@st.composite
def quantified(draw: st.DrawFn) -> tuple[str, Test]:
    path = draw(st.sampled_from(["parts", "pieces"]))
    name = draw(st.sampled_from(["p", "part"]))
    every = draw(st.booleans())
    typed = {"number": ("capacity", "inner/count"), "choice": ("state",), "text": ("inner/label",)}
    text, inner = draw(comparisons(name, typed))

    def test(at: dict[str, Any]) -> bool:
        found = read(at[""], path) or ()
        members = found.values() if isinstance(found, dict) else found
        return (all if every else any)(inner({**at, name: member}) for member in members)

    return f"{path}/{'all' if every else 'any'}({name}: {text})", test


SIMPLE = comparisons("", TYPED) | within() | searches() | quantified() | st.just(("inner/label eq name", fields))


def joined(word: str, one: tuple[str, Test], other: tuple[str, Test]) -> tuple[str, Test]:
    both = all if word == "and" else any
    return f"({one[0]} {word} {other[0]})", lambda at: both(test(at) for test in (one[1], other[1]))


CONDITIONS: st.SearchStrategy[tuple[str, Test]] = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(joined, st.sampled_from(["and", "or"]), inner, inner),
        inner.map(lambda one: (f"not ({one[0]})", lambda at: not one[1](at))),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=examples(150))
@given(CONDITIONS, st.lists(THINGS, max_size=12))
def test_a_filter_is_what_it_reads_as(condition: tuple[str, Test], things: list[Thing]) -> None:
    text, test = condition
    keep = compiled_filter(filter_of(text), Root(Thing)).keep
    assert keep(things, no_tags, NOON) == [thing for thing in things if test({"": thing})]


@settings(deadline=None, max_examples=examples(150))
@given(st.text(st.sampled_from("ab (),/:'eqinorndtyalxmp019.$-TZ"), max_size=60) | st.text(max_size=40))
def test_whatever_is_sent_is_understood_or_refused(text: str) -> None:
    with suppress(InvalidArgument):
        compiled_filter(filter_of(text), Root(Thing))


THING = Thing(
    id="thing-1",
    name="Web",
    ready=True,
    since=NOON,
    inner=Inner(count=4),
    words=("a",),
    parts={"2000": Part(state=State.ON)},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ready", True),
        ("not ready", False),
        ("not not ready", True),
        ("words/any(w: w eq 'a')", True),
        ("words/any()", True),
        ("pieces/any()", False),
        ("other/count ne 1", True),
        ("other/count lt 9", False),
        ("other eq null", True),
        ("parts/any(p: p/key eq '2000' and p/state eq 'ON')", True),
        ("parts/any(p: parts/any(q: q/key eq p/key))", True),
        ("parts/any(p: name eq 'Web')", True),
        ("tolower(name) eq 'web' and toupper(name) eq 'WEB'", True),
        ("tolower(inner/label) eq 'x'", False),
        ("tolower(inner/label) ne 'x'", True),
        ("tolower(state) in ('on')", False),
        ("4 eq inner/count and 3 lt inner/count", True),
        ("since ge 2026-11-30 and since lt 2026-12-01T00:00:00+01:00", True),
        ("$it/name eq 'Web'", True),
    ],
)
def test_forms(text: str, expected: bool) -> None:
    assert compiled(text, Thing)(THING) is expected


def test_now_moves_with_the_clock() -> None:
    keep = compiled_filter(filter_of("since gt now() sub duration'P1DT1H'"), Root(Thing)).keep
    assert keep([THING], no_tags, NOON + timedelta(hours=24)) == [THING]
    assert keep([THING], no_tags, NOON + timedelta(hours=25)) == []
    for sign in ("add", "sub"):
        far = compiled_filter(filter_of(f"since lt now() {sign} duration'P999999D'"), Root(Thing)).keep
        assert far([THING], no_tags, NOON) == ([THING] if sign == "add" else [])


def test_maps_are_filtered_by_key_and_value() -> None:
    root = Root(Part, str)
    part = Part(state=State.ON)
    keep = compiled_filter(filter_of("key eq '1' and state eq 'ON'"), root).keep
    assert keep([("1", part), ("2", part)], no_tags, NOON) == [("1", part)]


def test_plain_items_are_named_by_it() -> None:
    keep = compiled_filter(filter_of("startswith($it, 'a')"), Root(str)).keep
    assert keep(["a1", "b1"], no_tags, NOON) == ["a1"]


def test_tags_are_asked_for_by_identifier() -> None:
    made = compiled_filter(filter_of("tags/any(t: t/name eq 'prod')"), Root(Thing, tagged_by="x.id"))
    assert made.uses_tags
    tag = Tag(tag=ids.CisTaggingTagId("1"), name="prod", category="stage")
    assert made.keep([THING], lambda id: (tag,) if id == "thing-1" else (), NOON) == [THING]
    assert made.keep([THING], no_tags, NOON) == []


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("nmae eq 'x'", 1, "did you mean name?"),
        ("inner/cuont eq 1", 7, "did you mean count?"),
        ("name eq 4", 9, "in single quotes"),
        ("number eq '4'", 11, "a number"),
        ("state eq 'ONN'", 10, "did you mean ON?"),
        ("state gt 'ON'", 7, "eq, ne and in"),
        ("since gt '2026-01-01'", 10, "a moment"),
        ("since gt 2026-13-01", 10, "no moment"),
        ("name gt null", 6, "eq and ne alone"),
        ("name in ('a', null)", 15, "eq and ne alone"),
        ("inner eq 1", 1, "structure of count, label, size"),
        ("parts eq 1", 1, "any(x: ...)"),
        ("name/any(x: x eq 1)", 1, "several members"),
        ("name", 1, "no condition"),
        ("'a' eq 'b'", 1, "compares no field"),
        ("name eq number", 6, "compares"),
        ("name eq", 8, "it ends"),
        ("name = 'x'", 6, "'=' means nothing here"),
        ('name eq "x"', 9, "single quotes"),
        ("name eq 'x", 9, "has no end"),
        ("startwith(name, 'x')", 1, "did you mean startswith?"),
        ("(name eq 'x'", 13, "it ends"),
        ("words/all()", 1, "all needs a condition"),
        ("number gt now()", 11, "now() is a moment"),
        ("since gt now() sub duration'P'", 20, "no duration"),
        ("secret eq 'x'", 1, "no field secret"),
        ("open eq 'x'", 1, "no field open"),
        ("number eq " + "1" * 41, 11, "40 characters"),
        ("tolower(number) eq 1", 1, "for text"),
    ],
)
def test_refusals_name_the_character_and_what_would_do(text: str, at: int, words: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        compiled(text, Thing)
    assert str(refused.value).startswith(f"$filter, character {at}: ")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 17 + "ready" + ")" * 17,
        " and ".join(["ready"] * 101),
        "ready or " * 500,
        "parts/any(a: parts/any(b: parts/any(c: a/state eq 'ON')))",
    ],
)
def test_bounds(text: str) -> None:
    with pytest.raises(InvalidArgument, match="at most"):
        compiled(text, Thing)


def test_the_deepest_filter_is_read() -> None:
    assert compiled("(" * 16 + "ready" + ")" * 16, Thing)(THING)
    with pytest.raises(InvalidArgument, match="now"):
        compiled("since gt now()", Thing)
