"""What follows from where objects stand."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from resphere.contract.generated import vcenter
from resphere.inventory import relations
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.inventory.tables import TABLES
from resphere.replica.replica import Replica
from tests.inventory import samples
from tests.replica.worlds import put, run

T = TypeVar("T", bound=ManagedObject)

VM_FOLDER = vcenter.Folder.Type.VIRTUAL_MACHINE


def ids_of(objects: object) -> set[str]:
    assert isinstance(objects, list)
    return {obj.id for obj in objects}


def need(inventory: Replica, cls: type[T], id: str) -> T:
    found = inventory.get(cls, id)
    assert found is not None
    return found


async def fill(inventory: Replica) -> None:
    """Two datacenters, each with a datastore ``sample-ds-1``; nested folders; a standalone host in the second."""
    vms = list(samples.virtual_machines(4))
    deep = samples.virtual_machine("vm-2001", "deep", "group-v31")
    standalone = samples.host("host-501", "alone", "group-h4", datastores=("datastore-25",), networks=())
    spread = samples.virtual_machine(
        "vm-2002",
        "spread",
        "group-v4",
        host="host-501",
        pool="resgroup-502",
        datastore="datastore-26",
        datastore_name="other",
        disks={"2000": samples.disk(0, "[sample-ds-1] spread/spread.vmdk")},
    )
    await inventory.change(
        put(
            *samples.skeleton(),
            *vms,
            samples.folder("group-v30", "prod", "group-v3", VM_FOLDER),
            samples.folder("group-v31", "web/eu", "group-v30", VM_FOLDER),
            deep,
            samples.snapshot("snapshot-1", "s", deep),
            samples.folder("group-d5", "europe", ROOT_FOLDER, vcenter.Folder.Type.DATACENTER),
            *samples.datacenter("datacenter-4", "second", "group-d5"),
            standalone,
            samples.resource_pool("resgroup-502", "Resources", "host-501", "host-501"),
            samples.datastore("datastore-25", "sample-ds-1", "group-s4"),
            samples.datastore("datastore-26", "other", "group-s4"),
            spread,
        )
    )


def test_upward(tmp_path: Path) -> None:
    async def test(inventory: Replica) -> None:
        await fill(inventory)
        snapshot = need(inventory, Snapshot, "snapshot-1")
        above = [obj.id for obj in relations.ancestors(inventory, snapshot)]
        assert above == ["vm-2001", "group-v31", "group-v30", "group-v3", "datacenter-3", ROOT_FOLDER]
        root = need(inventory, Folder, ROOT_FOLDER)
        assert relations.parent_of(inventory, root) is None
        assert relations.datacenter_of(inventory, root) is None
        for obj, expected in (
            (snapshot, "datacenter-3"),
            (need(inventory, Host, "host-11"), "datacenter-3"),
            (need(inventory, ResourcePool, "resgroup-9"), "datacenter-3"),
            (need(inventory, ResourcePool, "resgroup-502"), "datacenter-4"),
            (need(inventory, Datastore, "datastore-26"), "datacenter-4"),
        ):
            datacenter = relations.datacenter_of(inventory, obj)
            assert datacenter is not None
            assert datacenter.id == expected
        assert relations.datacenter_of(inventory, need(inventory, Datacenter, "datacenter-4")) is None
        assert relations.parent_of(inventory, samples.virtual_machine("vm-1", "lost", "group-v404")) is None

    run(test, tmp_path / "store", tables=TABLES)


def test_downward(tmp_path: Path) -> None:
    async def test(inventory: Replica) -> None:
        await fill(inventory)
        all_ids = {id for table in TABLES for id in inventory.all(table.cls)}
        assert {obj.id for obj in relations.descendants(inventory, ROOT_FOLDER)} == all_ids - {ROOT_FOLDER}
        order = [obj.id for obj in relations.descendants(inventory, "group-v3")]
        assert order.index("group-v30") < order.index("group-v31") < order.index("vm-2001") < order.index("snapshot-1")
        assert ids_of(list(relations.children_of(inventory, "group-v30"))) == {"group-v31"}
        assert ids_of(relations.folders_below(inventory, "group-v3")) == {"group-v30", "group-v31"}
        own = {f"group-{letter}3" for letter in "vhsn"}
        assert ids_of(relations.folders_of_datacenter(inventory, "datacenter-3")) == own | {"group-v30", "group-v31"}

    run(test, tmp_path / "store", tables=TABLES)


def test_hosts_and_clusters(tmp_path: Path) -> None:
    async def test(inventory: Replica) -> None:
        await fill(inventory)
        cluster = need(inventory, Cluster, "domain-c8")
        assert relations.cluster_of_host(inventory, need(inventory, Host, "host-11")) is cluster
        assert relations.cluster_of_host(inventory, need(inventory, Host, "host-501")) is None
        assert relations.cluster_of_vm(inventory, need(inventory, VirtualMachine, "vm-1001")) is cluster
        assert relations.cluster_of_vm(inventory, need(inventory, VirtualMachine, "vm-2002")) is None
        assert relations.cluster_of_vm(inventory, samples.virtual_machine("vm-1", "x", "y", host="host-404")) is None
        assert ids_of(relations.hosts_of_cluster(inventory, "domain-c8")) == {"host-11", "host-111"}
        assert ids_of(relations.hosts_of_datastore(inventory, "datastore-25")) == {"host-501"}
        assert ids_of(relations.hosts_of_network(inventory, "network-17")) == {"host-11", "host-111"}

    run(test, tmp_path / "store", tables=TABLES)


def test_vms(tmp_path: Path) -> None:
    async def test(inventory: Replica) -> None:
        await fill(inventory)
        assert ids_of(relations.vms_of_host(inventory, "host-111")) == {"vm-1002", "vm-1004"}
        of = {
            id: ids_of(relations.vms_of_datastore(inventory, datastore))
            for id, datastore in inventory.all(Datastore).items()
        }
        assert of["datastore-15"] == {"vm-1001", "vm-1003", "vm-2001"}
        # Of the two datastores with the name in the disk's path, the one that the VM's host has.
        assert of["datastore-25"] == {"vm-2002"}
        assert of["datastore-26"] == {"vm-2002"}

    run(test, tmp_path / "store", tables=TABLES)
