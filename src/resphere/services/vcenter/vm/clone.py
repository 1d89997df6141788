"""``com.vmware.vcenter.VM``: clone, at once and as a task."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.generated import ids, vcenter
from resphere.inventory.effects import CloneVm
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.guests.customization import pending
from resphere.rules.guests.fitting import require_fitting
from resphere.rules.machines.copies import copied, needs_of, targets
from resphere.rules.machines.new_machine import new_identity
from resphere.rules.machines.power_states import powered_off
from resphere.rules.names import require_free, require_name
from resphere.rules.placement.power_on import running_place
from resphere.rules.placement.resolution import CLONE, folder_of, places_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.guest.customization_specs import require_item
from resphere.tasks.change import Decision

Spec = vcenter.VM.CloneSpec
ACT = "VirtualMachine.clone"
Source = VirtualMachine
NOBODY = "vm-0"
"""The id of a clone that is made only to see whether it can be."""


class Planned(msgspec.Struct, frozen=True):
    """What is to be done, with which VM."""

    source: Source
    decide: Callable[[Edit, Source], Decision[ids.VirtualMachineId]]


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
    return await call.run(ACT, plan.source, plan.decide, cancelable=True, exclusive=False)


@implements(vcenter.VM.clone_task)
async def clone_task(call: Call, spec: Spec) -> ids.CisTASKId:
    """As :func:`clone`; the new VM's id is the task's result."""
    plan = planned(call, spec)
    return await call.launch(ACT, plan.source, plan.decide, cancelable=True, exclusive=False)


def planned(call: Call, spec: Spec) -> Planned:
    """The plan, refused where it cannot be now; it looks at everything again when it is carried out."""
    source = call.require(VirtualMachine, spec.source)
    require_name(spec.name, "virtual machine")
    inventory, where = call.unfiltered, wanted(spec.placement)
    customization = spec.guest_customization_spec
    settings = require_item(call, customization.name).spec if customization and customization.name else None
    identity = new_identity(call.environment.random_bytes)
    updates = {key: update.datastore for key, update in (spec.disks_to_update or {}).items()}

    def prepared(current: Source, id: str) -> VirtualMachine:
        folder = folder_of(inventory, where, current)
        call.require_use(folder)
        require_free(inventory, folder, spec.name)
        disks = targets(inventory, current, where.datastore, updates, spec.disks_to_remove or ())
        needs = needs_of(inventory, current, disks)
        place = resolve(inventory, where, present=current, needs=needs, rules=CLONE, usable=call.may_use)
        made = copied(inventory, current, id, spec.name, place, disks, identity)
        call.require_use(*places_of(inventory, made), *disks.values())
        if settings is not None:
            require_fitting(made, settings)
        return made

    def decide(edit: Edit, current: Source) -> Decision[ids.VirtualMachineId]:
        vm = prepared(current, edit.new_id(VirtualMachine.id_prefix))
        edit.rely_on(current)
        if spec.power_on:
            vm = msgspec.structs.replace(vm, host=running_place(inventory, powered_off(vm)).id)
        effect = CloneVm(
            source=current,
            vm=vm,
            power_on=bool(spec.power_on),
            customization=pending(vm.id, settings) if settings is not None else None,
        )
        return Decision(effect, ids.VirtualMachineId(vm.id), reports=True)

    prepared(source, NOBODY)
    return Planned(source, decide)
