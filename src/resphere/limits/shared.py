"""Counts that all workers of a machine share, in memory that they inherit from the process that starts them, or in a
file that outlives them (:mod:`~resphere.limits.kept`).

A fixed number of slots lies in groups; a key may stand in any slot of the group that its mark names. A slot whose time
is over says what an absent one says (a full bucket, no failures), so that anybody may take it; where a group has no
such slot, the one that is over first goes.

One lock guards it all: it is held for a microsecond or two. Who dies or is stopped while it holds the lock never gives
it back, so nobody waits for it longer than a moment: then that lock is left, and all go on with the next one. So
nothing can stay locked; at worst a decision of that moment is not counted.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from multiprocessing.sharedctypes import RawArray
from multiprocessing.synchronize import Lock
from typing import Any

from resphere.limits.kept import SECRET_BYTES, KeptFile
from resphere.limits.rates import Bucket, Counted, Rate, Shortage

GROUPS = 8192
GROUP_SLOTS = 8
SLOT_WORDS = 4
MARK, UNTIL, FAILURES, DUE = range(SLOT_WORDS)
"""The words of a slot. ``UNTIL`` is when it is over: of a bucket, when it will be full."""
GROUP_WORDS = GROUP_SLOTS * SLOT_WORDS
HEADER_WORDS = 8
"""Before the slots; the first of them says which lock is in use."""
LOCKS = 16
PATIENCE_SECONDS = 0.05
"""A lock that is held so long is left: so long even a busy machine lets nobody wait within two microseconds of work."""
WORD_BYTES = 8


class SharedMemory:
    """What a process makes before it starts workers, and hands to them: 2 MiB, and the locks."""

    def __init__(
        self, random_bytes: Callable[[int], bytes], groups: int = GROUPS, file: Callable[[int], KeptFile] | None = None
    ) -> None:
        """``file`` gives a file of so many bytes that keeps the counts, which end with the processes otherwise."""
        context = multiprocessing.get_context()
        words = HEADER_WORDS + groups * GROUP_WORDS
        self.groups = groups
        self.locks: tuple[Lock, ...] = tuple(context.Lock() for _ in range(LOCKS))
        self._file = None if file is None else file(words * WORD_BYTES)
        self._array: Any = RawArray("q", words) if self._file is None else None
        self.secret = random_bytes(SECRET_BYTES) if self._file is None else self._file.secret
        self.words()[0] = 0  # whichever lock those before have used

    def words(self) -> memoryview:
        """The memory."""
        content = memoryview(self._array).cast("B") if self._file is None else self._file.content()
        return content.cast("q")


class SharedState:
    """A :class:`~resphere.limits.rates.State` in shared memory."""

    def __init__(self, memory: SharedMemory) -> None:
        self._words = memory.words()
        self._locks = memory.locks
        self._secret = memory.secret
        self._groups = memory.groups

    def bucket(self, key: str, rate: Rate) -> Bucket:
        """See :meth:`State.bucket`."""
        mark = self._mark(key)
        return Bucket(key, rate, mark, self._group(mark))

    def take(self, buckets: Sequence[Bucket], now_ns: int) -> Shortage | None:
        """See :meth:`State.take`."""
        words = self._words
        taken: list[tuple[int, int]] = []
        lock = self._enter()
        try:
            for bucket in buckets:
                place = bucket.place
                if words[place] != bucket.mark:
                    place = bucket.place = self._made(bucket.mark)
                full = words[place + UNTIL]
                if full < now_ns:
                    full = now_ns
                full += bucket.interval_ns
                if full - now_ns > bucket.capacity_ns:
                    return Shortage(len(taken), full - now_ns - bucket.capacity_ns)
                taken.append((place + UNTIL, full))
            for place, full in taken:
                words[place] = full
        finally:
            if lock is not None:
                lock.release()
        return None

    def left(self, bucket: Bucket, now_ns: int) -> int:
        """See :meth:`State.left`."""
        place = self._found(bucket.mark)
        missing_ns = 0 if place is None else max(0, self._words[place + UNTIL] - now_ns)
        return max(0, bucket.capacity_ns - missing_ns) // bucket.interval_ns

    def attempt(self, counted: Sequence[Counted], now_ns: int) -> int:
        """See :meth:`State.attempt`."""
        words = self._words
        lock = self._enter()
        try:
            slowed = []
            for each in counted:
                place = self._found(self._mark(each.key))
                if place is None or words[place + UNTIL] <= now_ns:
                    continue
                if words[place + DUE] > now_ns:
                    return words[place + DUE] - now_ns
                delay_ns = each.strikes.delay_ns(words[place + FAILURES])
                if delay_ns:
                    slowed.append((place, now_ns + delay_ns))
            for place, due in slowed:
                words[place + DUE] = due
                words[place + UNTIL] = max(words[place + UNTIL], due)
        finally:
            if lock is not None:
                lock.release()
        return 0

    def fail(self, counted: Sequence[Counted], now_ns: int) -> None:
        """See :meth:`State.fail`."""
        words = self._words
        lock = self._enter()
        try:
            for each in counted:
                place = self._made(self._mark(each.key))
                failures = (words[place + FAILURES] if words[place + UNTIL] > now_ns else 0) + 1
                delay_ns = each.strikes.delay_ns(failures)
                words[place + FAILURES] = failures
                words[place + DUE] = now_ns + delay_ns
                words[place + UNTIL] = now_ns + max(delay_ns, int(each.strikes.forget_seconds * 1e9))
        finally:
            if lock is not None:
                lock.release()

    def withdraw(self, counted: Sequence[Counted], now_ns: int) -> None:
        """See :meth:`State.withdraw`."""
        lock = self._enter()
        try:
            for each in counted:
                place = self._found(self._mark(each.key))
                if place is not None:
                    self._words[place + DUE] = min(self._words[place + DUE], now_ns)
        finally:
            if lock is not None:
                lock.release()

    def forget(self, key: str) -> None:
        """See :meth:`State.forget`."""
        lock = self._enter()
        try:
            place = self._found(self._mark(key))
            if place is not None:
                self._words[place + UNTIL] = 0
        finally:
            if lock is not None:
                lock.release()

    def _enter(self) -> Lock | None:
        """Take the lock; ``None`` where it cannot be had, and all leave it for the next one."""
        words = self._words
        number = words[0]
        lock = self._locks[number]
        if lock.acquire(False) or lock.acquire(True, PATIENCE_SECONDS):
            return lock
        if words[0] == number:
            words[0] = (number + 1) % LOCKS
        return None

    def _mark(self, key: str) -> int:
        """What stands for a key; nobody outside can tell which keys share a group."""
        digest = blake2b(key.encode("utf-8", "surrogateescape"), digest_size=WORD_BYTES, key=self._secret).digest()
        return int.from_bytes(digest, "little", signed=True) or 1

    def _group(self, mark: int) -> int:
        """Where the group of a mark begins."""
        return HEADER_WORDS + mark % self._groups * GROUP_WORDS

    def _found(self, mark: int) -> int | None:
        """The slot of a mark, if it has one."""
        first = self._group(mark)
        for place in range(first, first + GROUP_WORDS, SLOT_WORDS):
            if self._words[place] == mark:
                return place
        return None

    def _made(self, mark: int) -> int:
        """The slot of a mark, in place of the one that is over first where it has none."""
        found = self._found(mark)
        if found is not None:
            return found
        words = self._words
        first = self._group(mark)
        place = min(range(first, first + GROUP_WORDS, SLOT_WORDS), key=lambda each: words[each + UNTIL])
        words[place + MARK] = mark
        words[place + UNTIL] = words[place + FAILURES] = words[place + DUE] = 0
        return place


def monotonic_ns() -> int:
    """The clock of shared memory: the same in all processes of a machine."""
    return time.monotonic_ns()
