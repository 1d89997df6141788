"""The machines that have figures, and how inputs name them."""

from __future__ import annotations

from collections.abc import Sequence

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vstats import QueryPredicate, RsrcId
from resphere.inventory.model import Host, VirtualMachine
from resphere.replica.table import Reading
from resphere.services.vstats.catalog import HOST, TYPES, VM

CLASSES: dict[str, type[Host] | type[VirtualMachine]] = {HOST: Host, VM: VirtualMachine}
SCHEME = "moid"
KEYS = {HOST: "host", VM: "vm"}
Named = tuple[str, str]
"""A type and an id: ``VM`` and ``vm-41``."""


def invalid(where: str, why: str, *arguments: object) -> InvalidArgument:
    """The refusal of an input."""
    return InvalidArgument(message("resphere.vstats.input", "{0}: " + why, where, *arguments))


def address(named: Named) -> str:
    """``type.VM=vm-41``."""
    return f"type.{named[0]}={named[1]}"


def parse_address(text: str, where: str) -> Named:
    """The machine that ``type.VM=vm-41`` or ``type.VM.moid=vm-41`` names, whether it exists or not.

    :raises InvalidArgument: it is not of that form.
    """
    left, equals, id = text.partition("=")
    parts = left.split(".")
    if not equals or parts[0] != "type" or len(parts) not in (2, 3) or not id:
        raise invalid(where, "{1} is not of the form type.<type>[.<scheme>]=<id>, such as type.VM=vm-41.", text)
    require_type(parts[1], where)
    require_scheme(parts[2] if len(parts) == 3 else SCHEME, where)
    return parts[1], id


def require_type(type: str | None, where: str) -> str:
    """A type of machines that have figures.

    :raises InvalidArgument: it is none.
    """
    if type not in TYPES:
        raise invalid(where, "the type must be one of {1}, not {2}.", ", ".join(TYPES), type)
    return str(type)


def require_scheme(scheme: str | None, where: str) -> None:
    """Refuse any way of naming machines but by the ids of managed objects."""
    if scheme not in (None, SCHEME):
        raise invalid(where, "the scheme must be {1}, not {2}.", SCHEME, scheme)


def exists(inventory: Reading, named: Named) -> bool:
    """Whether there is such a machine."""
    return inventory.get(CLASSES[named[0]], named[1]) is not None


def require_form(resource: RsrcId, where: str) -> str:
    """The type of a resource, whether it exists or not.

    :raises InvalidArgument: no such type or scheme.
    """
    type = require_type(resource.type, where)
    require_scheme(resource.scheme, where)
    if resource.key not in (None, KEYS[type]):
        raise invalid(where, "the key of the type {1} is {2}, not {3}.", type, KEYS[type], resource.key)
    return type


def check_resource(inventory: Reading, resource: RsrcId, where: str) -> None:
    """Refuse a resource of a specification that names nothing.

    :raises InvalidArgument: no such type, scheme or machine.
    """
    type = require_form(resource, where)
    if resource.predicate is not QueryPredicate.ALL and not exists(inventory, (type, resource.id_value)):
        raise invalid(where, "there is no {1} with the id {2}.", type, resource.id_value)


def names_host(resource: RsrcId) -> bool:
    """Whether a resource is one host."""
    return resource.type == HOST and resource.predicate is not QueryPredicate.ALL


def meant(inventory: Reading, resources: Sequence[RsrcId]) -> dict[Named, None]:
    """The machines, of those that exist, which the resources of a specification mean: all VMs beside some hosts are all
    VMs of these."""
    found: dict[Named, None] = {}
    hosts = [resource.id_value for resource in resources if names_host(resource)]
    for resource in resources:
        type = resource.type or VM
        if resource.predicate is QueryPredicate.ALL and type == VM and hosts:
            for host in hosts:
                found.update(dict.fromkeys([(VM, id) for id in inventory.by(VirtualMachine, "host", host)]))
        elif resource.predicate is QueryPredicate.ALL:
            found.update(dict.fromkeys([(type, id) for id in inventory.all(CLASSES[type])]))
        elif exists(inventory, (type, resource.id_value)):
            found[type, resource.id_value] = None
    return found
