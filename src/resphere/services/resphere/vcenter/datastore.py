"""``resphere.vcenter.datastore``: create, update, move, mount, unmount and delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from resphere.contract.errors import InvalidArgument, ResourceInUse, message
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.inventory_specs import FolderSpec, NameSpec
from resphere.contract.generated import ids, vcenter
from resphere.contract.mentions import Part
from resphere.inventory.content.libraries import Library
from resphere.inventory.mentions import described, identified, named
from resphere.inventory.model import Datastore, Folder, Host, Snapshot, VirtualMachine
from resphere.inventory.relations import (
    children_of,
    hosts_of_datastore,
    vms_of_datastore,
    vms_of_host,
    vms_with_images_on,
)
from resphere.inventory.volumes import datastore_url
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.files import with_datastores_named
from resphere.rules.moves import require_free_beside, require_free_in_datacenter
from resphere.rules.names import require_free, require_name
from resphere.rules.space import files_on
from resphere.services.call import Call
from resphere.services.checks.hosts import require_hosts
from resphere.services.checks.moves import move
from resphere.services.checks.under_way import require_none_arriving, require_unnamed, uses_datastore
from resphere.services.registry import implements
from resphere.services.vcenter.datacenter.changes import require_type

DATASTORES = vcenter.Folder.Type.DATASTORE


@implements(Datastores.create)
async def create(call: Call, spec: Datastores.CreateSpec) -> ids.DatastoreId:
    """An empty datastore that hosts mount.

    :raises InvalidArgument: the name is none, the folder not for datastores; no host is given, one is in another
        datacenter, or there are more than may mount it.
    :raises AlreadyExists: a datastore of the datacenter has that name.
    """
    require_name(spec.name, "datastore")
    shared = True if spec.multiple_host_access is None else spec.multiple_host_access
    if not spec.hosts:
        raise InvalidArgument(message("resphere.datastore.no_host", "Give at least one host that mounts it."))
    require_sharable(shared, len(spec.hosts), spec.name)
    folder = call.require(Folder, spec.folder)
    url = datastore_url(spec.type, call.environment.random_bytes(16).hex())

    def guard(current: Folder) -> None:
        require_type(current, DATASTORES)
        require_free_in_datacenter(call.unfiltered, Datastore, current, spec.name)
        require_free(call.unfiltered, current, spec.name)
        require_hosts(call, current, spec.hosts)

    def plan(edit: Edit, current: Folder) -> ids.DatastoreId:
        made = ids.DatastoreId(edit.new_id(Datastore.id_prefix))
        edit.put(
            Datastore(
                id=made,
                name=spec.name,
                parent=current.id,
                type=spec.type,
                capacity=spec.capacity,
                multiple_host_access=shared,
                url=url,
            )
        )
        for host in require_hosts(call, current, spec.hosts):
            edit.put(msgspec.structs.replace(host, datastores=(*host.datastores, made)))
        return made

    return await call.change("HostDatastoreSystem.createDatastore", folder, plan, guard)


def require_sharable(shared: bool, hosts: int, name: str) -> None:
    """Refuse a second host of a datastore that one alone may mount."""
    if not shared and hosts > 1:
        raise InvalidArgument(
            message("resphere.datastore.not_shared", "Only one host may mount the datastore {0}.", name)
        )


@implements(Datastores.update)
async def update(call: Call, datastore: ids.DatastoreId, spec: NameSpec) -> None:
    """Rename the datastore, and with it the paths of everything that lies on it.

    :raises InvalidArgument: the name is none.
    :raises AlreadyExists: a datastore of the datacenter has the name.
    :raises ResourceBusy: work under way writes such paths.
    """
    require_name(spec.name, "datastore")
    target = call.require(Datastore, datastore)

    def guard(current: Datastore) -> None:
        require_free_beside(call.unfiltered, current, spec.name)
        require_unnamed(call, current)

    def plan(edit: Edit, current: Datastore) -> None:
        names = {current.name: spec.name}
        # A machine that comes to name the datastore meanwhile does not change it.
        edit.rely_on_referrers(current.id)
        for vm in vms_that_see(call, current):
            put_changed(edit, vm, with_datastores_named(vm, names))
            for snapshot in call.unfiltered.by(Snapshot, "parent", vm.id).values():
                state = with_datastores_named(snapshot.state, names)
                put_changed(edit, snapshot, msgspec.structs.replace(snapshot, state=state))
        edit.put(msgspec.structs.replace(current, name=spec.name))

    await call.change("Datastore.renameDatastore", target, plan, guard)


def put_changed(edit: Edit, before: VirtualMachine | Snapshot, after: VirtualMachine | Snapshot) -> None:
    """Write what is different; what is not may change meanwhile."""
    if after != before:
        edit.put(after)


def vms_that_see(call: Call, datastore: Datastore) -> Iterator[VirtualMachine]:
    """The VMs whose paths may name the datastore: those on hosts that mount it."""
    for host in hosts_of_datastore(call.unfiltered, datastore.id):
        yield from vms_of_host(call.unfiltered, host.id)


@implements(Datastores.move)
async def move_datastore(call: Call, datastore: ids.DatastoreId, spec: FolderSpec) -> None:
    """Move the datastore into another folder for datastores of its datacenter."""
    await move(call, "Folder.moveInto", call.require(Datastore, datastore), spec.folder, DATASTORES)


@implements(Datastores.mount)
async def mount(call: Call, datastore: ids.DatastoreId, spec: Datastores.HostsSpec) -> None:
    """Mount the datastore on hosts; on those that have, it stays.

    :raises InvalidArgument: a host is in another datacenter, or only one may mount it.
    """

    def guard(current: Datastore) -> None:
        require_hosts(call, current, spec.hosts)
        mounted = {host.id for host in hosts_of_datastore(call.unfiltered, current.id)}
        require_sharable(current.multiple_host_access, len(mounted | spec.hosts), current.name)

    def plan(edit: Edit, current: Datastore) -> None:
        if not current.multiple_host_access:
            # Of two hosts that mount it at once, one is too many.
            edit.rely_on_referrers(current.id)
        for host in require_hosts(call, current, spec.hosts):
            if datastore not in host.datastores:
                edit.put(msgspec.structs.replace(host, datastores=(*host.datastores, datastore)))

    await call.change("HostDatastoreSystem.mountDatastore", call.require(Datastore, datastore), plan, guard)


@implements(Datastores.unmount)
async def unmount(call: Call, datastore: ids.DatastoreId, spec: Datastores.HostsSpec) -> None:
    """Unmount the datastore from hosts; those that have not mounted it stay so.

    :raises ResourceInUse: a VM there has files on it, or will have as soon as work under way is done.
    """

    def guard(current: Datastore) -> None:
        hosts = {host.id for host in require_hosts(call, current, spec.hosts)}
        for vm in vms_that_use(call.unfiltered, current):
            if vm.host in hosts:
                raise used_by(current, vm)
        require_none_arriving(call, current, hosts, uses_datastore(current))

    def plan(edit: Edit, current: Datastore) -> None:
        # A machine that comes to have files there on such a host meanwhile does not change the host; nor does work
        # that begins to move one to it.
        edit.rely_on_referrers(current.id)
        for id in spec.hosts:
            edit.rely_on_referrers(id)
        unmount_from(edit, current, require_hosts(call, current, spec.hosts))

    await call.change("HostStorageSystem.unmountVmfsVolume", call.require(Datastore, datastore), plan, guard)


def unmount_from(edit: Edit, datastore: Datastore, hosts: Iterable[Host]) -> None:
    """Take the datastore from the hosts."""
    for host in hosts:
        mounted = tuple(each for each in host.datastores if each != datastore.id)
        edit.put(msgspec.structs.replace(host, datastores=mounted))


@implements(Datastores.delete)
async def delete(call: Call, datastore: ids.DatastoreId) -> None:
    """Delete the datastore if nothing is on it.

    :raises ResourceInUse: a VM, registered or not, a file or a content library is.
    """
    inventory = call.unfiltered

    def guard(current: Datastore) -> None:
        for vm in vms_that_use(inventory, current):
            raise used_by(current, vm)
        for child in children_of(inventory, current.id):
            raise not_empty(current, child.name)
        for path in files_on(inventory, current.id):
            raise not_empty(current, path)
        for library in inventory.by(Library, "datastore", current.id).values():
            raise in_use(current, f"the content library {library.name}", "has its place there")

    def plan(edit: Edit, current: Datastore) -> None:
        edit.delete(Datastore, current.id)

    await call.change("Datastore.destroy", call.require(Datastore, datastore), plan, guard)


def vms_that_use(inventory: Replica, datastore: Datastore) -> Iterator[VirtualMachine]:
    """The VMs with files on the datastore, be it an image in a CD-ROM."""
    yield from vms_of_datastore(inventory, datastore)
    yield from vms_with_images_on(inventory, datastore)


def used_by(datastore: Datastore, vm: VirtualMachine) -> ResourceInUse:
    """The refusal to take away a datastore that a VM has files on."""
    return in_use(datastore, described(vm, "virtual machine"), "has files on it")


def not_empty(datastore: Datastore, path: str) -> ResourceInUse:
    """The refusal to take away a datastore that a file lies on."""
    return in_use(datastore, path, "lies on it")


def in_use(datastore: Datastore, what: Part, how: str) -> ResourceInUse:
    """The refusal to take away a datastore, as ``what`` is on it."""
    return ResourceInUse(
        message(
            "resphere.datastore.in_use",
            f"The datastore {{0}} ({{1}}) is in use: {{2}} {how}.",
            named(datastore),
            identified(datastore.id),
            what,
        )
    )
