"""The vApp configurations of machines that are made of packages, copied, kept, and made packages of. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from resphere.inventory.vapp import VappConfiguration
from resphere.ovf.machine import Machine, Vapp
from resphere.ovf.vapp_properties import properties_of
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


def configuration_of(machine: Machine, vm: str, around: Vapp | None = None) -> VappConfiguration | None:
    """What the VM of that id keeps of the machine that it is made of, and of the vApp ``around`` it, whose properties
    its guest is told with its own (DSP0243, 11); ``None`` where that says nothing to the guest."""
    outer = () if around is None else around.properties
    if not machine.products and not machine.transports and not outer:
        return None
    return VappConfiguration(
        id=vm,
        machine=vm,
        products=machine.products,
        values={each.full_key: each.value for each in (*outer, *machine.properties)},
        transports=machine.transports,
    )


def packaged(machine: Machine, configuration: VappConfiguration | None) -> Machine:
    """``machine``, of which a package is made, with what its VM says to its guest; passwords do not come along."""
    if configuration is None:
        return machine
    properties = properties_of(
        configuration.products,
        lambda product, each: configuration.values.get(product.full_key(each.key), each.value),
    )
    return msgspec.structs.replace(
        machine, products=configuration.products, properties=properties, transports=configuration.transports
    )


def copy_configuration(edit: Edit, source: str, owner: str, machine: str) -> None:
    """Give ``owner``, which is the VM ``machine`` or a snapshot of it, what ``source`` has, if that has any."""
    found = edit.get(VappConfiguration, source)
    if found is not None:
        edit.put(msgspec.structs.replace(found, id=owner, machine=machine))


def revert_configuration(edit: Edit, machine: str, snapshot: str) -> None:
    """Bring what a VM says to its guest back to what a snapshot has."""
    if edit.get(VappConfiguration, snapshot) is not None:
        copy_configuration(edit, snapshot, machine, machine)
    elif edit.get(VappConfiguration, machine) is not None:
        edit.delete(VappConfiguration, machine)


def move_configurations(inventory: Replica, edit: Edit, old: str, machine: str, snapshots: Mapping[str, str]) -> None:
    """Give the VM ``machine``, and its snapshots, what ``old`` had, which is no more; ``snapshots``: old ids -> new
    ones."""
    owners = {old: machine, **snapshots}
    for id in list(inventory.by(VappConfiguration, "machine", old)):
        owner = owners.get(id)
        if owner is not None:
            copy_configuration(edit, id, owner, machine)
        edit.delete(VappConfiguration, id)
