"""``resphere.vcenter.vm``: update (rename) and move in the inventory."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import Machines
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Host, ResourcePool, VirtualMachine
from resphere.inventory.relations import cluster_of_host
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.moves import rename, require_folder
from resphere.services.registry import implements


@implements(Machines.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: NameSpec) -> None:
    """Rename the VM; its files keep their names."""
    await rename(call, "VirtualMachine.rename", call.require(VirtualMachine, vm), spec.name)


@implements(Machines.move)
async def move(call: Call, vm: ids.VirtualMachineId, spec: Machines.MoveSpec) -> None:
    """Move the VM to another folder, resource pool, or both.

    :raises InvalidArgument: neither is given; the folder is none for VMs or in another datacenter; the pool is another
        cluster's or host's, or the VM a template, which has none.
    :raises AlreadyExists: something in the folder has its name.
    """
    if spec.folder is None and spec.resource_pool is None:
        raise refusal("nothing_given", "Nowhere to move it: give folder, resource_pool, or both.")
    target = call.require(VirtualMachine, vm)

    def guard(current: VirtualMachine) -> None:
        if spec.folder is not None:
            require_folder(call, current, spec.folder, vcenter.Folder.Type.VIRTUAL_MACHINE)
        if spec.resource_pool is not None:
            require_pool(call, current, spec.resource_pool)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        moved = current
        if spec.folder is not None:
            moved = msgspec.structs.replace(moved, parent=spec.folder)
        if spec.resource_pool is not None:
            moved = msgspec.structs.replace(moved, resource_pool=spec.resource_pool)
        edit.put(moved)

    await call.change("VirtualMachine.moveInto", target, plan, guard)


def require_pool(call: Call, vm: VirtualMachine, resource_pool: ids.ResourcePoolId) -> None:
    """Refuse a pool that is not of the cluster or standalone host that the VM runs in."""
    pool = call.require(ResourcePool, resource_pool)
    if vm.template:
        raise refusal("template", "{0} is a template: it stands in no resource pool.", vm.name)
    host = call.referred(Host, vm.host)
    cluster = cluster_of_host(call.unfiltered, host)
    owner = cluster or host
    if pool.owner != owner.id:
        raise refusal(
            "other_owner",
            "The resource pool {0} ({1}) is not one of {2} ({3}), where {4} runs: relocate the machine to get there.",
            pool.name,
            pool.id,
            owner.name,
            owner.id,
            vm.name,
        )


def refusal(what: str, text: str, *args: str) -> InvalidArgument:
    """The refusal of a place."""
    return InvalidArgument(message(f"resphere.vm.move.{what}", text, *args))
