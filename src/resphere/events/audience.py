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


class Waiting:
    """Some who wait, in the order in which they came; ``seasoned`` of them have since the last beat."""

    __slots__ = ("seasoned", "turns")

    def __init__(self) -> None:
        self.turns: list[asyncio.Future[Turn]] = []
        self.seasoned = 0

    def join(self) -> asyncio.Future[Turn]:
        """The turn of one more."""
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self.turns.append(turn)
        return turn

    def beat(self) -> list[asyncio.Future[Turn]]:
        """Those who have waited from the last beat to this one, and are let go; all others have from now on."""
        seasoned, self.turns = self.turns[: self.seasoned], self.turns[self.seasoned :]
        self.seasoned = len(self.turns)
        return seasoned


class Circle(Waiting):
    """Those who have all that is for them up to one event, the latest that was handed out."""

    __slots__ = ("ear", "said")

    def __init__(self, ear: Ear, said: int) -> None:
        super().__init__()
        self.ear = ear
        self.said = said
        """The number of the event up to which they know where they are."""


class Audience:
    """All who wait at one worker. Who waits no more cancels its turn, and is forgotten when others are let go."""

    def __init__(self) -> None:
        self._circles: dict[Hashable, Circle] = {}
        self._apart: dict[int, Waiting] = {}
        """By the number of the last event that they have."""

    def wait_in_circle(self, ear: Ear, after: int) -> asyncio.Future[Turn]:
        """The next turn of somebody who has all that was handed out, and that is all up to ``after``."""
        key = ear.key
        circle = self._circles.get(key)
        if circle is None:
            circle = self._circles[key] = Circle(ear, after)
        return circle.join()

    def wait_apart(self, after: int) -> asyncio.Future[Turn]:
        """The next turn of somebody who has more than that."""
        return self._apart.setdefault(after, Waiting()).join()

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
            woken += [(waiting, turn) for waiting in circle.turns]
        for after in [each for each in self._apart if each < last]:
            woken += [(waiting, Turn(after)) for waiting in self._apart.pop(after).turns]
        await wake(woken)

    async def beat(self, position: int) -> None:
        """Have all who have waited since the last beat say where they are; up to ``position`` all was handed out."""
        woken: list[Woken] = []
        for key, circle in list(self._circles.items()):
            woken += [(waiting, Turn(position, signs=True)) for waiting in circle.beat()]
            if not circle.turns:
                del self._circles[key]
        for after, apart in list(self._apart.items()):
            woken += [(waiting, Turn(after, signs=True)) for waiting in apart.beat()]
            if not apart.turns:
                del self._apart[after]
        await wake(woken)

    def dismiss(self, position: int) -> None:
        """Have all go on at once: nobody is to wait any more."""
        circles, self._circles = self._circles, {}
        apart, self._apart = self._apart, {}
        for after, each in (*((position, circle) for circle in circles.values()), *apart.items()):
            for waiting in each.turns:
                settle(waiting, Turn(after))


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
