"""Calls that fail on purpose, by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.server import Server


@pytest.mark.xdist_group("sdk")
def test_faults(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        for release in RELEASES:
            outcomes: dict[str, str | None] = run_against(server, release, "faults")
            assert len(outcomes) == 4
            assert not {name: failure for name, failure in outcomes.items() if failure}
