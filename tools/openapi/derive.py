"""OpenAPI 3.1 of the ``/api`` dialect, derived from the contract.

Operations that share path and method and differ by query stand under a path with that query, as in vCenter's own
documents. Descriptions are ours where there are any, absent elsewhere.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any

import msgspec

from resphere.contract.errors import ERRORS, ErrorBody, VapiError
from resphere.contract.extensions import route_text
from resphere.contract.fields import fields_of
from resphere.contract.model import AnyOperation, ByteStream, Requirement, Route, Struct, Union
from resphere.contract.openapi import REFERENCE, plain_words
from resphere.contract.words import describe
from tools.openapi.examples import PROPOSED, example

PARAMETER = "#/components/parameters/"
HEADER = "#/components/headers/"
RESPONSE = "#/components/responses/"
GENERATED = "resphere.contract.generated."
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HEADERS: Mapping[str, str] = {
    "If-None-Match": "ETags of earlier answers: one that is still good is answered 304, without a body.",
    "If-Match": "ETag of the object as you know it: where it was changed meanwhile, nothing is done (412).",
    "Idempotency-Key": "A text of your choice, one for each call: repeated with it, the call is made once.",
    "Prefer": "With `wait=N` the answer comes when there is something new, or after so many seconds.",
}
"""Header -> what it is for. Many operations take them."""
ANSWERS = (
    ("304", "If-None-Match", "Unchanged since the reply whose ETag If-None-Match names"),
    ("409", "Idempotency-Key", "The call with this key is under way, or its answer is lost"),
    ("412", "If-Match", "The object is not as If-Match says"),
    ("422", "Idempotency-Key", "The key was used for another call"),
)
"""Statuses that these headers bring."""
ALWAYS = ("invalid_argument", "unauthenticated", "unauthorized", "unsupported", "internal_server_error")
"""What every operation may answer, whatever it declares."""

Requirements = Callable[[AnyOperation], tuple[Requirement, ...]]
Describe = Callable[[AnyOperation], str | None]


class Source(msgspec.Struct, frozen=True):
    """What the document is made of.

    ``requirements`` gives an operation's privileges, ``describe`` our words for it (``None``: none), ``implemented``
    are ids, ``public`` those that need no session, ``security`` the schemes of those that take something else:
    ``basic``, ``token``. ``lists`` are the ids of lists, each with the names of the ``options`` that it takes beside
    its own parameters; ``headers`` are those of their replies, and ``lines`` what they are sent as one item a line.
    """

    operations: tuple[AnyOperation, ...]
    requirements: Requirements
    describe: Describe
    implemented: frozenset[str]
    public: frozenset[str]
    security: Mapping[str, tuple[str, ...]]
    title: str
    lists: Mapping[str, tuple[str, ...]] = {}
    options: Mapping[str, dict[str, Any]] = {}
    headers: Mapping[str, dict[str, Any]] = {}
    lines: str = ""


def document(source: Source) -> dict[str, Any]:
    """The document of all operations of ``source``, as plain values; no version stands in it."""
    routed = [(operation, operation.api) for operation in source.operations if operation.api is not None]
    types = list(types_of(routed))
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE + "{name}")
    classes = shown_classes(types, components)
    for name, cls in classes.items():
        if issubclass(cls, Struct) and cls.__vapi_unions__:
            components[name]["allOf"] = [union_schema(cls, union) for union in cls.__vapi_unions__]
        if issubclass(cls, Struct) and (readable(cls) in PROPOSED or needs_example(cls)):
            components[name]["examples"] = [PROPOSED.get(readable(cls)) or example(cls)]
    for component in components.values():
        if "description" in component:
            component["description"] = plain_words(component["description"])
    without_null_defaults(schemas)
    without_null_defaults(components)
    names = {shown: readable(cls) for shown, cls in classes.items()}
    schema_of = dict(zip(map(id, types), schemas, strict=True))
    by_type = [(t, schema_of[id(t)]) for t in types]
    paths: dict[str, dict[str, Any]] = {}
    position = iter(by_type)
    for operation, route in routed:
        item = paths.setdefault(route_text(route), {})
        item[route.method.lower()] = operation_object(source, operation, route, position)
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": source.title,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"session": []}, {"token": []}],
        "tags": [{"name": service} for service in sorted({o.service for o, _ in routed})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "header", "name": "vmware-api-session-id"},
                "basic": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
            "parameters": {
                **source.options,
                **{
                    name: {"name": name, "in": "header", "description": words, "schema": {"type": "string"}}
                    for name, words in HEADERS.items()
                },
            },
            "headers": dict(source.headers),
            "responses": error_responses(paths),
            "schemas": components,
        },
    }
    return renamed(made, names)


def types_of(routed: Iterable[tuple[AnyOperation, Route]]) -> Iterator[Any]:
    """Every type that the document shows, in the order in which :func:`operation_object` takes their schemas."""
    for operation, route in routed:
        fields = {field.encode_name: field for field in fields_of(operation.input)}
        for name in re.findall(r"{(\w+)}", route.path):
            yield fields[name].type
        for path in route.query:
            yield query_field(operation, path).type
        for name, _ in route.headers:
            yield fields[name].type
        for name in route.body:
            # A stream is bytes to those who look from outside.
            yield bytes if fields[name].type is ByteStream else fields[name].type
        if operation.output is not None and operation.media_type is None:
            yield operation.output
    yield ErrorBody


def query_field(operation: AnyOperation, path: str) -> msgspec.structs.FieldInfo:
    """The field behind a dotted query path (``filter.names``)."""
    parameter, _, member = path.partition(".")
    fields = {field.encode_name: field for field in fields_of(operation.input)}
    if not member:
        return fields[parameter]
    structure = next(
        t for t in (*typing.get_args(fields[parameter].type), fields[parameter].type) if isinstance(t, type)
    )
    return {field.encode_name: field for field in fields_of(structure)}[member]


def operation_object(
    source: Source, operation: AnyOperation, route: Route, position: Iterator[tuple[Any, dict[str, Any]]]
) -> dict[str, Any]:
    """One operation; takes its schemas from ``position``."""
    fields = {field.encode_name: field for field in fields_of(operation.input)}
    made: dict[str, Any] = {"operationId": operation.id, "tags": [operation.service]}
    words = source.describe(operation)
    if words:
        made["summary"] = words
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": describe(name, fields[name].type),
            "schema": next(position)[1],
        }
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    parameters += [query_parameter(operation, path, next(position)[1]) for path in route.query]
    parameters += [
        {
            "name": header,
            "in": "header",
            "required": fields[name].required,
            "description": describe(name, fields[name].type),
            "schema": not_null(next(position)[1]),
        }
        for name, header in route.headers
    ]
    parameters += [{"$ref": PARAMETER + name} for name in source.lists.get(operation.id, ())]
    if operation.id in source.implemented:
        parameters += [{"$ref": PARAMETER + name} for name in headers_of(operation, route)]
    if parameters:
        made["parameters"] = parameters
    if route.body:
        members = {name: next(position)[1] for name in route.body}
        made["requestBody"] = request_body(route, fields, members)
    output = None
    if operation.output is not None and operation.media_type is None:
        output = next(position)[1]
    made["responses"] = responses(operation, route, output)
    if operation.id in source.lists:
        success = made["responses"][str(route.status)]
        success["headers"] = {name: {"$ref": HEADER + name} for name in source.headers}
        success["content"][source.lines] = {"schema": {}}
    if operation.id in source.implemented:
        for status, header, why in ANSWERS:
            if header in headers_of(operation, route):
                made["responses"].setdefault(status, {"description": why})
    if operation.id in source.public:
        made["security"] = []
    elif operation.id in source.security:
        made["security"] = [{scheme: []} for scheme in source.security[operation.id]]
    made["x-privileges"] = sorted({p for r in source.requirements(operation) for p in r.privileges})
    made["x-releases"] = list(operation.releases)
    made["x-implemented"] = operation.id in source.implemented
    return made


def headers_of(operation: AnyOperation, route: Route) -> tuple[str, ...]:
    """The headers by which a call of the operation is made safe, or saved."""
    if operation.streams:
        return ()
    if route.method == "GET":
        return ("If-None-Match", "Prefer") if "{" in route.path else ("If-None-Match",)
    return ("If-Match", "Idempotency-Key") if "{" in route.path else ("Idempotency-Key",)


def query_parameter(operation: AnyOperation, path: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter; lists are repeated keys."""
    field = query_field(operation, path)
    parameter, _, member = path.partition(".")
    return {
        "name": member or parameter,
        "in": "query",
        "required": field.required and not member,
        "description": describe(member or parameter, field.type, filters=parameter == "filter" and bool(member)),
        "schema": query_schema(schema),
        "explode": True,
    }


def query_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of what travels in a query, where a set may name a thing twice."""
    return {name: value for name, value in not_null(schema).items() if name != "uniqueItems"}


def not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without ``null``, which a query cannot say."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else schema


def request_body(
    route: Route, fields: dict[str, msgspec.structs.FieldInfo], members: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """The body: the parameter itself, or an object keyed by parameter."""
    required = [name for name in members if fields[name].required]
    if route.flat:
        (name,) = members
        if fields[name].type in (bytes, ByteStream):
            return {"required": False, "content": {"application/octet-stream": {"schema": {}}}}
        content = {"schema": not_null(members[name])}
        return {"required": bool(required), "content": {JSON: content, **({FORM: content} if route.form else {})}}
    schema: dict[str, Any] = {"type": "object", "properties": members, "additionalProperties": False}
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {JSON: {"schema": schema}}}


def responses(operation: AnyOperation, route: Route, output: dict[str, Any] | None) -> dict[str, Any]:
    """Success, and each declared error under its status."""
    made: dict[str, Any] = {str(route.status): {"description": "Success"}}
    if operation.media_type is not None:
        made[str(route.status)]["content"] = {operation.media_type: {"schema": {}}}
    elif output is not None:
        made[str(route.status)]["content"] = {JSON: {"schema": output}}
    by_status: dict[int, set[str]] = {}
    # What a path names may always be gone, though a few operations of VMs' storage do not declare it.
    for name in {*operation.errors, *ALWAYS, *(("not_found",) if "{" in route.path else ())}:
        error = ERRORS.get(name.upper(), VapiError)
        by_status.setdefault(error.api_status, set()).add(error.error_type)
    by_status.setdefault(413, set()).add("INVALID_ARGUMENT")
    for status in (429, 503):
        by_status.setdefault(status, set()).add("SERVICE_UNAVAILABLE")
    for status, types in sorted(by_status.items()):
        made[str(status)] = {"$ref": RESPONSE + ".".join((str(status), *sorted(types)))}
    return made


def error_responses(paths: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The responses with errors that operations refer to. Names are made of the status and the types of errors."""
    referred = (
        response["$ref"].removeprefix(RESPONSE)
        for item in paths.values()
        for operation in item.values()
        for response in operation["responses"].values()
        if "$ref" in response
    )
    return {
        name: {
            "description": ", ".join(name.split(".")[1:]),
            "content": {JSON: {"schema": {"$ref": REFERENCE + ErrorBody.__name__}}},
        }
        for name in sorted(set(referred))
    }


def union_schema(cls: type[Struct], union: Union) -> dict[str, Any]:
    """One branch for each value of the discriminant, with the fields that it requires and those that it forbids.

    Forbidden fields may be ``null``, which means unset. Where the discriminant itself may be unset, that branch forbids
    all of them.
    """
    fields = {field.name: field for field in fields_of(cls)}
    key = fields[union.discriminant].encode_name
    branches = [
        case_schema(key, {"const": value}, fields, union, dict(union.cases.get(value, ())))
        for value in enumeration(fields[union.discriminant].type)
    ]
    if not fields[union.discriminant].required:
        forbidden = {fields[name].encode_name: {"type": "null"} for name in sorted(union.members)}
        branches.append({"properties": {key: {"type": "null"}, **forbidden}})
    return {"oneOf": branches}


def case_schema(
    key: str,
    tag: dict[str, Any],
    fields: dict[str, msgspec.structs.FieldInfo],
    union: Union,
    allowed: dict[str, bool],
) -> dict[str, Any]:
    """The branch in which the field ``key`` is as ``tag`` says; ``allowed``: field -> whether it is required then."""
    properties: dict[str, Any] = {key: tag}
    required = [key]
    for name in sorted(union.members):
        shown = fields[name].encode_name
        if name not in allowed:
            properties[shown] = {"type": "null"}
        elif allowed[name]:
            properties[shown] = {"not": {"type": "null"}}
            required.append(shown)
    return {"properties": properties, "required": required}


def enumeration(expected: Any) -> list[str]:
    """The values of the enumeration inside ``expected``."""
    options = (*typing.get_args(expected), expected)
    found = next(t for t in options if isinstance(t, type) and issubclass(t, Enum))
    return [str(member.value) for member in found]


def needs_example(cls: type[Struct]) -> bool:
    """Whether readers who propose a value of each field's type, and any word for a key, would propose a wrong one: some
    fields exclude others, a map has no words for keys, or the structure holds itself."""
    return bool(cls.__vapi_unions__) or has_bound_fields(cls) or cls in reachable(direct(cls))


@cache
def has_bound_fields(cls: type[Struct]) -> bool:
    """Whether a field holds a map whose keys are not just any text."""
    return any(has_bound_keys(field.type) for field in fields_of(cls))


def has_bound_keys(expected: Any) -> bool:
    """Whether there is a map inside ``expected`` whose keys are not just any text."""
    arguments = typing.get_args(expected)
    bound = typing.get_origin(expected) is dict and not (
        arguments[0] is str or isinstance(arguments[0], typing.NewType)
    )
    return bound or any(map(has_bound_keys, arguments))


def without_null_defaults(value: Any) -> None:
    """Take away ``"default": null``, everywhere inside: that an unset field is unset says nothing."""
    if isinstance(value, dict):
        if value.get("default", value) is None:
            del value["default"]
        for inner in value.values():
            without_null_defaults(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            without_null_defaults(inner)


def shown_classes(types: Iterable[Any], components: dict[str, Any]) -> dict[str, type]:
    """What msgspec called a schema -> the class that it describes."""
    shown: dict[str, type] = {}
    for cls in reachable(types):
        full = f"{cls.__module__}.{cls.__qualname__}"
        if full in components:
            shown[full] = cls
        elif cls.__name__ in components:
            shown[cls.__name__] = cls
    return shown


def readable(cls: type) -> str:
    """``vcenter.VM.Summary``: the place in the contract, unique."""
    if cls is ErrorBody:
        return ErrorBody.__name__
    return f"{cls.__module__}.{cls.__qualname__}".removeprefix(GENERATED).removeprefix("resphere.contract.")


def reachable(types: Iterable[Any]) -> set[type]:
    """Every structure and enumeration inside ``types``."""
    seen: set[type] = set()
    waiting = list(within(types))
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += direct(current)
    return seen


@cache
def direct(cls: type) -> tuple[type, ...]:
    """The structures and enumerations that the fields of a structure have as their types, or in them."""
    if not issubclass(cls, (Struct, ErrorBody)):
        return ()
    return tuple(dict.fromkeys(within(field.type for field in fields_of(cls))))


def within(types: Iterable[Any]) -> Iterator[type]:
    """The structures and enumerations in ``types``, without what is in those."""
    for each in types:
        if isinstance(each, type) and issubclass(each, (Struct, ErrorBody, Enum)):
            yield each
        else:
            yield from within(argument for argument in typing.get_args(each) if argument is not ...)


def renamed(made: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """``made`` with its schemas, and all references to them, under their readable names."""
    made["components"]["schemas"] = dict(
        sorted((names.get(name, name), schema) for name, schema in made["components"]["schemas"].items())
    )
    replace_references(made, {REFERENCE + old: REFERENCE + new for old, new in names.items()})
    return made


def replace_references(value: Any, references: dict[str, str]) -> None:
    """Replace every ``$ref`` inside ``value``."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            value["$ref"] = references.get(reference, reference)
        for inner in value.values():
            replace_references(inner, references)
    elif isinstance(value, list):
        for inner in value:
            replace_references(inner, references)
