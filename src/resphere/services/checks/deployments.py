"""What deployments of packages share, from wherever the package comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from resphere.contract.errors import AlreadyExists, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.mentions import NamingMessage
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import Folder, Network, ResourcePool, VirtualMachine
from resphere.inventory.relations import datacenter_of
from resphere.ovf.machine import Machine
from resphere.replica.edit import Edit
from resphere.rules.machines.creation import Spec, needs_of
from resphere.rules.machines.new_machine import Identity, new_machine
from resphere.rules.names import is_free
from resphere.rules.placement.resolution import CLONE, Place, Wanted, folder_of, resolve
from resphere.services.call import Call

ACT = "ResourcePool.ImportVAppLRO"
PLACEMENT = "spec.placement."


class NewVm(NamedTuple):
    """What VM is to be made of a package's machine, and where."""

    machine: Machine
    name: str
    annotation: str
    spec: Spec
    where: Wanted
    identity: Identity


def mapped_networks(call: Call, machine: Machine, mappings: Mapping[str, str]) -> dict[str, Network]:
    """The networks that the machine's own are mapped to; what else is mapped is passed over.

    :raises NotFound: there is no such network.
    """
    wanted = {nic.network for nic in machine.nics if nic.network is not None}
    return {name: call.require(Network, id) for name, id in mappings.items() if name in wanted}


def usual_folder(call: Call, pool: ids.ResourcePoolId) -> str:
    """Where VMs go when no folder is named."""
    datacenter = datacenter_of(call.unfiltered, call.referred(ResourcePool, pool))
    assert datacenter is not None, "pools are of hosts or clusters, which stand in datacenters"
    return datacenter.vm_folder


def require_place(call: Call, new: NewVm, fields: Mapping[str, str]) -> None:
    """Refuse what no VM could be made on, before anything begins; ``fields`` as in :func:`in_words_of`.

    :raises InvalidArgument: the place or a network contradicts the others.
    :raises ResourceInaccessible: the host takes no VMs now, or the datastore is not accessible.
    :raises UnableToAllocateResource: no host or datastore can take the VM.
    """
    inventory = call.unfiltered
    needs = needs_of(inventory, new.spec, folder_of(inventory, new.where))
    with in_words_of(fields):
        resolve(inventory, new.where, needs=needs, rules=CLONE, usable=call.may_use)


def decided(call: Call, edit: Edit, new: NewVm, spec_at: Callable[[Place], Spec]) -> VirtualMachine:
    """The VM, off, as it will be made; ``spec_at`` says of what, in a place. Whether its name is free is asked before.

    :raises VapiError: whatever making a VM may be refused for.
    """
    inventory = call.unfiltered
    needs = needs_of(inventory, new.spec, folder_of(inventory, new.where))
    place = resolve(inventory, new.where, needs=needs, rules=CLONE, usable=call.may_use)
    call.require_use(place.folder, place.resource_pool, place.datastore)
    id = edit.new_id(VirtualMachine.id_prefix)
    vm = new_machine(inventory, spec_at(place), id, new.name, place, new.identity, call.may_use)
    return msgspec.structs.replace(vm, annotation=new.annotation)


@contextmanager
def in_words_of(fields: Mapping[str, str]) -> Iterator[None]:
    """Have refusals name the ``fields`` of an operation where rules name those of a placement."""
    try:
        yield
    except VapiError as error:
        error.messages = tuple([_told(each, fields) for each in error.messages])
        raise


def _told(told: LocalizableMessage, fields: Mapping[str, str]) -> LocalizableMessage:
    told = msgspec.structs.replace(told, default_message=_renamed(told.default_message, fields))
    return msgspec.structs.replace(told, text=_renamed(told.text, fields)) if isinstance(told, NamingMessage) else told


def _renamed(text: str, fields: Mapping[str, str]) -> str:
    for field, name in fields.items():
        if text.startswith(f"{PLACEMENT}{field}:"):
            return name + text.removeprefix(f"{PLACEMENT}{field}")
    return text


def require_free(call: Call, folder: Folder, name: str) -> None:
    """Refuse a name that is taken; id, arguments and words as a vCenter 7.0 wrote them.

    :raises AlreadyExists: it is.
    """
    if not is_free(call.unfiltered, folder, name):
        raise AlreadyExists(
            message(
                "com.vmware.vdcs.util.duplicate_name",
                'An object of type "{0}" named "{1}" already exists.',
                VirtualMachine.resource_type,
                name,
            )
        )
