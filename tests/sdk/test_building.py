"""An inventory built from nothing, and taken down, by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run
from tests.support.server import ADMINISTRATOR, PASSWORD, Server

EMPTY = [f"--{what}=0" for what in ("datacenters", "clusters", "hosts", "vms")]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_from_nothing_and_back(release: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", *EMPTY) as server:
        given = {
            "server": f"127.0.0.1:{server.port}",
            "ca": str(server.ca),
            "user": ADMINISTRATOR,
            "password": PASSWORD,
        }
        built: dict[str, str] = run(release, "building", given)
    assert set(built) == {"root", "datacenter", "cluster", "hosts", "datastore", "network", "folder", "pool"}
