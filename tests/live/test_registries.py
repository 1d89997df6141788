"""Container registries on a real server: in each dialect, of each release, and for whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import add_user
from tests.support.jsonrpc import invocation, session_context
from tests.support.libraries import done
from tests.support.server import WITHOUT_TLS, Client, Server
from tests.support.vms import refusal

POLICY = "aa6d5a82-1c88-45da-85d3-3d74b91a5bad"
PATH = "/vcenter/content/registries/harbor"
READER, PASSWORD_OF_READER = "registry-reader@vsphere.local", "Registries-1!"


def able_cluster(client: Client) -> str:
    """A cluster that takes a registry."""
    clusters = client.read("/api/vcenter/cluster")
    found: str = next(each["cluster"] for each in clusters if each["drs_enabled"] and each["ha_enabled"])
    return found


def spec_of(client: Client) -> dict[str, Any]:
    return {"cluster": able_cluster(client), "storage": [{"policy": POLICY, "limit": 1024}]}


def test_api(shared_server: Server) -> None:
    with shared_server.session() as client:
        registry = done(client.post(f"/api{PATH}", json=spec_of(client)))
        one = f"/api{PATH}/{registry}"
        assert refusal(client.post(f"/api{PATH}", json=spec_of(client)))[:2] == (400, "ALREADY_EXISTS")
        assert client.read(one)["storage"] == [{"policy": POLICY, "capacity": 1024, "used": 0}]
        assert client.read(f"/api/vcenter/content/registries/{registry}/health") == {"status": "RUNNING"}
        project = done(client.post(f"{one}/projects", json={"name": "web", "scope": "PUBLIC"}))
        assert client.post(f"{one}/projects/{project}?action=purge").status_code == 204
        assert client.read(f"{one}/projects/{project}")["config_status"] == "READY"
        assert client.delete(f"{one}/projects/{project}").status_code == 204
        assert client.read(f"{one}/projects") == []
        assert client.delete(one).status_code == 204
        assert client.get(one).status_code == 404


def test_rest(shared_server: Server) -> None:
    with shared_server.session() as client:
        made = client.post(f"/rest{PATH}", json={"spec": spec_of(client)})
        assert made.status_code == 200, made.text
        one = f"/rest{PATH}/{made.json()['value']}"
        project = client.post(f"{one}/projects", json={"spec": {"name": "web", "scope": "PRIVATE"}}).json()["value"]
        assert client.read(f"{one}/projects")["value"] == [{"project": project, "name": "web", "scope": "PRIVATE"}]
        assert client.read(one)["value"]["garbage_collection"]["type"] == "WEEKLY"
        assert client.delete(one).status_code == 200
        assert client.read(f"/rest{PATH}")["value"] == []


def test_json_rpc(shared_server: Server) -> None:
    with shared_server.session() as client:

        def call(operation: str, **fields: Any) -> Any:
            service = "com.vmware.vcenter.content.registries.harbor"
            reply = client.post("/api", json=invocation(service, operation, fields, session_context(client.token)))
            assert reply.status_code == 200
            return reply.json()["result"]["output"]

        def structure(named: str, /, **fields: Any) -> Any:
            return {"STRUCTURE": {f"com.vmware.vcenter.content.registries.harbor.{named}": fields}}

        storage = structure("storage_spec", policy=POLICY, limit={"OPTIONAL": None})
        spec = structure(
            "create_spec",
            cluster={"OPTIONAL": able_cluster(client)},
            storage=[storage],
            garbage_collection={"OPTIONAL": None},
        )
        registry = call("create", client_token={"OPTIONAL": None}, spec=spec)
        (summary,) = call("list")
        ((_, fields),) = summary["STRUCTURE"].items()
        assert fields["registry"] == registry
        call("delete", registry=registry)


def test_who_may(shared_server: Server) -> None:
    add_user(shared_server.data_dir, READER, PASSWORD_OF_READER, "ReadOnly")
    with (
        shared_server.session() as client,
        shared_server.session(READER, PASSWORD_OF_READER) as reader,
    ):
        registry = done(client.post(f"/api{PATH}", json=spec_of(client)))
        one = f"/api{PATH}/{registry}"
        assert reader.read(one)["health"]["status"] == "RUNNING"
        for refused in (
            reader.post(f"/api{PATH}", json=spec_of(client)),
            reader.delete(one),
            reader.post(f"{one}/projects", json={"name": "web", "scope": "PUBLIC"}),
        ):
            assert refusal(refused)[:2] == (403, "UNAUTHORIZED")
        assert client.delete(one).status_code == 204


@pytest.mark.parametrize(("release", "status"), [("7.0", 200), ("9.1", 500)])
def test_releases(tmp_path: Path, release: str, status: int) -> None:
    with (
        Server(tmp_path / "data", WITHOUT_TLS, "--api-release", release) as server,
        server.session() as client,
    ):
        assert client.get(f"/api{PATH}").status_code == status
        if status == 500:
            assert refusal(client.get(f"/api{PATH}"))[1:] == ("ERROR", "resphere.registry.disabled")
