"""A change of permissions or roles by one worker holds in the next request of every other one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import add_user
from tests.support.server import Client, Server

ANN = "ann@vsphere.local"
AUTHORIZATION = "/api/vcenter/authorization"
CONNECTIONS = 6
"""So many are spread over both workers."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2", "--vms", "6") as server:
        add_user(server.data_dir, ANN, "secret", "NoAccess")
        yield server


def on_each(server: Server, token: str) -> Iterator[Client]:
    """Connections with one session."""
    for _ in range(CONNECTIONS):
        with Client(server, None) as client:
            client.http.headers["vmware-api-session-id"] = token
            yield client


def test_every_worker_shows_it_at_once(server: Server) -> None:
    with server.session() as administrator, server.session(ANN, "secret") as ann:
        vm, *_ = administrator.read("/api/vcenter/vm")
        power, suspend = f"/api/vcenter/vm/{vm['vm']}/power", "VirtualMachine.Interact.Suspend"
        for connection in on_each(server, ann.token):
            assert connection.read("/api/vcenter/vm") == []
        role = {"name": "Night", "description": "", "privileges": [suspend]}
        id = administrator.post(f"{AUTHORIZATION}/roles", json=role).json()
        permission = {
            "object": {"type": "VirtualMachine", "id": vm["vm"]},
            "principal": {"type": "USER", "name": "ann", "domain": "vsphere.local"},
            "role": id,
            "propagating": True,
        }
        given = administrator.post(f"{AUTHORIZATION}/permissions", json=permission)
        assert given.status_code == 201, given.text
        for connection in on_each(server, ann.token):
            # The list was kept for her, empty.
            assert connection.read("/api/vcenter/vm") == [vm]
            assert connection.post(f"{power}?action=reset").status_code == 403
        changed = administrator.request("PATCH", f"{AUTHORIZATION}/roles/{id}", json={"privileges": []})
        assert changed.status_code == 204
        for connection in on_each(server, ann.token):
            assert connection.post(f"{power}?action=suspend").status_code == 403
        taken = administrator.request("DELETE", f"{AUTHORIZATION}/permissions/{given.json()}")
        assert taken.status_code == 204
        for connection in on_each(server, ann.token):
            assert connection.read("/api/vcenter/vm") == []
            assert connection.get(power).status_code == 403
