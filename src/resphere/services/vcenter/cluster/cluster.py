"""``com.vmware.vcenter.cluster``: list and get."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Cluster
from resphere.services.call import Call
from resphere.services.checks.datacenters import in_datacenters
from resphere.services.registry import implements
from resphere.services.selection import by_id, by_index, limited, select

MOST_LISTED = 1000


@implements(vcenter.Cluster.list, kept=True)
async def list_clusters(call: Call, filter: vcenter.Cluster.FilterSpec | None) -> tuple[vcenter.Cluster.Summary, ...]:
    """The clusters that match."""
    wanted = filter or vcenter.Cluster.FilterSpec()
    names, folders = wanted.names or (), wanted.folders or ()
    found = select(
        call,
        Cluster,
        [
            by_id(call, Cluster, wanted.clusters),
            by_index(call, Cluster, "name", names, lambda o: o.name in names),
            by_index(call, Cluster, "parent", folders, lambda o: o.parent in folders),
            in_datacenters(call, Cluster, wanted.datacenters),
        ],
    )
    return tuple(summary(c) for c in limited(found, MOST_LISTED, "cluster", call.environment.list_limits))


@implements(vcenter.Cluster.get, kept=True)
async def get_cluster(call: Call, cluster: ids.ClusterComputeResourceId) -> vcenter.Cluster.Info:
    """One cluster."""
    found = call.require(Cluster, cluster)
    return vcenter.Cluster.Info(name=found.name, resource_pool=found.resource_pool)


def summary(cluster: Cluster) -> vcenter.Cluster.Summary:
    """A cluster as lists show it."""
    return vcenter.Cluster.Summary(
        cluster=ids.ClusterComputeResourceId(cluster.id),
        name=cluster.name,
        ha_enabled=cluster.ha_enabled,
        drs_enabled=cluster.drs_enabled,
    )
