"""Work at events: which events a schedule waits for, and what of them stands in its work.

In an ``input`` of the work, ``{"$event": NAME}`` stands for a value of the event. It is put there as a value, whatever
it looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.extensions.schedules import Schedules
from resphere.events.event import Kind
from resphere.events.filters import Wanted
from resphere.events.heard import Heard
from resphere.nearest import meant
from resphere.schedules.times import refused

PLACE = "$event"
MOST_EVENTS = 1000
"""For so many a run is at most."""
MOST_ITEMS_AT_EVENTS = 10_000
"""And it has so many items that are each about one event."""
LONGEST_SHOWN = 80
MOST_LEVELS = 64
SAMPLE = "id"
"""What a value is taken to be until there is an event."""

VALUES: Mapping[str, Callable[[Heard], str | None]] = MappingProxyType(
    {
        "object.id": lambda heard: heard.event.object.id,
        "object.name": lambda heard: heard.event.object.name,
        "object.type": lambda heard: heard.event.object.type,
        "target.id": lambda heard: None if heard.event.target is None else heard.event.target.id,
        "target.name": lambda heard: None if heard.event.target is None else heard.event.target.name,
        "target.type": lambda heard: None if heard.event.target is None else heard.event.target.type,
        "task": lambda heard: heard.event.task,
        "type": lambda heard: heard.event.type,
        "sequence": lambda heard: str(heard.number),
        "cause.user": lambda heard: None if heard.event.cause is None else heard.event.cause.user,
    }
)
"""What of an event may stand in work: ``None`` where it has none."""


def wanted_by(events: Schedules.EventFilter | None) -> Wanted:
    """What a trigger waits for."""
    given = events or Schedules.EventFilter()
    kinds = None if given.kinds is None else frozenset(Kind(each) for each in given.kinds)
    return Wanted(kinds=kinds, types=given.types, objects=given.objects, branch=given.branch)


def names_in(value: Any) -> Iterator[Any]:
    """What stands as the name in each place of plain values, however deep that is."""
    left = [value]
    while left:
        each = left.pop()
        if is_place(each):
            yield each[PLACE]
        else:
            left.extend(reversed(within(each)))


def is_place(value: Any) -> bool:
    """Whether a value of an event is to stand there."""
    return isinstance(value, dict) and value.keys() == {PLACE}


def within(value: Any) -> list[Any]:
    """The plain values within one."""
    return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list | tuple) else []


def is_deeper(value: Any, levels: int) -> bool:
    """Whether plain values stand within each other in more than so many levels."""
    layer = [value]
    for _ in range(levels):
        layer = [each for outer in layer for each in within(outer)]
    return bool(layer)


def filled(value: Any, given: Mapping[str, str]) -> Any:
    """Plain values, with those of an event in their places."""
    if is_place(value):
        return given[value[PLACE]]
    if isinstance(value, dict):
        return {name: filled(each, given) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, given) for each in value]
    return value


def inputs(work: Bulk.CreateSpec) -> Iterator[tuple[str, Any]]:
    """Where something of an event may stand, with the place."""
    for number, item in enumerate(work.items or ()):
        yield f"work.items[{number}].input", item.input
    if work.each is not None:
        yield "work.each.input", work.each.input
        if work.each.filter is not None:
            yield "work.each.filter.input", work.each.filter.input


def needed(work: Bulk.CreateSpec) -> frozenset[str]:
    """The values of an event that stand in the work."""
    return frozenset(name for _, input in inputs(work) for name in names_in(input))


def most_events(work: Bulk.CreateSpec) -> int:
    """For how many events one run of it can be."""
    if work.each is not None:
        return 1 if needed(work) else MOST_EVENTS
    about = sum(1 for item in work.items or () if any(True for _ in names_in(item.input)))
    return max(1, min(MOST_EVENTS, MOST_ITEMS_AT_EVENTS // max(1, about)))


def require_places(work: Bulk.CreateSpec) -> None:
    """Refuse places for what no event has, and what is nested too deeply to have some.

    :raises InvalidArgument: naming the first.
    """
    for where, input in inputs(work):
        if is_deeper(input, MOST_LEVELS):
            raise refused(where, f"may be nested in {MOST_LEVELS} levels at most.")
        for name in names_in(input):
            if not isinstance(name, str) or name not in VALUES:
                given = str(name)[:LONGEST_SHOWN]
                others = meant(given, VALUES) or f", but {', '.join(VALUES)}."
                raise refused(where, f"an event has no {given!r}{others}")


def sampled(work: Bulk.CreateSpec) -> Bulk.CreateSpec:
    """The work as it would be, to be looked at."""
    return _with(work, [dict.fromkeys(VALUES, SAMPLE)])


def work_at(work: Bulk.CreateSpec, events: Sequence[Heard]) -> Bulk.CreateSpec:
    """The work for these events, which all have what it needs: items that are about an event for each of them, each
    once."""
    names = needed(work)
    return _with(work, [{name: VALUES[name](each) or "" for name in names} for each in events])


def has_values(heard: Heard, names: frozenset[str]) -> bool:
    """Whether an event has all of these."""
    return all(VALUES[name](heard) is not None for name in names)


def _with(work: Bulk.CreateSpec, events: Sequence[Mapping[str, str]]) -> Bulk.CreateSpec:
    replace = msgspec.structs.replace
    if work.each is not None:
        each, (given, *_) = work.each, events
        if each.filter is not None:
            each = replace(each, filter=replace(each.filter, input=filled(each.filter.input, given)))
        return replace(work, each=replace(each, input=filled(each.input, given)))
    items: dict[tuple[int, bytes], Bulk.Item] = {}
    for number, item in enumerate(work.items or ()):
        about = any(True for _ in names_in(item.input))
        for given in events if about else ({},):
            made = replace(item, input=filled(item.input, given))
            items.setdefault((number, msgspec.json.encode(made)), made)
    return replace(work, items=tuple(items.values()))


def needs_event() -> InvalidArgument:
    """The refusal to do work about an event where there is none."""
    return InvalidArgument(
        message("resphere.schedule.needs_event", "What it does is about an event, and can be done at one alone.")
    )
