"""``com.vmware.vcenter.datacenter``: create and delete."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, ResourceInUse, VapiError, message
from resphere.contract.generated import ids, vcenter
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Datacenter, Folder
from resphere.inventory.relations import children_of, descendants, folders_of_datacenter
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.names import require_free, require_name
from resphere.services.call import Call
from resphere.services.registry import implements

Type = vcenter.Folder.Type


@implements(vcenter.Datacenter.create)
async def create(call: Call, spec: vcenter.Datacenter.CreateSpec) -> ids.DatacenterId:
    """A datacenter with its four folders.

    :raises InvalidArgument: the name is none; the folder is not given, or not one for datacenters.
    :raises AlreadyExists: something in the folder has that name.
    """
    require_name(spec.name, "datacenter")
    if spec.folder is None:
        raise InvalidArgument(
            message(
                "resphere.inventory.folder_required",
                "The folder must be given: the id of a folder of type {0}.",
                Type.DATACENTER,
            )
        )
    folder = call.require(Folder, spec.folder)

    def guard(current: Folder) -> None:
        require_type(current, Type.DATACENTER)
        require_free(call.unfiltered, current, spec.name)

    def plan(edit: Edit, current: Folder) -> ids.DatacenterId:
        return put_datacenter(edit, spec.name, current)

    return await call.change("Folder.createDatacenter", folder, plan, guard)


def require_type(folder: Folder, type: vcenter.Folder.Type, refusal: type[VapiError] = InvalidArgument) -> None:
    """Refuse a folder of another type, by the error that the operation declares for that."""
    if folder.type is not type:
        raise refusal(
            message(
                "resphere.inventory.folder_type",
                "The folder {0} is of type {1}, and must be of type {2}.",
                identified(folder.id),
                folder.type,
                type,
            )
        )


def put_datacenter(edit: Edit, name: str, parent: Folder) -> ids.DatacenterId:
    """Put a new, empty datacenter into ``parent``."""
    datacenter = ids.DatacenterId(edit.new_id(Datacenter.id_prefix))

    def own_folder(letter: str, own_name: str, type: vcenter.Folder.Type) -> ids.FolderId:
        folder = ids.FolderId(edit.new_id(f"{Folder.id_prefix}{letter}"))
        edit.put(Folder(id=folder, name=own_name, parent=datacenter, type=type))
        return folder

    vm_folder = own_folder("v", "vm", Type.VIRTUAL_MACHINE)
    host_folder = own_folder("h", "host", Type.HOST)
    datastore_folder = own_folder("s", "datastore", Type.DATASTORE)
    network_folder = own_folder("n", "network", Type.NETWORK)
    edit.put(
        Datacenter(
            id=datacenter,
            name=name,
            parent=parent.id,
            datastore_folder=datastore_folder,
            host_folder=host_folder,
            network_folder=network_folder,
            vm_folder=vm_folder,
        )
    )
    return datacenter


@implements(vcenter.Datacenter.delete)
async def delete(call: Call, datacenter: ids.DatacenterId, force: bool | None) -> None:
    """The datacenter and its four folders; with ``force`` also everything in them.

    :raises ResourceInUse: it is not empty, and ``force`` is not set.
    """
    target = call.require(Datacenter, datacenter)

    def guard(current: Datacenter) -> None:
        if not force:
            require_empty(call.unfiltered, current)

    def plan(edit: Edit, current: Datacenter) -> None:
        delete_tree(call.unfiltered, edit, current)

    await call.change("Datacenter.destroy", target, plan, guard)


def require_empty(inventory: Replica, datacenter: Datacenter) -> None:
    """Refuse a datacenter with anything in its four folders."""
    for folder in folders_of_datacenter(inventory, datacenter.id):
        for child in children_of(inventory, folder.id):
            raise ResourceInUse(
                message(
                    "resphere.datacenter.not_empty",
                    "The datacenter {0} is not empty: {1} ({2}) stands in its folder {3}. With force it is deleted "
                    "with everything in it.",
                    named(datacenter),
                    named(child),
                    identified(child.id),
                    named(folder),
                )
            )


def delete_tree(inventory: Replica, edit: Edit, top: Datacenter) -> None:
    """Delete the datacenter and all below it."""
    for doomed in (top, *descendants(inventory, top.id)):
        edit.delete(type(doomed), doomed.id)
