"""``com.vmware.vcenter.VM``: register and unregister."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids, vcenter
from resphere.inventory.effects import RegisterVm, UnregisterVm
from resphere.inventory.model import Folder, Snapshot, VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.files import registered
from resphere.rules.machines.creation import no_placement
from resphere.rules.machines.registration import Spec, files_of_spec, may_unregister, needs_of
from resphere.rules.names import require_free, require_name
from resphere.rules.placement.resolution import folder_of, places_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(vcenter.VM.register)
async def register(call: Call, spec: Spec) -> ids.VirtualMachineId:
    """Bring back a VM that was unregistered, from its VMX file, under a new id; unset: under the name it had.

    :raises AlreadyExists: something in the folder has the name, or the VM is registered.
    :raises InvalidArgument: not exactly one of the two ways to name the file; the placement asks for what cannot be.
    :raises NotFound: there is no such file, or an object that the spec names.
    """
    if (spec.datastore is None) != (spec.path is None) or (spec.datastore is None) == (spec.datastore_path is None):
        raise InvalidArgument(
            message(
                "resphere.vm.register.file",
                "spec: either datastore and path must be set, or datastore_path alone.",
            )
        )
    if spec.placement is None:
        raise no_placement()
    if spec.name is not None:
        require_name(spec.name, "virtual machine")
    inventory, where = call.unfiltered, wanted(spec.placement)
    target = folder_of(inventory, where)

    def guard(folder: Folder) -> None:
        require_free(inventory, folder, spec.name or files_of_spec(inventory, spec, folder, call.may_use).machine.name)

    def decide(edit: Edit, folder: Folder) -> Decision[ids.VirtualMachineId]:
        files = files_of_spec(inventory, spec, folder, call.may_use)
        spot = msgspec.structs.replace(where, datastore=files.parent)
        place = resolve(inventory, spot, needs=needs_of(inventory, files), usable=call.may_use)
        id = edit.new_id(VirtualMachine.id_prefix)
        snapshots = {snapshot.id: edit.new_id(Snapshot.id_prefix) for snapshot in files.snapshots}
        placed = {
            "name": spec.name or files.machine.name,
            "parent": place.folder.id,
            "host": place.host.id,
            "resource_pool": place.resource_pool.id,
        }
        vm = registered(inventory, files, files.machine, id, snapshots, placed)
        call.require_use(*places_of(inventory, vm))
        return Decision(RegisterVm(vm=vm, files=files, snapshots=snapshots), ids.VirtualMachineId(id), reports=True)

    return await call.run("Folder.registerVm", target, decide, guard)


@implements(vcenter.VM.unregister)
async def unregister(call: Call, vm: ids.VirtualMachineId) -> None:
    """Take a VM or template out of the inventory; its files, with its snapshots, stay on the datastores.

    :raises NotAllowedInCurrentState: it runs.
    """
    target = call.require(VirtualMachine, vm)
    await call.run(
        "VirtualMachine.unregister",
        target,
        lambda _, current: Decision(UnregisterVm(vm=current), None),
        may_unregister,
    )
