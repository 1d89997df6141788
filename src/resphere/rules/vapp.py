"""The vApp configurations of machines that are made of packages, copied, and made packages of. Pure."""

from __future__ import annotations

import msgspec

from resphere.inventory.vapp import VappConfiguration
from resphere.ovf.machine import Machine
from resphere.ovf.vapp_properties import properties_of
from resphere.replica.edit import Edit


def configuration_of(machine: Machine, vm: str) -> VappConfiguration | None:
    """What the VM of that id keeps of the machine that it is made of; ``None`` where that says nothing to its guest."""
    if not machine.products and not machine.transports:
        return None
    return VappConfiguration(
        id=vm,
        products=machine.products,
        values={each.full_key: each.value for each in machine.properties},
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


def copy_configuration(edit: Edit, source: str, vm: str) -> None:
    """Give the new VM ``vm`` what the VM ``source`` has."""
    found = edit.get(VappConfiguration, source)
    if found is not None:
        edit.put(msgspec.structs.replace(found, id=vm))


def move_configuration(edit: Edit, old: str, vm: str) -> None:
    """Give the VM ``vm`` what ``old`` had, which is no more."""
    found = edit.get(VappConfiguration, old)
    if found is not None:
        edit.delete(VappConfiguration, old)
        edit.put(msgspec.structs.replace(found, id=vm))
