"""Colours, and from where on they are which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.appliance.health import ORDER, WELL, Finding, Level, Thresholds, share, worst
from resphere.contract.errors import message

LIMITS = Thresholds(80, 90, 95)
ADVICE = message("advice", "Mend it.")


@pytest.mark.parametrize(
    ("percent", "level"),
    [(0, "green"), (79.9, "green"), (80, "yellow"), (89.9, "yellow"), (90, "orange"), (95, "red"), (500, "red")],
)
def test_thresholds(percent: float, level: str) -> None:
    assert LIMITS.level(percent) == level


def test_what_is_not_well_says_why() -> None:
    finding = share("memory", 91, 100, LIMITS, ADVICE)
    (told,) = finding.messages
    assert told.default_message == "memory: 91 percent are in use, which is orange from 90 percent on."
    assert finding.resolution is ADVICE
    assert share("memory", 1, 100, LIMITS, ADVICE) is WELL


def test_what_is_unknown_does_not_count() -> None:
    gray = Finding(Level.GRAY)
    assert worst([gray, WELL]).level is Level.GREEN
    assert worst([gray]).level is Level.GRAY
    assert worst([]).level is Level.GRAY


@given(st.lists(st.sampled_from(ORDER), min_size=1))
def test_the_worst_counts(levels: list[Level]) -> None:
    assert ORDER.index(worst(map(Finding, levels)).level) == max(map(ORDER.index, levels))
