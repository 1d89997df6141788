"""Structures of compute policies, and statistics, on the wire of each dialect; what is kept over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.jsonrpc import JsonRpcClient, error_of
from tests.support.server import Client, Server

AFFINITY = "com.vmware.vcenter.compute.policies.capabilities.vm_host_affinity"
SERVICE = "com.vmware.vcenter.compute.policies"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("policies") / "data") as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.session() as client:
        yield client


def tag(client: Client, name: str) -> str:
    given = {"name": name, "description": "", "cardinality": "MULTIPLE", "associable_types": []}
    category = client.post("/api/cis/tagging/category", json=given).json()
    reply = client.post("/api/cis/tagging/tag", json={"name": name, "description": "", "category_id": category})
    made: str = reply.json()
    return made


def affinity(client: Client, name: str) -> dict[str, Any]:
    return {
        "capability": AFFINITY,
        "name": name,
        "description": "",
        "vm_tag": tag(client, f"{name} vms"),
        "host_tag": tag(client, f"{name} hosts"),
    }


def test_the_same_policy_in_each_dialect(server: Server, client: Client) -> None:
    spec = affinity(client, "wire")
    reply = client.post("/api/vcenter/compute/policies", json=spec)
    assert reply.status_code == 201
    policy = reply.json()
    assert client.read(f"/api/vcenter/compute/policies/{policy}") == spec
    told = call(server, "get", {"policy": policy})["result"]["output"]["STRUCTURE"][f"{AFFINITY}.info"]
    assert {name: value for name, value in told.items() if name not in ("strictness", "managed_by")} == spec
    # vCenter never had these on /rest.
    assert client.get(f"/rest/vcenter/compute/policies/{policy}").status_code == 404
    wrong = call(server, "create", {"spec": {"STRUCTURE": {f"{AFFINITY}.create_spec": {"name": "x"}}}})
    assert error_of(wrong) == ("invalid_argument", ["resphere.compute_policy.capability"])
    refused = client.post("/api/vcenter/compute/policies", json={**spec, "name": "other", "color": "red"})
    assert refused.status_code == 400
    assert refused.json()["error_type"] == "INVALID_ARGUMENT"


def call(server: Server, operation: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The answer to a call of JSON-RPC."""
    with JsonRpcClient(server) as client:
        return client.call(SERVICE, operation, fields)


def test_a_policy_by_json_rpc(server: Server, client: Client) -> None:
    spec = affinity(client, "rpc")
    strict = {"OPTIONAL": "REQUIRED_DURING_PLACEMENT_PREFERRED_DURING_EXECUTION"}
    structure = {"STRUCTURE": {f"{AFFINITY}.create_spec": {**spec, "strictness": strict}}}
    policy = call(server, "create", {"spec": structure})["result"]["output"]
    assert client.read(f"/api/vcenter/compute/policies/{policy}") == {**spec, "strictness": strict["OPTIONAL"]}


def test_storage_policies_on_rest(client: Client) -> None:
    listed = client.read("/rest/vcenter/storage/policies")["value"]
    assert listed == client.read("/api/vcenter/storage/policies")
    vm = client.read("/api/vcenter/vm")[0]["vm"]
    home = {"vm_home": {"type": "USE_SPECIFIED_POLICY", "policy": listed[0]["policy"]}}
    assert client.patch(f"/rest/vcenter/vm/{vm}/storage/policy", json={"spec": home}).status_code == 200
    assert client.read(f"/api/vcenter/vm/{vm}/storage/policy")["vm_home"] == listed[0]["policy"]
    unknown = {"vm_home": {"type": "USE_SPECIFIED_POLICY", "policy": "none"}}
    assert client.patch(f"/rest/vcenter/vm/{vm}/storage/policy", json={"spec": unknown}).status_code == 400


def test_resources_under_the_name_that_vcenter_gives_them(client: Client) -> None:
    vm = client.read("/api/vcenter/vm")[0]["vm"]
    found = [client.read(f"/api/stats/rsrc-addrs?{name}=type.VM.moid={vm}") for name in ("resources", "rsrcs")]
    assert found[0] == found[1]
    assert [each["id"] for each in found[0]["rsrc_addrs"]] == [f"type.VM={vm}"]
    assert client.read(f"/api/stats/data/dp?rsrcs=type.VM.moid={vm}") == {"data_points": []}
    assert client.get("/api/stats/data/dp?rsrcs=vm-1").status_code == 400


def test_all_is_kept(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server, server.session() as client:
        vm = client.read("/api/vcenter/vm")[0]["vm"]
        own = client.post("/api/vcenter/storage/policies", json={"name": "Own", "datastore_types": ["NFS"]}).json()
        home = {"vm_home": {"type": "USE_SPECIFIED_POLICY", "policy": own}}
        assert client.patch(f"/api/vcenter/vm/{vm}/storage/policy", json=home).status_code == 204
        policy = client.post("/api/vcenter/compute/policies", json=affinity(client, "kept")).json()
        counters = {"cid_mid": {"cid": "cpu.capacity.usage.VM"}}
        spec = {"counters": counters, "resources": [{"type": "VM", "id_value": vm}], "interval": 1}
        recorded = client.post("/api/stats/acq-specs", json=spec).json()
    with Server(tmp_path / "data") as server, server.session() as client:
        assert client.read(f"/api/vcenter/vm/{vm}/storage/policy")["vm_home"] == own
        assert client.read(f"/api/vcenter/compute/policies/{policy}")["name"] == "kept"
        assert client.read(f"/api/stats/acq-specs/{recorded}")["interval"] == 1
        assert client.delete(f"/api/vcenter/storage/policies/{own}").status_code == 400
