"""How many at once: who comes in too great a number waits behind himself, and others do not."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from enum import Enum


class Full(Enum):
    """Why nobody else may wait."""

    PARTY = "party"
    """So many of the same party wait already."""
    ALL = "all"


class NoRoom(Exception):
    """Nobody else may wait for a turn."""

    def __init__(self, full: Full) -> None:
        self.full = full


class Turns:
    """So many have a turn at the same time, so many of one party; the parties that wait get turns one after the other,
    and those of one party in the order in which they came.

    Of one event loop::

        await turns.enter("alice")
        try:
            ...
        finally:
            turns.leave("alice")
    """

    def __init__(self, *, per_party: int, total: int, waiting_per_party: int, waiting: int) -> None:
        self._per_party = per_party
        self._total = total
        self._waiting_per_party = waiting_per_party
        self._most_waiting = waiting
        self._having: dict[str, int] = {}
        self._had = 0
        self._queues: dict[str, OrderedDict[asyncio.Future[None], None]] = {}
        """Of each party that waits, in the order of their next turns."""
        self._waiting = 0

    @property
    def had(self) -> int:
        """How many have a turn."""
        return self._had

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return self._waiting

    def of(self, party: str) -> int:
        """How many turns a party has."""
        return self._having.get(party, 0)

    async def enter(self, party: str) -> None:
        """Wait for a turn.

        :raises NoRoom: too many wait already.
        """
        if self.entered(party):
            return
        queue = self._queues.get(party)
        if (queue is not None and len(queue) >= self._waiting_per_party) or not self._waiting_per_party:
            raise NoRoom(Full.PARTY)
        if self._waiting >= self._most_waiting:
            raise NoRoom(Full.ALL)
        if queue is None:
            queue = self._queues[party] = OrderedDict()
        turn = asyncio.get_running_loop().create_future()
        queue[turn] = None
        self._waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(party)  # it had come already
            else:
                self._give_up(party, turn)
            raise

    def entered(self, party: str) -> bool:
        """Take a turn, if there is one that nobody of the party waits for."""
        having = self._having.get(party, 0)
        if self._had >= self._total or having >= self._per_party or party in self._queues:
            return False
        self._having[party] = having + 1
        self._had += 1
        return True

    def leave(self, party: str) -> None:
        """Give a turn back: to who waits next."""
        having = self._having[party] - 1
        if having:
            self._having[party] = having
        else:
            del self._having[party]
        self._had -= 1
        if self._queues:
            self._give()

    def _give(self) -> None:
        """Give turns to those who wait, as long as there are any."""
        while self._had < self._total:
            # Those that have all turns that a party may have are no more than there are turns.
            party = next((each for each in self._queues if self.of(each) < self._per_party), None)
            if party is None:
                return
            queue = self._queues.pop(party)
            turn, _ = queue.popitem(last=False)
            self._waiting -= 1
            if queue:
                self._queues[party] = queue  # behind all others now
            if not turn.cancelled():
                self._having[party] = self.of(party) + 1
                self._had += 1
                turn.set_result(None)

    def _give_up(self, party: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(party)
        if queue is not None and turn in queue:
            del queue[turn]
            self._waiting -= 1
            if not queue:
                del self._queues[party]
