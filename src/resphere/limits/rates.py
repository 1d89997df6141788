"""Token buckets: how often something may be done, and what is asked of whoever keeps count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

SECOND_NS = 1_000_000_000


class Rate(msgspec.Struct, frozen=True):
    """A bucket of ``burst`` tokens, which gets ``per_second`` new ones as long as it is not full."""

    per_second: float
    burst: int

    @property
    def interval_ns(self) -> int:
        """How long one token takes to come."""
        return max(1, round(SECOND_NS / self.per_second))

    @property
    def window_seconds(self) -> int:
        """How long an empty bucket takes to be full, in whole seconds."""
        return max(1, -(-self.burst * self.interval_ns // SECOND_NS))


class Bucket:
    """One bucket: that of ``key`` in a :class:`State`, which hands it out and may keep in ``place`` where it was.

    ``mark`` stands for the key.
    """

    __slots__ = ("capacity_ns", "interval_ns", "key", "mark", "place")

    def __init__(self, key: str, rate: Rate, mark: int, place: int) -> None:
        self.key = key
        self.interval_ns = rate.interval_ns
        self.capacity_ns = rate.burst * rate.interval_ns
        self.mark = mark
        self.place = place


class Shortage(msgspec.Struct, frozen=True, gc=False):
    """That the bucket at ``index`` has no token, and how long until it has one."""

    index: int
    wait_ns: int


class Strikes(msgspec.Struct, frozen=True):
    """How failures of one kind slow down those after them.

    The first ``free`` cost nothing. From then on one attempt is made at a time, ``first_seconds`` after the last
    failure, twice that after the next one, and so on up to ``longest_seconds``. Nothing is left of them
    ``forget_seconds`` after the last one.
    """

    free: int
    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    forget_seconds: float = 900.0

    def delay_ns(self, failures: int) -> int:
        """How long to wait after so many failures."""
        if failures < self.free:
            return 0
        return int(SECOND_NS * min(self.longest_seconds, self.first_seconds * 2.0 ** min(failures - self.free, 32)))


class Counted(msgspec.Struct, frozen=True, gc=False):
    """What :class:`Strikes` count: the failures of ``key``."""

    key: str
    strikes: Strikes


class State(Protocol):
    """Where all workers keep count, of what is taken and of what fails.

    Moments are nanoseconds of one clock that all of them read. A call costs microseconds, and never waits for another
    worker longer than a moment: it is made on the way of every request. One that keeps count for several machines
    takes tokens ahead, and tells the others of it beside the requests.
    """

    def bucket(self, key: str, rate: Rate) -> Bucket:
        """The bucket of that key, to be asked for tokens again and again."""

    def take(self, buckets: Sequence[Bucket], now_ns: int) -> Shortage | None:
        """Take a token from each of the buckets, or from none where one has none."""

    def left(self, bucket: Bucket, now_ns: int) -> int:
        """How many tokens there are."""

    def attempt(self, counted: Sequence[Counted], now_ns: int) -> int:
        """Begin what may fail: 0, or how many nanoseconds are to be waited before that may be tried.

        Where failures have slowed attempts down, no other one is let through until the next one is due.
        """

    def fail(self, counted: Sequence[Counted], now_ns: int) -> None:
        """Count a failure."""

    def withdraw(self, counted: Sequence[Counted], now_ns: int) -> None:
        """Take back an attempt that did not fail: the next one need not wait for it."""

    def forget(self, key: str) -> None:
        """Forget the failures of that key."""
