"""What a measure hands back: judged lines, and the figures behind them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bench.rounds import Effort
from bench.stats import Speed


class Verdict(msgspec.Struct, frozen=True):
    """One line of the table. ``passed`` is ``None`` where there is no target: it is told for comparison."""

    measure: str
    target: str
    result: str
    passed: bool | None = None


class Row(msgspec.Struct, frozen=True):
    """The speed of one server at one kind of request."""

    request: str
    server: str
    speed: Speed


class Outcome(msgspec.Struct, frozen=True):
    """Everything that one measure found."""

    verdicts: tuple[Verdict, ...]
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()


Measure = Callable[[Effort], Outcome]


def at_least(measure: str, value: float, target: float, unit: str = "", digits: int = 2) -> Verdict:
    """A line that passes where ``value`` reaches ``target``, compared as it stands and not as it is shown."""
    return Verdict(measure, f"≥ {target:,g}{unit}", f"{value:,.{digits}f}{unit}", value >= target)


def below(measure: str, value: float, target: float, unit: str = "", digits: int = 2) -> Verdict:
    """A line that passes where ``value`` stays below ``target``."""
    return Verdict(measure, f"< {target:,g}{unit}", f"{value:,.{digits}f}{unit}", value < target)


def at_most(measure: str, value: float, target: float, unit: str = "", digits: int = 2) -> Verdict:
    """A line that passes where ``value`` does not exceed ``target``."""
    return Verdict(measure, f"≤ {target:,g}{unit}", f"{value:,.{digits}f}{unit}", value <= target)


def told(measure: str, result: str) -> Verdict:
    """A line without a target."""
    return Verdict(measure, "", result)
