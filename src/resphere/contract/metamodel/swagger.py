"""The documents of vCenter's own API explorer: Swagger 2.0, one for each area of paths, of ``/api`` and of ``/rest``.

They have the form that vCenter 7.0 U3 and 8.0 U2 serve below ``/apiexplorer/json``, and the names of definitions in it.
Sentences are ours, where there are any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import msgspec

from resphere.contract.errors import ERRORS
from resphere.contract.extensions import route_text
from resphere.contract.metamodel.elements import STANDARD_ERRORS, Expression, OperationElement
from resphere.contract.metamodel.infos import Describe
from resphere.contract.metamodel.own import COMPONENT
from resphere.contract.metamodel.served import Served
from resphere.contract.model import Route

Schema = dict[str, Any]
Security = Callable[[str], str | None]
"""By the id of an operation, the scheme by which its callers authenticate; ``None``: they need not."""

INDEX = "api"
"""The document that names all others."""
JSON = "application/json"
BUILTIN: dict[str, Schema] = {
    "any_error": {"type": "string"},
    "binary": {"type": "string", "format": "binary"},
    "boolean": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "double": {"type": "number", "format": "double"},
    "dynamic": {"type": "object"},
    "id": {"type": "string"},
    "long": {"type": "integer", "format": "int64"},
    "opaque": {"type": "object"},
    "secret": {"type": "string", "format": "password"},
    "string": {"type": "string"},
    "uri": {"type": "string", "format": "uri"},
}


class Placed(msgspec.Struct, frozen=True):
    """An operation at one of its addresses."""

    service: str
    name: str
    element: OperationElement
    route: Route

    @property
    def is_api(self) -> bool:
        """Whether it is the address on ``/api``."""
        return self.route.path.startswith("/api")


def areas(served: Served) -> dict[str, list[Placed]]:
    """Name of a document -> what stands in it. Ours are apart: what vCenter's documents say is vCenter's."""
    found: dict[str, list[Placed]] = {}
    for service, names in served.services.items():
        for name in names:
            element = served.operation(service, name)
            for route in (element.api, element.rest):
                if route is not None:
                    found.setdefault(area_of(service, route), []).append(Placed(service, name, element, route))
    return dict(sorted(found.items()))


def area_of(service: str, route: Route) -> str:
    """The document of an address: what comes first after ``/api``; of ``/rest``, where that is not always so, the area
    of the service."""
    if service.startswith(COMPONENT + "."):
        return COMPONENT
    if route.path.startswith("/rest"):
        return service.split(".")[2]
    return route.path.split("/")[2]


def index(served: Served) -> bytes:
    """The names of the documents, as vCenter's ``api.json`` has them."""
    return msgspec.json.format(msgspec.json.encode({"files": list(areas(served))}), indent=4)


def document(served: Served, area: str, describe: Describe, security: Security) -> bytes:
    """One document."""
    writers: dict[bool, Writer] = {True: ApiWriter(served), False: RestWriter(served)}
    paths: dict[str, dict[str, Any]] = {}
    for placed in areas(served)[area]:
        made = operation(placed, writers[placed.is_api], describe, security)
        paths.setdefault(route_text(placed.route), {})[placed.route.method.lower()] = made
    definitions = writers[True].definitions | writers[False].definitions
    return msgspec.json.encode(
        {
            "swagger": "2.0",
            "info": {"description": "", "title": area, "version": "2.0.0"},
            "host": "<vcenter>",
            "securityDefinitions": {
                "session_id": {"in": "header", "name": "vmware-api-session-id", "type": "apiKey"},
                "basic_auth": {"type": "basic"},
            },
            "basePath": "",
            "produces": [JSON],
            "consumes": [JSON],
            "tags": [],
            "schemes": ["https", "http"],
            "paths": dict(sorted(paths.items())),
            "definitions": dict(sorted(definitions.items())),
        }
    )


class Writer:
    """How one dialect's types are written; collects the definitions that are referred to."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.definitions: dict[str, Schema] = {}

    def named(self, id: str) -> str:
        """What a type is called."""
        raise NotImplementedError

    def map(self, expression: Expression) -> Schema:
        """How a map is written."""
        raise NotImplementedError

    def result(self, placed: Placed) -> Schema:
        """How a result is written."""
        raise NotImplementedError

    def error(self, id: str) -> Schema:
        """How an error is written."""
        raise NotImplementedError

    def status(self, id: str) -> int:
        """With which status an error is answered."""
        raise NotImplementedError

    def query_name(self, path: str) -> str:
        """What a parameter of the query is called."""
        raise NotImplementedError

    def body(self, placed: Placed) -> Schema:
        """How a body is written."""
        raise NotImplementedError

    def reference(self, name: str, make: Callable[[], Schema]) -> Schema:
        """A reference to a definition, which is made where it is new: it may refer to itself."""
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = make()
        return {"$ref": f"#/definitions/{name}"}

    def schema(self, expression: Expression) -> Schema:
        """The schema of a type."""
        kind = expression[0]
        if kind == "optional":
            return self.schema(expression[1])
        if kind == "list":
            return {"type": "array", "items": self.schema(expression[1])}
        if kind == "set":
            return {"type": "array", "uniqueItems": True, "items": self.schema(expression[1])}
        if kind == "map":
            return self.map(expression)
        if kind == "structure":
            id = expression[1]
            return self.reference(self.named(id), lambda: self.object(self._served.structure(id).fields))
        if kind == "enumeration":
            values = self.values(expression[1])
            return self.reference(self.named(expression[1]), lambda: {"type": "string", "enum": values})
        return dict(BUILTIN[kind])

    def field(self, structure: str, name: str) -> Expression:
        """The type of a field."""
        return dict(self._served.structure(structure).fields)[name]

    def values(self, enumeration: str) -> list[str]:
        """The values of an enumeration."""
        return list(self._served.enumeration(enumeration).values)

    def object(self, fields: tuple[tuple[str, Expression], ...]) -> Schema:
        """An object with these fields."""
        made: Schema = {"type": "object", "properties": {name: self.schema(each) for name, each in fields}}
        required = [name for name, expression in fields if expression[0] != "optional"]
        return made | ({"required": required} if required else {})


class ApiWriter(Writer):
    """``/api``: ``VcenterVMSummary``, results as they are."""

    def named(self, id: str) -> str:
        words = re.split(r"[._]", id.removeprefix("com.vmware."))
        return "".join([word[:1].upper() + word[1:] for word in words])

    def map(self, expression: Expression) -> Schema:
        return {"type": "object", "additionalProperties": self.schema(expression[2])}

    def result(self, placed: Placed) -> Schema:
        return self.schema(placed.element.output)

    def error(self, id: str) -> Schema:
        return self.schema(["structure", id])

    def status(self, id: str) -> int:
        return error_status(id, is_api=True)

    def query_name(self, path: str) -> str:
        return path.rpartition(".")[2]

    def body(self, placed: Placed) -> Schema:
        fields = [field for field in placed.element.input if field[0] in placed.route.body]
        name = self.named(f"{placed.service}.{placed.name}")
        if placed.route.flat:
            return self.reference(name, lambda: self.schema(fields[0][1]))
        return self.reference(name, lambda: self.object(tuple(fields)))


class RestWriter(Writer):
    """``/rest``: ``vcenter.VM.summary``, results in a ``value``, bodies by parameter."""

    def named(self, id: str) -> str:
        return id.removeprefix("com.vmware.")

    def map(self, expression: Expression) -> Schema:
        entry = self.object((("key", expression[1]), ("value", expression[2])))
        return {"type": "array", "items": entry}

    def result(self, placed: Placed) -> Schema:
        name = self.named(placed.service) + ("" if placed.name == "get" else f".{placed.name}") + "_resp"
        return self.reference(name, lambda: self.object((("value", placed.element.output),)))

    def error(self, id: str) -> Schema:
        typed = ("type", ["string"]), ("value", ["structure", id])
        return self.reference(self.named(id) + "_error", lambda: self.object(typed))

    def status(self, id: str) -> int:
        return error_status(id, is_api=False)

    def query_name(self, path: str) -> str:
        return path

    def body(self, placed: Placed) -> Schema:
        fields = tuple([field for field in placed.element.input if field[0] in placed.route.body])
        return self.reference(f"{self.named(placed.service)}_{placed.name}", lambda: self.object(fields))


def error_status(id: str, *, is_api: bool) -> int:
    """The status of an error; of one that is no standard error 400."""
    package, _, name = id.rpartition(".")
    error = ERRORS.get(name.upper()) if package == STANDARD_ERRORS else None
    if error is None:
        return HTTPStatus.BAD_REQUEST
    return error.api_status if is_api else error.rest_status


def operation(placed: Placed, writer: Writer, describe: Describe, security: Security) -> dict[str, Any]:
    """An operation at one of its addresses."""
    words = describe(placed.service, placed.name)
    made: dict[str, Any] = {
        "tags": ["/".join(placed.service.split(".")[3:]) or placed.service],
        "summary": words,
        "parameters": list(parameters(placed, writer)),
        "responses": responses(placed, writer),
        "operationId": placed.name,
    }
    scheme = security(f"{placed.service}.{placed.name}")
    if scheme is not None:
        made["security"] = [{scheme: []}]
    if not placed.is_api and placed.element.api is not None:
        made["deprecated"] = True
        made["x-vmw-deprecated"] = {"replacement": replacement(placed)}
    return made


def replacement(placed: Placed) -> str:
    """Where the document says what to use on ``/api`` instead."""
    route = placed.element.api
    if route is None:
        raise ValueError(f"{placed.service}.{placed.name} does not stand on /api")
    path = route_text(route).replace("~", "~0").replace("/", "~1")
    return f"{area_of(placed.service, route)}.json#/paths/{path}/{route.method.lower()}"


def parameters(placed: Placed, writer: Writer) -> Iterator[dict[str, Any]]:
    """What travels in the path, in the query, in headers and in the body."""
    types = dict(placed.element.input)
    for name in re.findall(r"{(\w+)}", placed.route.path):
        yield {**flattened(writer, types[name]), "required": True, "in": "path", "name": name, "description": ""}
    for path in placed.route.query:
        expression = query_type(placed, path, writer)
        yield {
            **flattened(writer, expression),
            "required": expression[0] != "optional" and "." not in path,
            "in": "query",
            "name": writer.query_name(path),
            "description": "",
        }
    for name, header in placed.route.headers:
        made = flattened(writer, types[name])
        yield {**made, "required": types[name][0] != "optional", "in": "header", "name": header, "description": ""}
    if placed.route.body:
        yield {"in": "body", "name": "request_body", "required": True, "schema": writer.body(placed)}


def query_type(placed: Placed, path: str, writer: Writer) -> Expression:
    """The type of what a dotted path of the query names."""
    name, _, member = path.partition(".")
    expression = dict(placed.element.input)[name]
    if not member:
        return expression
    while expression[0] == "optional":
        expression = expression[1]
    return writer.field(expression[1], member)


def flattened(writer: Writer, expression: Expression) -> Schema:
    """The type of something that is no document: references are not allowed there."""
    while expression[0] == "optional":
        expression = expression[1]
    if expression[0] in ("list", "set"):
        return {"type": "array", "collectionFormat": "multi", "items": flattened(writer, expression[1])}
    if expression[0] == "enumeration":
        return {"type": "string", "enum": writer.values(expression[1])}
    return dict(BUILTIN.get(expression[0], {"type": "string"}))


def responses(placed: Placed, writer: Writer) -> dict[str, Any]:
    """Success and the declared errors, one for each status: Swagger has room for no more."""
    success: dict[str, Any] = {"description": ""}
    if placed.element.output != ["void"]:
        success["schema"] = writer.result(placed)
    made = {str(placed.route.status): success}
    for id in placed.element.error_ids:
        made.setdefault(str(writer.status(id)), {"description": "", "schema": writer.error(id)})
    return made
