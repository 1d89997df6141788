"""Profiles of one vCenter imported by another one, through the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run
from tests.support.server import ADMINISTRATOR, PASSWORD, Server


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_what_one_exports_another_imports(release: str, tmp_path: Path) -> None:
    with (
        Server(tmp_path / "here", "--vms", "1") as here,
        Server(tmp_path / "there", "--vms", "1") as there,
    ):
        given = [
            {"server": f"127.0.0.1:{each.port}", "ca": str(each.ca), "user": ADMINISTRATOR, "password": PASSWORD}
            for each in (here, there)
        ]
        assert run(release, "profiles", given) == "done"
