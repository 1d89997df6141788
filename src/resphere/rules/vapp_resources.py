"""What a vApp takes of CPUs and memory: as a package says it, and as its resource pool has it. Pure."""

from __future__ import annotations

import msgspec

from resphere.inventory.model import ResourcePool
from resphere.ovf.machine import Allocation, Vapp
from resphere.replica.replica import Replica
from resphere.rules.reservations import Resource, Shortage
from resphere.rules.resource_pools import Api, Level, admit, allocation, no_room

LEVELS = {
    Resource.CPU: {2000: Level.LOW, 4000: Level.NORMAL, 8000: Level.HIGH},
    Resource.MEMORY: {81_920: Level.LOW, 163_840: Level.NORMAL, 327_680: Level.HIGH},
}
"""How many shares a resource pool has at each of vSphere's levels."""
FIELD = "ResourceAllocationSection"


def pool_allocation(said: Allocation, resource: Resource) -> Api.ResourceAllocationInfo:
    """What the pool has of a resource where a package says that; it may take more from the pool around it.

    :raises InvalidArgument: it makes no sense.
    """
    level = Level.NORMAL if said.shares is None else LEVELS[resource].get(said.shares, Level.CUSTOM)
    shares = Api.SharesInfo(level=level, shares=said.shares if level is Level.CUSTOM else None)
    return allocation(
        Api.ResourceAllocationCreateSpec(reservation=said.reservation, limit=said.limit, shares=shares), FIELD
    )


def said_of(pool: ResourcePool, resource: Resource) -> Allocation:
    """What a package says of a resource where the pool has that; what is usual it does not say."""
    has = pool.cpu_allocation if resource is Resource.CPU else pool.memory_allocation
    numbers = {level: number for number, level in LEVELS[resource].items()}
    shares = has.shares.shares if has.shares.level is Level.CUSTOM else numbers[has.shares.level]
    return Allocation(
        reservation=has.reservation or None,
        limit=None if has.limit < 0 else has.limit,
        shares=None if has.shares.level is Level.NORMAL else shares,
    )


def admit_vapps(inventory: Replica, vapps: tuple[Vapp, ...], outermost: ResourcePool) -> None:
    """Refuse reservations of a vApp, and of those in it, that find no room; ``outermost`` is its pool as it shall be.

    :raises UnableToAllocateResource: naming the pool that has too little.
    """
    by_id = {each.id: each for each in vapps}

    def demanded(vapp: Vapp, resource: Resource) -> int:
        said = vapp.cpu_allocation if resource is Resource.CPU else vapp.memory_allocation
        inner = sum(demanded(by_id[id], resource) for id in vapp.contents if id in by_id)
        if said.limit is not None and 0 <= said.limit < inner:
            raise no_room(Shortage(outermost, resource, inner, said.limit))
        return max(said.reservation or 0, inner)

    cpu, memory = (demanded(vapps[0], resource) for resource in Resource)
    admit(
        inventory,
        msgspec.structs.replace(
            outermost,
            cpu_allocation=msgspec.structs.replace(outermost.cpu_allocation, reservation=cpu),
            memory_allocation=msgspec.structs.replace(outermost.memory_allocation, reservation=memory),
        ),
    )
