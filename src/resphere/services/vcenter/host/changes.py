"""``com.vmware.vcenter.host``: create, delete, connect and disconnect."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from contextlib import contextmanager

from resphere.contract.errors import (
    AlreadyExists,
    AlreadyInDesiredState,
    InvalidArgument,
    InvalidElementType,
    ResourceInUse,
    UnverifiedPeer,
    message,
)
from resphere.contract.generated import ids, vcenter
from resphere.inventory.files import unregister
from resphere.inventory.model import Cluster, Datastore, Folder, Host, ResourcePool, VirtualMachine
from resphere.inventory.relations import children_of, cluster_of_host, descendants, vms_of_host
from resphere.inventory.standard_networks import forget_without_hosts
from resphere.inventory.tables import children_claims
from resphere.inventory.users import retire
from resphere.providers.base import NewHost
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.names import require_free, require_name
from resphere.services.registry import implements
from resphere.services.vcenter.datacenter.changes import require_type

Api = vcenter.Host
State = Api.ConnectionState
Verification = Api.CreateSpec.ThumbprintVerification
HTTPS = 443
HOSTNAME = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.:_-]*[0-9A-Za-z.])?")


@implements(Api.create)
async def create(call: Call, spec: Api.CreateSpec) -> ids.HostSystemId:
    """Add a standalone host.

    :raises InvalidArgument: the name is none, the port impossible; the folder is not given; the certificate's
        thumbprint is not the one given, for which vCenter declares nothing more particular here.
    :raises InvalidElementType: the folder is not one for hosts.
    :raises AlreadyExists: there is a host of that name already.
    :raises VapiError: what the host itself answers; see the provider.
    """
    require_name(spec.hostname, "host")
    wanted = new_host(spec)
    if spec.folder is None:
        raise InvalidArgument(
            message(
                "resphere.inventory.folder_required",
                "The folder must be given: the id of a folder of type {0}.",
                vcenter.Folder.Type.HOST,
            )
        )
    folder = call.require(Folder, spec.folder)

    def guard(current: Folder) -> None:
        require_type(current, vcenter.Folder.Type.HOST, InvalidElementType)
        require_new(call.inventory, spec.hostname)
        require_free(call.inventory, current, spec.hostname)

    with unverified_as_invalid():
        return await call.run(
            "Folder.addStandaloneHost", folder, lambda job: call.provider.hosts.add_host(job, wanted), guard
        )


@contextmanager
def unverified_as_invalid() -> Iterator[None]:
    """A certificate that is not the expected one is an invalid argument where the contract has no word for that."""
    try:
        yield
    except UnverifiedPeer as error:
        raise InvalidArgument(*error.messages) from error


def new_host(spec: Api.CreateSpec) -> NewHost:
    """What the provider needs to know.

    :raises InvalidArgument: no host can have that name, or that port.
    """
    port = HTTPS if spec.port is None else spec.port
    if not HOSTNAME.fullmatch(spec.hostname):
        raise InvalidArgument(
            message("resphere.host.name", "{0} is neither an IP address nor a host name.", spec.hostname)
        )
    if not 0 < port < 65_536:
        raise InvalidArgument(message("resphere.host.port", "The port must be from 1 to 65535, not {0}.", port))
    return NewHost(
        hostname=spec.hostname,
        port=port,
        user_name=spec.user_name,
        password=str(spec.password),
        verify=spec.thumbprint_verification is not Verification.NONE,
        thumbprint=spec.thumbprint,
    )


def require_new(inventory: Replica, hostname: str) -> None:
    """Refuse a host that is there already, wherever it stands."""
    for host in inventory.all(Host).values():
        if host.name.lower() == hostname.lower():
            raise AlreadyExists(
                message("resphere.host.exists", "The host {0} is in the inventory already: {1}.", host.name, host.id)
            )


@implements(Api.delete)
async def delete(call: Call, host: ids.HostSystemId) -> None:
    """Remove a standalone host with its root pool, its local datastores and the VMs that are registered on it, whose
    files stay on datastores that others may mount.

    :raises ResourceInUse: it is in a cluster, or connected and not in maintenance mode.
    """
    target = call.require(Host, host)
    inventory = call.inventory

    def guard(current: Host) -> None:
        require_removable(inventory, current)

    def plan(edit: Edit, current: Host) -> None:
        remove_host(inventory, edit, current)

    await call.change("HostSystem.destroy", target, plan, guard)


def remove_host(inventory: Replica, edit: Edit, host: Host) -> None:
    """Remove the host with its local datastores, the VMs registered on it, standard networks that no other host has
    and, if it stands alone, its pools."""
    stores = [store for id in host.datastores if (store := inventory.get(Datastore, id)) is not None]
    # One that several hosts may mount stays, even where no other does now.
    local = {store.id for store in stores if not store.multiple_host_access}
    for vm in vms_of_host(inventory, host.id):
        leave_files(inventory, edit, vm, local)
    remove_pools(inventory, edit, host)
    for gone in sorted(local):
        for file in children_of(inventory, gone):
            edit.delete(type(file), file.id)
        edit.vacant(children_claims(gone))
        edit.delete(Datastore, gone)
    retire(edit, host.id)
    edit.delete(Host, host.id)
    forget_without_hosts(edit, inventory, host.networks)


def remove_pools(inventory: Replica, edit: Edit, owner: Cluster | Host) -> None:
    """Remove all resource pools of a cluster or standalone host; none is made meanwhile."""
    for pool in descendants(inventory, owner.id):
        if isinstance(pool, ResourcePool):
            retire(edit, pool.id)
            edit.delete(ResourcePool, pool.id)
            edit.vacant(children_claims(pool.id))
    edit.vacant(children_claims(owner.id))


def leave_files(inventory: Replica, edit: Edit, vm: VirtualMachine, local: Container[str]) -> None:
    """Unregister the VM; one whose home goes with the host is gone."""
    if vm.datastore not in local:
        unregister(inventory, edit, vm, local)
        return
    edit.delete(VirtualMachine, vm.id)


def require_removable(inventory: Replica, host: Host) -> None:
    """Refuse a host of a cluster, or one that works."""
    cluster = cluster_of_host(inventory, host)
    if cluster is not None:
        raise ResourceInUse(
            message(
                "resphere.host.in_cluster",
                "The host {0} belongs to the cluster {1} ({2}): only a standalone host can be removed.",
                host.name,
                cluster.name,
                cluster.id,
            )
        )
    require_idle(host)


def require_idle(host: Host) -> None:
    """Refuse a host that works."""
    if host.connection_state is State.CONNECTED and not host.in_maintenance_mode:
        raise ResourceInUse(
            message(
                "resphere.host.in_use",
                "The host {0} is connected and not in maintenance mode: disconnect it, or enter that mode first.",
                host.name,
            )
        )


@implements(Api.connect)
async def connect(call: Call, host: ids.HostSystemId) -> None:
    """Connect again.

    :raises AlreadyInDesiredState: it is connected.
    """
    target = call.require(Host, host)
    await call.run("HostSystem.reconnect", target, call.provider.hosts.connect_host, may_connect)


@implements(Api.disconnect)
async def disconnect(call: Call, host: ids.HostSystemId) -> None:
    """Disconnect; its VMs stay where they are and as they are.

    :raises AlreadyInDesiredState: it is disconnected.
    """
    target = call.require(Host, host)
    await call.run("HostSystem.disconnect", target, call.provider.hosts.disconnect_host, may_disconnect)


def may_connect(host: Host) -> None:
    """Refuse a host that is connected."""
    if host.connection_state is State.CONNECTED:
        raise AlreadyInDesiredState(message("resphere.host.connected", "The host {0} is connected already.", host.name))


def may_disconnect(host: Host) -> None:
    """Refuse a host that is disconnected."""
    if host.connection_state is State.DISCONNECTED:
        raise AlreadyInDesiredState(
            message("resphere.host.disconnected", "The host {0} is disconnected already.", host.name)
        )
