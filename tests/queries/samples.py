"""Structures with every shape of field, and plain readings of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from resphere.contract.model import Secret, Struct


class State(StrEnum):
    ON = "ON"
    OFF = "OFF"


class Inner(Struct, frozen=True, kw_only=True):
    count: int
    label: str | None = None
    size: float | None = None


class Part(Struct, frozen=True, kw_only=True):
    capacity: int | None = None
    state: State
    inner: Inner | None = None


class Thing(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    number: int | None = None
    state: State | None = None
    ready: bool | None = None
    since: datetime | None = None
    inner: Inner
    other: Inner | None = None
    words: tuple[str, ...] | None = None
    parts: dict[str, Part] | None = None
    pieces: tuple[Part, ...] = ()
    secret: Secret | None = None
    open: Any = None


NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
TEXTS = st.sampled_from(["", "a", "ab", "b", "A'b", "ä"])
NUMBERS = st.integers(-2, 3)
MOMENTS = st.integers(-2, 2).map(lambda hours: NOON + timedelta(hours=hours))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or none."""
    return st.none() | strategy


INNERS = st.builds(Inner, count=NUMBERS, label=maybe(TEXTS), size=maybe(st.sampled_from([0.5, 1.0])))
PARTS = st.builds(Part, capacity=maybe(NUMBERS), state=st.sampled_from(State), inner=maybe(INNERS))
THINGS = st.builds(
    Thing,
    id=st.sampled_from([f"thing-{number}" for number in range(120)]),
    name=TEXTS,
    number=maybe(NUMBERS),
    state=maybe(st.sampled_from(State)),
    ready=maybe(st.booleans()),
    since=maybe(MOMENTS),
    inner=INNERS,
    other=maybe(INNERS),
    words=maybe(st.lists(TEXTS, max_size=3).map(tuple)),
    parts=maybe(st.dictionaries(st.sampled_from(["1", "2", "3"]), PARTS, max_size=3)),
    pieces=st.lists(PARTS, max_size=3).map(tuple),
)
