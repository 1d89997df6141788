"""Ends connections that keep a worker waiting: that bring no request, go idle for long, or neither send nor read.

Clients that send and read, however long it takes, are left alone, and so is everything that the server itself keeps
waiting.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from heapq import heapify, heappop, heappush

import msgspec

from resphere.server.connections.gate import Gate
from resphere.server.connections.registry import Client, Connections, Look, Progress
from resphere.server.connections.sockets import BREATH, Seen, Sockets

log = logging.getLogger(__name__)

LEAST_BYTES_PER_SECOND = 500
"""What a client must send or take, on average over the time it may stall; slower is nobody but who means it."""
LOOK_SECONDS = 1.0
HASTY_LOOK_SECONDS = 0.2
"""Between two looks when many connections are there, or the server stops."""
LOOKING_PART = 1 / 1000
"""Of a processor, which looks take where nothing presses: a thousand connections take ten milliseconds."""
LONGEST_LOOK_SECONDS = 5.0
"""So long they put it off at most..."""
PATIENCE_PART = 1 / 4
"""...and no longer than this part of the shortest patience."""
GROWN_PART = 1 / 8
"""Where there are so many more or fewer descriptors than at the last look, the next one is not put off."""
HASTY_PART, FULL_PART, ROOMY_PART = 3 / 4, 7 / 8, 2 / 3
"""Parts of the most connections: from where on looks are hasty, idle ones are ended, and down to how many."""
BREATH_SECONDS = 0.002
OPENING_SECONDS = 2.0
"""A worker that accepts nothing so long after its start was told to stop before it was looked at."""
SPARED_SECONDS = 1.0
"""So long a connection may be idle or new even when there are too many..."""
SPARED_SECONDS_IN_NEED = 0.1
"""...and so long where no more can be accepted before some are ended."""
SPARED_WAIT_SECONDS = 5.0
"""So long a request may wait for its client even when there are too many."""
STOP_WAIT_SECONDS = 2.0
"""So long a request may wait for its client without a byte once the server stops..."""
STOP_SECONDS = 20.0
"""...and so long one may that gets on."""


class Patience(msgspec.Struct, frozen=True):
    """How long a connection may take for what, and how many a worker may have."""

    most: int
    request_seconds: float
    """From its beginning to the first whole request header."""
    idle_seconds: float
    """From the end of a request to the next."""
    stall_seconds: float
    """In the middle of a body or of a reply without a byte, or with fewer than are worth while."""


class Reason(StrEnum):
    """Why a connection is ended."""

    NO_REQUEST = "brought no request"
    IDLE = "was idle"
    STALLED = "neither sent nor read"
    CROWDED = "was idle while there were too many"
    STOPPING = "kept the server from stopping"


class Ended(msgspec.Struct, frozen=True):
    """A connection that is to end, and why."""

    connection: Seen
    reason: Reason


class Known(msgspec.Struct):
    """What is remembered of a connection from look to look."""

    since: float
    reading: Progress
    """How it takes what is no request's any more: the kernel, or Granian, has it."""


class Watch:
    """Judges the connections at each look. ``stopping_since``: when the worker stopped to accept any."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._known: dict[int, Known] = {}
        self._looked: float | None = None
        self.stopping_since: float | None = None

    def judge(
        self,
        seen: Sequence[Seen],
        looks: Mapping[Client, Look],
        now: float,
        breathe: Callable[[], None] = lambda: None,
        *,
        wanted: int = 0,
    ) -> list[Ended]:
        """Which of them are to end, by what the application knows of each. ``breathe`` is called now and then.

        So many descriptors are ``wanted``, as the worker cannot accept anybody without.
        """
        elapsed = 0.0 if self._looked is None else now - self._looked
        self._looked = now
        before, self._known = self._known, {}
        ended = []
        left: list[tuple[Seen, float | None]] = []
        for count, each in enumerate(seen):
            if count % BREATH == BREATH - 1:
                breathe()
            known = self._known[each.cookie] = before.get(each.cookie) or Known(now, Progress())
            look = looks.get(each.client)
            waiting = list(self._waiting(each, known, look, elapsed))
            reason = self._reason(known, look, waiting, owed=each.owed, now=now)
            if reason is not None:
                ended.append(Ended(each, reason))
            else:
                spared = SPARED_SECONDS_IN_NEED if wanted else SPARED_SECONDS
                spare = self._spare_seconds(known, look, waiting, owed=each.owed, now=now, spared_seconds=spared)
                left.append((each, spare))
        too_many = max(excess(len(seen), self._patience.most), wanted - len(ended))
        ended += [Ended(each, Reason.CROWDED) for each in crowd(left, too_many)]
        return ended

    def _waiting(self, each: Seen, known: Known, look: Look | None, elapsed: float) -> Iterator[Progress]:
        """What waits for the client, with how long it has."""
        known.reading.waits = each.owed
        known.reading.moved_bytes = each.taken_bytes
        for progress in (*(look.requests if look else ()), known.reading):
            if progress.waits:
                pass_time(progress, elapsed)
                yield progress
            elif progress is known.reading:
                begin_anew(progress)

    def _reason(
        self, known: Known, look: Look | None, waiting: Sequence[Progress], *, owed: bool, now: float
    ) -> Reason | None:
        patience = self._patience
        if any(is_stalled(progress, patience.stall_seconds) for progress in waiting):
            return Reason.STALLED
        if self.stopping_since is not None and self._holds_up(look, waiting, now - self.stopping_since):
            return Reason.STOPPING
        if look is None:
            return Reason.NO_REQUEST if now - known.since >= patience.request_seconds else None
        if not look.requests and not owed and now - max(look.idle_since, known.since) >= patience.idle_seconds:
            return Reason.IDLE
        return None

    def _holds_up(self, look: Look | None, waiting: Sequence[Progress], stopping_seconds: float) -> bool:
        """Whether a connection keeps a worker from stopping: its client does, and not what the worker does."""
        if look is None:
            return True
        if not waiting:
            return not look.requests and stopping_seconds >= STOP_WAIT_SECONDS
        if stopping_seconds >= STOP_SECONDS:
            return True
        return any(progress.still_seconds >= STOP_WAIT_SECONDS for progress in waiting)

    def _spare_seconds(
        self,
        known: Known,
        look: Look | None,
        waiting: Sequence[Progress],
        *,
        owed: bool,
        now: float,
        spared_seconds: float,
    ) -> float | None:
        """For how long longer than it is spared a connection has been of no use: negative where it is spared yet,
        ``None`` where it is of use."""
        if waiting:
            return max(progress.waited_seconds for progress in waiting) - SPARED_WAIT_SECONDS
        if owed or (look is not None and look.requests):
            return None
        idle_since = known.since if look is None else max(known.since, look.idle_since)
        return now - idle_since - spared_seconds


def pass_time(progress: Progress, seconds: float) -> None:
    """So long a client has been waited for since the last look."""
    progress.waited_seconds += seconds
    if progress.moved_bytes == progress.moved_bytes_last:
        progress.still_seconds += seconds
    else:
        progress.still_seconds = 0.0
        progress.moved_bytes_last = progress.moved_bytes


def is_stalled(progress: Progress, stall_seconds: float) -> bool:
    """Whether a client has moved too little in the time it may stall; if not, it has as long again."""
    if progress.waited_seconds < stall_seconds:
        return False
    if progress.moved_bytes - progress.moved_bytes_before < LEAST_BYTES_PER_SECOND * stall_seconds:
        return True
    begin_anew(progress)
    return False


def begin_anew(progress: Progress) -> None:
    """A stretch of waiting begins."""
    progress.waited_seconds = 0.0
    progress.moved_bytes_before = progress.moved_bytes


def excess(count: int, most: int) -> int:
    """How many connections there are too many."""
    return count - int(most * ROOMY_PART) if count > most * FULL_PART else 0


def crowd(left: Sequence[tuple[Seen, float | None]], too_many: int) -> Iterator[Seen]:
    """Where there are too many connections, those to end: of the addresses that hold most of them, and of these the
    longest of no use.

    Those of others are left where the turn is of one that is spared yet: it will not be at the next look.
    """
    if too_many <= 0:
        return
    held = Counter(each.client[0] for each, _ in left)
    useless: dict[str, list[tuple[float, Seen]]] = {}
    for each, spare in left:
        if spare is not None:
            useless.setdefault(each.client[0], []).append((spare, each))
    for of_address in useless.values():
        of_address.sort(key=lambda pair: pair[0])
    largest = [(-held[address], address) for address in useless]
    heapify(largest)
    while largest and too_many > 0:
        minus, address = heappop(largest)
        spare, each = useless[address].pop()
        if spare < 0:
            return
        yield each
        too_many -= 1
        if useless[address]:
            heappush(largest, (minus + 1, address))


class Rounds:
    """One look after the other, and what follows from each; not to be made by two threads at once.

    ``gate`` is that of the listening socket, where this process has one.
    """

    def __init__(
        self,
        sockets: Sockets,
        patience: Patience,
        monotonic: Callable[[], float],
        gate: Gate | None = None,
        busy_seconds: Callable[[], float] = time.thread_time,
    ) -> None:
        """``busy_seconds``: for how long this thread has had a processor."""
        self._sockets = sockets
        self._gate = gate
        self._patience = patience
        self._monotonic = monotonic
        self._busy_seconds = busy_seconds
        self._watch = Watch(patience)
        self._began = monotonic()
        self._due = self._began
        self._descriptors = 0
        self._listened = False
        self.pause_seconds = HASTY_LOOK_SECONDS
        """Until the next look."""

    def are_due(self) -> bool:
        """Whether it is time for a look at all connections: in between, how many there are is enough."""
        if self._gate is None or not self._gate.stands or self._monotonic() >= self._due:
            return True
        return abs(self._sockets.count() - self._descriptors) > self._descriptors * GROWN_PART

    def make(self, looks: Mapping[Client, Look]) -> set[Client]:
        """Look at all connections, and end those that are to end; returns which of those that are known are gone."""
        busy = self._busy_seconds()
        seen = self._sockets.look(breathe)
        now = self._monotonic()
        listens = self._gate.stands if self._gate else self._sockets.listens
        self._note_stop(now, listens=listens)
        was_shut = self._gate is not None and self._gate.is_shut
        wanted = self._gate.regulate(self._sockets.free_descriptors) if self._gate else 0
        judged = self._watch.judge(seen, looks, now, breathe, wanted=wanted)
        for ended in judged:
            self._sockets.end(ended.connection, abort=ended.reason is not Reason.IDLE)
        if judged:
            tell(judged)
        hasty = was_shut or wanted > 0 or not listens or len(seen) > self._patience.most * HASTY_PART
        self.pause_seconds = HASTY_LOOK_SECONDS if hasty else LOOK_SECONDS
        self._descriptors = self._sockets.descriptors
        self._due = now if hasty else now + self._put_off_seconds(self._busy_seconds() - busy)
        return looks.keys() - {each.client for each in seen}

    @property
    def stopping(self) -> bool:
        """Whether the worker accepts nobody any more, as it is about to end."""
        return self._watch.stopping_since is not None

    def _put_off_seconds(self, taken_seconds: float) -> float:
        """How long after a look that took so much the next one is due."""
        patience = self._patience
        shortest = min(patience.request_seconds, patience.idle_seconds, patience.stall_seconds)
        most = max(LOOK_SECONDS, min(LONGEST_LOOK_SECONDS, shortest * PATIENCE_PART))
        return min(max(LOOK_SECONDS, taken_seconds / LOOKING_PART), most)

    def _note_stop(self, now: float, *, listens: bool) -> None:
        """Granian closes its listening socket first when it is told to stop, and says so to nobody else."""
        if listens:
            self._listened, self._watch.stopping_since = True, None
        elif self._watch.stopping_since is None and (self._listened or now - self._began >= OPENING_SECONDS):
            self._watch.stopping_since = now


async def keep_watch(connections: Connections, rounds: Rounds, stopping: Callable[[], None] = lambda: None) -> None:
    """Look at the connections again and again, beside the event loop: thousands of them take milliseconds.

    ``stopping`` is called at each look once the server stops, or this worker makes room for another.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "watch connections") as thread:
        while True:
            await asyncio.sleep(rounds.pause_seconds)
            try:
                if await loop.run_in_executor(thread, rounds.are_due):
                    connections.forget(await loop.run_in_executor(thread, rounds.make, connections.look()))
                if rounds.stopping:
                    stopping()
            except Exception:
                log.exception("the connections could not be looked at, and will be again")


def breathe() -> None:
    """Let the event loop have the interpreter: a look at thousands of connections takes milliseconds."""
    time.sleep(BREATH_SECONDS)


def tell(judged: Sequence[Ended]) -> None:
    """Write into the log how many connections were ended, and whose: a line for each reason."""
    for reason, count in Counter(ended.reason for ended in judged).items():
        addresses = Counter(each.connection.client[0] for each in judged if each.reason is reason)
        named = ", ".join(f"{address} ({of})" for address, of in addresses.most_common(3))
        log.info("ended %d connections, each %s: %s", count, reason, named)
