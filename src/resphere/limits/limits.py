"""What the pipeline asks: is that not too much?"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.model import AnyOperation
from resphere.limits.known import Known
from resphere.limits.logins import LoginThrottle
from resphere.limits.policy import Concurrency, Party, Policy, RateRule
from resphere.limits.rates import Bucket, State
from resphere.limits.refusals import too_fast, too_many, too_many_of_one
from resphere.limits.turns import Full, NoRoom, Turns

MOST_KEPT = 4096
"""So many parties' buckets are at hand."""


class Parties(msgspec.Struct, frozen=True, gc=False):
    """For whom a call counts; ``None``: there is none."""

    address: str
    user: str | None = None
    session: str | None = None
    token: str | None = None

    def of(self, party: Party) -> str | None:
        """The one of that kind."""
        found: str | None = getattr(self, party.value)
        return found


class Standing(msgspec.Struct, frozen=True):
    """A rule, and how many more calls it has room for at the moment; ``None`` where it counts none of the caller's."""

    rule: RateRule
    left: int | None


class Allowance(msgspec.Struct, frozen=True):
    """What somebody may do."""

    rates: tuple[Standing, ...] = ()
    concurrency: Concurrency = Concurrency()


class Counting:
    """Rules that count the same calls, and their buckets for those who have called."""

    __slots__ = ("_state", "buckets", "rules")

    def __init__(self, rules: tuple[RateRule, ...], state: State) -> None:
        self._state = state
        self.rules = rules
        self.buckets: dict[object, tuple[tuple[RateRule, ...], tuple[Bucket, ...]]] = {}

    def make(self, key: object, parties: Parties) -> tuple[tuple[RateRule, ...], tuple[Bucket, ...]]:
        """The rules that count calls of those parties, and the buckets; at hand by ``key`` from now on."""
        of = [(rule, party) for rule in self.rules if (party := parties.of(rule.per)) is not None]
        made = (
            tuple(rule for rule, _ in of),
            tuple(self._state.bucket(bucket_key(rule, party), rule.rate) for rule, party in of),
        )
        if len(self.buckets) >= MOST_KEPT:
            self.buckets.clear()
        self.buckets[key] = made
        return made


class Limits:
    """The limits of one worker, which keeps count in a :class:`~resphere.limits.rates.State` with all others; of failed
    logins in one of their own, where ``failures`` is given."""

    def __init__(
        self,
        policy: Policy,
        state: State,
        known: Known,
        now_ns: Callable[[], int],
        failures: State | None = None,
    ) -> None:
        self.policy = policy
        self.logins = LoginThrottle(policy.logins, failures or state, known, now_ns)
        self._state = state
        self._now_ns = now_ns
        at_once = policy.concurrency
        self._turns = Turns(
            per_party=at_once.per_user,
            total=at_once.total,
            waiting_per_party=at_once.waiting_per_user,
            waiting=at_once.waiting,
        )
        self._sets: dict[tuple[RateRule, ...], Counting] = {}
        self._arriving: dict[AnyOperation | None, Counting] = {}
        self._calling: dict[AnyOperation, Counting] = {}

    @property
    def turns_had(self) -> int:
        """How many calls have a turn to be worked for."""
        return self._turns.had

    @property
    def turns_awaited(self) -> int:
        """How many wait for one."""
        return self._turns.waiting

    def arrive(self, operation: AnyOperation | None, address: str) -> None:
        """Count a request by where it comes from, before anybody knows who calls.

        :raises ServiceUnavailable: there are too many from there.
        """
        counting = self._arriving.get(operation)
        if counting is None:
            counting = self._arriving[operation] = self._counting(operation, of_address=True)
        if counting.rules:
            made = counting.buckets.get(address)
            self._take(*(counting.make(address, Parties(address)) if made is None else made))

    def call(self, operation: AnyOperation, parties: Parties) -> None:
        """Count a call by who calls.

        :raises ServiceUnavailable: there are too many of that user, session or token.
        """
        counting = self._calling.get(operation)
        if counting is None:
            counting = self._calling[operation] = self._counting(operation, of_address=False)
        if counting.rules:
            key = (parties.user, parties.session, parties.token)
            made = counting.buckets.get(key)
            self._take(*(counting.make(key, parties) if made is None else made))

    def entered(self, user: str) -> bool:
        """Take a turn to be worked for, if it need not be waited for."""
        return self._turns.entered(user)

    async def enter(self, user: str) -> None:
        """Wait for a turn to be worked for, to be given back by :meth:`leave`.

        :raises ServiceUnavailable: too many wait.
        """
        try:
            await self._turns.enter(user)
        except NoRoom as error:
            if error.full is Full.PARTY:
                raise too_many_of_one("user", self.policy.concurrency.waiting_per_user) from None
            raise too_many() from None

    def leave(self, user: str) -> None:
        """Give the turn back."""
        self._turns.leave(user)

    def allowance(self, parties: Parties) -> Allowance:
        """What those parties may do at the moment."""
        rates = tuple(Standing(rule, self._left(rule, parties.of(rule.per))) for rule in self.policy.rates)
        return Allowance(rates, self.policy.concurrency)

    def _left(self, rule: RateRule, party: str | None) -> int | None:
        if party is None:
            return None
        return self._state.left(self._state.bucket(bucket_key(rule, party), rule.rate), self._now_ns())

    def _counting(self, operation: AnyOperation | None, *, of_address: bool) -> Counting:
        rules = tuple(
            rule for rule in self.policy.rates if (rule.per is Party.ADDRESS) == of_address and rule.counts(operation)
        )
        return self._sets.setdefault(rules, Counting(rules, self._state))

    def _take(self, rules: tuple[RateRule, ...], buckets: tuple[Bucket, ...]) -> None:
        shortage = self._state.take(buckets, self._now_ns())
        if shortage is not None:
            raise too_fast(rules, rules[shortage.index], shortage.wait_ns)


def bucket_key(rule: RateRule, party: str) -> str:
    """What a rule's bucket is called in the state."""
    return f"rate\n{rule.title}\n{party}"
