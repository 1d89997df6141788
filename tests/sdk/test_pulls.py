"""Files that the server fetches into content libraries, by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.server import Server


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_pulls(release: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--fetch-from", "127.0.0.1") as server:
        outcomes: dict[str, str | None] = run_against(server, release, "pulls")
    assert len(outcomes) == 4
    assert not {name: failure for name, failure in outcomes.items() if failure}
