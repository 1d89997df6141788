"""``com.vmware.vcenter.resource_pool``: list and get."""

from __future__ import annotations

from collections.abc import Callable, Collection

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import ResourcePool
from resphere.inventory.relations import datacenter_of
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import Criterion, by_id, by_index, limited, select

MOST_LISTED = 1000


@implements(vcenter.ResourcePool.list, kept=True)
async def list_resource_pools(
    call: Call, filter: vcenter.ResourcePool.FilterSpec | None
) -> tuple[vcenter.ResourcePool.Summary, ...]:
    """The resource pools that match."""
    wanted = filter or vcenter.ResourcePool.FilterSpec()
    names, parents = wanted.names or (), wanted.parent_resource_pools or ()
    hosts, clusters = wanted.hosts or (), wanted.clusters or ()
    found = select(
        call,
        ResourcePool,
        [
            by_id(call, ResourcePool, wanted.resource_pools),
            by_index(call, ResourcePool, "name", names, lambda o: o.name in names),
            by_index(call, ResourcePool, "parent", parents, lambda o: o.parent in parents),
            by_index(call, ResourcePool, "owner", hosts, lambda o: o.owner in hosts),
            by_index(call, ResourcePool, "owner", clusters, lambda o: o.owner in clusters),
            in_datacenters(call, wanted.datacenters),
        ],
    )
    return tuple(
        vcenter.ResourcePool.Summary(resource_pool=ids.ResourcePoolId(o.id), name=o.name)
        for o in limited(found, MOST_LISTED, "resource_pool", call.environment.list_limits)
    )


@implements(vcenter.ResourcePool.get, kept=True)
async def get_resource_pool(call: Call, resource_pool: ids.ResourcePoolId) -> vcenter.ResourcePool.Info:
    """One resource pool with its children; reservations and limits in MHz and MiB."""
    found = call.require(ResourcePool, resource_pool)
    children = call.by(ResourcePool, "parent", resource_pool)
    return vcenter.ResourcePool.Info(
        name=found.name,
        resource_pools=frozenset(ids.ResourcePoolId(child) for child in children),
        cpu_allocation=found.cpu_allocation,
        memory_allocation=found.memory_allocation,
    )


def in_datacenters(call: Call, datacenters: Collection[str] | None) -> Criterion[ResourcePool] | None:
    """Pools whose owner stands in one of the datacenters."""
    if not datacenters:
        return None
    test: Callable[[ResourcePool], bool] = lambda o: (  # noqa: E731 - typed
        (datacenter := datacenter_of(call.unfiltered, o)) is not None and datacenter.id in datacenters
    )
    return Criterion(({o.id: o for o in call.all(ResourcePool).values() if test(o)},), test)
