"""Those who wait for the next event, in circles of those who are sent the same: it is made once for all of a circle.

Who has nothing to hear of what has happened is not woken by it, nor is whoever can be sent it while waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Protocol

import msgspec

from resphere.events.heard import Heard

log = logging.getLogger(__name__)

WOKEN_AT_ONCE = 64
"""So many are woken, or handed something, before the loop does something else: thousands of them would keep all others
waiting."""
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

    @property
    def until(self) -> int:
        """The number of the last event that they want."""

    def pieces(self, events: Sequence[Heard]) -> tuple[bytes, ...]:
        """What is sent of these events; empty where none is told."""


Hand = Callable[[bytes], Awaitable[None] | None]
"""Sends a reader a piece while it waits: ``None`` where that is taken, else what it has to wait for until it is."""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What a reader who waited goes on with: ``pieces`` have all that is for it up to ``position``, or it was handed
    that, and has to wait for the ``rest``. ``signs``: it is time to say where it is."""

    position: int
    pieces: tuple[bytes, ...] = ()
    signs: bool = False
    rest: Awaitable[None] | None = None


class Reader:
    """Somebody who waits for its turn; whoever has a ``hand`` is spared it as long as there is nothing but a piece to
    be sent: to wake a thousand costs more than to send them one."""

    __slots__ = ("hand", "turn")

    def __init__(self, hand: Hand | None = None) -> None:
        self.turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self.hand = hand

    def go_on(self, turn: Turn) -> None:
        """Have it do so, unless it is gone."""
        if not self.turn.done():
            self.turn.set_result(turn)

    def takes(self, turn: Turn) -> bool:
        """Hand it the one piece that its turn has: whether it waits on, and has it. Else it goes on, or is gone."""
        if self.hand is None or self.turn.done():
            self.go_on(turn)
            return False
        try:
            rest = self.hand(turn.pieces[0])
        except Exception as error:
            # The reader's own, as if it had sent that itself.
            self.turn.set_exception(error)
            return False
        if rest is not None:
            self.turn.set_result(Turn(turn.position, rest=rest))
        return rest is None


class Waiting:
    """Some who wait, in the order in which they came; ``seasoned`` of them have since the last beat."""

    __slots__ = ("readers", "seasoned")

    def __init__(self) -> None:
        self.readers: list[Reader] = []
        self.seasoned = 0

    def join(self, hand: Hand | None = None) -> asyncio.Future[Turn]:
        """The turn of one more."""
        reader = Reader(hand)
        self.readers.append(reader)
        return reader.turn

    def beat(self) -> list[Reader]:
        """Those who have waited from the last beat to this one, and are let go; all others have from now on."""
        seasoned, self.readers = self.readers[: self.seasoned], self.readers[self.seasoned :]
        self.seasoned = len(self.readers)
        return seasoned


class Circle(Waiting):
    """Those who have all that is for them up to one event, the latest that was handed out."""

    __slots__ = ("ear", "said")

    def __init__(self, ear: Ear, said: int) -> None:
        super().__init__()
        self.ear = ear
        self.said = said
        """The number of the event up to which they know where they are."""

    def turn(self, before: int, events: Sequence[Heard]) -> Turn:
        """What these events are for them."""
        try:
            pieces = self.ear.pieces(events)
        except Exception:
            log.exception("events after %d could not be told", before)
            return Turn(before)  # each meets it then, and its stream ends there
        last = events[-1].number
        return Turn(last, pieces, signs=not pieces and last - self.said >= MOST_PASSED_OVER)

    def leave(self, said: int) -> list[Reader]:
        """All of them, to be handed what they are sent; who has it comes back, and knows that it is at ``said``."""
        readers, self.readers = self.readers, []
        self.seasoned, self.said = 0, said
        return readers


class Handing(msgspec.Struct, frozen=True, gc=False):
    """The same turn for some readers; ``circle``: who can be handed its piece is, and comes back there."""

    readers: list[Reader]
    turn: Turn
    circle: Circle | None = None


class Audience:
    """All who wait at one worker. Who waits no more cancels its turn, and is forgotten when others are let go."""

    def __init__(self) -> None:
        self._circles: dict[Hashable, Circle] = {}
        self._apart: dict[int, Waiting] = {}
        """By the number of the last event that they have."""
        self._dismissed = False

    def wait_in_circle(self, ear: Ear, after: int, hand: Hand | None = None) -> asyncio.Future[Turn]:
        """The next turn of somebody who has all that was handed out, and that is all up to ``after``.

        Until then it is handed what it is sent by ``hand``, where that is possible.
        """
        key = ear.key
        circle = self._circles.get(key)
        if circle is None:
            circle = self._circles[key] = Circle(ear, after)
        return circle.join(hand)

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
        handings: list[Handing] = []
        for key, circle in list(self._circles.items()):
            turn = Turn(before)
            if follows and not is_affected(circle.ear.user):
                turn = circle.turn(before, events)
                if turn == Turn(last):
                    continue  # nothing is for them
                if len(turn.pieces) == 1 and last < circle.ear.until:
                    handings.append(Handing(circle.leave(last), turn, circle))
                    continue
            del self._circles[key]
            handings.append(Handing(circle.readers, turn))
        behind = [after for after in self._apart if after < last]
        handings += [Handing(self._apart.pop(after).readers, Turn(after)) for after in behind]
        await self._carry_out(handings)

    async def beat(self, position: int) -> None:
        """Have all who have waited since the last beat say where they are; up to ``position`` all was handed out."""
        handings: list[Handing] = []
        for key, circle in list(self._circles.items()):
            handings.append(Handing(circle.beat(), Turn(position, signs=True)))
            if not circle.readers:
                del self._circles[key]
        for after, apart in list(self._apart.items()):
            handings.append(Handing(apart.beat(), Turn(after, signs=True)))
            if not apart.readers:
                del self._apart[after]
        await self._carry_out(handings)

    def dismiss(self, position: int) -> None:
        """Have all go on at once: nobody is to wait any more."""
        self._dismissed = True
        circles, self._circles = self._circles, {}
        apart, self._apart = self._apart, {}
        for after, each in (*((position, circle) for circle in circles.values()), *apart.items()):
            for reader in each.readers:
                reader.go_on(Turn(after))

    async def _carry_out(self, handings: Iterable[Handing]) -> None:
        """All of them, whatever happens meanwhile, for some readers at a time."""
        left = ((reader, each.turn, each.circle) for each in handings for reader in each.readers)
        try:
            for count, (reader, turn, circle) in enumerate(left, 1):
                self._serve(reader, turn, circle)
                if count % WOKEN_AT_ONCE == 0:
                    await asyncio.sleep(0)
        finally:
            for reader, turn, circle in left:
                self._serve(reader, turn, circle)

    def _serve(self, reader: Reader, turn: Turn, circle: Circle | None) -> None:
        if circle is None:
            reader.go_on(turn)
        elif reader.takes(turn):
            if self._dismissed:
                reader.go_on(Turn(turn.position))
            else:
                circle.readers.append(reader)
