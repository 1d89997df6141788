"""``com.vmware.vcenter.VM``: create."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter
from resphere.inventory.effects import CreateVm
from resphere.inventory.model import Folder, VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.machines.creation import Spec, default_name, needs_of, no_placement
from resphere.rules.machines.new_machine import new_identity, new_machine
from resphere.rules.names import require_free, require_name
from resphere.rules.placement.resolution import folder_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(vcenter.VM.create)
async def create(call: Call, spec: Spec) -> ids.VirtualMachineId:
    """A VM that is off, with the hardware of ``spec`` and, where that is silent, what vCenter proposes for its guest.

    :raises AlreadyExists: something in the folder has the name.
    :raises InvalidArgument: the placement or a device asks for what cannot be.
    :raises NotFound: an object or file that the spec names.
    :raises ResourceInaccessible: the host takes no VMs now, or the datastore is not accessible.
    :raises ResourceInUse: two devices ask for the same place, or a file is a disk of another VM.
    :raises UnableToAllocateResource: no host, no place on a bus, or no room on the datastore.
    :raises Unsupported: the hardware version is too old for the guest.
    """
    if spec.placement is None:
        raise no_placement()
    if spec.name is not None:
        require_name(spec.name, "virtual machine")
    inventory, where = call.unfiltered, wanted(spec.placement)
    identity = new_identity(call.environment.random_bytes)

    def guard(folder: Folder) -> None:
        if spec.name is not None:
            require_free(inventory, folder, spec.name)

    def decide(edit: Edit, folder: Folder) -> Decision[ids.VirtualMachineId]:
        place = resolve(inventory, where, needs=needs_of(inventory, spec, folder), usable=call.may_use)
        call.require_use(place.folder, place.resource_pool, place.datastore)
        name, id = spec.name or default_name(inventory, folder), edit.new_id(VirtualMachine.id_prefix)
        vm = new_machine(inventory, spec, id, name, place, identity, call.may_use)
        return Decision(CreateVm(vm=vm), ids.VirtualMachineId(vm.id), reports=True)

    return await call.run("Folder.createVm", folder_of(inventory, where), decide, guard)
