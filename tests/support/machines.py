"""New virtual machines, as clients ask for them."""

from __future__ import annotations

from typing import Any

from tests.support.server import Client


def place(client: Client) -> dict[str, str]:
    """Where VMs can go: the first cluster, the roomiest datastore there, a VM folder of its datacenter."""
    cluster = client.read("/api/vcenter/cluster")[0]["cluster"]
    host = host_of(client, cluster)
    stores = [s for s in client.read("/api/vcenter/datastore") if s["datastore"] in host["datastores"]]
    folders = client.read(f"/api/vcenter/folder?type=VIRTUAL_MACHINE&datacenters={host['datacenter']}")
    return {
        "cluster": cluster,
        "datastore": max(stores, key=lambda each: int(each["free_space"]))["datastore"],
        "folder": folders[0]["folder"],
    }


def host_of(client: Client, cluster: str) -> dict[str, Any]:
    """A host of the cluster, in detail."""
    host = client.read(f"/api/vcenter/host?clusters={cluster}")[0]["host"]
    detail: dict[str, Any] = client.read(f"/api/vcenter/host/{host}")
    return detail


def spec(place: dict[str, str], name: str, **fields: Any) -> dict[str, Any]:
    """The smallest spec of a VM with a name, and more."""
    return {"guest_OS": "RHEL_8_64", "name": name, "placement": place, **fields}
