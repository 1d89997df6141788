"""What ``com.vmware.vapi.std.introspection`` tells of an operation: the data that goes in and comes out.

That is what travels, and less than the metamodel says: sets are lists, maps are lists of entries, and identifiers,
URIs, moments and values of enumerations are strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_std_introspection import Operation
from resphere.contract.metamodel.elements import Expression, Field, OperationElement
from resphere.contract.metamodel.served import Served

Definition = Operation.DataDefinition
Kind = Definition.DataType

OPERATION_INPUT = "operation-input"
MAP_ENTRY = "map-entry"
KINDS: Mapping[str, Kind] = {
    "any_error": Kind.ANY_ERROR,
    "binary": Kind.BINARY,
    "boolean": Kind.BOOLEAN,
    "datetime": Kind.STRING,
    "double": Kind.DOUBLE,
    "dynamic": Kind.DYNAMIC_STRUCTURE,
    "enumeration": Kind.STRING,
    "id": Kind.STRING,
    "long": Kind.LONG,
    "opaque": Kind.OPAQUE,
    "secret": Kind.SECRET,
    "string": Kind.STRING,
    "uri": Kind.STRING,
    "void": Kind.VOID,
}


def operation_info(served: Served, element: OperationElement) -> Operation.Info:
    """What goes in, what comes out, and the errors."""
    return Operation.Info(
        input_definition=structure(served, OPERATION_INPUT, element.input, frozenset()),
        output_definition=definition(served, element.output, frozenset()),
        error_definitions=tuple([definition(served, ["structure", id], frozenset()) for id in element.error_ids]),
    )


def definition(served: Served, expression: Expression, within: frozenset[str]) -> Definition:
    """The data of a type. A structure that is inside itself is referred to: ``within`` are those around."""
    kind = expression[0]
    if kind == "structure":
        id = expression[1]
        if id in within:
            return Definition(type=Kind.STRUCTURE_REF, name=id)
        element = served.structure(id)
        # An error is one also where a structure has it for a value.
        return structure(served, id, element.fields, within | {id}, Kind.ERROR if element.error else Kind.STRUCTURE)
    if kind == "optional":
        return Definition(type=Kind.OPTIONAL, element_definition=definition(served, expression[1], within))
    if kind in ("list", "set"):
        return Definition(type=Kind.LIST, element_definition=definition(served, expression[1], within))
    if kind == "map":
        entry = structure(served, MAP_ENTRY, (("key", expression[1]), ("value", expression[2])), within)
        return Definition(type=Kind.LIST, element_definition=entry)
    return Definition(type=KINDS[kind])


def structure(
    served: Served, name: str, fields: Iterable[Field], within: frozenset[str], kind: Kind = Kind.STRUCTURE
) -> Definition:
    return Definition(
        type=kind,
        name=name,
        fields={field: definition(served, expression, within) for field, expression in fields},
    )


class ServiceDefinition(msgspec.Struct, frozen=True):
    """The data of all operations of a service."""

    operations: dict[str, Operation.Info]


def service_info(served: Served, service: ids.VapiServiceId) -> ServiceDefinition:
    """What goes into the operations of a service, and what comes out."""
    element = served.service(service)
    return ServiceDefinition(
        {name: operation_info(served, element.operations[name]) for name in served.services[service]}
    )
