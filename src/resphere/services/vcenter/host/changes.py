"""``com.vmware.vcenter.host``: create, delete, connect and disconnect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from resphere.contract.errors import (
    InvalidArgument,
    InvalidElementType,
    UnverifiedPeer,
    message,
)
from resphere.contract.generated import ids, vcenter
from resphere.inventory.effects import AddHost, ConnectHost, DisconnectHost, NewHost
from resphere.inventory.model import Folder, Host
from resphere.replica.edit import Edit
from resphere.rules.hosts import may_connect, may_disconnect, remove_host, require_new, require_removable
from resphere.rules.names import require_free, require_name
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.datacenter.changes import require_type
from resphere.tasks.change import Decision

Api = vcenter.Host
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
        require_new(call.unfiltered, spec.hostname)
        require_free(call.unfiltered, current, spec.hostname)

    def decide(edit: Edit, current: Folder) -> Decision[ids.HostSystemId]:
        id = edit.new_id(Host.id_prefix)
        return Decision(AddHost(new_host=wanted, folder=current.id, host=id), ids.HostSystemId(id))

    with unverified_as_invalid():
        return await call.run("Folder.addStandaloneHost", folder, decide, guard)


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
        verify=spec.thumbprint_verification is not Api.CreateSpec.ThumbprintVerification.NONE,
        thumbprint=spec.thumbprint,
    )


@implements(Api.delete)
async def delete(call: Call, host: ids.HostSystemId) -> None:
    """Remove a standalone host with its root pool, its local datastores and the VMs that are registered on it, whose
    files stay on datastores that others may mount.

    :raises ResourceInUse: it is in a cluster, or connected and not in maintenance mode.
    """
    target = call.require(Host, host)
    inventory = call.unfiltered

    def guard(current: Host) -> None:
        require_removable(inventory, current)

    def plan(edit: Edit, current: Host) -> None:
        remove_host(inventory, edit, current)

    await call.change("HostSystem.destroy", target, plan, guard)


@implements(Api.connect)
async def connect(call: Call, host: ids.HostSystemId) -> None:
    """Connect again.

    :raises AlreadyInDesiredState: it is connected.
    """
    target = call.require(Host, host)
    await call.run(
        "HostSystem.reconnect", target, lambda _, current: Decision(ConnectHost(host=current), None), may_connect
    )


@implements(Api.disconnect)
async def disconnect(call: Call, host: ids.HostSystemId) -> None:
    """Disconnect; its VMs stay where they are and as they are.

    :raises AlreadyInDesiredState: it is disconnected.
    """
    target = call.require(Host, host)
    await call.run(
        "HostSystem.disconnect", target, lambda _, current: Decision(DisconnectHost(host=current), None), may_disconnect
    )
