"""``com.vmware.vcenter.host``: list; ``resphere.vcenter.host``: one host in detail."""

from __future__ import annotations

from collections.abc import Callable, Collection

from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.model import Cluster, Folder, Host
from resphere.inventory.relations import cluster_of_host, datacenter_of
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import Criterion, by_id, by_index, existing, limited, select

MOST_LISTED = 2500
CONNECTED = vcenter.Host.ConnectionState.CONNECTED
ON = vcenter_vm.Power.State.POWERED_ON


@implements(vcenter.Host.list, kept=True)
async def list_hosts(call: Call, filter: vcenter.Host.FilterSpec | None) -> tuple[vcenter.Host.Summary, ...]:
    """The hosts that match."""
    wanted = filter or vcenter.Host.FilterSpec()
    names, folders, clusters = wanted.names or (), wanted.folders or (), wanted.clusters or ()
    states, uuids = wanted.connection_states or (), wanted.host_uuids
    found = select(
        call,
        Host,
        [
            by_id(call, Host, wanted.hosts),
            by_index(call, Host, "name", names, lambda o: o.name in names),
            in_folders(call, folders),
            by_index(call, Host, "parent", clusters, lambda o: o.parent in clusters),
            by_index(call, Host, "connection_state", states, lambda o: o.connection_state in states),
            tested(call, in_datacenter(call, wanted.datacenters)) if wanted.datacenters else None,
            tested(call, lambda o: o.host_uuid in (uuids or ())) if uuids else None,
            None if wanted.standalone is None else tested(call, standalone(call, wanted.standalone)),
        ],
    )
    return tuple(summary(o) for o in limited(found, MOST_LISTED, "host", call.environment.list_limits))


def tested(call: Call, test: Callable[[Host], bool]) -> Criterion[Host]:
    """A criterion that no index answers: hosts are few."""
    return Criterion(({o.id: o for o in call.all(Host).values() if test(o)},), test)


def in_datacenter(call: Call, datacenters: Collection[str] | None) -> Callable[[Host], bool]:
    """Whether a host stands in one of the datacenters."""
    return lambda o: (found := datacenter_of(call.unfiltered, o)) is not None and found.id in (datacenters or ())


def standalone(call: Call, wanted: bool) -> Callable[[Host], bool]:
    """Whether a host is (not) part of a cluster."""
    return lambda o: (cluster_of_host(call.unfiltered, o) is None) == wanted


def in_folders(call: Call, folders: Collection[str]) -> Criterion[Host] | None:
    """Standalone hosts of the folders, and the hosts of the clusters in them."""
    if not folders:
        return None
    there = existing(call, Folder, folders)
    parents = {*there, *(c.id for f in there for c in call.unfiltered.by(Cluster, "parent", f).values())}
    if not parents:
        return Criterion((), lambda _: False)
    return by_index(call, Host, "parent", parents, lambda o: o.parent in parents)


def summary(host: Host) -> vcenter.Host.Summary:
    """A host as lists show it; the power state is known only of connected ones."""
    return vcenter.Host.Summary(
        host=ids.HostSystemId(host.id),
        name=host.name,
        connection_state=host.connection_state,
        power_state=host.power_state if host.connection_state is CONNECTED else None,
        host_uuid=host.host_uuid,
    )
