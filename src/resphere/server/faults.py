"""Faults and delays on purpose, for people who test their clients.

A YAML file lists rules; the first that fits an operation is rolled for each call::

    seed: 7
    rules:
      - operation: com.vmware.vcenter.vm.power.*
        rate: 0.1
        error: SERVICE_UNAVAILABLE
        message: The host is busy.
      - operation: "*"
        latency_seconds: [0.05, 0.2]
"""

from __future__ import annotations

import asyncio
import fnmatch
import random
from functools import lru_cache
from pathlib import Path

import msgspec

from resphere.contract.errors import ERRORS, message
from resphere.contract.lookup import operation_ids
from resphere.nearest import meant
from resphere.server.keys import require_keys
from resphere.yaml_text import YamlFault, read_file

MOST_SECONDS = 86_400
DEFAULT_MESSAGE = "This failure was asked for by the fault rules of the server."


class FaultsError(ValueError):
    """The fault file cannot be used; the message says what is wrong and where."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to calls of operations that fit the shell pattern ``operation``.

    A call is delayed by ``latency_seconds`` (a number, or a range to draw from), then fails with the standard error
    ``error`` at the given ``rate`` (0 to 1). ``times`` bounds how many calls a worker fails so.
    """

    operation: str
    rate: float = 1.0
    error: str | None = None
    message: str = DEFAULT_MESSAGE
    latency_seconds: float | tuple[float, float] = 0.0
    times: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate must be from 0 to 1, not {self.rate}")
        if self.error is not None and self.error not in ERRORS:
            known = sorted(ERRORS)
            raise ValueError(f"unknown error {self.error}; there are {', '.join(known)}{meant(self.error, known)}")
        if self.times is not None and self.times < 0:
            raise ValueError(f"times must not be negative, not {self.times}")
        low, high = self.latency_range
        if not 0 <= low <= high <= MOST_SECONDS:
            raise ValueError(f"latency_seconds must rise from 0 or more to {MOST_SECONDS} at most, not {low} to {high}")
        if self.error is None and high == 0:
            raise ValueError("a rule needs an error, or latency_seconds above 0: this one does nothing")
        if self.error is None and (self.rate, self.message, self.times) != (1.0, DEFAULT_MESSAGE, None):
            raise ValueError("rate, message and times are those of an error, which this rule has not")

    @property
    def latency_range(self) -> tuple[float, float]:
        """Shortest and longest delay."""
        given = self.latency_seconds
        return given if isinstance(given, tuple) else (given, given)


class FaultFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as a whole; ``seed`` makes the draws repeatable within a worker."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0


class Faults:
    """Rolls the rules."""

    def __init__(self, file: FaultFile) -> None:
        self._rules = file.rules
        self._random = random.Random(file.seed)  # noqa: S311 - from a seed
        self._done: dict[int, int] = {}
        self._find = lru_cache(maxsize=4096)(self._first_fitting)

    @property
    def active(self) -> bool:
        """Whether there are any rules."""
        return bool(self._rules)

    def rule_for(self, operation: str) -> Rule | None:
        """The rule that decides for calls of an operation."""
        found = self._find(operation)
        return None if found is None else found[1]

    async def disturb(self, operation: str) -> None:
        """Delay the call, and raise what the rule for ``operation`` says."""
        found = self._find(operation)
        if found is None:
            return
        position, rule = found
        low, high = rule.latency_range
        if high > 0:
            await asyncio.sleep(self._random.uniform(low, high))
        if rule.error is None or self._random.random() >= rule.rate:
            return
        done = self._done.get(position, 0)
        if rule.times is not None and done >= rule.times:
            return
        self._done[position] = done + 1
        raise ERRORS[rule.error](message("resphere.fault_injected", "{0}", rule.message))

    def _first_fitting(self, operation: str) -> tuple[int, Rule] | None:
        for position, rule in enumerate(self._rules):
            if fnmatch.fnmatchcase(operation, rule.operation):
                return position, rule
        return None


NO_FAULTS = FaultFile()


def read_faults(path: Path) -> FaultFile:
    """The rules of a YAML file.

    :raises FaultsError: unreadable, not YAML, or against the form; names the place.
    """
    try:
        given = read_file(path.read_bytes())
        require_keys(given, FaultFile)
        rules = given.get("rules") if isinstance(given, dict) else None
        for place, rule in enumerate(rules if isinstance(rules, list) else ()):
            require_keys(rule, Rule, f"rules[{place}]")
        file = msgspec.convert(given, FaultFile)
        require_effect(file.rules)
    except OSError as error:
        raise FaultsError(f"fault file {path}: {error.strerror}") from error
    except (YamlFault, ValueError) as error:
        raise FaultsError(f"fault file {path}: {error}") from error
    return file


def require_effect(rules: tuple[Rule, ...]) -> None:
    """Refuse a rule that can never apply: none of the operations fits it, or those that do are all decided before it.

    :raises ValueError: there is such a rule.
    """
    known = tuple(operation_ids())
    left = set(known)
    for place, rule in enumerate(rules):
        fitting = fnmatch.filter(left, rule.operation)
        if not fitting and not fnmatch.filter(known, rule.operation):
            raise ValueError(f"rules[{place}]: no operation fits {rule.operation}{meant(rule.operation, known)}")
        if not fitting:
            raise ValueError(
                f"rules[{place}]: the first rule that fits counts, and those before have all that {rule.operation} fits"
            )
        left.difference_update(fitting)
