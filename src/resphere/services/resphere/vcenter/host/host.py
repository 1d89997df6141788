"""``resphere.vcenter.host``: move; and why there is no rename."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, Unsupported, message
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import HostMoves
from resphere.contract.generated import ids, vcenter
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Cluster, Host
from resphere.inventory.relations import cluster_of_host, vms_of_host
from resphere.replica.edit import Edit
from resphere.rules.evc.compatibility import require_fitting
from resphere.rules.hosts import remove_pools
from resphere.rules.moves import require_same_datacenter
from resphere.rules.names import require_free
from resphere.services.call import Call
from resphere.services.checks.moves import require_folder
from resphere.services.checks.under_way import require_none_arriving
from resphere.services.registry import implements
from resphere.services.resphere.vcenter.cluster import put_root_pool


@implements(HostMoves.update)
async def update(call: Call, host: ids.HostSystemId, spec: NameSpec) -> None:
    """Refused, as in vCenter.

    :raises Unsupported: always: a host's name is the address that it was added by.
    """
    found = call.require(Host, host)
    raise Unsupported(
        message(
            "resphere.host.rename",
            "The host {0} cannot be called {1}: a host's name is the address that it was added by. Remove it, and add "
            "it by its new name.",
            named(found),
            spec.name,
        )
    )


@implements(HostMoves.move)
async def move(call: Call, host: ids.HostSystemId, spec: HostMoves.MoveSpec) -> None:
    """Move the host into a cluster, or to stand alone in a folder, with its VMs.

    As vCenter 8.0 does: a standalone host joins a cluster with what runs on it, its pools go and its VMs stand in the
    cluster's root pool; a host leaves a cluster in maintenance mode only.

    :raises InvalidArgument: not one destination is given; it is in another datacenter, or not a folder for hosts.
    :raises AlreadyExists: something there has its name.
    :raises NotAllowedInCurrentState: it is in a cluster and not in maintenance mode, or does not fit the EVC mode of
        the one that it joins.
    :raises ResourceBusy: work under way leaves a VM on it.
    """
    if (spec.cluster is None) == (spec.folder is None):
        raise InvalidArgument(message("resphere.host.move.destination", "Give one of cluster and folder."))
    target = call.require(Host, host)

    def guard(current: Host) -> None:
        require_destination(call, current, spec)
        if is_there(current, spec) or standalone_stays(call, current, spec):
            return
        require_maintenance(call, current)
        # Its pools go, or are others: machines that are under way to it are decided for those that it has.
        require_none_arriving(call, current, [current.id])

    def plan(edit: Edit, current: Host) -> None:
        if is_there(current, spec):
            edit.put(current)
        elif standalone_stays(call, current, spec):
            edit.put(msgspec.structs.replace(current, parent=spec.folder))
        else:
            change_owner(call, edit, current, spec)

    await call.change("Folder.moveInto" if spec.folder else "ClusterComputeResource.moveInto", target, plan, guard)


def is_there(host: Host, spec: HostMoves.MoveSpec) -> bool:
    """Whether the host stands where it shall."""
    return host.parent in (spec.cluster, spec.folder)


def standalone_stays(call: Call, host: Host, spec: HostMoves.MoveSpec) -> bool:
    """Whether a standalone host goes from folder to folder, and keeps its pools."""
    return spec.folder is not None and cluster_of_host(call.unfiltered, host) is None


def require_destination(call: Call, host: Host, spec: HostMoves.MoveSpec) -> None:
    """Refuse a place where the host cannot stand."""
    if spec.folder is not None:
        require_folder(call, host, spec.folder, vcenter.Folder.Type.HOST)
    elif spec.cluster is not None:
        cluster = call.require(Cluster, spec.cluster)
        require_same_datacenter(call.unfiltered, host, cluster)
        require_free(call.unfiltered, cluster, host.name, host.id)
        if host.parent != cluster.id:
            require_fitting(call.unfiltered, cluster, host)


def require_maintenance(call: Call, host: Host) -> None:
    """Refuse to take a host out of a cluster where it may run VMs."""
    cluster = cluster_of_host(call.unfiltered, host)
    if cluster is not None and not host.in_maintenance_mode:
        raise NotAllowedInCurrentState(
            message(
                "resphere.host.move.not_in_maintenance",
                "The host {0} leaves the cluster {1} ({2}) in maintenance mode only.",
                named(host),
                named(cluster),
                identified(cluster.id),
            )
        )


def change_owner(call: Call, edit: Edit, host: Host, spec: HostMoves.MoveSpec) -> None:
    """Put the host, and its VMs, under the pools of the cluster that it joins, or of its own where it leaves one.

    VMs that come meanwhile are seen: they stand in the pools that go; and to a host that leaves a cluster none comes,
    as it is in maintenance mode.
    """
    inventory = call.unfiltered
    if host.resource_pool is not None:
        remove_pools(inventory, edit, host)
    if spec.cluster is not None:
        root, own = call.require(Cluster, spec.cluster).resource_pool, None
    else:
        root = own = put_root_pool(edit, host.id)
    for vm in vms_of_host(inventory, host.id):
        edit.put(msgspec.structs.replace(vm, resource_pool=root))
    edit.put(msgspec.structs.replace(host, parent=spec.cluster or spec.folder, resource_pool=own))
