"""The targets that ``docs/security.md`` tells are those that ``make bench`` measures against."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.measures import MEASURES, access, audit, connections, limits, sessions

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
FIGURES = {
    f"An access check of a request, with {access.MACHINES.vms:,} VMs and {access.PERMISSIONS:,} permissions": (
        f"{access.MOST_MICROSECONDS:g} µs",
        "access",
    ),
    f"A list of {access.FILTERED:,} VMs for a restricted user: times the administrator's, when nothing has changed": (
        f"{access.MOST_RATIO:g}",
        "access",
    ),
    "The same list, the first after a change of permissions": (f"{access.MOST_MILLISECONDS:g} ms", "access"),
    f"Who calls, among {sessions.SESSIONS:,} live sessions; a session opened among them": (
        f"{sessions.MOST_FIND_MICROSECONDS:g} µs; {sessions.MOST_OPEN_MS:g} ms",
        "sessions",
    ),
    "A call on record, in both logs": (f"{audit.MOST_MICROSECONDS:g} µs", "audit"),
    "A decision on a rate, by address alone and by all four parties": (f"{limits.DECISION_TARGET_US:g} µs", "limits"),
    f"99% of others' reads while {connections.HELD:,} connections are idle or slow: times as long": (
        f"{connections.MOST_TIMES:g}",
        "connections",
    ),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_the_page_has_the_target_and_the_measure(figure: str) -> None:
    target, measure = FIGURES[figure]
    assert measure in MEASURES
    assert f"| {figure} | {target} | `{measure}` |\n" in PAGE.read_text(encoding="utf-8")
