"""The events as one worker hears of them: what was committed by whichever worker, in one sequence.

Whoever reads goes by the number of the last event that they have, so nothing is kept for anybody: the latest events are
at hand, earlier ones are read from the store. The store is looked at while somebody waits, and at no other time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import msgspec

from resphere.events.event import DECODER, Deed, Event, Kind
from resphere.store.base import Store

log = logging.getLogger(__name__)

TICK_SECONDS = 0.005
"""How often a worker to which somebody listens asks whether another one has committed: in a microsecond."""
AT_HAND = 4096
"""So many of the latest events."""
READ_AT_ONCE = 500
"""So many take some 2 ms to read."""
WOKEN_AT_ONCE = 64
"""So many readers are woken before the loop does something else."""


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


class Feed:
    """Reads events from a number on, and waits for more. ``show`` brings the inventory up to what was committed."""

    def __init__(self, store: Store, show: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._show = show
        self._version: int | None = None
        self._recent: deque[Heard] = deque(maxlen=AT_HAND)
        self._first = 0
        self._last = 0
        self._listeners = 0
        self._ticker: asyncio.Task[None] | None = None
        self._waiting: dict[asyncio.Future[bool], None] = {}
        self.standing = 0
        """Rises with whatever may have changed who may read, and what: before anybody is handed what comes after."""
        self.stopping = False
        """Whether this worker is about to end, and nobody is to wait any more."""

    async def since(self, after: int, most: int = READ_AT_ONCE) -> Part:
        """The first events with a number above ``after``, up to ``most``."""
        if self._listeners and self._recent and self._recent[0].number <= after + 1 <= self._last + 1:
            begin = after + 1 - self._recent[0].number
            return Part(self._first, self._last, tuple(islice(self._recent, begin, begin + most)))
        journal = await self._store.journal(after, most)
        events = tuple([heard(*entry) for entry in journal.entries])
        # They are judged by the inventory, which must not lag behind.
        await self._show()
        self._note_standing(events)
        return Part(journal.first, journal.last, events)

    async def latest(self) -> int:
        """The number of the latest event, 0 where there was none."""
        return (await self._store.journal(0, 0)).last

    async def wait(self, after: int, seconds: float) -> bool:
        """Wait until there is an event with a number above ``after``, at most so long: whether there is, or may be."""
        with self.listening():
            return await self._wait(after, seconds)

    async def follow(self, after: int) -> AsyncIterator[Part]:
        """All events with a number above ``after``, in parts, and those to come; it ends when the worker does.

        The first part may tell that what is asked for is no longer kept, see :meth:`Part.misses`. For what goes on
        inside of this server (schedules, webhooks): nobody's view is asked.
        """
        with self.listening():
            while not self.stopping:
                part = await self.since(after)
                if part.events or part.misses(after):
                    yield part
                    after = part.events[-1].number if part.events else part.last
                else:
                    await self._wait(after, seconds=30.0)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """As long as this lasts, the store is looked at."""
        self._listeners += 1
        if self._ticker is None or self._ticker.done():
            self._version = None
            self._recent.clear()
            self._ticker = asyncio.get_running_loop().create_task(self._tick())
        try:
            yield
        finally:
            self._listeners -= 1

    def stop(self) -> None:
        """Have all who wait go: the worker ends."""
        self.stopping = True
        for waiting in list(self._waiting):
            settle(waiting, found=False)

    async def close(self) -> None:
        """Stop, and look at the store no more."""
        self.stop()
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)

    async def _wait(self, after: int, seconds: float) -> bool:
        if self._last > after or self.stopping:
            return self._last > after
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bool] = loop.create_future()
        self._waiting[waiting] = None
        timer = loop.call_later(seconds, settle, waiting)
        try:
            return await waiting
        finally:
            timer.cancel()
            self._waiting.pop(waiting, None)

    async def _tick(self) -> None:
        while self._listeners:
            try:
                version = self._store.version()
                if version is None or version != self._version:
                    await self._look()
                    self._version = version
            except Exception:
                log.exception("the journal of events could not be read, and will be again")
                await asyncio.sleep(1.0)
            await asyncio.sleep(TICK_SECONDS)

    async def _look(self) -> None:
        """Have at hand what is new."""
        while True:
            begin = self._recent[-1].number if self._recent else max(await self.latest() - READ_AT_ONCE, 0)
            journal = await self._store.journal(begin, READ_AT_ONCE)
            events = [heard(*entry) for entry in journal.entries]
            await self._show()
            self._note_standing(events)
            self._recent.extend(events)
            self._first = journal.first
            if events:
                self._last = events[-1].number
                await self._wake()
            if len(events) < READ_AT_ONCE:
                return

    def _note_standing(self, events: Iterable[Heard]) -> None:
        if any(is_about_rights(each.event) for each in events):
            self.standing += 1

    async def _wake(self) -> None:
        """Wake those who wait, some at a time: thousands of them would keep all others waiting."""
        waiting, self._waiting = self._waiting, {}
        for count, each in enumerate(waiting, 1):
            settle(each, found=True)
            if count % WOKEN_AT_ONCE == 0:
                await asyncio.sleep(0)


def heard(number: int, body: bytes) -> Heard:
    """An entry of the journal."""
    return Heard(number, DECODER.decode(body))


def is_about_rights(event: Event) -> bool:
    """Whether it may have changed who may read, and what."""
    return event.kind is Kind.ACCESS or (event.kind is Kind.SESSION and event.deed is Deed.DELETED)


def settle(waiting: asyncio.Future[bool], *, found: bool = False) -> None:
    """Have somebody go on, unless they are gone."""
    if not waiting.done():
        waiting.set_result(found)
