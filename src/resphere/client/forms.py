"""How the call of one operation travels, worked out once from its route: what the server's dialects read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from resphere.client.errors import BadInput, UnexpectedReply
from resphere.client.replies import converted, document_in, error_of, failure_in, lenient, value_in
from resphere.client.steps import Request, Response
from resphere.contract.errors import ERRORS, VapiError
from resphere.contract.model import AnyOperation, ByteStream, Route, Struct
from resphere.contract.moments import plain, wire_time
from resphere.contract.type_forms import inner_of_optional
from resphere.wire.input_parts import InputParts, body_structure, query_places, route_of
from resphere.wire.json_values import encoded
from resphere.wire.validation import bare
from resphere.wire.vapi_values import decoder, encoder

JSON = ("Content-Type", "application/json")
READS = frozenset({"get", "list"})
"""Names that vAPI gives to what changes nothing."""
SECURITY = "com.vmware.vapi.std.security.session_id"

Pairs = tuple[tuple[str, str], ...]


class Form(Protocol):
    """One way in which calls of an operation travel."""

    def request(self, value: Struct, options: Pairs, session_id: str | None) -> Request:
        """The call; ``options`` are those of a list."""

    def failure(self, response: Response) -> VapiError | None:
        """The error in the answer, if it tells one."""

    def result(self, response: Response) -> Any:
        """The result in an answer that tells no error."""


def form_of(operation: AnyOperation, value: Struct) -> Form:
    """The way for a call with this input: ``/api``, or JSON-RPC where the operation has no path that carries it."""
    if operation.api is not None:
        form = api_form(operation)
        if form.carries(value):
            return form
    return rpc_form(operation)


# --- input -----------------------------------------------------------------------------------------------------------


def input_of(operation: AnyOperation, given: Mapping[str, Any] | Struct | None, more: Mapping[str, Any]) -> Struct:
    """The input of a call from its parameters by name: that of the wire, or that of Python where it differs.

    Their values are what JSON has, or structures of the contract, also mixed.

    :raises BadInput: there is no such parameter, one is missing, or a value is not of its type.
    """
    if isinstance(given, operation.input) and not more:
        return given
    if isinstance(given, Struct):
        raise BadInput(f"{operation.id} takes {operation.input.__qualname__}, not {type(given).__qualname__}")
    names = wire_names(operation)
    values: dict[str, Any] = {}
    for name, value in itertools.chain((given or {}).items(), more.items()):
        if name not in names:
            known = ", ".join(dict.fromkeys(names.values())) or "none"
            raise BadInput(f"{operation.id} has no parameter {name}; its parameters: {known}")
        values[names[name]] = value
    try:
        if operation.takes_stream:
            return operation.input(**{api_form(operation).attributes[name]: item for name, item in values.items()})
        filled: Struct = converted(values, operation.input)
        return filled
    except (msgspec.ValidationError, TypeError) as error:
        raise BadInput(f"{operation.id}: {str(error).replace('`', chr(39)).replace('$.', '')}") from None


@cache
def wire_names(operation: AnyOperation) -> dict[str, str]:
    """The names of the parameters, each spelling, with the wire's."""
    fields = msgspec.structs.fields(operation.input)
    return {spelling: field.encode_name for field in fields for spelling in (field.name, field.encode_name)}


# --- /api ------------------------------------------------------------------------------------------------------------


class ApiForm:
    """``/api``: method, path, query and body."""

    def __init__(self, operation: AnyOperation, route: Route) -> None:
        parts = InputParts(operation)
        self._operation, self._route, self._types = operation, route, parts.types
        self.attributes = parts.attributes
        self._query = query_places(route, parts.types)
        in_path = re.findall(r"\{([^}]+)\}", route.path)
        somewhere = {place.parameter for place in self._query.values()} | {*in_path, *route.body, *dict(route.headers)}
        self._left_out = [parts.attributes[name] for name in parts.types if name not in somewhere]
        structures = [place for place in self._query.values() if is_structure(place.type)]
        self._left_out += [parts.attributes[place.parameter] for place in structures if place.member is None]
        self._left_out_members = [
            (parts.attributes[place.parameter], place.member) for place in structures if place.member is not None
        ]
        fields = route.body and not route.flat
        self._body = body_structure(operation.input, route.body) if fields else None

    def carries(self, value: Struct) -> bool:
        """Whether all that is set of an input has its place; a query holds no structures."""
        if any(getattr(value, attribute) is not None for attribute in self._left_out):
            return False
        return all(
            getattr(getattr(value, attribute), member, None) is None for attribute, member in self._left_out_members
        )

    def request(self, value: Struct, options: Pairs, session_id: str | None) -> Request:
        route = self._route
        path = re.sub(r"\{([^}]+)\}", lambda found: quote(text_of(self._of(value, found[1])), safe=""), route.path)
        content = self._content(value)
        headers: list[tuple[str, str]] = [
            (name, str(given)) for parameter, name in route.headers if (given := self._of(value, parameter)) is not None
        ]
        if content and not any(name == "Content-Type" for name, _ in headers):
            headers.append(OCTETS if self._is_raw else FORM if route.form else JSON)
        if session_id is not None:
            headers.append((SESSION_HEADER, session_id))
        if self._operation.media_type is not None:
            headers.append(("Accept", self._operation.media_type))
        given = self._query_of(value)
        # What selects the operation by being there may be a parameter of it, too.
        selecting = [(key, fixed or "") for key, fixed in route.dispatch if key not in dict(given)]
        query = (*selecting, *given, *options)
        is_safe = route.method == "GET" or self._operation.name in READS
        return Request(route.method, path, query, tuple(headers), content, is_safe)

    def failure(self, response: Response) -> VapiError | None:
        return failure_in(response)

    def result(self, response: Response) -> Any:
        expected = self._operation.output
        if expected is None:
            return None
        if self._operation.media_type is not None and expected is bytes:
            return response.content
        if not response.content.strip() and inner_of_optional(expected) is not None:
            return None
        return value_in(response, expected)

    @property
    def _is_raw(self) -> bool:
        """Whether the body is bytes as they are."""
        return self._route.flat and self._types[self._route.body[0]] in (bytes, ByteStream)

    def _of(self, value: Struct, parameter: str) -> Any:
        return getattr(value, self.attributes[parameter])

    def _query_of(self, value: Struct) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        for key, place in self._query.items():
            given = self._of(value, place.parameter)
            if given is not None and place.member is not None:
                given = getattr(given, attribute_of(bare(self._types[place.parameter]), place.member))
            if isinstance(given, frozenset | set):
                pairs += [(key, item) for item in sorted(map(text_of, given))]
            elif isinstance(given, tuple | list):
                pairs += [(key, text_of(item)) for item in given]
            elif given is not None:
                pairs.append((key, text_of(given)))
        return pairs

    def _content(self, value: Struct) -> Any:
        if not self._route.body:
            return b""
        if self._body is not None:
            names = msgspec.structs.fields(self._body)
            body = self._body(**{field.name: getattr(value, field.name) for field in names})
            return encoded(body, self._body)
        parameter = self._route.body[0]
        given = self._of(value, parameter)
        if given is None or self._is_raw:
            return b"" if given is None else given
        if self._route.form:
            # A vCenter takes no JSON there.
            return urlencode([(name, text_of(item)) for name, item in plain(given).items()]).encode()
        return encoded(given, self._types[parameter])


SESSION_HEADER = "vmware-api-session-id"
OCTETS = ("Content-Type", "application/octet-stream")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@cache
def attribute_of(struct: type[Struct], name: str) -> str:
    """What Python calls a field of that name on the wire."""
    return next(field.name for field in msgspec.structs.fields(struct) if field.encode_name == name)


def is_structure(expected: Any) -> bool:
    """Whether values of the type are structures."""
    expected = bare(expected)
    return isinstance(expected, type) and issubclass(expected, Struct)


def text_of(value: Any) -> str:
    """A value as a path or query holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, StrEnum):
        return value.value
    return wire_time(value) if isinstance(value, datetime) else str(value)


@cache
def api_form(operation: AnyOperation) -> ApiForm:
    """The operation's way on ``/api``."""
    return ApiForm(operation, route_of(operation.api, operation))


# --- JSON-RPC --------------------------------------------------------------------------------------------------------


class RpcForm:
    """vAPI's JSON-RPC at ``POST /api``."""

    def __init__(self, operation: AnyOperation) -> None:
        self._operation = operation
        self._write = encoder(operation.input)
        self._read = None if operation.output is None else decoder(operation.output)

    def request(self, value: Struct, options: Pairs, session_id: str | None) -> Request:
        operation = self._operation
        context: dict[str, Any] = {"appCtx": dict(options)}
        if session_id is not None:
            context["securityCtx"] = {"schemeId": SECURITY, "sessionId": session_id}
        params = {
            "serviceId": operation.service,
            "operationId": operation.name,
            "input": self._write(value),
            "ctx": context,
        }
        content = msgspec.json.encode({"jsonrpc": "2.0", "method": "invoke", "id": "1", "params": params})
        headers = [JSON, ("vapi-service", operation.service), ("vapi-operation", operation.name)]
        if session_id is not None:
            headers.append((SESSION_HEADER, session_id))
        return Request("POST", "/api", headers=tuple(headers), content=content, is_safe=operation.name in READS)

    def failure(self, response: Response) -> VapiError | None:
        if not response.is_good:
            return failure_in(response)
        error = self._result(response).get("error")
        if error is None:
            return None
        told = unwrapped(error)
        [name] = error["ERROR"] if isinstance(error, dict) and isinstance(error.get("ERROR"), dict) else ["error"]
        error_type = told.get("error_type") or OF_NAME.get(name) or name.rpartition(".")[2].upper()
        return error_of(error_type, told).http(response.status, tuple(response.headers.items()))

    def result(self, response: Response) -> Any:
        expected = self._operation.output
        if self._read is None:
            return None
        output = self._result(response).get("output")
        try:
            return converted(self._read(output, ""), expected)
        except (VapiError, msgspec.ValidationError):
            return lenient(unwrapped(output), expected, response)

    def _result(self, response: Response) -> dict[str, Any]:
        document = document_in(response)
        if isinstance(document, dict) and isinstance(document.get("result"), dict):
            found: dict[str, Any] = document["result"]
            return found
        error = document.get("error") if isinstance(document, dict) else None
        words = error.get("message") if isinstance(error, dict) else None
        raise UnexpectedReply(
            f"The server does not understand the call by JSON-RPC: {words or document}", response.status
        )


OF_NAME = {error.canonical_name(): error.error_type for error in ERRORS.values()}


def unwrapped(value: Any) -> Any:
    """A value of JSON-RPC without its wrapping, whatever its type: what ``/api`` would carry."""
    if isinstance(value, list):
        entries = [entry_of(item) for item in value]
        if entries and all(entry is not None for entry in entries):
            return {entry["key"]: unwrapped(entry["value"]) for entry in entries if entry is not None}
        return [unwrapped(item) for item in value]
    if not isinstance(value, dict) or len(value) != 1:
        return value
    [(tag, held)] = value.items()
    if tag in ("OPTIONAL", "SECRET", "BINARY"):
        return unwrapped(held)
    if tag in ("STRUCTURE", "ERROR") and isinstance(held, dict) and len(held) == 1:
        [(name, fields)] = held.items()
        plain = {key: unwrapped(item) for key, item in fields.items()}
        known = OF_NAME.get(name) if tag == "ERROR" else None
        return {**plain, "error_type": known} if known and not plain.get("error_type") else plain
    return value


def entry_of(item: Any) -> dict[str, Any] | None:
    """The entry of a map that an item of a list is, if it is one."""
    structure = item.get("STRUCTURE") if isinstance(item, dict) else None
    entry = structure.get("map-entry") if isinstance(structure, dict) else None
    return entry if isinstance(entry, dict) and entry.keys() == {"key", "value"} else None


@cache
def rpc_form(operation: AnyOperation) -> RpcForm:
    """The operation's way by JSON-RPC."""
    return RpcForm(operation)
