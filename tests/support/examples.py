"""How many examples tests take: what they name, or a share of it where an answer is wanted soon."""

from __future__ import annotations

from hypothesis import settings

PROFILE, SHORT_PROFILE = "resphere", "resphere-short"
ALL = 100
SHORT = 15  # percent


def register_profiles() -> None:
    """Two profiles that differ in the number of examples.

    No deadline: a test never asserts a time. Derandomised, no database: the same run everywhere, with any number of
    workers; and a short run is the beginning of a whole one.
    """
    for name, examples in ((PROFILE, ALL), (SHORT_PROFILE, SHORT)):
        settings.register_profile(name, deadline=None, derandomize=True, database=None, max_examples=examples)


def examples(number: int) -> int:
    """``number`` of examples, or the profile's share of them."""
    share = settings.get_profile(settings.get_current_profile_name()).max_examples
    return max(1, number * share // ALL)
