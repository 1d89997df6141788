"""Virtual machines created, registered and deleted by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run
from tests.support.server import ADMINISTRATOR, PASSWORD, Server


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_machines(release: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--workers", "2") as server:
        given = {
            "server": f"127.0.0.1:{server.port}",
            "ca": str(server.ca),
            "user": ADMINISTRATOR,
            "password": PASSWORD,
        }
        outcomes: dict[str, str | None] = run(release, "machines", given)
    assert len(outcomes) == 6
    assert not {name: failure for name, failure in outcomes.items() if failure}
