"""What ``com.vmware.vapi.metadata.metamodel`` tells of each element.

Documentation is our own words for what is implemented, and empty elsewhere. Names of metadata, and what is in them, are
as VMware's own readers of the metamodel expect them: its openapi generator (``RequestMapping``, ``GET``...,
``Response``, ``PathVariable``) and dcli (``UnionTag``, ``UnionCase``, ``HasFieldsOf``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from resphere.contract.errors import ERRORS
from resphere.contract.extensions import route_text
from resphere.contract.generated import ids
from resphere.contract.generated import vapi_metadata_metamodel as mm
from resphere.contract.metamodel.elements import (
    STANDARD_ERRORS,
    Expression,
    Field,
    OperationElement,
    StructureElement,
)
from resphere.contract.metamodel.served import Served
from resphere.contract.model import Route

Describe = Callable[[str, str], str]
"""Our words for an operation, by service and name; empty where there are none."""
Metadata = dict[str, mm.ElementMap]

STRUCTURE = "com.vmware.vapi.structure"
ENUMERATION = "com.vmware.vapi.enumeration"
Value = mm.ElementValue
BUILTIN_TYPES: Mapping[str, mm.Type.BuiltinType] = {
    "any_error": mm.Type.BuiltinType.ANY_ERROR,
    "binary": mm.Type.BuiltinType.BINARY,
    "boolean": mm.Type.BuiltinType.BOOLEAN,
    "datetime": mm.Type.BuiltinType.DATE_TIME,
    "double": mm.Type.BuiltinType.DOUBLE,
    "dynamic": mm.Type.BuiltinType.DYNAMIC_STRUCTURE,
    "id": mm.Type.BuiltinType.ID,
    "long": mm.Type.BuiltinType.LONG,
    "opaque": mm.Type.BuiltinType.OPAQUE,
    "secret": mm.Type.BuiltinType.SECRET,
    "string": mm.Type.BuiltinType.STRING,
    "uri": mm.Type.BuiltinType.URI,
    "void": mm.Type.BuiltinType.VOID,
}
GENERIC_TYPES: Mapping[str, mm.GenericInstantiation.GenericType] = {
    "optional": mm.GenericInstantiation.GenericType.OPTIONAL,
    "list": mm.GenericInstantiation.GenericType.LIST,
    "set": mm.GenericInstantiation.GenericType.SET,
}
STRING_TYPE = mm.Type(category=mm.Type.Category.BUILTIN, builtin_type=mm.Type.BuiltinType.STRING)
ID_TYPE = mm.Type(category=mm.Type.Category.BUILTIN, builtin_type=mm.Type.BuiltinType.ID)


def text(value: str) -> mm.ElementValue:
    return Value(type=Value.Type.STRING, string_value=value)


def texts(values: Iterable[str]) -> mm.ElementValue:
    return Value(type=Value.Type.STRING_LIST, list_value=tuple(values))


def marked(name: str, **elements: mm.ElementValue) -> Metadata:
    """Metadata of one name."""
    return {name: mm.ElementMap(elements=elements)}


def type_of(expression: Expression) -> mm.Type:
    """The type as the metamodel has it."""
    kind = expression[0]
    builtin = BUILTIN_TYPES.get(kind)
    if builtin is not None:
        return mm.Type(category=mm.Type.Category.BUILTIN, builtin_type=builtin)
    if kind in ("structure", "enumeration"):
        defined = mm.UserDefinedType(
            resource_type=STRUCTURE if kind == "structure" else ENUMERATION, resource_id=expression[1]
        )
        return mm.Type(category=mm.Type.Category.USER_DEFINED, user_defined_type=defined)
    if kind == "map":
        generic = mm.GenericInstantiation(
            generic_type=mm.GenericInstantiation.GenericType.MAP,
            map_key_type=type_of(expression[1]),
            map_value_type=type_of(expression[2]),
        )
    else:
        generic = mm.GenericInstantiation(generic_type=GENERIC_TYPES[kind], element_type=type_of(expression[1]))
    return mm.Type(category=mm.Type.Category.GENERIC, generic_instantiation=generic)


def type_metadata(expression: Expression) -> Metadata:
    """What is said of a field because of its type: which resources its ids are of, whose fields it has."""
    while expression[0] in ("optional", "list", "set", "map"):
        expression = expression[1]
    if expression[0] == "id" and expression[1] is not None:
        return marked("Resource", value=text(expression[1]))
    if expression[0] == "dynamic" and len(expression) > 1:
        return marked("HasFieldsOf", value=text(expression[1]))
    return {}


def field_info(name: str, expression: Expression, metadata: Metadata) -> mm.FieldInfo:
    return mm.FieldInfo(
        name=name, type=type_of(expression), metadata=type_metadata(expression) | metadata, documentation=""
    )


def operation_info(service: str, name: str, element: OperationElement, describe: Describe) -> mm.OperationInfo:
    """An operation; the same of it whether asked for by itself or in its service."""
    output_resource = element.output_resource
    output = mm.OperationResultInfo(
        type=type_of(element.output),
        metadata=marked("Resource", value=text(output_resource)) if output_resource else type_metadata(element.output),
        documentation="",
    )
    return mm.OperationInfo(
        name=name,
        params=tuple([field_info(*field, parameter_metadata(field, element.api)) for field in element.input]),
        output=output,
        errors=tuple(
            [mm.ErrorInfo(structure_id=ids.VapiStructureId(error), documentation="") for error in element.error_ids]
        ),
        metadata=mapping(element.rest) | verb(element.api),
        documentation=describe(service, name),
    )


def error_info(id: str) -> mm.ErrorInfo:
    return mm.ErrorInfo(structure_id=ids.VapiStructureId(id), documentation="")


def mapping(route: Route | None) -> Metadata:
    """Where an operation stands on ``/rest`` by itself; where it stands by its service's id nothing says."""
    if route is None or route.path.startswith("/rest/com/vmware/"):
        return {}
    elements = {"method": text(route.method), "value": text(route.path.removeprefix("/rest"))}
    if route.dispatch:
        elements["params"] = text(route_text(route).partition("?")[2])
    return marked("RequestMapping", **elements)


def verb(route: Route | None) -> Metadata:
    """Where an operation stands on ``/api``."""
    if route is None:
        return {}
    elements = {"path": text(route.path.removeprefix("/api"))}
    if route.dispatch:
        elements["params"] = texts(route_text(route).partition("?")[2].split("&"))
    return marked(route.method, **elements)


def parameter_metadata(field: Field, route: Route | None) -> Metadata:
    """Where a parameter travels on ``/api``."""
    name = field[0]
    if route is None:
        return {}
    if f"{{{name}}}" in route.path:
        return marked("PathVariable", value=text(name))
    if name in route.body:
        return marked("Body") if route.flat else marked("BodyField", value=text(name))
    if any(re.fullmatch(rf"{re.escape(name)}(\..*)?", each) for each in route.query):
        return marked("Query", value=text(name))
    return {}


def structure_info(served: Served, id: str) -> mm.StructureInfo:
    """A structure or error, with the enumerations in it."""
    element = served.structure(id)
    unions = union_metadata(element)
    return mm.StructureInfo(
        name=id,
        type=mm.StructureInfo.Type.ERROR if element.error else mm.StructureInfo.Type.STRUCTURE,
        enumerations={inner: enumeration_of(served, inner) for inner in served.nested.get(id, ([], []))[1]},
        constants={},
        fields=tuple([field_info(name, expression, unions.get(name, {})) for name, expression in element.fields]),
        metadata=structure_metadata(id, element),
        documentation="",
    )


def union_metadata(element: StructureElement) -> dict[str, Metadata]:
    """What is said of fields that are tags of unions, or belong to some of their cases."""
    found: dict[str, Metadata] = {}
    for tag, cases in element.unions:
        found[tag] = found.get(tag, {}) | marked("UnionTag", value=text(tag))
        of_field: dict[str, list[str]] = {}
        for case, members in cases.items():
            for member, _ in members:
                of_field.setdefault(member, []).append(case)
        for member, within in of_field.items():
            found[member] = found.get(member, {}) | marked("UnionCase", tag=text(tag), value=texts(within))
    return found


def structure_metadata(id: str, element: StructureElement) -> Metadata:
    """That it is a model of resources, or with which status an error is answered on ``/api``."""
    if element.model_keys is not None:
        return marked("Model", value=texts(element.model_keys))
    package, _, name = id.rpartition(".")
    if element.error and package == STANDARD_ERRORS and name.upper() in ERRORS:
        return marked("Response", code=text(str(ERRORS[name.upper()].api_status)))
    return {}


def enumeration_of(served: Served, id: str) -> mm.EnumerationInfo:
    """An enumeration that is served."""
    values = served.enumeration(id).values
    return mm.EnumerationInfo(
        name=id,
        values=tuple([mm.EnumerationValueInfo(value=each, metadata={}, documentation="") for each in values]),
        metadata={},
        documentation="",
    )


def service_info(served: Served, id: ids.VapiServiceId, describe: Describe) -> mm.ServiceInfo:
    """A service with all that stands in it."""
    element = served.service(id)
    structures, enumerations = served.nested.get(id, ([], []))
    return mm.ServiceInfo(
        name=id,
        operations={name: operation_info(id, name, element.operations[name], describe) for name in served.services[id]},
        structures={inner: structure_info(served, inner) for inner in structures},
        enumerations={inner: enumeration_of(served, inner) for inner in enumerations},
        constants={name: constant_info(name, value) for name, value in element.constants.items()},
        metadata={},
        documentation="",
    )


def constant_info(name: str, value: str | list[str]) -> mm.ConstantInfo:
    """A constant: a text, several, or the type of the resources that its service is about."""
    if isinstance(value, str):
        expected = ID_TYPE if name == "RESOURCE_TYPE" else STRING_TYPE
        held = mm.ConstantValue(category=mm.ConstantValue.Category.PRIMITIVE, primitive_value=primitive(value))
        return mm.ConstantInfo(type=expected, value=held, documentation="")
    held = mm.ConstantValue(category=mm.ConstantValue.Category.LIST, list_value=tuple(map(primitive, value)))
    return mm.ConstantInfo(type=type_of(["list", ["string"]]), value=held, documentation="")


def primitive(value: str) -> mm.PrimitiveValue:
    return mm.PrimitiveValue(type=mm.PrimitiveValue.Type.STRING, string_value=value)


def package_info(served: Served, id: ids.VapiPackageId, describe: Describe) -> mm.PackageInfo:
    """A package. What stands in its services is told there, and not once more."""
    package = served.packages[id]
    return mm.PackageInfo(
        name=id,
        structures={inner: structure_info(served, inner) for inner in package.structures},
        enumerations={inner: enumeration_of(served, inner) for inner in package.enumerations},
        services={inner: service_info(served, inner, describe) for inner in package.services},
        metadata={},
        documentation="",
    )
