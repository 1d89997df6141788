"""The appliance's own port, where monitoring scripts log in by name and password on each call."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.server import ADMINISTRATOR, PASSWORD, Server, free_port, wait_until

ROOT_PASSWORD = "a horse of another battery"
ROOT = ("root", ROOT_PASSWORD)
UPTIME = "/rest/appliance/system/uptime"


class Port:
    """What talks to the appliance's port of a server."""

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = server.verify

    def get(self, path: str, **options: object) -> requests.Response:
        return self.http.get(f"https://127.0.0.1:{self.port}{path}", timeout=60, **options)  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> requests.Response:
        return self.http.post(f"https://127.0.0.1:{self.port}{path}", timeout=60, **options)  # type: ignore[arg-type]


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Port]:
    port = free_port()
    flags = ("--workers", "2", "--vms", "1", "--appliance-port", str(port))
    with Server(tmp_path / "data", *flags, environment={"RESPHERE_ROOT_PASSWORD": ROOT_PASSWORD}) as server:
        made = Port(server, port)
        with made.http:
            yield made


def test_each_call_by_name_and_password(appliance: Port) -> None:
    assert f"  appliance https://127.0.0.1:{appliance.port} (" in appliance.server.banner
    for path in (UPTIME, "/api/appliance/health/system", "/rest/appliance/monitoring", "/api/appliance/services"):
        assert appliance.get(path, auth=ROOT).status_code == 200, path
    assert appliance.get(UPTIME, auth=ROOT).json()["value"] < 3600
    assert appliance.get(UPTIME, auth=("root@localos", ROOT_PASSWORD)).status_code == 200
    assert appliance.get(UPTIME, auth=(ADMINISTRATOR, PASSWORD)).status_code == 200


def test_who_is_not_let_in(appliance: Port) -> None:
    assert appliance.get(UPTIME).status_code == 401
    for wrong in (("root", PASSWORD), ("root", ""), ("nobody", ROOT_PASSWORD), (ADMINISTRATOR, ROOT_PASSWORD)):
        assert appliance.get(UPTIME, auth=wrong).status_code == 401
    # What means nothing tells nobody whether a password is good.
    for auth in (ROOT, ("root", "wrong")):
        assert appliance.get("/rest/appliance/nothing", auth=auth).status_code in (401, 404)
        assert appliance.get("/api/appliance/nothing", auth=auth).status_code in (401, 404)
    # At the main port a name and a password open a session, and nothing else.
    main = f"{appliance.server.url}{UPTIME}"
    assert appliance.http.get(main, auth=ROOT, timeout=60).status_code == 401


def test_guesses_are_counted(appliance: Port) -> None:
    statuses = [appliance.get(UPTIME, auth=("root", f"guess {number}")).status_code for number in range(30)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert appliance.get(UPTIME, auth=ROOT).status_code == 429


def test_sessions_are_good_at_both_ports(appliance: Port) -> None:
    reply = appliance.post("/rest/com/vmware/cis/session", auth=ROOT)
    assert reply.status_code == 200
    headers = {"vmware-api-session-id": reply.json()["value"]}
    assert appliance.get(UPTIME, headers=headers).status_code == 200
    main = appliance.server.url
    assert appliance.http.get(f"{main}{UPTIME}", headers=headers, timeout=60).status_code == 200
    with appliance.server.session() as client:
        of_administrator = {"vmware-api-session-id": client.token}
        assert appliance.get(UPTIME, headers=of_administrator).status_code == 200


def test_nothing_else_is_served_there(appliance: Port) -> None:
    for path in ("/api/vcenter/vm", "/rest/vcenter/vm", "/certs/download.zip", "/api/resphere/users"):
        reply = appliance.get(path, auth=ROOT)
        assert reply.status_code == 404, path


def test_changes_are_made_and_seen_at_the_main_port(appliance: Port) -> None:
    reply = appliance.http.put(
        f"https://127.0.0.1:{appliance.port}/api/appliance/system/global-fips",
        json={"enabled": True},
        auth=ROOT,
        timeout=60,
    )
    assert reply.status_code == 204
    with appliance.server.session() as client:
        assert client.read("/api/appliance/system/global-fips") == {"enabled": True}


def test_a_worker_that_dies_is_replaced_at_both_ports(appliance: Port) -> None:
    server = appliance.server
    before = server.workers
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(server.workers) == 2 and not set(server.workers) & set(before), "the next workers")
    assert appliance.get(UPTIME, auth=ROOT).status_code == 200


def test_workers_are_replaced_without_failing_anybody(appliance: Port) -> None:
    """As when a certificate has changed: successors serve both ports before those in their place retire."""
    server = appliance.server
    before = server.workers
    os.kill(server.process.pid, signal.SIGHUP)

    def replaced() -> bool:
        assert appliance.get(UPTIME, auth=ROOT).status_code == 200
        with server.session() as client:
            assert client.read(UPTIME)
        return len(server.workers) == 2 and not set(server.workers) & set(before)

    wait_until(replaced, "the next workers", 120)
    assert appliance.get(UPTIME, auth=ROOT).status_code == 200


def test_without_a_password_of_its_own_root_is_the_administrator(tmp_path: Path) -> None:
    port = free_port()
    with Server(tmp_path / "data", "--vms", "1", "--appliance-port", str(port)) as server:
        appliance = Port(server, port)
        with appliance.http:
            assert appliance.get(UPTIME, auth=("root", PASSWORD)).status_code == 200


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with Server(tmp_path / "first", "--vms", "1") as first:
        second = Server(tmp_path / "second", "--vms", "1", "--appliance-port", str(first.port))
        second.launch()
        assert not second.banner
        assert f"cannot listen on --host 127.0.0.1 --appliance-port {first.port}" in second.errors()
