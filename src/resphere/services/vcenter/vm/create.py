"""``com.vmware.vcenter.VM``: create."""

from __future__ import annotations

from itertools import count

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Datastore, Folder, Network, VirtualMachine
from resphere.inventory.relations import datacenter_of
from resphere.inventory.tables import datastore_name
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.names import is_free, require_free, require_name
from resphere.services.registry import implements
from resphere.services.vcenter.vm.new_machine import new_identity, new_machine
from resphere.services.vcenter.vm.placement import Needs, folder_of, rely_on, resolve, wanted

Spec = vcenter.VM.CreateSpec
DEFAULT_NAME = "New Virtual Machine"


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
    inventory, where = call.inventory, wanted(spec.placement)
    identity = new_identity(call.environment.random_bytes)

    def guard(folder: Folder) -> None:
        if spec.name is not None:
            require_free(inventory, folder, spec.name)

    def make(edit: Edit, folder: Folder) -> VirtualMachine:
        place = resolve(inventory, where, needs=needs_of(inventory, spec, folder))
        rely_on(edit, place)
        name = spec.name or default_name(inventory, folder)
        return new_machine(inventory, spec, edit.new_id(VirtualMachine.id_prefix), name, place, identity)

    return await call.run(
        "Folder.createVm",
        folder_of(inventory, where),
        lambda job: call.provider.lifecycle.create_vm(job, make),
        guard,
    )


def no_placement() -> InvalidArgument:
    """The refusal of a spec without a placement."""
    return InvalidArgument(
        message(
            "resphere.vm.placement.none",
            "spec.placement: must be set, with a folder and one of resource_pool, host and cluster.",
        )
    )


def needs_of(inventory: Replica, spec: Spec, folder: Folder) -> Needs:
    """The networks and datastores that the devices ask for."""
    backings = [nic.backing for nic in spec.nics or () if nic.backing is not None]
    files = [disk.backing.vmdk_file for disk in spec.disks or () if disk.backing is not None]
    networks = frozenset(backing.network for backing in backings if backing.network is not None)
    return Needs(
        networks=frozenset(network for network in networks if inventory.get(Network, network) is not None),
        datastores=frozenset(
            store.id for path in files if path and (store := store_named(inventory, path, folder)) is not None
        ),
    )


def store_named(inventory: Replica, path: str, folder: Folder) -> Datastore | None:
    """The datastore that a path means in the folder's datacenter, if there is one only."""
    here = datacenter_of(inventory, folder)
    named = inventory.by(Datastore, "name", datastore_name(path)).values()
    found = [store for store in named if datacenter_of(inventory, store) == here]
    return found[0] if len(found) == 1 else None


def default_name(inventory: Replica, folder: Folder) -> str:
    """``New Virtual Machine``, ``New Virtual Machine (1)``, ...: the first that is free."""
    names = (f"{DEFAULT_NAME} ({number})" if number else DEFAULT_NAME for number in count())
    return next(name for name in names if is_free(inventory, folder, name))
