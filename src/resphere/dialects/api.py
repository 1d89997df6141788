"""The ``/api`` dialect (vCenter 7.0 U2 and later): bare values, one structure as the body itself, errors as objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from resphere.contract.errors import InvalidArgument, NotFound, VapiError, message
from resphere.contract.extensions import AS_STREAMS, QUERY_ALIASES
from resphere.contract.extensions.openapi import Explorer
from resphere.contract.model import AnyOperation, Asset, ByteStream, LocalizableMessage, Part, Route, Struct
from resphere.contract.unions import check_unions
from resphere.dialects.base import Outcome, ReadBody, Refused, Reply, Request, Resolved
from resphere.dialects.http import (
    JSON,
    Addresses,
    NoResource,
    Refusals,
    allowing,
    error_body,
    error_headers,
    media_type_of,
    parse_query,
    require_json,
    whole,
)
from resphere.dialects.spellings import RESPELLING, decode_respelled
from resphere.wire.input_parts import InputParts, body_structure, is_empty, is_optional, query_places, route_of
from resphere.wire.json_values import encoded
from resphere.wire.plain_values import document
from resphere.wire.validation import bare, convert, decode_json, field_types, invalid

PLACES = frozenset(
    {"clusters", "datacenters", "folders", "hosts", "parent_folders", "parent_resource_pools", "resource_pools"}
)
"""Filters by place, which a read that has not got them ignores, as vCenter 8.0 must: Ansible's lookups walk down a path
with what they found on it, and ask for ``resource-pool?parent_folders=...``. Other unknown keys are refused."""

FORM = "application/x-www-form-urlencoded"
MOST_FORM_BYTES = 512 * 1024
"""Of a form, which may have two tokens."""
MOST_FORM_FIELDS = 100
MOST_FORM_ESCAPES = 20_000
"""Of Base64, some three characters in a hundred are escaped; others wait while they are read."""

HTML = b"text/html"
"""What browsers accept."""
START = (
    "This is vSphere's API: its operations are below /api and /rest, POST /api speaks JSON-RPC, /api/openapi.json "
    "describes it, and /apiexplorer shows it in a browser. POST /api/session with name and password begins a session."
)


class ApiDialect:
    """``/api``, and the few paths of ours beside it."""

    name = "api"

    def __init__(self, routes: Iterable[tuple[str, str, str]]) -> None:
        self._addresses = Addresses(routes, REFUSALS)

    def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """The operation that method, path and query mean.

        Refused with ``com.vmware.vapi.rest.httpNotFound``, or with status 405 and ``Allow``; below ``/api`` all but
        that there is no such path is told only after authentication.
        """
        outcome = self._addresses.resolve(request, read_body)
        if isinstance(outcome, Resolved) and outcome.operation.id == Explorer.start.id and not accepts(request, HTML):
            return Refused(start_in_words(), outcome.credentials, public=True)
        if isinstance(outcome, Resolved) and (streamed := AS_STREAMS.get(outcome.operation.id)) is not None:
            media_type, operation = streamed
            if accepts(request, media_type.encode()):
                return msgspec.structs.replace(outcome, operation=operation, kept_key=None)
        return outcome

    def options(self, request: Request) -> Reply:
        """The allowed methods.

        :raises NotFound: there is no such path.
        """
        return allowing(self._addresses.allowed(request))

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """Path, query and body as the operation's input structure.

        :raises InvalidArgument: names the field.
        """
        return form_of(resolved.operation).decode(resolved, request, body)

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """The bare value; nothing for void."""
        operation = resolved.operation
        status = form_of(operation).status
        if isinstance(result, Asset):
            return Reply(status, bytes(result), result.media_type, result.headers)
        if isinstance(result, Part):
            return Reply(result.status, media_type=operation.media_type, headers=result.headers, stream=result)
        if operation.output is ByteStream:
            return Reply(status, media_type=operation.media_type, stream=result)
        if operation.media_type is not None:
            return Reply(status, result, operation.media_type)
        if operation.output is None:
            return Reply(status)
        return Reply(status, encoded(result, operation.output), JSON)

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """Nothing in a reply is particular to a request."""
        return reply

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """``{"error_type": ..., "messages": [...]}`` with the error's status."""
        return Reply(error.status or error.api_status, document(error_body(error)), JSON, error_headers(error))


def below_api(path: str) -> bool:
    """Whether the path as sent is ``/api`` or begins with it as a segment, however that is written."""
    return unquote_to_bytes(path.lstrip("/").partition("/")[0]) == b"api"


def accepts(request: Request, media_type: bytes) -> bool:
    """Whether the client names the media type among those that it takes."""
    return media_type in request.headers.get(b"accept", b"")


def no_resource(request: Request) -> NoResource:
    """The refusal of a path that no release has, as vCenter words it."""
    return NoResource(message("com.vmware.vapi.rest.httpNotFound", "Not found."))


def start_in_words() -> NoResource:
    """What ``/`` is to whoever is no browser."""
    refusal = NoResource(message("resphere.start", START))
    refusal.http(404, [("Vary", "Accept")])
    return refusal


def no_query(request: Request, method: str, queries: str) -> NotFound:
    """The refusal where the path and method exist, but not without a query that selects the operation."""
    words = f"Not found. {method} at {request.path} needs one of these queries: {queries}."
    return NotFound(LocalizableMessage(id="com.vmware.vapi.rest.httpNotFound", default_message=words, args=()))


def are_public(request: Request, error: VapiError) -> bool:
    """Which paths there are, everybody may read in the API's description."""
    return isinstance(error, NoResource) or not below_api(request.path)


REFUSALS = Refusals(no_resource, no_query, are_public)


class ApiForm:
    """How one operation travels, worked out once."""

    def __init__(self, operation: AnyOperation, route: Route) -> None:
        self.status = route.status
        """Of a reply that is no error."""
        self._parts = InputParts(operation)
        self._query = query_places(route, self._parts.types)
        for alias, name in QUERY_ALIASES.get(operation.id, {}).items():
            self._query[alias] = self._query[name]
        self._headers = {name.lower().encode(): parameter for parameter, name in route.headers}
        self._selecting = {key for key, _ in route.dispatch}
        self._body = body_form(operation, route, self._parts) if route.body else None
        self._ignores_body = route.method in ("GET", "DELETE")
        self._reads = route.method == "GET"

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """The input.

        :raises InvalidArgument: names the field.
        """
        values = self._parts.of_path(resolved.parameters)
        for header, parameter in self._headers.items():
            values[self._parts.attributes[parameter]] = request.header(header)
        if resolved.query or self._query:
            self._decode_query(resolved.query, values)
        if self._body is not None:
            self._body.decode(request, body, values)
        elif isinstance(body, bytes) and not self._ignores_body and not is_empty(body):
            raise invalid("body", "the operation takes no body")
        return self._parts.put_together(values)

    def _decode_query(self, query: dict[str, list[str]], values: dict[str, Any]) -> None:
        members: dict[str, dict[str, Any]] = {}
        for key, given in query.items():
            place = self._query.get(key)
            if place is None and key in self._selecting:
                continue
            if place is None and self._reads and key in PLACES:
                continue
            if place is None:
                raise InvalidArgument(
                    message("com.vmware.vapi.rest.unsupportedProperty", "Unsupported property with name: {0}.", key)
                )
            value = self._query_value(key, given, place.type)
            if place.member is None:
                values[self._parts.attributes[place.parameter]] = value
            else:
                members.setdefault(place.parameter, {})[place.member] = value
        for parameter, collected in members.items():
            value = convert(collected, self._parts.types[parameter], parameter)
            check_unions(value, "")
            values[self._parts.attributes[parameter]] = value
        self._require_members(members, values)

    def _query_value(self, key: str, given: list[str], expected: Any) -> Any:
        inner = bare(expected)
        if getattr(inner, "__origin__", None) in (tuple, frozenset):
            return convert(given, expected, key)
        if len(given) > 1:
            raise invalid(key, "may be given only once")
        return convert(given[0], expected, key)

    def _require_members(self, members: dict[str, dict[str, Any]], values: dict[str, Any]) -> None:
        """A required structure that travels in the query and of which nothing was given may still be valid, empty."""
        for place in self._query.values():
            parameter = place.parameter
            absent = place.member and parameter not in members and self._parts.attributes[parameter] not in values
            if absent and not is_optional(self._parts.types[parameter]):
                values[self._parts.attributes[parameter]] = convert({}, self._parts.types[parameter], parameter)


class RawBody(msgspec.Struct, frozen=True):
    """A body that is the value of one parameter as it is: bytes, or a stream of them."""

    attribute: str

    def decode(self, request: Request, body: bytes | ByteStream, values: dict[str, Any]) -> None:
        """Put the body's value among the ``values``."""
        values[self.attribute] = body


def decoder_of(expected: Any) -> Callable[[bytes, str], Any]:
    """What reads documents of the type; it is told what a document is called in messages."""
    respell = RESPELLING.of(expected)
    if respell is not None:
        return lambda body, root: decode_respelled(body, root, expected, respell)
    decoder = msgspec.json.Decoder(expected)
    return lambda body, root: decode_json(decoder, body, root, expected)


class FlatBody:
    """A body that is the JSON of one parameter."""

    def __init__(self, parameter: str, parts: InputParts) -> None:
        self._parameter = parameter
        self._attribute = parts.attributes[parameter]
        self._type = parts.types[parameter]
        self._decode = decoder_of(self._type)
        self._is_required = not is_optional(self._type)

    def decode(self, request: Request, body: bytes | ByteStream, values: dict[str, Any]) -> None:
        """Put the body's value among the ``values``.

        :raises InvalidArgument: names the field.
        """
        content = whole(body)
        if content.strip():
            require_json(request)
            values[self._attribute] = self._decode(content, self._parameter)
        elif self._is_required:
            raise invalid(self._parameter, "a body is required")


class FormBody:
    """A body that is a form, whose fields are those of one parameter (RFC 6749, appendix B), or its JSON.

    As OAuth has it, a field without a value is none, unknown ones count for nothing, and each may stand there once.
    """

    def __init__(self, parameter: str, parts: InputParts) -> None:
        self._parameter = parameter
        self._attribute = parts.attributes[parameter]
        self._type = parts.types[parameter]
        self._names = frozenset(field_types(bare(self._type)))
        self._json = FlatBody(parameter, parts)

    def decode(self, request: Request, body: bytes | ByteStream, values: dict[str, Any]) -> None:
        """Put the body's value among the ``values``.

        :raises InvalidArgument: names the field.
        """
        if media_type_of(request) != FORM:
            self._json.decode(request, body, values)
            return
        content = whole(body)
        if len(content) > MOST_FORM_BYTES:
            raise invalid(self._parameter, f"a form may have {MOST_FORM_BYTES} bytes at most")
        if content.count(b"%") > MOST_FORM_ESCAPES:
            raise invalid(self._parameter, f"a form may have {MOST_FORM_ESCAPES} escaped characters at most")
        if content.count(b"&") >= MOST_FORM_FIELDS:
            raise invalid(self._parameter, f"a form may have {MOST_FORM_FIELDS} fields at most")
        filled = {key: given for key, given in parse_query(content).items() if key in self._names and any(given)}
        repeated = sorted(key for key, given in filled.items() if len(given) > 1)
        if repeated:
            raise invalid(repeated[0], "may be given only once")
        only = {key: value for key, (value,) in filled.items()}
        values[self._attribute] = convert(only, self._type, self._parameter)


class FieldsBody:
    """A body that is a JSON object of several parameters."""

    def __init__(self, operation: AnyOperation, route: Route, parts: InputParts) -> None:
        self._attributes = [parts.attributes[name] for name in route.body]
        self._type = body_structure(operation.input, route.body)
        self._decode = decoder_of(self._type)

    def decode(self, request: Request, body: bytes | ByteStream, values: dict[str, Any]) -> None:
        """Put the values of the body's parameters among the ``values``.

        :raises InvalidArgument: names the field.
        """
        content = whole(body)
        require_json(request)
        value = self._decode(content if content.strip() else b"{}", "")
        for attribute in self._attributes:
            values[attribute] = getattr(value, attribute)


def body_form(operation: AnyOperation, route: Route, parts: InputParts) -> RawBody | FlatBody | FormBody | FieldsBody:
    """How the operation's body is read."""
    if not route.flat:
        return FieldsBody(operation, route, parts)
    parameter = route.body[0]
    if route.form:
        return FormBody(parameter, parts)
    if parts.types[parameter] in (bytes, ByteStream):
        return RawBody(parts.attributes[parameter])
    return FlatBody(parameter, parts)


@cache
def form_of(operation: AnyOperation) -> ApiForm:
    """How the operation travels, worked out at its first call."""
    return ApiForm(operation, route_of(operation.api, operation))
