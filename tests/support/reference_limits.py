"""Limits as a plain program: what the shared state must agree with."""

from __future__ import annotations

from fractions import Fraction

from resphere.limits.rates import SECOND_NS, Rate, Strikes


class PlainBucket:
    """A bucket that is filled as time goes by, in exact numbers."""

    def __init__(self, rate: Rate) -> None:
        self._interval = Fraction(rate.interval_ns)
        self._burst = Fraction(rate.burst)
        self.tokens = Fraction(rate.burst)
        self._moment = 0

    def go_on(self, now_ns: int) -> None:
        """Fill it up to that moment."""
        self.tokens = min(self._burst, self.tokens + (now_ns - self._moment) / self._interval)
        self._moment = now_ns

    @property
    def wait_ns(self) -> Fraction:
        """How long until there is a token."""
        return max(Fraction(0), (1 - self.tokens) * self._interval)


class PlainStrikes:
    """Failures, and when the next attempt is due."""

    def __init__(self, strikes: Strikes) -> None:
        self._strikes = strikes
        self.failures = 0
        self.due_ns = 0
        self._over_ns = 0

    def go_on(self, now_ns: int) -> None:
        """Forget what is over."""
        if now_ns >= self._over_ns:
            self.failures = self.due_ns = 0

    @property
    def delay_ns(self) -> int:
        """How long the next attempt has to wait after one that is made now."""
        extra = self.failures - self._strikes.free
        if extra < 0:
            return 0
        return int(SECOND_NS * min(self._strikes.longest_seconds, self._strikes.first_seconds * 2**extra))

    def attempt(self, now_ns: int) -> None:
        """Let one through."""
        if self.delay_ns:
            self.due_ns = now_ns + self.delay_ns
            self._over_ns = max(self._over_ns, self.due_ns)

    def fail(self, now_ns: int) -> None:
        """Count one."""
        self.failures += 1
        self.due_ns = now_ns + self.delay_ns
        self._over_ns = now_ns + max(self.delay_ns, int(self._strikes.forget_seconds * SECOND_NS))
