"""Ansible's modules that build the inventory, unmodified: asked twice, the second changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.ansible.steps import step, surprises, take, twice
from tests.ansible.test_playbooks import pytestmark as pytestmark
from tests.ansible.test_playbooks import server as server
from tests.support.server import Server

DATACENTER, HOST, POOL = "vcenter_datacenter", "vcenter_host", "vcenter_resourcepool"
CLUSTER, DATASTORE, NETWORK, FOLDER = "vcenter_cluster", "vcenter_datastore", "vcenter_network", "vcenter_folder"
MACHINE: dict[str, Any] = {
    "hostname": "esx.example.org",
    "user_name": "root",
    "password": "VMware1!",
    "thumbprint_verification": "NONE",
    "folder": "{{ hosts.value[0].folder }}",
}
THIS_HOST: dict[str, Any] = {"host": "{{ host_new.id }}"}
THIS_POOL: dict[str, Any] = {"resource_pool": "{{ pool_new.id }}"}
THIS_DATACENTER: dict[str, Any] = {"datacenter": "{{ datacenter_new.id }}"}
SHARES: dict[str, Any] = {"shares": {"level": "HIGH"}, "reservation": 0, "expandable_reservation": True, "limit": 2000}

STEPS = [
    step("root", f"{FOLDER}_info", type="DATACENTER"),
    *twice("datacenter_new", DATACENTER, name="ansible", folder="{{ root.value[0].folder }}"),
    step("datacenter_info", f"{DATACENTER}_info", **THIS_DATACENTER),
    step("hosts", f"{FOLDER}_info", type="HOST", datacenters=["{{ datacenter_new.id }}"]),
    *twice("host_new", HOST, **MACHINE),
    step("host_info", f"{HOST}_info", names=["esx.example.org"]),
    # The modules never report these where the server answers 204, as every vCenter since 7.0.2 does.
    step("disconnected", HOST, **THIS_HOST, state="disconnect"),
    step("disconnected_info", f"{HOST}_info", hosts=["{{ host_new.id }}"]),
    step("connected", HOST, **THIS_HOST, state="connect"),
    step("connected_again", HOST, **THIS_HOST, state="connect"),
    step("connected_info", f"{HOST}_info", hosts=["{{ host_new.id }}"]),
    step("datacenter_in_use", DATACENTER, refused="RESOURCE_IN_USE", **THIS_DATACENTER, state="absent"),
    step("disconnected_for_good", HOST, **THIS_HOST, state="disconnect"),
    *twice("host_gone", HOST, **THIS_HOST, state="absent"),
    # The host's network has stayed.
    *twice("datacenter_gone", DATACENTER, **THIS_DATACENTER, state="absent", force=True),
    step("datacenter_left", f"{DATACENTER}_info", names=["ansible"]),
    *twice("pool_new", POOL, name="ansible", parent="{{ parent }}"),
    *twice("pool_share", POOL, **THIS_POOL, cpu_allocation=SHARES),
    *twice("pool_rename", POOL, **THIS_POOL, name="ansible-2"),
    step("pool_too_much", POOL, refused="INVALID_ARGUMENT", **THIS_POOL, memory_allocation={"limit": -2}),
    step("pool_info", f"{POOL}_info", **THIS_POOL),
    *twice("pool_gone", POOL, **THIS_POOL, state="absent"),
    step("pool_left", f"{POOL}_info", names=["ansible-2"]),
    step("cluster_info", f"{CLUSTER}_info", cluster="{{ cluster }}"),
    step("datastore_info", f"{DATASTORE}_info", datastore="{{ datastore }}"),
    step("clusters_of", f"{CLUSTER}_info", datacenters=["{{ datacenter }}"]),
    step("datastores_of", f"{DATASTORE}_info", datacenters=["{{ datacenter }}"], types=["VMFS"]),
    step("networks_of", f"{NETWORK}_info", types=["STANDARD_PORTGROUP"], datacenters=["{{ datacenter }}"]),
    step("folders_of", f"{FOLDER}_info", parent_folders=["{{ vm_folder }}"]),
    step("hosts_of", f"{HOST}_info", clusters=["{{ cluster }}"], connection_states=["CONNECTED"]),
    step("pools_of", f"{POOL}_info", clusters=["{{ cluster }}"]),
]


def test_inventory_by_ansible(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        datacenter = client.read("/api/vcenter/datacenter")[0]["datacenter"]
        cluster = client.read(f"/api/vcenter/cluster?datacenters={datacenter}")[0]["cluster"]
        where = {
            "datacenter": datacenter,
            "cluster": cluster,
            "datastore": client.read(f"/api/vcenter/datastore?datacenters={datacenter}")[0]["datastore"],
            "vm_folder": client.read(f"/api/vcenter/datacenter/{datacenter}")["vm_folder"],
            "parent": client.read(f"/api/vcenter/cluster/{cluster}")["resource_pool"],
        }
        happened = take(server, tmp_path, STEPS, **where)
        assert not surprises(STEPS, happened)
        assert_as_asked(happened, where["parent"])
        for name, path in {
            "cluster_info": f"cluster/{cluster}",
            "datastore_info": f"datastore/{where['datastore']}",
            "clusters_of": f"cluster?datacenters={datacenter}",
            "datastores_of": f"datastore?datacenters={datacenter}&types=VMFS",
            "networks_of": f"network?types=STANDARD_PORTGROUP&datacenters={datacenter}",
            "folders_of": f"folder?parent_folders={where['vm_folder']}",
            "hosts_of": f"host?clusters={cluster}&connection_states=CONNECTED",
            "pools_of": f"resource-pool?clusters={cluster}",
        }.items():
            assert happened[name]["value"] == client.read(f"/api/vcenter/{path}"), name
            assert happened[name]["value"], name


def assert_as_asked(happened: dict[str, Any], parent: str) -> None:
    """What was made is as it was asked for, until it is gone."""
    value = {name: reply["value"] for name, reply in happened.items()}
    assert value["datacenter_info"]["name"] == "ansible"
    assert happened["datacenter_new_again"]["id"] == happened["datacenter_new"]["id"]
    (host,) = value["host_info"]
    assert (host["host"], host["connection_state"]) == (happened["host_new"]["id"], "CONNECTED")
    assert value["host_new_again"]["error_type"] == "ALREADY_EXISTS"
    assert value["disconnected_info"][0]["connection_state"] == "DISCONNECTED"
    assert value["connected_again"]["error_type"] == "ALREADY_IN_DESIRED_STATE"
    assert value["connected_info"][0]["connection_state"] == "CONNECTED"
    assert value["datacenter_left"] == value["pool_left"] == []
    pool = value["pool_info"]
    assert (pool["name"], pool["cpu_allocation"]["limit"]) == ("ansible-2", 2000)
    assert pool["cpu_allocation"]["shares"] == {"level": "HIGH"}
