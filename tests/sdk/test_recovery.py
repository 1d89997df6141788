"""Backups by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.server import Server


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_recovery(release: str, tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    exports = f"nfs://nas.example.com/exports={tmp_path}/nas"
    with Server(tmp_path / "data", "--backup-folder", exports) as server:
        outcomes: dict[str, str | None] = run_against(server, release, "recovery")
    assert len(outcomes) == 4
    assert not {name: failure for name, failure in outcomes.items() if failure}
