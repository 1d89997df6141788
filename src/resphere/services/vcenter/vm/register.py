"""``com.vmware.vcenter.VM``: register and unregister."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotAllowedInCurrentState, NotFound, message
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.model import Datastore, Folder, Network, UnregisteredVm, VirtualMachine
from resphere.inventory.tables import home, path_on_datastore
from resphere.providers.base import Registration
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call, not_found
from resphere.services.checks.names import require_free, require_name
from resphere.services.registry import implements
from resphere.services.vcenter.vm.create import no_placement, store_named
from resphere.services.vcenter.vm.placement import Needs, folder_of, rely_on, resolve, wanted
from resphere.services.vcenter.vm.power import invalid_state

Spec = vcenter.VM.RegisterSpec
ON = vcenter_vm.Power.State.POWERED_ON


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
    inventory, where = call.inventory, wanted(spec.placement)
    target = folder_of(inventory, where)

    def guard(folder: Folder) -> None:
        require_free(inventory, folder, spec.name or files_of_spec(inventory, spec, folder).machine.name)

    def choose(edit: Edit, folder: Folder) -> Registration:
        files = files_of_spec(inventory, spec, folder)
        spot = msgspec.structs.replace(where, datastore=files.parent)
        place = resolve(inventory, spot, needs=needs_of(inventory, files))
        rely_on(edit, place)
        return Registration(
            files=files,
            name=spec.name or files.machine.name,
            folder=place.folder.id,
            host=place.host.id,
            resource_pool=place.resource_pool.id,
        )

    return await call.run(
        "Folder.registerVm", target, lambda job: call.provider.lifecycle.register_vm(job, choose), guard
    )


def files_of_spec(inventory: Replica, spec: Spec, folder: Folder) -> UnregisteredVm:
    """The files that the spec names.

    :raises NotFound: there is no such datastore, or no VMX file.
    :raises AlreadyExists: the VM is registered.
    """
    if spec.datastore is not None:
        store = inventory.get(Datastore, spec.datastore)
        if store is None:
            raise not_found(Datastore, spec.datastore)
    else:
        store = store_named(inventory, spec.datastore_path or "", folder)
    path = (spec.path or path_on_datastore(spec.datastore_path or "")).lstrip("/")
    if store is not None:
        found = inventory.by(UnregisteredVm, "path", f"{store.id}/{path}")
        if found:
            return next(iter(found.values()))
        for vm in inventory.by(VirtualMachine, "home", home(store.id, path)).values():
            if path_on_datastore(vm.vmx_path) == path:
                raise AlreadyExists(
                    message(
                        "resphere.vm.register.registered",
                        "The file {0} belongs to the virtual machine {1} ({2}), which is registered.",
                        vm.vmx_path,
                        vm.name,
                        vm.id,
                    )
                )
    raise NotFound(
        message(
            "resphere.vm.register.no_file",
            "There is no configuration file of a virtual machine at {0}.",
            spec.datastore_path or f"{spec.datastore}: {spec.path}",
        )
    )


def needs_of(inventory: Replica, files: UnregisteredVm) -> Needs:
    """What of the VM's networks and datastores there still is."""
    networks = (nic.backing.network for nic in files.machine.nics.values())
    return Needs(
        networks=frozenset(id for id in networks if id is not None and inventory.get(Network, id) is not None),
        datastores=frozenset(id for id in files.datastores.values() if inventory.get(Datastore, id) is not None),
    )


@implements(vcenter.VM.unregister)
async def unregister(call: Call, vm: ids.VirtualMachineId) -> None:
    """Take a VM or template out of the inventory; its files, with its snapshots, stay on the datastores.

    :raises NotAllowedInCurrentState: it runs.
    """
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.unregister", target, call.provider.lifecycle.unregister_vm, may_unregister)


def may_unregister(vm: VirtualMachine) -> None:
    """Refuse a VM that runs."""
    if vm.power_state is ON:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.unregister.power_state",
                "Cannot unregister the virtual machine {0}: it is powered on.",
                vm.name,
            ),
            invalid_state(vm),
        )
