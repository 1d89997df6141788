"""What renaming and moving have in common for all kinds of objects."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from resphere.contract.generated import vcenter
from resphere.inventory.model import Folder, ManagedObject
from resphere.replica.edit import Edit
from resphere.rules.moves import require_free_beside, require_same_datacenter
from resphere.rules.names import require_free, require_name
from resphere.services.call import Call
from resphere.services.vcenter.datacenter.changes import require_type

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object


async def rename(call: Call, description: str, target: O, name: str) -> None:
    """Give ``target`` another name.

    :raises InvalidArgument: it is none.
    :raises AlreadyExists: something beside it has the name.
    """
    require_name(name, target.kind.replace("_", " "))

    def guard(current: O) -> None:
        require_free_beside(call.unfiltered, current, name)

    def plan(edit: Edit, current: O) -> None:
        edit.put(msgspec.structs.replace(current, name=name))

    await call.change(description, target, plan, guard)


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
        edit.put(msgspec.structs.replace(current, parent=folder))

    await call.change(description, target, plan, guard)


def require_folder(call: Call, obj: ManagedObject, folder: str, type: vcenter.Folder.Type) -> Folder:
    """The folder, if ``obj`` may go there."""
    destination = call.require(Folder, folder)
    require_type(destination, type)
    require_same_datacenter(call.unfiltered, obj, destination)
    require_free(call.unfiltered, destination, obj.name, obj.id)
    return destination
