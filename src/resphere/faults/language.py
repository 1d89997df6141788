"""What a rule may say, in the API as in a file; and what it says in vain."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

import msgspec

from resphere.contract.errors import ERRORS
from resphere.contract.extensions.faults import Faults
from resphere.contract.lookup import operation_ids
from resphere.nearest import meant

MOST_SECONDS = 86_400
LONGEST_LIFE_SECONDS = 366 * 86_400
LONGEST_PATTERN = 255
LONGEST_MESSAGE = 2000
MOST_ORDER = 1_000_000
MOST_TIMES = 1_000_000_000
MOST_BYTES_PER_SECOND = 1_000_000_000
PAGES = range(400, 600)
DEFAULT_MESSAGE = "This failure was asked for by the fault rules of the server."
SPARED = ("resphere.clock", "resphere.faults", "resphere.probes", "resphere.states")
"""Services of which no call is ever disturbed: with the rules themselves no rule interferes, nor with putting back what
a test has done, and whoever restarts servers that do not live any more is told the truth."""
WILD = frozenset("*?[")
"""What makes a pattern of a text."""
OUTCOMES = ("error", "page_status", "drop", "truncate", "expire_session")
"""What may become of a call, one of these."""


def require_rule(rule: Faults.Rule) -> None:
    """Refuse what is none, or could never do anything.

    :raises ValueError: says what is wrong with which field, and what is allowed.
    """
    for problem in problems(rule):
        raise ValueError(problem)


def problems(rule: Faults.Rule) -> Iterator[str]:
    """What is wrong with a rule, in words."""
    yield from out_of_bounds(rule)
    if rule.error is not None and rule.error not in ERRORS:
        known = sorted(ERRORS)
        yield f"unknown error {rule.error}; there are {', '.join(known)}{meant(rule.error, known)}"
    yield from contradictions(rule)
    if not fitting(rule.operation):
        yield f"no operation fits {rule.operation}{meant(rule.operation, disturbable())}"


def out_of_bounds(rule: Faults.Rule) -> Iterator[str]:
    """Values that are none."""
    for name, most in (("operation", LONGEST_PATTERN), ("object", LONGEST_PATTERN), ("caller", LONGEST_PATTERN)):
        text = getattr(rule, name)
        if text is not None and not 1 <= len(text) <= most:
            yield f"{name} must have 1 to {most} characters, not {len(text)}"
    if rule.message is not None and len(rule.message) > LONGEST_MESSAGE:
        yield f"message must have {LONGEST_MESSAGE} characters at most, not {len(rule.message)}"
    for name, low, high in (
        ("rate", 0, 1),
        ("times", 0, MOST_TIMES),
        ("order", -MOST_ORDER, MOST_ORDER),
        ("bytes_per_second", 1, MOST_BYTES_PER_SECOND),
        ("page_status", PAGES.start, PAGES.stop - 1),
        ("retry_after_seconds", 0, MOST_SECONDS),
    ):
        value = getattr(rule, name)
        if value is not None and not low <= value <= high:
            yield f"{name} must be from {low} to {high}, not {value}"
    if rule.lasts_seconds is not None and not 0 < rule.lasts_seconds <= LONGEST_LIFE_SECONDS:
        yield f"lasts_seconds must be above 0 and {LONGEST_LIFE_SECONDS} at most, not {rule.lasts_seconds}"
    least, most_seconds = latency_range(rule)
    if not 0 <= least <= most_seconds <= MOST_SECONDS:
        yield f"latency_seconds must rise from 0 or more to {MOST_SECONDS} at most, not {least} to {most_seconds}"


def contradictions(rule: Faults.Rule) -> Iterator[str]:
    """Fields that do not go together, or do nothing."""
    outcomes = outcomes_of(rule)
    if len(outcomes) > 1:
        yield f"a call can have one of {', '.join(OUTCOMES)}, not {' and '.join(outcomes)}"
    if not outcomes and latency_range(rule)[1] == 0 and rule.bytes_per_second is None:
        able = ", ".join(OUTCOMES)
        yield f"a rule needs latency_seconds above 0, bytes_per_second, or one of {able}: this one does nothing"
    if rule.message is not None and outcomes not in (["error"], ["expire_session"]):
        yield "message is that of an error or of an ended session, which this rule has not"
    if rule.retry_after_seconds is not None and outcomes not in (["error"], ["page_status"]):
        yield "retry_after_seconds is of an error or a page_status, which this rule has not"
    if rule.carried_out is not None and outcomes not in (["error"], ["page_status"], ["drop"]):
        yield "carried_out is of an error, a page_status or a drop, which this rule has not"
    if rule.bytes_per_second is not None and outcomes == ["drop"]:
        yield "bytes_per_second is of an answer, which a drop has not"
    if rule.most_latency_seconds is not None and rule.latency_seconds is None:
        yield "most_latency_seconds needs latency_seconds, from which it rises"


def outcomes_of(rule: Faults.Rule) -> list[str]:
    """What becomes of the calls that are struck: one, of a rule that is good, or nothing but that they are late."""
    return [name for name in OUTCOMES if getattr(rule, name) not in (None, False)]


def latency_range(rule: Faults.Rule) -> tuple[float, float]:
    """Shortest and longest delay, in seconds."""
    least = rule.latency_seconds or 0.0
    return (least, least if rule.most_latency_seconds is None else rule.most_latency_seconds)


@cache
def disturbable() -> tuple[str, ...]:
    """The operations that rules may be for."""
    return tuple(id for id in operation_ids() if not is_spared(id))


def is_spared(operation: str) -> bool:
    """Whether no rule is ever for calls of an operation."""
    return operation.startswith(tuple(f"{service}." for service in SPARED))


@lru_cache(maxsize=1024)
def fitting(pattern: str) -> frozenset[str]:
    """The operations whose ids fit a shell pattern."""
    return frozenset(fnmatch.filter(disturbable(), pattern))


def is_pattern(text: str) -> bool:
    """Whether it may mean several."""
    return not WILD.isdisjoint(text)


class Shadow(msgspec.Struct, frozen=True):
    """Of rules in their order: the place of one that no call ever reaches."""

    place: int
    rule: Faults.Rule

    @property
    def words(self) -> str:
        """That it is so."""
        return f"the first rule that fits counts, and those before have all that {self.rule.operation} fits"


def shadowed(rules: Iterable[Faults.Rule]) -> Iterator[Shadow]:
    """The rules that are never reached: those before them take all their operations, whoever calls and for good."""
    left = set(disturbable())
    for place, rule in enumerate(rules):
        mine = fitting(rule.operation) & left
        if not mine:
            yield Shadow(place, rule)
        if rule.object is None and rule.caller is None and rule.times is None and rule.lasts_seconds is None:
            left.difference_update(mine)
