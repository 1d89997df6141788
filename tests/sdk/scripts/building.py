"""Builds an inventory in an empty vCenter and takes it down: by the SDK, and by plain HTTP where that has nothing."""

from __future__ import annotations

import json
import sys
from typing import Any

import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter.vm_client as vm_services
import com.vmware.vcenter_client as vcenter

from tests.sdk.scripts.client import Given, raises

GIB = 1024**3


def send(given: Given, method: str, path: str, body: Any = None) -> Any:
    """An extension, by plain HTTP; returns what it answers."""
    reply = given.http.request(method, f"https://{given.server}/api/vcenter/{path}", json=body)
    assert reply.ok, f"{method} {path}: {reply.status_code} {reply.text}"
    return reply.json() if reply.content else None


def host_spec(name: str, folder: str, **more: Any) -> Any:
    """A host as an administrator would add it."""
    fields = {"password": "VMware1!", "thumbprint_verification": "NONE"} | more
    return vcenter.Host.CreateSpec(hostname=name, user_name="root", folder=folder, **fields)


def build(given: Given) -> dict[str, str]:
    """A datacenter with everything that a VM needs; ids by what they are of."""
    client = given.client.vcenter
    assert (client.Datacenter.list(), client.Host.list(), client.VM.list()) == ([], [], [])
    (root,) = client.Folder.list()
    datacenter = client.Datacenter.create(vcenter.Datacenter.CreateSpec(name="DC0", folder=root.folder))
    place = client.Datacenter.get(datacenter)
    with raises(errors.AlreadyExists):
        client.Datacenter.create(vcenter.Datacenter.CreateSpec(name="DC0", folder=root.folder))
    with raises(errors.Error):
        client.Host.create(host_spec("esx.invalid", place.host_folder))
    with raises(errors.Unauthenticated):
        client.Host.create(host_spec("esx-1.example.com", place.host_folder, password="wrong"))
    cluster = send(given, "POST", "cluster", {"name": "C0", "folder": place.host_folder, "drs_enabled": True})
    hosts = [client.Host.create(host_spec(f"esx-{number}.example.com", place.host_folder)) for number in (1, 2)]
    for host in hosts:
        send(given, "POST", f"host/{host}?action=move", {"cluster": cluster})
    assert [row.host for row in client.Host.list(vcenter.Host.FilterSpec(clusters={cluster}))] == hosts
    store = {"name": "shared", "folder": place.datastore_folder, "type": "VMFS", "capacity": 500 * GIB, "hosts": hosts}
    network = {"name": "DPG-10", "folder": place.network_folder, "vlan": 10, "hosts": hosts}
    return {
        "root": root.folder,
        "datacenter": datacenter,
        "cluster": cluster,
        "hosts": ",".join(hosts),
        "datastore": send(given, "POST", "datastore", store),
        "network": send(given, "POST", "network", network),
        "folder": send(given, "POST", "folder", {"name": "web", "parent": place.vm_folder}),
        "pool": client.ResourcePool.create(
            vcenter.ResourcePool.CreateSpec(name="Web", parent=client.Cluster.get(cluster).resource_pool)
        ),
    }


def use(given: Given, built: dict[str, str]) -> str:
    """A VM in it, found by its path, renamed and moved; returns its id."""
    client = given.client.vcenter
    place = vcenter.VM.PlacementSpec(folder=built["folder"], resource_pool=built["pool"], datastore=built["datastore"])
    vm: str = client.VM.create(
        vcenter.VM.CreateSpec(name="vm-01", guest_os=vm_services.GuestOS.RHEL_7_64, placement=place)
    )
    assert send(given, "GET", "inventory/objects?path=/DC0/vm/web/vm-01")["object"] == vm
    stands = given.api(f"vcenter/inventory/objects/{vm}")
    assert (stands["path"], stands["cluster"]) == ("/DC0/vm/web/vm-01", built["cluster"])
    assert stands["resource_pools"][0]["resource_pool"] == built["pool"]
    send(given, "PATCH", f"vm/{vm}", {"name": "vm-02"})
    send(given, "PATCH", f"datastore/{built['datastore']}", {"name": "renamed"})
    info = client.VM.get(vm)
    assert info.name == "vm-02"
    assert [disk.backing.vmdk_file.split("]")[0] for disk in info.disks.values()] == ["[renamed"]
    return vm


def take_down(given: Given, built: dict[str, str], vm: str) -> None:
    """Everything goes, in an order that vCenter allows."""
    client = given.client.vcenter
    with raises(errors.ResourceInUse):
        client.Datacenter.delete(built["datacenter"])
    refused = given.http.delete(f"https://{given.server}/api/vcenter/datastore/{built['datastore']}")
    assert (refused.status_code, refused.json()["error_type"]) == (400, "RESOURCE_IN_USE")
    client.VM.delete(vm)
    send(given, "DELETE", f"datastore/{built['datastore']}")
    send(given, "DELETE", f"network/{built['network']}")
    client.ResourcePool.delete(built["pool"])
    send(given, "DELETE", f"folder/{built['folder']}")
    hosts = built["hosts"].split(",")
    with raises(errors.ResourceInUse):
        client.Host.delete(hosts[0])
    for host in hosts:
        client.Host.disconnect(host)
    send(given, "DELETE", f"cluster/{built['cluster']}")
    assert client.Host.list() == []
    client.Datacenter.delete(built["datacenter"], force=True)
    assert [folder.folder for folder in client.Folder.list()] == [built["root"]]
    assert (client.Datastore.list(), client.Network.list(), client.ResourcePool.list()) == ([], [], [])


def main() -> None:
    """Build, use and take down; standard output gets what was built."""
    given = Given(**json.load(sys.stdin))
    built = build(given)
    take_down(given, built, use(given, built))
    sys.stdout.write(json.dumps(built))


if __name__ == "__main__":
    main()
