"""Certificates, roles, permissions and privilege checks by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.server import Server


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_security(release: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        outcomes: dict[str, str | None] = run_against(server, release, "security")
    # Roles and permissions have their operations in 9.1.
    assert len(outcomes) == (5 if release.startswith("9.") else 4)
    assert not {name: failure for name, failure in outcomes.items() if failure}
