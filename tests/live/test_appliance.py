"""What the appliance says of itself, before anything else is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.server import Server, wait_until

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


def test_a_reboot_with_two_workers(tmp_path: Path) -> None:
    (tmp_path / "durations.yml").write_text("reboot_appliance: 3")
    flags = ("--workers", "2", "--vms", "1", "--durations", str(tmp_path / "durations.yml"))
    with Server(tmp_path / "data", *flags) as server:
        with server.session() as client:
            machines = client.read("/api/vcenter/vm")
            before = client.read("/api/appliance/system/uptime")
            assert (
                client.post("/api/appliance/shutdown?action=reboot", json={"delay": 0, "reason": ""}).status_code == 204
            )
            away = client.get("/api/vcenter/vm")
            assert (away.status_code, away.json()["messages"][0]["id"]) == (503, "resphere.appliance.away")
            assert 1 <= int(away.headers["Retry-After"]) <= 3
            for path in ("/rest/vcenter/vm", "/api/openapi.json", "/readyz"):
                assert client.get(path).status_code == 503
            assert client.read("/healthz") == {"status": "ok"}
            wait_until(lambda: client.get("/api/vcenter/vm").status_code == 401, "the end of the reboot")
        with server.session() as client:
            assert client.read("/api/vcenter/vm") == machines
            assert client.read("/api/appliance/system/uptime") < before + 3
            assert client.read("/api/appliance/shutdown") == {"action": "", "reason": ""}


def test_powered_off_with_two_workers_the_server_ends_and_keeps_what_it_had(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--workers", "2", "--vms", "1")
    with server, server.session() as client:
        machines = client.read("/api/vcenter/vm")
        off = client.post("/api/appliance/shutdown?action=poweroff", json={"delay": 0, "reason": "the power fails"})
        assert off.status_code == 204
        assert server.wait() == 0
    log = (tmp_path / "data" / "log" / "resphere.log").read_text()
    assert "the appliance was powered off (the power fails): the server ends" in log
    with server, server.session() as client:
        assert client.read("/api/vcenter/vm") == machines


def test_a_planned_shutdown_does_not_outlive_a_start(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--vms", "1")
    with server, server.session() as client:
        plan = {"delay": 60, "reason": "a patch"}
        assert client.post("/api/appliance/shutdown?action=poweroff", json=plan).status_code == 204
        assert client.read("/rest/appliance/shutdown")["value"]["action"] == "poweroff"
    with server, server.session() as client:
        assert client.read("/api/appliance/shutdown") == {"action": "", "reason": ""}
        assert client.read("/api/appliance/system/uptime") < 60
