"""``com.vmware.vcenter.VM``: instant clone."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter
from resphere.inventory.effects import InstantCloneVm
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.machines.copies import require_uuid
from resphere.rules.machines.instant_clones import Spec, made, require_running, where_of
from resphere.rules.machines.new_machine import new_identity
from resphere.rules.names import require_free, require_name
from resphere.rules.placement.resolution import folder_of, places_of
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(vcenter.VM.instant_clone)
async def instant_clone(call: Call, spec: Spec) -> ids.VirtualMachineId:
    """A VM that runs on from where another one, which runs, is: on its host, with an identity of its own.

    :raises AlreadyExists: something in the folder has the name.
    :raises InvalidArgument: the placement, a device or the UUID asks for what cannot be.
    :raises NotFound: the source, a device of it, or something that the spec names.
    :raises ResourceInaccessible: the host takes no VMs now, or the datastore is not accessible.
    :raises UnableToAllocateResource: no room on the datastore.
    :raises VapiError: the source does not run: the operation declares nothing narrower.
    """
    source = call.require(VirtualMachine, spec.source)
    require_name(spec.name, "virtual machine")
    inventory, random_bytes = call.unfiltered, call.environment.random_bytes
    identity = require_uuid(spec.bios_uuid, random_bytes) if spec.bios_uuid else new_identity(random_bytes)

    def guard(current: VirtualMachine) -> None:
        require_running(current)
        where = where_of(spec, current)
        folder = folder_of(inventory, where, current)
        call.require_use(folder)
        require_free(inventory, folder, spec.name)
        made(inventory, spec, current, "vm-0", identity, call.may_use)

    def decide(edit: Edit, current: VirtualMachine) -> Decision[ids.VirtualMachineId]:
        vm = made(inventory, spec, current, edit.new_id(VirtualMachine.id_prefix), identity, call.may_use)
        call.require_use(*places_of(inventory, vm))
        edit.rely_on(current)
        return Decision(InstantCloneVm(source=current, vm=vm), ids.VirtualMachineId(vm.id), reports=True)

    return await call.run("VirtualMachine.instantClone", source, decide, guard, exclusive=False)
