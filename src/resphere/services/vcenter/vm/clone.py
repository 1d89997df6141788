"""``com.vmware.vcenter.VM``: clone, at once and as a task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Copy, Job
from resphere.replica.edit import Edit
from resphere.rules.guests.customization import pending
from resphere.rules.guests.fitting import require_fitting
from resphere.rules.machines.copies import copied, needs_of, targets
from resphere.rules.machines.new_machine import new_identity
from resphere.rules.names import require_free, require_name
from resphere.rules.placement.resolution import CLONE, Place, folder_of, rely_on, resolve, wanted
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.guest.customization_specs import require_item

Spec = vcenter.VM.CloneSpec
ACT = "VirtualMachine.clone"
Source = VirtualMachine
NOBODY = "vm-0"
"""The id of a clone that is made only to see whether it can be."""


class Plan(msgspec.Struct, frozen=True):
    """What is to be done, with which VM."""

    source: Source
    action: Callable[[Job[Source]], Awaitable[ids.VirtualMachineId]]


@implements(vcenter.VM.clone)
async def clone(call: Call, spec: Spec) -> ids.VirtualMachineId:
    """A VM like another one or a template, with files and an identity of its own.

    :raises AlreadyExists: something in the folder has the name.
    :raises InvalidArgument: the placement, the disks or the customization ask for what cannot be.
    :raises NotFound: the source, or something that the spec names.
    :raises ResourceInaccessible: the host takes no VMs now, or a datastore is not accessible.
    :raises UnableToAllocateResource: no host, or no room on a datastore.
    """
    plan = planned(call, spec)
    return await call.run(ACT, plan.source, plan.action, cancelable=True, exclusive=False)


@implements(vcenter.VM.clone_task)
async def clone_task(call: Call, spec: Spec) -> ids.CisTASKId:
    """As :func:`clone`; the new VM's id is the task's result."""
    plan = planned(call, spec)
    return await call.launch(ACT, plan.source, plan.action, cancelable=True, exclusive=False)


def planned(call: Call, spec: Spec) -> Plan:
    """The plan, refused where it cannot be now; it looks at everything again when it is carried out."""
    source = call.require(VirtualMachine, spec.source)
    require_name(spec.name, "virtual machine")
    inventory, where = call.inventory, wanted(spec.placement)
    customization = spec.guest_customization_spec
    settings = require_item(call, customization.name).spec if customization and customization.name else None
    identity = new_identity(call.environment.random_bytes)
    updates = {key: update.datastore for key, update in (spec.disks_to_update or {}).items()}

    def prepared(current: Source, id: str) -> tuple[Place, VirtualMachine]:
        require_free(inventory, folder_of(inventory, where, current), spec.name)
        disks = targets(inventory, current, where.datastore, updates, spec.disks_to_remove or ())
        place = resolve(inventory, where, present=current, needs=needs_of(inventory, current, disks), rules=CLONE)
        made = copied(inventory, current, id, spec.name, place, disks, identity)
        if settings is not None:
            require_fitting(made, settings)
        return place, made

    def make(edit: Edit, current: Source) -> Copy:
        place, made = prepared(current, edit.new_id(VirtualMachine.id_prefix))
        edit.rely_on(current)
        rely_on(edit, place)
        if settings is not None:
            edit.put(pending(made.id, settings))
        return Copy(vm=made, power_on=bool(spec.power_on))

    prepared(source, NOBODY)
    return Plan(source, lambda job: call.provider.lifecycle.clone_vm(job, make))
