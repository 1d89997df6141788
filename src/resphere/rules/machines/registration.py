"""Virtual machines whose files come into the inventory, or leave it."""

from __future__ import annotations

from resphere.contract.errors import AlreadyExists, NotAllowedInCurrentState, NotFound, message
from resphere.contract.generated import vcenter, vcenter_vm
from resphere.contract.mentions import Mention
from resphere.inventory.effects import Intent
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Datastore, Folder, Network, UnregisteredVm, VirtualMachine
from resphere.inventory.tables import home, path_on_datastore
from resphere.replica.replica import Replica
from resphere.rules.candidates import Usable, anything
from resphere.rules.machines.creation import store_named
from resphere.rules.placement.resolution import Needs
from resphere.rules.refusals import invalid_state, not_found

Spec = vcenter.VM.RegisterSpec


ON = vcenter_vm.Power.State.POWERED_ON


def files_of_spec(inventory: Replica, spec: Spec, folder: Folder, usable: Usable = anything) -> UnregisteredVm:
    """The files that the spec names, on a datastore that is ``usable``.

    :raises NotFound: there is no such datastore, or no VMX file.
    :raises AlreadyExists: the VM is registered.
    """
    if spec.datastore is not None:
        store = inventory.get(Datastore, spec.datastore)
        if store is None:
            raise not_found(inventory.epoch, Datastore, spec.datastore)
    else:
        store = store_named(inventory, spec.datastore_path or "", folder)
    path = (spec.path or path_on_datastore(spec.datastore_path or "")).lstrip("/")
    if store is not None and usable(store):
        found = inventory.by(UnregisteredVm, "path", f"{store.id}/{path}")
        for files in found.values():
            if inventory.by(Intent, "files", files.id):
                raise AlreadyExists(
                    message(
                        "resphere.vm.register.under_way",
                        "The virtual machine {0}, to which the file {1} belongs, is being registered.",
                        Mention(files.id, files.machine.name),
                        files.machine.vmx_path,
                    )
                )
            return files
        for vm in inventory.by(VirtualMachine, "home", home(store.id, path)).values():
            if path_on_datastore(vm.vmx_path) == path:
                raise AlreadyExists(
                    message(
                        "resphere.vm.register.registered",
                        "The file {0} belongs to the virtual machine {1} ({2}), which is registered.",
                        vm.vmx_path,
                        named(vm),
                        identified(vm.id),
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


def may_unregister(vm: VirtualMachine) -> None:
    """Refuse a VM that runs."""
    if vm.power_state is ON:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.unregister.power_state",
                "Cannot unregister the virtual machine {0}: it is powered on.",
                named(vm),
            ),
            invalid_state(vm),
        )
