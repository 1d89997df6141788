"""The rules that are in force: which one decides about a call, and whether it strikes."""

from __future__ import annotations

import fnmatch
import logging
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b

import msgspec

from resphere.access.principal import canonical_name
from resphere.contract.extensions.faults import Faults
from resphere.faults.counts import NONE, Count, Counts
from resphere.faults.language import is_pattern, is_spared, latency_range, shadowed
from resphere.faults.record import FaultRule, in_order, place_of
from resphere.inventory.model import KINDS, ManagedObject
from resphere.replica.replica import Replica
from resphere.replica.table import Reading

log = logging.getLogger(__name__)


class Target(msgspec.Struct, frozen=True, gc=False):
    """A call, as rules look at it: ``objects`` are the ids of all that it is about; ``login``: it opens a session;
    ``manages``: its caller may make and delete rules."""

    operation: str
    user: str
    objects: Sequence[str]
    login: bool
    manages: bool


class Strike(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a call: what its ``rule`` says, after so many seconds."""

    rule: Faults.Rule
    delay_seconds: float


class FaultRules:
    """The rules of one worker's inventory, and how often they have acted in all workers."""

    def __init__(self, replica: Replica, counts: Counts, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._counts = counts
        self._now = now
        self._fitting: dict[str, tuple[FaultRule, ...]] = {}
        self.active = replica.count(FaultRule) > 0
        """Whether there are any rules: all that is asked of each call where there are none."""
        replica.subscribe(FaultRule, self._changed)

    def strike(self, target: Target) -> Strike | None:
        """What becomes of a call by the first rule that is for it; counts it. ``None``: nothing does."""
        if is_spared(target.operation):
            return None
        moment = self._now()
        for rule in self._candidates(target.operation):
            if rule.is_over(moment) or not self._is_for(rule.rule, target):
                continue
            try:
                number = self._counts.match(rule.mark, rule.rule.times, Draw(rule).acts)
            except OSError as error:
                log.error("calls that fault rules are for cannot be counted, and are left alone: %s", error)
                return None
            if number is not None:
                return Strike(rule.rule, Draw(rule).delay_seconds(number)) if number >= 0 else None
        return None

    def count_of(self, rule: FaultRule) -> Count:
        """How often a rule has decided and acted."""
        try:
            return self._counts.of(rule.mark)
        except OSError as error:
            log.error("the counts of fault rules cannot be read: %s", error)
            return NONE

    def is_active(self, rule: FaultRule, count: Count) -> bool:
        """Whether a rule is not over."""
        return not rule.is_over(self._now()) and (rule.rule.times is None or count.acted < rule.rule.times)

    def _candidates(self, operation: str) -> tuple[FaultRule, ...]:
        """The rules for an operation, in their order."""
        found = self._fitting.get(operation)
        if found is None:
            rules = in_order(self._replica)
            found = tuple([each for each in rules if fnmatch.fnmatchcase(operation, each.rule.operation)])
            self._fitting[operation] = found
        return found

    def _changed(self, old: FaultRule | None, new: FaultRule | None) -> None:
        self._fitting.clear()
        self.active = self._replica.count(FaultRule) > 0

    def _is_for(self, rule: Faults.Rule, target: Target) -> bool:
        if target.login and target.manages and rule.operation != target.operation:
            return False
        if rule.caller is not None and not fits_user(target.user, rule.caller):
            return False
        return rule.object is None or any(fits_object(self._replica, id, rule.object) for id in target.objects)


class Draw(msgspec.Struct, frozen=True):
    """What is left to chance: the same for a call of the same number by the same seed, whichever worker has it."""

    rule: FaultRule

    def acts(self, number: int) -> bool:
        """Whether the rule strikes the call of that number."""
        rate = self.rule.rule.rate
        return rate is None or self._between(number)[0] < rate

    def delay_seconds(self, number: int) -> float:
        """By how much it is late."""
        least, most = latency_range(self.rule.rule)
        return least + (most - least) * self._between(number)[1]

    def _between(self, number: int) -> tuple[float, float]:
        """Two numbers from 0 to below 1."""
        digest = blake2b(struct.pack("<qq", self.rule.seed, number), digest_size=8).digest()
        first, second = struct.unpack("<II", digest)
        return first / 2**32, second / 2**32


def fits_user(user: str, pattern: str) -> bool:
    """Whether a user's name fits, in any case of letters, as users' names are."""
    return fnmatch.fnmatchcase(user.casefold(), pattern.casefold())


def fits_object(among: Reading, id: str, pattern: str) -> bool:
    """Whether an object has that id, or a name that fits."""
    if id == pattern:
        return True
    found = managed_object(among, id)
    return found is not None and fnmatch.fnmatchcase(found.name, pattern)


def managed_object(among: Reading, id: str) -> ManagedObject | None:
    """The object of that id, of whatever type."""
    for cls in KINDS.values():
        if id.startswith(cls.id_prefix):
            found = among.get(cls, id)
            if found is not None:
                return found
    return None


def marks_of(replica: Replica) -> Callable[[], set[int]]:
    """The marks of the rules that are there when it is asked."""
    return lambda: {each.mark for each in replica.all(FaultRule).values()}


class Standing(msgspec.Struct, frozen=True):
    """All rules in their order, and which of them are never reached, by what they are for."""

    rules: tuple[FaultRule, ...]
    shadows: dict[str, str]

    def warnings(self, rule: FaultRule, among: Reading, knows_user: Callable[[str], bool]) -> Iterator[str]:
        """What a rule waits for in vain as things are."""
        pattern = rule.rule.object
        if pattern is not None and not is_known(among, pattern):
            yield f"there is no object of the id or name {pattern}"
        caller = rule.rule.caller
        if caller is not None and not is_pattern(caller) and not knows_user(canonical_name(caller)):
            yield f"there is no local user {caller}"
        if rule.id in self.shadows:
            yield self.shadows[rule.id]


def standing(given: Iterable[FaultRule]) -> Standing:
    """Rules as they stand to each other."""
    rules = tuple(sorted(given, key=place_of))
    shadows = {rules[each.place].id: each.words for each in shadowed([rule.rule for rule in rules])}
    return Standing(rules, shadows)


def is_known(among: Reading, pattern: str) -> bool:
    """Whether any object has that id, or a name that fits."""
    if managed_object(among, pattern) is not None:
        return True
    fits = re.compile(fnmatch.translate(pattern)).match
    return any(fits(each.name) for cls in KINDS.values() for each in among.all(cls).values())
