"""Where objects may go: free names, within their datacenter."""

from __future__ import annotations

from resphere.contract.errors import AlreadyExists, InvalidArgument, message, vim_message
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Datastore, ManagedObject, Network
from resphere.inventory.relations import datacenter_of, parent_of
from resphere.replica.replica import Replica
from resphere.rules.names import require_free


def require_free_beside(inventory: Replica, obj: ManagedObject, name: str) -> None:
    """Refuse a name that something beside ``obj`` has, or another datastore, or network, of its datacenter."""
    parent = parent_of(inventory, obj)
    assert parent is not None  # only the root folder has none
    if isinstance(obj, Datastore | Network):
        require_free_in_datacenter(inventory, type(obj), obj, name, obj.id)
    require_free(inventory, parent, name, obj.id)


def require_same_datacenter(inventory: Replica, obj: ManagedObject, destination: ManagedObject) -> None:
    """Refuse a destination in another datacenter than that of ``obj``, if it stands in any."""
    here, there = datacenter_of(inventory, obj), datacenter_of(inventory, destination)
    if (here and here.id) != (there and there.id):
        raise InvalidArgument(
            message(
                "resphere.inventory.other_datacenter",
                "{0} ({1}) cannot be moved to {2} ({3}), which is in another datacenter.",
                named(obj),
                identified(obj.id),
                named(destination),
                identified(destination.id),
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
            raise AlreadyExists(vim_message("vmsg.DuplicateName.summary", "The name '{0}' already exists.", name))
