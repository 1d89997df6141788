"""Those who wait for the next event, in circles of those who are sent the same: it is made once for all of a circle.

Who has nothing to hear of what has happened is not woken by it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Protocol

import msgspec

from resphere.events.heard import Heard

log = logging.getLogger(__name__)

WOKEN_AT_ONCE = 64
"""So many are woken before the loop does something else: thousands of them would keep all others waiting."""
MOST_PASSED_OVER = 1000
"""After so many events that are not a reader's it is told where it is, so that it need not begin before them."""


class Ear(Protocol):
    """What the readers of a circle have in common."""

    @property
    def key(self) -> Hashable:
        """Readers whose ears have equal keys are sent the same."""

    @property
    def user(self) -> str:
        """The canonical name of who reads."""

    def pieces(self, events: Sequence[Heard]) -> tuple[bytes, ...]:
        """What is sent of these events; empty where none is told."""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What a reader who waited goes on with: ``pieces`` have all that is for it up to ``position``. ``signs``: it is
    time to say where it is."""

    position: int
    pieces: tuple[bytes, ...] = ()
    signs: bool = False


Woken = tuple[asyncio.Future[Turn], Turn]


class Circle:
    """Those who have all that is for them up to one event, the latest that was handed out."""

    __slots__ = ("ear", "said", "waiting")

    def __init__(self, ear: Ear, said: int) -> None:
        self.ear = ear
        self.said = said
        """The number of the event up to which they know where they are."""
        self.waiting: list[asyncio.Future[Turn]] = []


class Audience:
    """All who wait at one worker."""

    def __init__(self) -> None:
        self._circles: dict[Hashable, Circle] = {}
        self._apart: dict[asyncio.Future[Turn], int] = {}
        """With the number of the last event that each has."""

    def wait_in_circle(self, ear: Ear, after: int) -> asyncio.Future[Turn]:
        """The next turn of somebody who has all that was handed out, and that is all up to ``after``.

        Who waits no more cancels it, and is forgotten at the next beat.
        """
        key = ear.key
        circle = self._circles.get(key)
        if circle is None:
            circle = self._circles[key] = Circle(ear, after)
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        circle.waiting.append(turn)
        return turn

    def wait_apart(self, after: int) -> asyncio.Future[Turn]:
        """The next turn of somebody who has more than that."""
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._apart[turn] = after
        return turn

    async def hand_out(
        self, before: int, events: Sequence[Heard], is_affected: Callable[[str], bool], *, follows: bool
    ) -> None:
        """Give what has happened to those whom it is for; up to the event ``before`` all was handed out.

        ``follows``: nothing lies in between. Else, and of users who are affected in what they may read, each goes on by
        itself.
        """
        last = events[-1].number
        woken: list[Woken] = []
        for key, circle in list(self._circles.items()):
            turn = Turn(before)
            if follows and not is_affected(circle.ear.user):
                turn = turn_of(circle, before, events)
                if turn == Turn(last):
                    continue  # nothing is for them
            del self._circles[key]
            woken += [(waiting, turn) for waiting in circle.waiting]
        behind = [(waiting, Turn(after)) for waiting, after in self._apart.items() if after < last]
        for waiting, _ in behind:
            del self._apart[waiting]
        await wake([*woken, *behind])

    async def beat(self, position: int) -> None:
        """Have all say where they are; up to ``position`` all was handed out."""
        await wake(self._all(position, signs=True))

    def dismiss(self, position: int) -> None:
        """Have all go on at once: nobody is to wait any more."""
        for waiting, turn in self._all(position, signs=False):
            settle(waiting, turn)

    def _all(self, position: int, *, signs: bool) -> list[Woken]:
        """Let go of all."""
        circles, self._circles = self._circles, {}
        apart, self._apart = self._apart, {}
        turn = Turn(position, signs=signs)
        woken = [(waiting, turn) for circle in circles.values() for waiting in circle.waiting]
        return [*woken, *((waiting, Turn(after, signs=signs)) for waiting, after in apart.items())]


def turn_of(circle: Circle, before: int, events: Sequence[Heard]) -> Turn:
    """What these events are for the readers of a circle."""
    try:
        pieces = circle.ear.pieces(events)
    except Exception:
        log.exception("events after %d could not be told", before)
        return Turn(before)  # each meets it then, and its stream ends there
    last = events[-1].number
    return Turn(last, pieces, signs=not pieces and last - circle.said >= MOST_PASSED_OVER)


async def wake(woken: Iterable[Woken]) -> None:
    """Have those who waited go on, some at a time, and all of them whatever happens meanwhile."""
    left = iter(woken)
    try:
        for count, (waiting, turn) in enumerate(left, 1):
            settle(waiting, turn)
            if count % WOKEN_AT_ONCE == 0:
                await asyncio.sleep(0)
    finally:
        for waiting, turn in left:
            settle(waiting, turn)


def settle(waiting: asyncio.Future[Turn], turn: Turn) -> None:
    """Have somebody go on, unless they are gone."""
    if not waiting.done():
        waiting.set_result(turn)
