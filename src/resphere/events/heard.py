"""Events as they are read from the journal."""

from __future__ import annotations

import msgspec

from resphere.events.event import DECODER, Deed, Event, Kind


class Heard:
    """An event with its number; what it looks like when it is sent is kept with it, for it is the same for everybody
    who is told."""

    __slots__ = ("event", "number", "written")

    def __init__(self, number: int, event: Event) -> None:
        self.number = number
        self.event = event
        self.written: dict[str, bytes] = {}


class Part(msgspec.Struct, frozen=True):
    """Events one after the other; ``first`` and ``last`` are the numbers of the oldest that is kept and of the
    latest."""

    first: int
    last: int
    events: tuple[Heard, ...]

    def misses(self, after: int) -> bool:
        """Whether it is not all that comes after that number: that is no longer kept, or never was."""
        return after > self.last or (after > 0 and after + 1 < self.first)


def heard(number: int, body: bytes) -> Heard:
    """An entry of the journal."""
    return Heard(number, DECODER.decode(body))


def is_about_rights(event: Event) -> bool:
    """Whether it may have changed what anybody may read."""
    return event.kind is Kind.ACCESS


def ends_session(event: Event) -> bool:
    """Whether it may have changed whether one user may read: the session's owner."""
    return event.kind is Kind.SESSION and event.deed is Deed.DELETED
