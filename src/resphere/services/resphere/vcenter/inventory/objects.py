"""``resphere.vcenter.inventory.objects``: find by path, and get with all that an object stands in.

All that is told is names and where they stand, which needs ``System.View``: whoever sees an object has that on all
above it. What stands beside is not told.
"""

from __future__ import annotations

from resphere.access.defaults import VIEW
from resphere.access.knowing import viewed_by
from resphere.access.refusals import no_privileges
from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.extensions.inventory_objects import InventoryObjects
from resphere.contract.generated import ids
from resphere.inventory.mentions import identified
from resphere.inventory.model import Cluster, Host, ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.paths import NothingThere, object_at, object_by_id, path_of
from resphere.inventory.relations import ancestors, cluster_of_host, datacenter_of
from resphere.replica.replica import Replica
from resphere.rules.reservations import Resource, allocation, available, effective_limit, used
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(InventoryObjects.find, kept=True)
async def find(call: Call, path: str) -> InventoryObjects.Reference:
    """What the path leads to: ``/DC0/vm/web/vm-01``.

    :raises InvalidArgument: it begins with no slash.
    :raises NotFound: nothing has it; the message names the first part that is not there.
    """
    if not path.startswith("/"):
        raise InvalidArgument(
            message("resphere.inventory.path", "A path begins with a slash, as in /DC0/vm/web, and not as {0}.", path)
        )
    try:
        found = object_at(call.unfiltered, path)
    except NothingThere as nothing:
        if not call.view.sees(nothing.parent):
            raise unseen(path) from None
        raise NotFound(
            message(
                "resphere.inventory.no_path",
                "There is no {0}: nothing is called {1} in {2} ({3}).",
                path,
                nothing.part,
                nothing.parent_path,
                identified(nothing.parent.id),
            )
        ) from None
    if not call.view.holds(VIEW, found.id):
        raise unseen(path)
    return reference(found)


def unseen(path: str) -> NotFound:
    """The refusal of a path that leads to nothing that the caller sees: whether to anything else is not told."""
    return NotFound(message("resphere.inventory.no_seen_path", "There is no {0}.", path))


@implements(InventoryObjects.get, kept=True)
async def get(call: Call, object: str) -> InventoryObjects.Info:
    """An object of any type with its path, all above it, and the resource pools that it takes from and the caller sees.

    :raises Unauthorized: the caller may not know of it.
    :raises NotFound: there is none of that id.
    """
    inventory = call.unfiltered
    found = object_by_id(inventory, object)
    if found is None:
        raise NotFound(
            message("resphere.inventory.no_object", "No object of the inventory has the identifier {0}.", object)
        )
    may_view = viewed_by(call.view)
    if not may_view(found.id):
        raise no_privileges(VIEW, object, call.vcenter)
    datacenter = datacenter_of(inventory, found)
    host, cluster = host_of(inventory, found), cluster_of(inventory, found)
    return InventoryObjects.Info(
        object=found.id,
        type=found.resource_type,
        name=found.name,
        path=path_of(inventory, found),
        ancestors=tuple(reference(above) for above in ancestors(inventory, found)),
        datacenter=ids.DatacenterId(datacenter.id) if datacenter is not None else None,
        cluster=ids.ClusterComputeResourceId(cluster.id) if cluster is not None and may_view(cluster.id) else None,
        host=ids.HostSystemId(host.id) if host is not None and may_view(host.id) else None,
        resource_pools=tuple(pool_info(inventory, pool) for pool in pools_of(inventory, found) if call.view.sees(pool)),
    )


def reference(obj: ManagedObject) -> InventoryObjects.Reference:
    """An object as others refer to it."""
    return InventoryObjects.Reference(object=obj.id, type=obj.resource_type, name=obj.name)


def host_of(inventory: Replica, obj: ManagedObject) -> Host | None:
    """The host that the object runs on or belongs to."""
    if isinstance(obj, VirtualMachine):
        return inventory.get(Host, obj.host)
    return inventory.get(Host, obj.owner) if isinstance(obj, ResourcePool) else None


def cluster_of(inventory: Replica, obj: ManagedObject) -> Cluster | None:
    """The cluster that the object runs in or belongs to."""
    if isinstance(obj, ResourcePool):
        return inventory.get(Cluster, obj.owner)
    host = obj if isinstance(obj, Host) else host_of(inventory, obj)
    return cluster_of_host(inventory, host) if host is not None else None


def pools_of(inventory: Replica, obj: ManagedObject) -> list[ResourcePool]:
    """The pools that the object takes resources from, the nearest first."""
    if isinstance(obj, ResourcePool):
        pool: ResourcePool | None = obj
    elif isinstance(obj, VirtualMachine | Cluster | Host) and obj.resource_pool is not None:
        pool = inventory.get(ResourcePool, obj.resource_pool)
    else:
        cluster = cluster_of(inventory, obj)
        pool = inventory.get(ResourcePool, cluster.resource_pool) if cluster is not None else None
    chain = []
    while pool is not None:
        chain.append(pool)
        pool = inventory.get(ResourcePool, pool.parent or "")
    return chain


def pool_info(inventory: Replica, pool: ResourcePool) -> InventoryObjects.Pool:
    """A pool with what it has."""
    return InventoryObjects.Pool(
        resource_pool=ids.ResourcePoolId(pool.id),
        name=pool.name,
        cpu=share(inventory, pool, Resource.CPU),
        memory=share(inventory, pool, Resource.MEMORY),
    )


def share(inventory: Replica, pool: ResourcePool, resource: Resource) -> InventoryObjects.Allocation:
    """What the pool has of one resource."""
    part = allocation(pool, resource)
    return InventoryObjects.Allocation(
        reservation=part.reservation,
        expandable_reservation=part.expandable_reservation,
        limit=part.limit,
        shares=part.shares,
        effective_limit=effective_limit(inventory, pool, resource),
        reservation_used=used(inventory, pool.id, resource),
        reservation_available=available(inventory, pool, resource),
    )
