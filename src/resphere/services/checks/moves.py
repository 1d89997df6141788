"""What renaming and moving have in common for all kinds of objects."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from resphere.contract.errors import AlreadyExists, InvalidArgument, message
from resphere.contract.generated import vcenter
from resphere.inventory.model import Datastore, Folder, ManagedObject, Network
from resphere.inventory.relations import datacenter_of, parent_of
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.names import require_free, require_name
from resphere.services.vcenter.datacenter.changes import require_type

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object


async def rename(call: Call, description: str, target: O, name: str) -> None:
    """Give ``target`` another name.

    :raises InvalidArgument: it is none.
    :raises AlreadyExists: something beside it has the name.
    """
    require_name(name, target.kind.replace("_", " "))

    def guard(current: O) -> None:
        require_free_beside(call.inventory, current, name)

    def plan(edit: Edit, current: O) -> None:
        edit.put(msgspec.structs.replace(current, name=name))

    await call.change(description, target, plan, guard)


def require_free_beside(inventory: Replica, obj: ManagedObject, name: str) -> None:
    """Refuse a name that something beside ``obj`` has, or another datastore, or network, of its datacenter."""
    parent = parent_of(inventory, obj)
    assert parent is not None  # only the root folder has none
    if isinstance(obj, Datastore | Network):
        require_free_in_datacenter(inventory, type(obj), obj, name, obj.id)
    require_free(inventory, parent, name, obj.id)


async def move(call: Call, description: str, target: O, folder: str, type: vcenter.Folder.Type) -> None:
    """Move ``target`` into the folder, which must be of ``type``.

    :raises NotFound: there is no such folder.
    :raises InvalidArgument: it is of another type, or in another datacenter.
    :raises AlreadyExists: something there has the name.
    """
    call.require(Folder, folder)

    def guard(current: O) -> None:
        require_folder(call, current, folder, type)

    def plan(edit: Edit, current: O) -> None:
        edit.rely_on(call.require(Folder, folder))
        edit.put(msgspec.structs.replace(current, parent=folder))

    await call.change(description, target, plan, guard)


def require_folder(call: Call, obj: ManagedObject, folder: str, type: vcenter.Folder.Type) -> Folder:
    """The folder, if ``obj`` may go there."""
    destination = call.require(Folder, folder)
    require_type(destination, type)
    require_same_datacenter(call.inventory, obj, destination)
    require_free(call.inventory, destination, obj.name, obj.id)
    return destination


def require_same_datacenter(inventory: Replica, obj: ManagedObject, destination: ManagedObject) -> None:
    """Refuse a destination in another datacenter than that of ``obj``, if it stands in any."""
    here, there = datacenter_of(inventory, obj), datacenter_of(inventory, destination)
    if (here and here.id) != (there and there.id):
        raise InvalidArgument(
            message(
                "resphere.inventory.other_datacenter",
                "{0} ({1}) cannot be moved to {2} ({3}), which is in another datacenter.",
                obj.name,
                obj.id,
                destination.name,
                destination.id,
            )
        )


def require_free_in_datacenter(
    inventory: Replica, cls: type[Datastore | Network], place: ManagedObject, name: str, but: str | None = None
) -> None:
    """Refuse a name that another datastore, or network, of the datacenter of ``place`` has: vCenter tells them apart
    by name within a datacenter.

    :raises AlreadyExists: the name is taken.
    """
    here = datacenter_of(inventory, place)
    for other in inventory.by(cls, "name", name).values():
        there = datacenter_of(inventory, other)
        if other.id != but and here is not None and there is not None and there.id == here.id:
            raise AlreadyExists(message("vmsg.DuplicateName.summary", "The name '{0}' already exists.", name))
