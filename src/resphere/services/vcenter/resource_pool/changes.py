"""``com.vmware.vcenter.resource_pool``: create, update and delete."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import (
    InvalidArgument,
    Unsupported,
    message,
)
from resphere.contract.generated import ids
from resphere.inventory.mentions import identified
from resphere.inventory.model import ResourcePool, VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.names import require_name
from resphere.rules.resource_pools import Api, admit, allocation, is_root, require_place, require_pool_name
from resphere.services.call import Call
from resphere.services.registry import implements


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
        require_pool_name(call.unfiltered, current, spec.name)

    def plan(edit: Edit, current: ResourcePool) -> ids.ResourcePoolId:
        made = ResourcePool(
            id=edit.new_id(ResourcePool.id_prefix),
            name=spec.name,
            parent=current.id,
            owner=current.owner,
            cpu_allocation=cpu,
            memory_allocation=memory,
        )
        admit(call.unfiltered, made)
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
                    "resphere.resource_pool.root_update",
                    "The root resource pool {0} cannot be changed.",
                    identified(current.id),
                )
            )
        parent = call.unfiltered.get(ResourcePool, current.parent or "")
        if spec.name is not None and parent is not None:
            require_pool_name(call.unfiltered, parent, spec.name, current.id)

    def plan(edit: Edit, current: ResourcePool) -> None:
        changed = msgspec.structs.replace(
            current,
            name=spec.name or current.name,
            cpu_allocation=cpu or current.cpu_allocation,
            memory_allocation=memory or current.memory_allocation,
        )
        if cpu or memory:
            admit(call.unfiltered, changed)
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
                    identified(current.id),
                )
            )

    def plan(edit: Edit, current: ResourcePool) -> None:
        inventory = call.unfiltered
        parent = inventory.get(ResourcePool, current.parent or "")
        assert parent is not None  # no root pool, so says the guard
        edit.delete(ResourcePool, current.id)
        for child in inventory.by(ResourcePool, "parent", current.id).values():
            require_place(inventory, parent, child, current)
            edit.put(msgspec.structs.replace(child, parent=parent.id))
        for vm in inventory.by(VirtualMachine, "resource_pool", current.id).values():
            edit.put(msgspec.structs.replace(vm, resource_pool=ids.ResourcePoolId(parent.id)))

    await call.change("ResourcePool.destroy", target, plan, guard)
