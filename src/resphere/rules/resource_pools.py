"""What resource pools may be, and whether there is room for what they reserve."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    UnableToAllocateResource,
    VapiError,
    message,
)
from resphere.contract.generated import vcenter
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import ManagedObject, ResourcePool
from resphere.replica.replica import Replica
from resphere.rules.names import require_free
from resphere.rules.reservations import Shortage, require_room

Api = vcenter.ResourcePool


Level = Api.SharesInfo.Level


AllocationSpec = Api.ResourceAllocationCreateSpec | Api.ResourceAllocationUpdateSpec


def is_root(pool: ResourcePool) -> bool:
    """Whether it is the pool of a cluster or standalone host itself."""
    return pool.parent == pool.owner


def require_pool_name(inventory: Replica, parent: ManagedObject, name: str, but: str | None = None) -> None:
    """Refuse a name that another pool of ``parent`` has, in words that the operations declare."""
    try:
        require_free(inventory, parent, name, but)
    except AlreadyExists as taken:
        raise InvalidArgument(*taken.messages) from None


def require_place(inventory: Replica, parent: ResourcePool, child: ResourcePool, leaving: ResourcePool) -> None:
    """Refuse where a pool that goes up would meet its name there, but for the pool that goes."""
    try:
        require_free(inventory, parent, child.name, leaving.id)
    except AlreadyExists as taken:
        raise VapiError(
            message(
                "resphere.resource_pool.name_above",
                "The resource pool {0} ({1}) cannot go up to {2}: a resource pool there has its name.",
                named(child),
                identified(child.id),
                identified(parent.id),
            ),
            *taken.messages,
        ) from None


def allocation(spec: AllocationSpec | None, field: str) -> Api.ResourceAllocationInfo:
    """The allocation with its defaults.

    :raises InvalidArgument: a number that makes no sense.
    """
    given = spec or Api.ResourceAllocationCreateSpec()
    made = Api.ResourceAllocationInfo(
        reservation=given.reservation or 0,
        expandable_reservation=True if given.expandable_reservation is None else given.expandable_reservation,
        limit=-1 if given.limit is None else given.limit,
        shares=given.shares or Api.SharesInfo(level=Level.NORMAL),
    )
    if made.reservation < 0:
        raise senseless(field, "reservation", "0 or more", made.reservation)
    if made.limit < -1:
        raise senseless(field, "limit", "-1 (none), 0 or more", made.limit)
    if -1 < made.limit < made.reservation:
        raise senseless(field, "limit", f"-1 or at least the reservation, {made.reservation}", made.limit)
    if made.shares.level is Level.CUSTOM:
        if made.shares.shares is None or not 0 < made.shares.shares <= MOST_SHARES:
            raise senseless(field, "shares.shares", f"1 to {MOST_SHARES}", made.shares.shares)
    elif made.shares.shares is not None:
        made = msgspec.structs.replace(made, shares=Api.SharesInfo(level=made.shares.level))
    return made


MOST_SHARES = 4_000_000
"""vSphere's own limit for a resource pool."""


def senseless(field: str, part: str, allowed: str, given: object) -> InvalidArgument:
    """The refusal of a number."""
    return InvalidArgument(
        message("resphere.resource_pool.allocation", "{0}.{1} must be {2}, not {3}.", field, part, allowed, given)
    )


def admit(inventory: Replica, pool: ResourcePool) -> None:
    """Refuse reservations that find no room.

    :raises UnableToAllocateResource: naming the pool that has too little.
    """
    try:
        require_room(inventory, pool)
    except Shortage as short:
        raise no_room(short) from None


def no_room(short: Shortage) -> UnableToAllocateResource:
    """The refusal of a reservation, naming the pool that has too little."""
    return UnableToAllocateResource(
        message(
            "resphere.resource_pool.no_room",
            "The resource pool {0} has {2} {4} for a reservation of {3} {4} ({1}).",
            named(short.pool),
            identified(short.pool.id),
            short.free,
            short.wanted,
            short.resource,
        )
    )
