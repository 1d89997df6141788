"""When hosts may come, go and be reached, and what goes with them."""

from __future__ import annotations

from collections.abc import Container

from resphere.contract.errors import (
    AlreadyExists,
    AlreadyInDesiredState,
    NotAllowedInCurrentState,
    ResourceInUse,
    message,
)
from resphere.contract.generated import vcenter
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Datastore, Host, ResourcePool, VirtualMachine
from resphere.inventory.relations import children_of, cluster_of_host, vms_of_host
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.files import unregister
from resphere.rules.standard_networks import forget_without_hosts

State = vcenter.Host.ConnectionState
CONNECTED = State.CONNECTED


def require_new(inventory: Replica, hostname: str) -> None:
    """Refuse a host that is there already, wherever it stands."""
    for host in inventory.all(Host).values():
        if host.name.lower() == hostname.lower():
            raise AlreadyExists(
                message(
                    "resphere.host.exists",
                    "The host {0} is in the inventory already: {1}.",
                    named(host),
                    identified(host.id),
                )
            )


def remove_host(inventory: Replica, edit: Edit, host: Host) -> None:
    """Remove the host with its local datastores, the VMs registered on it, standard networks that no other host has
    and, if it stands alone, its pools."""
    stores = [store for id in host.datastores if (store := inventory.get(Datastore, id)) is not None]
    # One that several hosts may mount stays, even where no other does now.
    local = {store.id for store in stores if not store.multiple_host_access}
    for vm in vms_of_host(inventory, host.id):
        leave_files(inventory, edit, vm, local)
    for gone in sorted(local):
        for file in children_of(inventory, gone):
            edit.delete(type(file), file.id)
        edit.delete(Datastore, gone)
    edit.delete(Host, host.id)
    forget_without_hosts(edit, inventory, host.networks)


def remove_pools(inventory: Replica, edit: Edit, host: Host) -> None:
    """Remove all resource pools of a host that stands alone no more. They go by themselves with a host that is removed,
    or a cluster."""
    for pool in inventory.by(ResourcePool, "owner", host.id):
        edit.delete(ResourcePool, pool)


def leave_files(inventory: Replica, edit: Edit, vm: VirtualMachine, local: Container[str]) -> None:
    """Unregister the VM; one whose home goes with the host is gone."""
    if vm.datastore not in local:
        unregister(inventory, edit, vm, local)
        return
    edit.delete(VirtualMachine, vm.id)


def require_removable(inventory: Replica, host: Host) -> None:
    """Refuse a host of a cluster: nothing else is in the way of its removal."""
    cluster = cluster_of_host(inventory, host)
    if cluster is not None:
        raise ResourceInUse(
            message(
                "resphere.host.in_cluster",
                "The host {0} belongs to the cluster {1} ({2}): only a standalone host can be removed.",
                named(host),
                named(cluster),
                identified(cluster.id),
            )
        )


def require_idle(host: Host) -> None:
    """Refuse a host that works."""
    if host.connection_state is State.CONNECTED and not host.in_maintenance_mode:
        raise ResourceInUse(
            message(
                "resphere.host.in_use",
                "The host {0} is connected and not in maintenance mode: disconnect it, or enter that mode first.",
                named(host),
            )
        )


def may_connect(host: Host) -> None:
    """Refuse a host that is connected."""
    if host.connection_state is State.CONNECTED:
        raise AlreadyInDesiredState(
            message("resphere.host.connected", "The host {0} is connected already.", named(host))
        )


def may_disconnect(host: Host) -> None:
    """Refuse a host that is disconnected."""
    if host.connection_state is State.DISCONNECTED:
        raise AlreadyInDesiredState(
            message("resphere.host.disconnected", "The host {0} is disconnected already.", named(host))
        )


def may_fail(host: Host) -> None:
    """Refuse a host that is silent already, or of which nobody would know."""
    if host.connection_state is State.NOT_RESPONDING:
        silent = message("resphere.host.failed", "The host {0} does not respond already.", named(host))
        raise AlreadyInDesiredState(silent)
    if host.connection_state is not CONNECTED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.host.not_connected",
                "The host {0} is not connected (its state is {1}).",
                named(host),
                host.connection_state,
            )
        )


def may_recover(host: Host) -> None:
    """Refuse a host that has not died."""
    may_connect(host)
    if host.connection_state is not State.NOT_RESPONDING:
        raise NotAllowedInCurrentState(
            message(
                "resphere.host.not_failed",
                "The host {0} has not failed (its state is {1}).",
                named(host),
                host.connection_state,
            )
        )


def may_exit(host: Host) -> None:
    """Refuse where it makes no sense."""
    require_connected(host)
    if not host.in_maintenance_mode:
        raise AlreadyInDesiredState(
            message("resphere.host.maintenance.not_in", "The host {0} is not in maintenance mode.", named(host))
        )


def require_connected(host: Host) -> None:
    """Refuse a host that cannot be asked."""
    if host.connection_state is not CONNECTED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.host.maintenance.not_connected",
                "The host {0} is not connected (its state is {1}).",
                named(host),
                host.connection_state,
            )
        )
