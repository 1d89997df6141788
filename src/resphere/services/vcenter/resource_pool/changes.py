"""``com.vmware.vcenter.resource_pool``: create, update and delete."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    UnableToAllocateResource,
    Unsupported,
    VapiError,
    message,
)
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.reservations import Shortage, admitted, require_room, root_of
from resphere.inventory.tables import children_claims
from resphere.inventory.users import retire, use
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.names import require_free, require_name
from resphere.services.registry import implements

Api = vcenter.ResourcePool
Level = Api.SharesInfo.Level
AllocationSpec = Api.ResourceAllocationCreateSpec | Api.ResourceAllocationUpdateSpec


@implements(Api.create)
async def create(call: Call, spec: Api.CreateSpec) -> ids.ResourcePoolId:
    """A pool below another; what is not given of an allocation is the default.

    :raises InvalidArgument: the name is none, or taken (vCenter declares no ``ALREADY_EXISTS`` here); an allocation
        makes no sense.
    :raises UnableToAllocateResource: there is no room for its reservations.
    """
    require_name(spec.name, "resource pool")
    cpu, memory = (
        allocation(spec.cpu_allocation, "cpu_allocation"),
        allocation(spec.memory_allocation, "memory_allocation"),
    )
    parent = call.require(ResourcePool, spec.parent)

    def guard(current: ResourcePool) -> None:
        require_pool_name(call.inventory, current, spec.name)

    def plan(edit: Edit, current: ResourcePool) -> ids.ResourcePoolId:
        made = ResourcePool(
            id=edit.new_id(ResourcePool.id_prefix),
            name=spec.name,
            parent=current.id,
            owner=current.owner,
            cpu_allocation=cpu,
            memory_allocation=memory,
        )
        admit(call.inventory, made)
        if cpu.reservation or memory.reservation:
            edit.put(admitted(root_of(call.inventory, current)))
        edit.rely_on(current)
        edit.put(made)
        return ids.ResourcePoolId(made.id)

    return await call.change("ResourcePool.createResourcePool", parent, plan, guard)


@implements(Api.update)
async def update(call: Call, resource_pool: ids.ResourcePoolId, spec: Api.UpdateSpec) -> None:
    """Another name, other allocations; what is not given of a given allocation becomes the default.

    :raises InvalidArgument: as for create; or it is a root pool.
    :raises UnableToAllocateResource: as for create; or less than the pools below hold already.
    """
    if spec.name is not None:
        require_name(spec.name, "resource pool")
    cpu = allocation(spec.cpu_allocation, "cpu_allocation") if spec.cpu_allocation else None
    memory = allocation(spec.memory_allocation, "memory_allocation") if spec.memory_allocation else None
    target = call.require(ResourcePool, resource_pool)

    def guard(current: ResourcePool) -> None:
        if is_root(current):
            raise InvalidArgument(
                message(
                    "resphere.resource_pool.root_update", "The root resource pool {0} cannot be changed.", current.id
                )
            )
        parent = call.inventory.get(ResourcePool, current.parent or "")
        if spec.name is not None and parent is not None:
            require_pool_name(call.inventory, parent, spec.name, current.id)

    def plan(edit: Edit, current: ResourcePool) -> None:
        changed = msgspec.structs.replace(
            current,
            name=spec.name or current.name,
            cpu_allocation=cpu or current.cpu_allocation,
            memory_allocation=memory or current.memory_allocation,
        )
        if cpu or memory:
            admit(call.inventory, changed)
            edit.put(admitted(root_of(call.inventory, current)))
        edit.put(changed)

    await call.change("ResourcePool.updateConfig", target, plan, guard)


@implements(Api.delete)
async def delete(call: Call, resource_pool: ids.ResourcePoolId) -> None:
    """Delete the pool; its VMs and the pools in it go up to its parent.

    :raises Unsupported: it is a root pool.
    :raises VapiError: a pool in it has the name of one in the parent.
    """
    target = call.require(ResourcePool, resource_pool)

    def guard(current: ResourcePool) -> None:
        if is_root(current):
            raise Unsupported(
                message(
                    "resphere.resource_pool.root_delete",
                    "The root resource pool {0} cannot be deleted: it goes with its cluster or host.",
                    current.id,
                )
            )

    def plan(edit: Edit, current: ResourcePool) -> None:
        inventory = call.inventory
        parent = inventory.get(ResourcePool, current.parent or "")
        assert parent is not None  # no root pool, so says the guard
        use(edit, parent)
        retire(edit, current.id)
        edit.delete(ResourcePool, current.id)
        edit.vacant(children_claims(current.id))
        for child in inventory.by(ResourcePool, "parent", current.id).values():
            require_place(inventory, parent, child, current)
            edit.put(msgspec.structs.replace(child, parent=parent.id))
        for vm in inventory.by(VirtualMachine, "resource_pool", current.id).values():
            edit.put(msgspec.structs.replace(vm, resource_pool=ids.ResourcePoolId(parent.id)))
        edit.put(admitted(root_of(inventory, parent)))

    await call.change("ResourcePool.destroy", target, plan, guard)


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
                child.name,
                child.id,
                parent.id,
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
            short.pool.name,
            short.pool.id,
            short.free,
            short.wanted,
            short.resource,
        )
    )
