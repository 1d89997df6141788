"""``resphere.vcenter.cluster``: create, update, move and delete."""

from __future__ import annotations

import msgspec

from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.inventory_specs import FolderSpec
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Cluster, Folder, ResourcePool
from resphere.inventory.relations import hosts_of_cluster
from resphere.replica.edit import Edit
from resphere.rules.hosts import remove_host, require_idle
from resphere.rules.moves import require_free_beside
from resphere.rules.names import require_free, require_name
from resphere.rules.resource_pools import allocation
from resphere.services.call import Call
from resphere.services.checks.moves import move
from resphere.services.registry import implements
from resphere.services.vcenter.datacenter.changes import require_type

HOSTS = vcenter.Folder.Type.HOST


@implements(Clusters.create)
async def create(call: Call, spec: Clusters.CreateSpec) -> ids.ClusterComputeResourceId:
    """A cluster without hosts, with its root pool.

    :raises InvalidArgument: the name is none; the folder is not one for hosts.
    :raises AlreadyExists: something in the folder has that name.
    """
    require_name(spec.name, "cluster")
    folder = call.require(Folder, spec.folder)

    def guard(current: Folder) -> None:
        require_type(current, HOSTS)
        require_free(call.unfiltered, current, spec.name)

    def plan(edit: Edit, current: Folder) -> ids.ClusterComputeResourceId:
        made = ids.ClusterComputeResourceId(edit.new_id(Cluster.id_prefix))
        edit.put(
            Cluster(
                id=made,
                name=spec.name,
                parent=current.id,
                resource_pool=put_root_pool(edit, made),
                drs_enabled=bool(spec.drs_enabled),
                ha_enabled=bool(spec.ha_enabled),
            )
        )
        return made

    return await call.change("Folder.createClusterEx", folder, plan, guard)


def put_root_pool(edit: Edit, owner: str) -> ids.ResourcePoolId:
    """Put the root pool of a cluster or standalone host; vCenter calls each of them Resources."""
    made = ids.ResourcePoolId(edit.new_id(ResourcePool.id_prefix))
    edit.put(
        ResourcePool(
            id=made,
            name="Resources",
            parent=owner,
            owner=owner,
            cpu_allocation=allocation(None, "cpu_allocation"),
            memory_allocation=allocation(None, "memory_allocation"),
        )
    )
    return made


@implements(Clusters.update)
async def update(call: Call, cluster: ids.ClusterComputeResourceId, spec: Clusters.UpdateSpec) -> None:
    """Another name, DRS and HA on or off.

    :raises InvalidArgument: the name is none.
    :raises AlreadyExists: something beside it has the name.
    """
    if spec.name is not None:
        require_name(spec.name, "cluster")
    target = call.require(Cluster, cluster)

    def guard(current: Cluster) -> None:
        if spec.name is not None:
            require_free_beside(call.unfiltered, current, spec.name)

    def plan(edit: Edit, current: Cluster) -> None:
        edit.put(
            msgspec.structs.replace(
                current,
                name=spec.name or current.name,
                drs_enabled=current.drs_enabled if spec.drs_enabled is None else spec.drs_enabled,
                ha_enabled=current.ha_enabled if spec.ha_enabled is None else spec.ha_enabled,
            )
        )

    await call.change("ClusterComputeResource.reconfigureEx", target, plan, guard)


@implements(Clusters.move)
async def move_cluster(call: Call, cluster: ids.ClusterComputeResourceId, spec: FolderSpec) -> None:
    """Move the cluster, with its hosts, into another folder for hosts of its datacenter."""
    await move(call, "Folder.moveInto", call.require(Cluster, cluster), spec.folder, HOSTS)


@implements(Clusters.delete)
async def delete(call: Call, cluster: ids.ClusterComputeResourceId) -> None:
    """Delete the cluster with its pools, and with its hosts as :func:`vcenter.Host.delete` removes one.

    :raises ResourceInUse: a host of it is connected and not in maintenance mode.
    """
    target = call.require(Cluster, cluster)

    def guard(current: Cluster) -> None:
        for host in hosts_of_cluster(call.unfiltered, current.id):
            require_idle(host)

    def plan(edit: Edit, current: Cluster) -> None:
        for host in hosts_of_cluster(call.unfiltered, current.id):
            remove_host(call.unfiltered, edit, host)
        edit.delete(Cluster, current.id)

    await call.change("ClusterComputeResource.destroy", target, plan, guard)
