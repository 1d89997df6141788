"""What the appliance says of itself, before anything else is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.server import Server

VERSION = "/api/appliance/system/version"


@pytest.mark.parametrize(
    ("release", "version", "build", "date"),
    [("7.0", "7.0.3.00000", "18700403", "October 5, 2021"), ("8.0", "8.0.3.00000", "24022515", "June 25, 2024")],
)
def test_the_version_is_that_of_the_release(release: str, version: str, build: str, date: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "1", "--api-release", release) as server, server.session() as client:
        told = client.read(VERSION)
        assert (told["product"], told["version"], told["build"]) == ("VMware vCenter Server", version, build)
        assert (told["summary"], told["releasedate"]) == (f"VMware vCenter Server {told['version'][:3]}", date)
        assert client.read("/rest/appliance/system/version") == {"value": told}


def test_the_time_of_installation_stays(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    server = Server(tmp_path / "data", "--vms", "1")
    with server, server.session() as client:
        installed = client.read(VERSION)["install_time"]
        assert before.replace(microsecond=0) <= datetime.fromisoformat(installed) <= datetime.now(UTC)
    with server, server.session() as client:
        assert client.read(VERSION)["install_time"] == installed
