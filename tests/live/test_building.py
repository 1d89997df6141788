"""An inventory built through ``/api`` and taken down again: datacenter, host, resource pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resphere.inventory.model import ROOT_FOLDER
from tests.support.exports import objects
from tests.support.server import Client, Server
from tests.support.soundness import problems
from tests.support.vms import refusal

HOST = {"hostname": "esx.example.org", "user_name": "root", "password": "VMware1!", "thumbprint_verification": "NONE"}


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose inventory nobody else needs."""
    with Server(tmp_path_factory.mktemp("building") / "data") as server:
        yield server


@pytest.fixture
def builder(own_server: Server) -> Iterator[Client]:
    """A client of it."""
    with own_server.session() as client:
        yield client


def make(client: Client, path: str, body: dict[str, Any]) -> str:
    """Create something; returns its id."""
    reply = client.post(f"/api/vcenter/{path}", json=body)
    assert reply.status_code == 201, reply.text
    made = reply.json()
    assert isinstance(made, str)
    return made


def test_from_nothing_and_back(own_server: Server, builder: Client) -> None:
    before = set(objects(own_server))
    datacenter = make(builder, "datacenter", {"name": "Built", "folder": ROOT_FOLDER})
    folder = builder.read(f"/api/vcenter/datacenter/{datacenter}")["host_folder"]
    host = make(builder, "host", HOST | {"folder": folder})
    assert [row["host"] for row in builder.read("/api/vcenter/host", params={"datacenters": datacenter})] == [host]
    (root,) = [row["resource_pool"] for row in builder.read("/api/vcenter/resource-pool", params={"hosts": host})]
    pool = make(builder, "resource-pool", {"name": "Web", "parent": root, "cpu_allocation": {"reservation": 500}})
    reply = builder.patch(f"/api/vcenter/resource-pool/{pool}", json={"memory_allocation": {"limit": 1024}})
    assert (reply.status_code, reply.content) == (204, b"")
    info = builder.read(f"/api/vcenter/resource-pool/{pool}")
    assert (info["cpu_allocation"]["reservation"], info["memory_allocation"]["limit"]) == (500, 1024)
    assert problems(list(objects(own_server).values())) == []
    assert builder.delete(f"/api/vcenter/resource-pool/{pool}").status_code == 204
    assert builder.post(f"/api/vcenter/host/{host}?action=disconnect").status_code == 204
    refused = builder.delete(f"/api/vcenter/datacenter/{datacenter}")
    assert refusal(refused)[:3] == (400, "RESOURCE_IN_USE", "resphere.datacenter.not_empty")
    assert builder.delete(f"/api/vcenter/host/{host}").status_code == 204
    assert builder.delete(f"/api/vcenter/datacenter/{datacenter}").status_code == 204
    full = make(builder, "datacenter", {"name": "Full", "folder": ROOT_FOLDER})
    make(builder, "folder", {"name": "in it", "parent": builder.read(f"/api/vcenter/datacenter/{full}")["vm_folder"]})
    assert builder.delete(f"/api/vcenter/datacenter/{full}?force=true").status_code == 204
    assert set(objects(own_server)) == before


def test_hosts_that_do_not_come(own_server: Server, builder: Client) -> None:
    folder = builder.read("/api/vcenter/folder", params={"type": "HOST"})[0]["folder"]
    for more, status, error_type, id in (
        ({"hostname": "esx.invalid"}, 500, "ERROR", "resphere.host.unreachable"),
        ({"password": "wrong"}, 401, "UNAUTHENTICATED", "resphere.host.credentials"),
        (
            {"thumbprint_verification": "THUMBPRINT", "thumbprint": ":".join(["00"] * 20)},
            400,
            "INVALID_ARGUMENT",
            "resphere.host.thumbprint",
        ),
    ):
        reply = builder.post("/api/vcenter/host", json=HOST | {"folder": folder} | more)
        assert refusal(reply)[:3] == (status, error_type, id)
    assert builder.read("/api/vcenter/datacenter"), "the session goes on"


def test_folders(builder: Client) -> None:
    top = builder.read("/api/vcenter/folder", params={"type": "VIRTUAL_MACHINE", "names": "vm"})[0]["folder"]
    outer, other = (make(builder, "folder", {"name": name, "parent": top}) for name in ("Outer", "Other"))
    path = f"/api/vcenter/folder/{outer}"
    assert builder.patch(path, json={"name": "Renamed"}).status_code == 204
    assert builder.post(f"{path}?action=move", json={"parent": other}).status_code == 204
    found = builder.read("/api/vcenter/folder", params={"parent_folders": other})
    assert found == [{"folder": outer, "name": "Renamed", "type": "VIRTUAL_MACHINE"}]
    reply = builder.delete(f"/api/vcenter/folder/{other}")
    assert refusal(reply) == (400, "RESOURCE_IN_USE", "resphere.folder.not_empty")
    assert builder.delete(path).status_code == 204
    assert builder.delete(f"/api/vcenter/folder/{other}").status_code == 204
