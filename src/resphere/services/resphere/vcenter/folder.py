"""``resphere.vcenter.folder``: create, update (rename), move and delete."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, ResourceInUse, message
from resphere.contract.extensions.folders import Folders
from resphere.contract.generated import ids, vcenter
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Folder
from resphere.inventory.relations import ancestors, children_of, datacenter_of, parent_of
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.names import require_free, require_name
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.datacenter.changes import require_type

LETTERS = {
    vcenter.Folder.Type.DATACENTER: "d",
    vcenter.Folder.Type.VIRTUAL_MACHINE: "v",
    vcenter.Folder.Type.HOST: "h",
    vcenter.Folder.Type.DATASTORE: "s",
    vcenter.Folder.Type.NETWORK: "n",
}
"""What the number in a folder's id follows, ``group-v``."""


@implements(Folders.create)
async def create(call: Call, spec: Folders.CreateSpec) -> ids.FolderId:
    """A folder in another.

    :raises AlreadyExists: something in the parent has the name.
    """
    require_name(spec.name, "folder")
    parent = call.require(Folder, spec.parent)

    def guard(current: Folder) -> None:
        require_free(call.unfiltered, current, spec.name)

    def plan(edit: Edit, current: Folder) -> ids.FolderId:
        made = ids.FolderId(edit.new_id(f"{Folder.id_prefix}{LETTERS[current.type]}"))
        edit.put(Folder(id=made, name=spec.name, parent=current.id, type=current.type))
        return made

    return await call.change("Folder.createFolder", parent, plan, guard)


@implements(Folders.update)
async def update(call: Call, folder: ids.FolderId, spec: Folders.UpdateSpec) -> None:
    """Rename the folder.

    :raises AlreadyExists: something beside it has the name.
    :raises InvalidArgument: the name is none; or it is one of vCenter's own folders.
    """
    require_name(spec.name, "folder")
    target = call.require(Folder, folder)

    def guard(current: Folder) -> None:
        parent = require_parent(call.unfiltered, current)
        require_free(call.unfiltered, parent, spec.name, current.id)

    def plan(edit: Edit, current: Folder) -> None:
        edit.put(msgspec.structs.replace(current, name=spec.name))

    await call.change("Folder.rename", target, plan, guard)


@implements(Folders.move)
async def move(call: Call, folder: ids.FolderId, spec: Folders.MoveSpec) -> None:
    """Move the folder, with everything in it, into another.

    :raises AlreadyExists: something there has its name.
    :raises InvalidArgument: the other is below it, of another type, or in another datacenter.
    """
    inventory = call.unfiltered
    target = call.require(Folder, folder)
    call.require(Folder, spec.parent)

    def guard(current: Folder) -> None:
        require_parent(inventory, current)
        destination = call.require(Folder, spec.parent)
        require_type(destination, current.type)
        require_destination(inventory, current, destination)
        require_free(inventory, destination, current.name, current.id)

    def plan(edit: Edit, current: Folder) -> None:
        edit.put(msgspec.structs.replace(current, parent=spec.parent))

    await call.change("Folder.moveInto", target, plan, guard)


@implements(Folders.delete)
async def delete(call: Call, folder: ids.FolderId) -> None:
    """Delete the folder if nothing is in it.

    :raises ResourceInUse: something is.
    :raises InvalidArgument: it is one of vCenter's own folders.
    """
    target = call.require(Folder, folder)

    def guard(current: Folder) -> None:
        require_parent(call.unfiltered, current)
        for child in children_of(call.unfiltered, current.id):
            raise ResourceInUse(
                message(
                    "resphere.folder.not_empty",
                    "The folder {0} is not empty: {1} ({2}) stands in it.",
                    named(current),
                    named(child),
                    identified(child.id),
                )
            )

    def plan(edit: Edit, current: Folder) -> None:
        edit.delete(Folder, current.id)

    await call.change("Folder.destroy", target, plan, guard)


def require_parent(inventory: Replica, folder: Folder) -> Folder:
    """The folder that this one stands in.

    :raises InvalidArgument: it stands in none: it is the root folder, or one of a datacenter's own four.
    """
    parent = parent_of(inventory, folder)
    if not isinstance(parent, Folder):
        raise InvalidArgument(
            message(
                "resphere.folder.own",
                "The folder {0} ({1}) is one of vCenter's own.",
                named(folder),
                identified(folder.id),
            )
        )
    return parent


def require_destination(inventory: Replica, folder: Folder, destination: Folder) -> None:
    """Refuse a place below the folder itself, or in another datacenter."""
    below = any(above.id == folder.id for above in (destination, *ancestors(inventory, destination)))
    here, there = datacenter_of(inventory, folder), datacenter_of(inventory, destination)
    if below or (here and here.id) != (there and there.id):
        raise InvalidArgument(
            message(
                "resphere.folder.destination",
                "The folder {0} cannot be moved into {1}: that is {2}.",
                named(folder),
                identified(destination.id),
                "the folder itself or below it" if below else "in another datacenter",
            )
        )
