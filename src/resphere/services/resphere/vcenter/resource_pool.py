"""``resphere.vcenter.resource_pool``: move."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.moves import PoolMoves
from resphere.contract.generated import ids
from resphere.inventory.mentions import identified
from resphere.inventory.model import ResourcePool
from resphere.inventory.relations import ancestors
from resphere.replica.edit import Edit
from resphere.rules.names import require_free
from resphere.rules.reservations import Shortage, require_room_to_move
from resphere.rules.resource_pools import is_root, no_room
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(PoolMoves.move)
async def move(call: Call, resource_pool: ids.ResourcePoolId, spec: PoolMoves.MoveSpec) -> None:
    """Move the pool, with its VMs and the pools in it, into another.

    :raises InvalidArgument: it is a root pool, or the other one is itself, below it, or another cluster's or host's.
    :raises AlreadyExists: a pool there has its name.
    :raises UnableToAllocateResource: there is no room for its reservations there.
    """
    inventory = call.unfiltered
    target = call.require(ResourcePool, resource_pool)
    call.require(ResourcePool, spec.parent)

    def guard(current: ResourcePool) -> None:
        destination = call.require(ResourcePool, spec.parent)
        require_place(call, current, destination)
        require_free(inventory, destination, current.name, current.id)

    def plan(edit: Edit, current: ResourcePool) -> None:
        destination = call.require(ResourcePool, spec.parent)
        require_room_in(call, current, destination)
        edit.put(msgspec.structs.replace(current, parent=destination.id))

    await call.change("ResourcePool.moveInto", target, plan, guard)


def require_room_in(call: Call, moved: ResourcePool, destination: ResourcePool) -> None:
    """Refuse a place without room for what the pool reserves."""
    try:
        require_room_to_move(call.unfiltered, moved, destination)
    except Shortage as short:
        raise no_room(short) from None


def require_place(call: Call, pool: ResourcePool, destination: ResourcePool) -> None:
    """Refuse a root pool, and places where a pool cannot stand."""
    below = any(above.id == pool.id for above in (destination, *ancestors(call.unfiltered, destination)))
    for wrong, what, why in (
        (is_root(pool), "root", "it is a root pool, and stays with its cluster or host"),
        (below, "below", "that is the pool itself or below it"),
        (destination.owner != pool.owner, "other_owner", "that belongs to another cluster or host"),
    ):
        if wrong:
            raise InvalidArgument(
                message(
                    f"resphere.resource_pool.move.{what}",
                    "The resource pool {0} cannot be moved into {1}: {2}.",
                    identified(pool.id),
                    identified(destination.id),
                    why,
                )
            )
