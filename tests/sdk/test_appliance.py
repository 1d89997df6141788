"""The appliance by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.server import Server


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_the_appliance(release: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "1") as server:
        outcomes: dict[str, str | None] = run_against(server, release, "appliance")
        outcomes |= run_against(server, release, "appliance_settings")
    assert len(outcomes) == 14
    assert not {name: failure for name, failure in outcomes.items() if failure}
