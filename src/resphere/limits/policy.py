"""What is allowed: rates, how many at once, and how failed logins slow down the next ones. As people write it, and by
default."""

from __future__ import annotations

import re
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

from resphere.contract.model import AnyOperation
from resphere.limits.classes import OperationClass, class_of
from resphere.limits.rates import Rate, Strikes

MOST_PER_SECOND = 1_000_000
MOST_BURST = 1_000_000_000
MOST_CALLS = 1_000_000
MOST_SECONDS = 86_400.0
LEAST_PER_SECOND = 1 / MOST_SECONDS
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}\Z")


class Party(StrEnum):
    """For whom a limit counts."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 - a word
    SESSION = "session"
    ADDRESS = "address"
    """Of IPv6, the network of 64 bits that it is in."""


class RateRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls of each ``per`` (user, token, session or address): ``burst`` at once, and ``per_second`` in the long run.

    It counts those of the class, or of operations whose ids fit the shell pattern, or both; all, where neither is
    given. All rules that count a call must have room for it. ``name`` is what refusals and headers call the rule.
    """

    per: Party
    class_: OperationClass | None = msgspec.field(default=None, name="class")
    operation: str = "*"
    per_second: float
    burst: int
    name: str = ""

    def __post_init__(self) -> None:
        if not LEAST_PER_SECOND <= self.per_second <= MOST_PER_SECOND:
            raise ValueError(
                f"per_second must be from one a day (0.0000116) to {MOST_PER_SECOND:,}, not {self.per_second:g}"
            )
        if not 1 <= self.burst <= MOST_BURST:
            raise ValueError(f"burst must be from 1 to {MOST_BURST:,}, not {self.burst}")
        if self.burst > self.per_second * MOST_SECONDS:
            raise ValueError(
                f"a burst of {self.burst} takes more than a day to come back at {self.per_second:g} a second"
            )
        if self.name and not NAME.match(self.name):
            raise ValueError(f"name must be lower-case letters, digits and _.-, at most 63, not {self.name!r}")

    @property
    def title(self) -> str:
        """The name, or one made of what it counts."""
        of = self.class_.value if self.class_ is not None else "all"
        return self.name or f"{self.per}-{of}"

    @property
    def rate(self) -> Rate:
        """The bucket of each."""
        return Rate(self.per_second, self.burst)

    def counts(self, operation: AnyOperation | None) -> bool:
        """Whether the rule counts calls of the operation. ``None``: requests that mean none, which are reads."""
        if operation is None:
            return self.operation == "*" and self.class_ in (None, OperationClass.READ)
        return self.class_ in (None, class_of(operation)) and fnmatchcase(operation.id, self.operation)


class Concurrency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many calls a worker process works on at the same time: of one user, and in all.

    Further ones wait for their turn, which users get one after the other: so many of one user, so many in all.
    """

    per_user: int = 320
    total: int = 640
    waiting_per_user: int = 5_000
    waiting: int = 20_000

    def __post_init__(self) -> None:
        require_calls(self)
        if self.per_user > self.total:
            raise ValueError(f"per_user must not be more than total, {self.total}, not {self.per_user}")
        if self.waiting_per_user > self.waiting:
            raise ValueError(f"waiting_per_user must not be more than waiting, {self.waiting}")


class Logins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How logins by name and password are slowed down, and how many a worker process checks at the same time.

    So many failures cost nothing: of one name from one address, from one address, and of one name from all addresses
    that have not logged in as it before. After that one attempt at a time is let through, at growing intervals from
    ``first_seconds`` to ``longest_seconds``, or ``longest_known_seconds`` for who has logged in from there before.
    Failures are forgotten after ``forget_seconds``, addresses that are known after ``known_days``.
    """

    free: int = 10
    free_per_address: int = 100
    free_per_name: int = 50
    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    longest_known_seconds: float = 10.0
    forget_seconds: float = 900.0
    known_days: int = 30
    at_once: int = 8
    at_once_per_address: int = 4
    waiting_per_address: int = 1_000
    waiting: int = 4_000

    def __post_init__(self) -> None:
        for name in ("free", "free_per_address", "free_per_name", "known_days"):
            value = getattr(self, name)
            if not 1 <= value <= MOST_CALLS:
                raise ValueError(f"{name} must be from 1 to {MOST_CALLS:,}, not {value}")
        for name in ("first_seconds", "longest_seconds", "longest_known_seconds", "forget_seconds"):
            seconds = getattr(self, name)
            if not 0.001 <= seconds <= MOST_SECONDS:
                raise ValueError(f"{name} must be from 0.001 to {MOST_SECONDS:g}, not {seconds:g}")
        if self.first_seconds > self.longest_seconds:
            raise ValueError(f"first_seconds must not be more than longest_seconds, {self.longest_seconds:g}")
        if self.forget_seconds < self.longest_seconds:
            raise ValueError(
                f"forget_seconds must not be less than longest_seconds, {self.longest_seconds:g}: nothing would grow"
            )
        require_calls(self, "at_once", "at_once_per_address", "waiting_per_address", "waiting")
        if self.at_once_per_address > self.at_once:
            raise ValueError(f"at_once_per_address must not be more than at_once, {self.at_once}")
        if self.waiting_per_address > self.waiting:
            raise ValueError(f"waiting_per_address must not be more than waiting, {self.waiting}")

    def strikes(self, free: int, longest_seconds: float | None = None) -> Strikes:
        """So many free failures, and then the intervals."""
        longest = self.longest_seconds if longest_seconds is None else longest_seconds
        return Strikes(free, min(self.first_seconds, longest), longest, self.forget_seconds)


def require_calls(of: Concurrency | Logins, *names: str) -> None:
    """Refuse numbers of calls that make no sense. Nothing may be worked on is none; nothing may wait is one.

    :raises ValueError: there is one.
    """
    for name in names or of.__struct_fields__:
        least = 0 if name.startswith("waiting") else 1
        value = getattr(of, name)
        if not least <= value <= MOST_CALLS:
            raise ValueError(f"{name} must be from {least} to {MOST_CALLS:,}, not {value}")


DEFAULT_RATES = (
    RateRule(per=Party.ADDRESS, per_second=100_000, burst=400_000, name="address-all"),
    RateRule(per=Party.ADDRESS, class_=OperationClass.LOGIN, per_second=2_000, burst=10_000),
    RateRule(per=Party.USER, class_=OperationClass.WRITE, per_second=20_000, burst=100_000),
    RateRule(per=Party.USER, class_=OperationClass.BULK, per_second=5_000, burst=20_000),
)
"""Beyond what one worker answers: nobody notices them, and a flood of many workers has an end."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is allowed, as a whole."""

    rates: tuple[RateRule, ...] = DEFAULT_RATES
    concurrency: Concurrency = Concurrency()
    logins: Logins = Logins()

    def __post_init__(self) -> None:
        titles = [rule.title for rule in self.rates]
        for place, title in enumerate(titles):
            if title in titles[:place]:
                raise ValueError(
                    f"rates[{place}]: there is a rule {title} already, rates[{titles.index(title)}]; name one of them"
                )


DEFAULT = Policy()
