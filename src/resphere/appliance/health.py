"""How well the appliance is: colours that follow from what its machine tells.

The thresholds are those of vCenter's own alarms for its appliance ("CPU Exhaustion on vCenter Server", "Memory
Exhaustion", "... Disk Exhaustion"), which know yellow and red; orange is half-way between.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage


class Level(StrEnum):
    """A colour: ``gray`` where nothing is known."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    GRAY = "gray"


ORDER = (Level.GREEN, Level.YELLOW, Level.ORANGE, Level.RED)
"""From well to unwell."""


class Thresholds(msgspec.Struct, frozen=True):
    """From how many percent on it is which colour."""

    yellow: float
    orange: float
    red: float

    def level(self, percent: float) -> Level:
        """The colour of so many percent."""
        if percent >= self.red:
            return Level.RED
        if percent >= self.orange:
            return Level.ORANGE
        return Level.YELLOW if percent >= self.yellow else Level.GREEN


LOAD = Thresholds(75, 82.5, 90)
"""Of all CPUs."""
MEMORY = SWAP = STORAGE = Thresholds(85, 90, 95)


class Finding(msgspec.Struct, frozen=True):
    """How one thing is; what is not well says why, and what may be done."""

    level: Level
    messages: tuple[LocalizableMessage, ...] = ()
    resolution: LocalizableMessage | None = None


WELL = Finding(Level.GREEN)


def share(what: str, used: float, total: float, thresholds: Thresholds, resolution: LocalizableMessage) -> Finding:
    """How something is of which ``used`` of ``total`` is in use."""
    percent = 100 * used / total
    level = thresholds.level(percent)
    if level is Level.GREEN:
        return WELL
    told = message(
        "resphere.appliance.health.used",
        "{0}: {1} percent are in use, which is {2} from {3} percent on.",
        what,
        f"{percent:.0f}",
        level,
        f"{getattr(thresholds, level):g}",
    )
    return Finding(level, (told,), resolution)


def worst(findings: Iterable[Finding]) -> Finding:
    """All of it as one: the worst colour, and everything that was found. What is not known does not count."""
    known = [finding for finding in findings if finding.level is not Level.GRAY]
    if not known:
        return Finding(Level.GRAY)
    gravest = max(known, key=lambda finding: ORDER.index(finding.level))
    messages = tuple(each for finding in known for each in finding.messages)
    return Finding(gravest.level, messages, gravest.resolution)
