"""Clusters: made, changed, moved and deleted."""

from __future__ import annotations

import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ResourceInUse
from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import FolderSpec
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Cluster, Datacenter, Host, ResourcePool, VirtualMachine
from tests.services.vcenter.building import add_cluster, add_host, first, found, move_host, refused
from tests.support.world import World

UNKNOWN = ids.ClusterComputeResourceId("domain-c9999")


def test_create_with_its_root_pool(world: World) -> None:
    made = add_cluster(world, drs_enabled=True)
    assert world.call(vcenter.Cluster.list, vcenter.Cluster.FilterSpec(clusters=frozenset({made}))) == (
        vcenter.Cluster.Summary(cluster=made, name="New", ha_enabled=False, drs_enabled=True),
    )
    root = found(world, ResourcePool, world.call(vcenter.Cluster.get, made).resource_pool)
    assert (root.name, root.parent, root.owner) == ("Resources", made, made)


def test_create_is_refused(world: World) -> None:
    add_cluster(world)
    with pytest.raises(AlreadyExists) as taken:
        add_cluster(world)
    assert refused(taken) == (400, "vmsg.DuplicateName.summary")
    with pytest.raises(InvalidArgument) as wrong_type:
        world.call(Clusters.create, Clusters.CreateSpec(name="X", folder=first(world, Datacenter).vm_folder))
    assert refused(wrong_type) == (400, "resphere.inventory.folder_type")
    for name in ("", "x" * 81, "a\0b"):
        with pytest.raises(InvalidArgument) as nameless:
            add_cluster(world, name)
        assert refused(nameless) == (400, "resphere.inventory.name")


def test_update_changes_what_is_given(world: World) -> None:
    made = add_cluster(world, drs_enabled=True)
    world.call(Clusters.update, made, Clusters.UpdateSpec(name="Renamed", ha_enabled=True))
    cluster = found(world, Cluster, made)
    assert (cluster.name, cluster.drs_enabled, cluster.ha_enabled) == ("Renamed", True, True)
    other = first(world, Cluster)
    with pytest.raises(AlreadyExists) as error:
        world.call(Clusters.update, made, Clusters.UpdateSpec(name=other.name))
    assert refused(error) == (400, "vmsg.DuplicateName.summary")


def test_move_to_another_folder(world: World) -> None:
    datacenter = first(world, Datacenter)
    folder = world.call(Folders.create, Folders.CreateSpec(name="Racks", parent=datacenter.host_folder))
    cluster = ids.ClusterComputeResourceId(first(world, Cluster).id)
    world.call(Clusters.move, cluster, FolderSpec(folder=folder))
    assert found(world, Cluster, cluster).parent == folder
    with pytest.raises(InvalidArgument) as error:
        world.call(Clusters.move, cluster, FolderSpec(folder=datacenter.network_folder))
    assert refused(error) == (400, "resphere.inventory.folder_type")


def test_delete_of_an_empty_cluster(world: World) -> None:
    made = add_cluster(world)
    root = found(world, Cluster, made).resource_pool
    world.call(
        vcenter.ResourcePool.create,
        vcenter.ResourcePool.CreateSpec(name="Below", parent=root),
    )
    world.call(Clusters.delete, made)
    assert made not in world.inventory.all(Cluster)
    assert not world.inventory.by(ResourcePool, "owner", made)
    with pytest.raises(NotFound) as error:
        world.call(Clusters.delete, UNKNOWN)
    assert refused(error) == (404, "com.vmware.api.vcenter.cluster.not_found")


def test_delete_takes_along_hosts_that_do_not_work(world: World) -> None:
    made, host = add_cluster(world), add_host(world)
    move_host(world, host, cluster=made)
    with pytest.raises(ResourceInUse) as error:
        world.call(Clusters.delete, made)
    assert refused(error) == (400, "resphere.host.in_use")
    world.call(vcenter.Host.disconnect, host)
    world.call(Clusters.delete, made)
    assert host not in world.inventory.all(Host)


def test_delete_unregisters_what_ran_there(world: World) -> None:
    cluster = ids.ClusterComputeResourceId(first(world, Cluster).id)
    assert world.inventory.all(VirtualMachine)
    for host in list(world.inventory.by(Host, "parent", cluster)):
        world.call(vcenter.Host.disconnect, ids.HostSystemId(host))
    world.call(Clusters.delete, cluster)
    assert not world.inventory.all(VirtualMachine)
    assert not world.inventory.all(Host)
