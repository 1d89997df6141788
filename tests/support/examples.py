"""How many examples tests take: a share of what they name, all of it where ``RESPHERE_EXAMPLES`` is 100 (percent)."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

PROFILE, SHORT_PROFILE = "resphere", "resphere-short"
ALL = 100
USUAL, SHORT = 40, 15  # percent
SETTING = "RESPHERE_EXAMPLES"
"""What a night has time for; a run for each change has not."""


def register_profiles() -> None:
    """Two profiles that differ in the number of examples.

    No deadline: a test never asserts a time. Derandomised, no database: the same run everywhere, with any number of
    workers; and a short run is the beginning of a whole one.
    """
    for name, examples in ((PROFILE, int(os.environ.get(SETTING, USUAL))), (SHORT_PROFILE, SHORT)):
        settings.register_profile(name, deadline=None, derandomize=True, database=None, max_examples=examples)


def examples(number: int) -> int:
    """``number`` of examples, or the profile's share of them."""
    share = settings.get_profile(settings.get_current_profile_name()).max_examples
    return max(1, number * share // ALL)


AT_NIGHT = pytest.mark.skipif(
    os.environ.get(SETTING) != str(ALL), reason=f"takes a minute or more: {SETTING}={ALL} runs it"
)
"""Tests that a run for each change has no time for."""
