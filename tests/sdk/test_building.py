"""An inventory built from nothing, and taken down, by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.server import Server

EMPTY = [f"--{what}=0" for what in ("datacenters", "clusters", "hosts", "vms")]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_from_nothing_and_back(release: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", *EMPTY) as server:
        built: dict[str, str] = run_against(server, release, "building")
    assert set(built) == {"root", "datacenter", "cluster", "hosts", "datastore", "network", "folder", "pool"}
