"""What resource pools reserve: whether a change finds room, all the way up to the hosts."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resphere.contract.generated.vcenter import ResourcePool as Api
from resphere.inventory.model import Cluster, Host, ResourcePool
from resphere.inventory.relations import hosts_of_cluster
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup
from resphere.rules.placement.hosts import can_run


class Resource(StrEnum):
    """What is reserved; the value is the unit."""

    CPU = "MHz"
    MEMORY = "MiB"


class Shortage(Exception):
    """A reservation does not fit into ``pool``, which has ``free`` (MHz or MiB) for it, of ``wanted``."""

    def __init__(self, pool: ResourcePool, resource: Resource, wanted: int, free: int) -> None:
        super().__init__(pool.id)
        self.pool = pool
        self.resource = resource
        self.wanted = wanted
        self.free = free


def allocation(pool: ResourcePool, resource: Resource) -> Api.ResourceAllocationInfo:
    """The pool's part of the resource."""
    return pool.cpu_allocation if resource is Resource.CPU else pool.memory_allocation


def capacity(inventory: Replica, owner: str, resource: Resource) -> int:
    """What the hosts that take VMs have, of a cluster or of a standalone host."""
    alone = inventory.get(Host, owner)
    hosts = hosts_of_cluster(inventory, owner) if inventory.get(Cluster, owner) else [alone] if alone else []
    ready = [host.hardware for host in hosts if can_run(host)]
    if resource is Resource.CPU:
        return sum(hardware.cpu_cores * hardware.cpu_frequency_MHz for hardware in ready)
    return sum(hardware.memory_size_MiB for hardware in ready)


def demanded(inventory: Replica, pool: ResourcePool, resource: Resource) -> int:
    """What the pool takes from its parent: its reservation, or more where it expands for its children."""
    return max(allocation(pool, resource).reservation, used(inventory, pool.id, resource))


def used(inventory: Replica, pool: str, resource: Resource) -> int:
    """What the pool's children take from it."""
    return sum(demanded(inventory, child, resource) for child in inventory.by(ResourcePool, "parent", pool).values())


def available(inventory: Replica, pool: ResourcePool, resource: Resource) -> int:
    """What could still be reserved in the pool, from those above too where its reservation is expandable."""
    taken = used(inventory, pool.id, resource)
    if pool.parent == pool.owner:
        return max(0, capacity(inventory, pool.owner, resource) - taken)
    part = allocation(pool, resource)
    free = max(0, part.reservation - taken)
    above = inventory.get(ResourcePool, pool.parent or "")
    if part.expandable_reservation and above is not None:
        free += available(inventory, above, resource)
    return free if part.limit < 0 else max(0, min(free, part.limit - taken))


def effective_limit(inventory: Replica, pool: ResourcePool, resource: Resource) -> int:
    """The most that the pool can ever use: the least limit from it up, and what the hosts have."""
    limits = [capacity(inventory, pool.owner, resource)]
    each: ResourcePool | None = pool
    while each is not None:
        limit = allocation(each, resource).limit
        limits += [limit] if limit >= 0 else []
        each = inventory.get(ResourcePool, each.parent or "")
    return min(limits)


def root_of(inventory: Lookup, pool: ResourcePool) -> ResourcePool:
    """The root pool above the pool, or itself."""
    while pool.parent != pool.owner:
        above = inventory.get(ResourcePool, pool.parent or "")
        if above is None:
            break
        pool = above
    return pool


def require_room(inventory: Replica, changed: ResourcePool) -> None:
    """Whether there is room for a pool as it shall be, be it new or in place of the one with its id.

    A pool with a fixed reservation gives its children no more than that; an expandable one takes from its parent what
    it lacks, up to its limit; a root pool has what its hosts have.

    :raises Shortage: the first pool on the way up that has too little.
    """
    for resource in Resource:
        _require_room(inventory, changed, resource)


def _require_room(inventory: Replica, changed: ResourcePool, resource: Resource) -> None:
    below = used(inventory, changed.id, resource)
    room = _bound(inventory, changed, resource)
    if room is not None and below > room:
        raise Shortage(changed, resource, below, room)
    present = inventory.get(ResourcePool, changed.id)
    before = demanded(inventory, present, resource) if present else 0
    after = max(allocation(changed, resource).reservation, below)
    pool = inventory.get(ResourcePool, changed.parent or "")
    # Who asks for no more than before is not refused where hosts have gone meanwhile.
    while pool is not None and after > before:
        others = used(inventory, pool.id, resource) - before
        room = _bound(inventory, pool, resource)
        if room is not None and others + after > room:
            raise Shortage(pool, resource, after, max(0, room - others))
        reserved = allocation(pool, resource).reservation
        before, after = max(reserved, others + before), max(reserved, others + after)
        pool = inventory.get(ResourcePool, pool.parent or "")


def require_room_to_move(inventory: Replica, moved: ResourcePool, destination: ResourcePool) -> None:
    """Whether there is room for a pool, with what is below it, in another of the same owner.

    :raises Shortage: the first pool on the way up that has too little.
    """
    for resource in Resource:
        above: ResourcePool | None = destination
        while above is not None:
            wanted, room = _used_after(inventory, above.id, resource, moved, destination), None
            if wanted > used(inventory, above.id, resource):
                room = _bound(inventory, above, resource)
            if room is not None and wanted > room:
                amount = demanded(inventory, moved, resource)
                raise Shortage(above, resource, amount, max(0, room - wanted + amount))
            above = inventory.get(ResourcePool, above.parent or "")


def _used_after(
    inventory: Replica, pool: str, resource: Resource, moved: ResourcePool, destination: ResourcePool
) -> int:
    """What the pool's children will take from it once ``moved`` stands in ``destination``."""
    children = [child for child in inventory.by(ResourcePool, "parent", pool).values() if child.id != moved.id]
    below = sum(
        max(
            allocation(child, resource).reservation,
            _used_after(inventory, child.id, resource, moved, destination),
        )
        for child in children
    )
    return below + (demanded(inventory, moved, resource) if pool == destination.id else 0)


def _bound(inventory: Replica, pool: ResourcePool, resource: Resource) -> int | None:
    """The most that the pool's children may take; ``None`` where only the pools above say."""
    if pool.parent == pool.owner:
        return capacity(inventory, pool.owner, resource)
    part = allocation(pool, resource)
    if not part.expandable_reservation:
        return part.reservation
    return part.limit if part.limit >= 0 else None


def count_admission(_: Replica, edit: Edit, before: ResourcePool | None, after: ResourcePool | None) -> None:
    """Write the root pool anew where another pool asks for more or less of it: two changes of reservations below one
    root must not pass each other unseen. A rule of every change of resource pools."""
    pool = after or before
    if pool is None or pool.parent == pool.owner:
        return
    if before is None or after is None:
        # What stands in a pool that goes moves, which counts.
        counts = any(allocation(pool, resource).reservation for resource in Resource)
    else:
        counts = _asks(before) != _asks(after)
    if not counts:
        return
    root = root_of(edit, pool)
    stored = edit.before.get(ResourcePool, root.id)
    # Once, however many pools an edit changes.
    if stored is not None and edit.get(ResourcePool, root.id) is not None:
        edit.put(msgspec.structs.replace(root, admissions=stored.admissions + 1))


def _asks(pool: ResourcePool) -> tuple[object, ...]:
    """Where the pool asks for how much, also for what stands in it."""
    return pool.parent, pool.cpu_allocation, pool.memory_allocation
