"""The events as one worker hears of them: what was committed by whichever worker, in one sequence.

Whoever reads goes by the number of the last event that they have, so nothing is kept for anybody: the latest events are
at hand, earlier ones are read from the store. That tells when somebody has committed; it is looked at while somebody
waits, and at no other time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from resphere.access.principal import canonical_name
from resphere.events.audience import WOKEN_AT_ONCE, Audience, Ear, Hand, Turn
from resphere.events.heard import Heard, Part, ends_session, heard, is_about_rights
from resphere.store.base import Store

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often a worker to which somebody listens looks for what the store may have failed to tell: in a microsecond."""
PAUSE_SECONDS = 0.005
"""From one look to the next at least, however many commit."""
BEAT_SECONDS = 12.5
"""Who waits from one beat to the next shows that it is alive: proxies end what is still for a minute."""
AT_HAND = 4096
"""So many of the latest events, and up to twice as many."""
READ_AT_ONCE = 500
"""So many take some 2 ms to read."""
HANDED_OUT_AT_ONCE = 100
NOTHING_YET = -1
MOST_NOTED = 10_000
"""Of so many users it is known that sessions of theirs have ended."""

Standing = tuple[int, int]
"""Another one than before where what a user may read may have changed."""


class Feed:
    """Reads events from a number on, and waits for more. ``show`` brings the inventory up to what was committed."""

    def __init__(self, store: Store, show: Callable[[], Awaitable[None]], beat_seconds: float = BEAT_SECONDS) -> None:
        self._store = store
        self._show = show
        self._beat_seconds = beat_seconds
        self._version: int | None = None
        self._recent: list[Heard] = []
        """Without a gap."""
        self._first = 0
        self._last = NOTHING_YET
        """The number of the event up to which all was handed out."""
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None
        self._audience = Audience()
        self._waiting: dict[asyncio.Future[bool], None] = {}
        self._rights = 0
        self._ended: dict[str, int] = {}
        """By user, how many sessions have ended."""
        self.stopping = False
        """Whether this worker is about to end, and nobody is to wait any more."""

    async def since(self, after: int, most: int = READ_AT_ONCE) -> Part:
        """The first events with a number above ``after``, up to ``most``."""
        if self._listeners and self._recent and self._recent[0].number <= after + 1 <= self._last + 1:
            begin = after + 1 - self._recent[0].number
            return Part(self._first, self._last, tuple(self._recent[begin : begin + most]))
        journal = await self._store.journal(after, most)
        events = tuple([heard(*entry) for entry in journal.entries])
        # They are judged by the inventory, which must not lag behind.
        await self._show()
        self._note_standing(events)
        return Part(journal.first, journal.last, events)

    async def latest(self) -> int:
        """The number of the latest event, 0 where there was none."""
        return (await self._store.journal(0, 0)).last

    async def latest_before(self, time: int) -> int:
        """The number of the latest event of before a moment, in milliseconds of Unix time; of events that are no longer
        kept, the last one of those.

        Events that were committed at the same time may stand in another order than that of their times, which differ by
        milliseconds then: it goes by the one of their numbers.
        """
        ends = await self._store.journal(0, 0)
        low, high = max(ends.first - 1, 0), ends.last
        while low < high:
            number = (low + high + 1) // 2
            found = (await self._store.journal(number - 1, 1)).entries
            if found and heard(*found[0]).event.time < time:
                low = max(number, found[0][0])
            else:
                high = number - 1
        return low

    async def turn(self, ear: Ear, after: int, hand: Hand | None = None) -> Turn:
        """Wait, within :meth:`listening`, for what comes after that number, or for the time to say that one is there.

        Until then it is handed what it is sent by ``hand``, where that is possible. Where there is more already, it
        takes time to be taken, or the worker is about to end, the turn has nothing.
        """
        if after < self._last or self.stopping:
            return Turn(after)
        audience = self._audience
        if after > self._last:
            return await audience.wait_apart(after)
        turn = await audience.wait_in_circle(ear, after, hand)
        if turn.rest is not None:
            await turn.rest
        return turn

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
        if self._looking is None or self._looking.done():
            self._version, self._last = None, NOTHING_YET
            self._recent.clear()
            self._looking = asyncio.get_running_loop().create_task(self._look_again_and_again())
        try:
            yield
        finally:
            self._listeners -= 1

    def standing_of(self, user: str) -> Standing:
        """Differs from before where events have told of what may have changed whether the user, by its canonical name,
        may read, or what: before anybody is handed what comes after those."""
        return self._rights, self._ended.get(user, 0)

    def stop(self) -> None:
        """Have all who wait go: the worker ends."""
        self.stopping = True
        self._audience.dismiss(self._last)
        for waiting in list(self._waiting):
            settle(waiting, found=False)

    async def close(self) -> None:
        """Stop, and look at the store no more."""
        self.stop()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

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

    async def _look_again_and_again(self) -> None:
        loop = asyncio.get_running_loop()
        rung = asyncio.Event()
        end = self._store.listen(rung.set)
        beat = loop.time() + self._beat_seconds
        try:
            while self._listeners:
                rung.clear()
                began = loop.time()
                try:
                    await self._look_for_news()
                    if began >= beat:
                        beat = began + self._beat_seconds
                        await self._audience.beat(self._last)
                except Exception:
                    log.exception("the journal of events could not be read, and will be again")
                    await asyncio.sleep(1.0)
                await pause(rung, began)
        finally:
            end()

    async def _look_for_news(self) -> None:
        version = self._store.version()
        if version is None or version != self._version:
            await self._look()
            self._version = version

    async def _look(self) -> None:
        """Have at hand what is new, and hand it out."""
        while True:
            begin = self._last if self._last != NOTHING_YET else max(await self.latest() - READ_AT_ONCE, 0)
            journal = await self._store.journal(begin, HANDED_OUT_AT_ONCE)
            events = [heard(*entry) for entry in journal.entries]
            await self._show()
            self._first = journal.first
            if events:
                await self._hand_out(events)
            elif self._last == NOTHING_YET:
                self._last = begin
            if len(events) < HANDED_OUT_AT_ONCE:
                return

    async def _hand_out(self, events: Sequence[Heard]) -> None:
        affected = self._note_standing(events)
        before, self._last = self._last, events[-1].number
        follows = events[0].number == before + 1
        if not follows:
            self._recent.clear()
        self._recent += events
        if len(self._recent) > 2 * AT_HAND:
            del self._recent[:-AT_HAND]
        await self._audience.hand_out(before, events, affected, follows=follows)
        await self._wake()

    def _note_standing(self, events: Sequence[Heard]) -> Callable[[str], bool]:
        """Note whose standing may be another one from now on, which the result tells."""
        # Of what was handed out that was done.
        new = [each.event for each in events if each.number > self._last]
        everybody = any(map(is_about_rights, new)) or len(self._ended) > MOST_NOTED
        if everybody:
            self._rights += 1
            self._ended.clear()
        users = {canonical_name(event.owner) for event in new if ends_session(event) and event.owner is not None}
        for user in users:
            self._ended[user] = self._ended.get(user, 0) + 1
        return lambda user: everybody or user in users

    async def _wake(self) -> None:
        """Wake those who wait, some at a time."""
        waiting, self._waiting = self._waiting, {}
        for count, each in enumerate(waiting, 1):
            settle(each, found=True)
            if count % WOKEN_AT_ONCE == 0:
                await asyncio.sleep(0)


async def pause(rung: asyncio.Event, since: float) -> None:
    """Wait until there may be news, some time after ``since`` at least."""
    loop = asyncio.get_running_loop()
    timer = loop.call_later(LOOK_SECONDS, rung.set)
    await rung.wait()
    timer.cancel()
    left = since + PAUSE_SECONDS - loop.time()
    if left > 0:
        await asyncio.sleep(left)


def settle(waiting: asyncio.Future[bool], *, found: bool = False) -> None:
    """Have somebody go on, unless they are gone."""
    if not waiting.done():
        waiting.set_result(found)
