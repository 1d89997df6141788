"""The ``/rest`` dialect (vCenter 6.5 to 8.0): ``{"value": ...}``, bodies keyed by parameter, statuses of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from resphere.access.defaults import LOGIN
from resphere.contract.errors import ErrorBody, NotFound, VapiError, message
from resphere.contract.model import AnyOperation, ByteStream, Route, Struct
from resphere.contract.unions import check_unions
from resphere.dialects.base import Outcome, ReadBody, Reply, Request, Resolved
from resphere.dialects.codec import Read
from resphere.dialects.http import (
    JSON,
    SESSION_HEADER,
    Addresses,
    Refusals,
    allowing,
    error_body,
    error_headers,
    require_json,
    segments,
    whole,
)
from resphere.dialects.input_parts import InputParts, body_structure, is_empty, is_optional, route_of
from resphere.dialects.plain_values import document, written
from resphere.dialects.rest_query import shaped, tree
from resphere.dialects.rest_values import READING, WRITING
from resphere.dialects.validation import convert, convert_strictly, invalid, refuse_duplicate_keys

PREFIX = "rest"
LOGOUT = "com.vmware.cis.session.delete"
COOKIE = SESSION_HEADER.decode()
HEADER_AUTHENTICATION = b"vmware-use-header-authn"
ID_PREFIX = "id:"
MAPPED = [PREFIX, "com", "vmware"]
"""How the paths begin that were made from service ids: only they have the prefix."""


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """An error as ``/rest`` writes it."""

    type: str
    value: ErrorBody


class RestDialect:
    """``/rest``, with its short paths (``/rest/vcenter/vm``) and its mapped ones (``/rest/com/vmware/...``)."""

    name = "rest"

    def __init__(self, routes: Iterable[tuple[str, str, str]]) -> None:
        # `id:{name}` is a parameter like any other once the prefix is gone, here and in requests.
        plain = ((method, path.replace(ID_PREFIX + "{", "{"), place) for method, path, place in routes)
        self._addresses = Addresses(plain, REFUSALS, segments_without_prefix)

    def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """The operation that method, path and query mean; refusals are told after authentication only.

        The envelope says whether the caller wants a cookie.
        """
        return self._addresses.resolve(request, (request.header(HEADER_AUTHENTICATION) or "").lower() != "true")

    def options(self, request: Request) -> Reply:
        """The allowed methods.

        :raises NotFound: there is no such path.
        """
        return allowing(self._addresses.allowed(request))

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """Path, query and body as the operation's input structure.

        :raises InvalidArgument: names the field.
        """
        return form_of(resolved.operation).decode(resolved, request, whole(body))

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """The value in its wrapping; nothing at all for void. Login sets the cookie, logout takes it away."""
        operation = resolved.operation
        if operation.output is None:
            headers = (cookie("", "Max-Age=0;"),) if operation.id == LOGOUT else ()
            return Reply(200, headers=headers)
        body = b'{"value":' + document(written(result, operation.output, WRITING)) + b"}"
        headers = (cookie(result),) if operation.id == LOGIN and resolved.envelope else ()
        return Reply(200, body, JSON, headers)

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """Nothing in a reply is particular to a request."""
        return reply

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """``{"type": ..., "value": {"error_type": ..., "messages": [...]}}`` with the error's ``/rest`` status."""
        body = document(ErrorEnvelope(error.canonical_name(), error_body(error)))
        return Reply(error.status or error.rest_status, body, JSON, error_headers(error))


class RestForm:
    """How one operation travels on ``/rest``, worked out once."""

    def __init__(self, operation: AnyOperation, route: Route) -> None:
        self._parts = InputParts(operation)
        in_path = set(re.findall(r"{(\w+)}", route.path))
        self._query = tuple(name for name in self._parts.types if name not in in_path and name not in route.body)
        self._selecting = {key for key, _ in route.dispatch}
        self._ignores_body = route.method in ("GET", "DELETE")
        self._body = RestBody(operation, route, self._parts) if route.body else None

    def decode(self, resolved: Resolved, request: Request, body: bytes) -> Struct:
        """The input.

        :raises InvalidArgument: names the field.
        """
        values = self._parts.of_path(resolved.parameters)
        self._decode_query(resolved.query, values)
        if self._body is not None:
            self._body.decode(request, body, values)
        elif not self._ignores_body and not repeats(body, resolved.parameters):
            raise invalid("body", "the operation takes no body")
        return self._parts.put_together(values)

    def _decode_query(self, query: dict[str, list[str]], values: dict[str, Any]) -> None:
        for name, node in tree(query).items():
            if name in self._query:
                value = convert(shaped(node, self._parts.types[name], name), self._parts.types[name], name)
                check_unions(value, name)
                values[self._parts.attributes[name]] = value
            elif name not in self._selecting:
                raise invalid(name, f"unknown query parameter; allowed: {', '.join(sorted(self._query)) or 'none'}")
        for name in self._query:
            members = self._parts.types[name]
            structure = isinstance(members, type) and issubclass(members, Struct)
            if structure and self._parts.attributes[name] not in values and not is_optional(members):
                values[self._parts.attributes[name]] = convert({}, members, name)


class RestBody:
    """A body that is a JSON object of the parameters that travel in it."""

    def __init__(self, operation: AnyOperation, route: Route, parts: InputParts) -> None:
        self._attributes = [parts.attributes[name] for name in route.body]
        self._type = body_structure(operation.input, route.body)
        self._from_wire = READING.of(self._type)

    def decode(self, request: Request, body: bytes, values: dict[str, Any]) -> None:
        """Put the values of the body's parameters among the ``values``.

        :raises InvalidArgument: names the field.
        """
        is_blank = not body.strip()
        if not is_blank:
            require_json(request)
        value = decoded(b"{}" if is_blank else body, self._type, self._from_wire)
        for attribute in self._attributes:
            values[attribute] = getattr(value, attribute)


def repeats(body: bytes, parameters: Mapping[str, str]) -> bool:
    """Whether a body says nothing but what the path does: govmomi's name the category there once more."""
    if is_empty(body):
        return True
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(said, dict) and all(parameters.get(name) == value for name, value in said.items())


def decoded(document: bytes, expected: Any, change: Read | None) -> Any:
    """A body as a typed value, its maps read as this dialect writes them.

    :raises InvalidArgument: not JSON, a duplicate key, or not of the type; names the field.
    """
    try:
        plain = msgspec.json.decode(document)
    except RecursionError:
        raise invalid("body", "the JSON document is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise invalid("body", f"the body is not a JSON document: {error}") from None
    refuse_duplicate_keys(document, "")
    value = convert_strictly(change(plain, "") if change is not None else plain, expected, "")
    check_unions(value, "")
    return value


@cache
def form_of(operation: AnyOperation) -> RestForm:
    """How the operation travels, worked out at its first call."""
    return RestForm(operation, route_of(operation.rest, operation))


def segments_without_prefix(request: Request) -> list[str]:
    """The path's parts, without the ``id:`` that mapped paths put before identifiers."""
    parts = segments(request)
    return [part.removeprefix(ID_PREFIX) for part in parts] if parts[: len(MAPPED)] == MAPPED else parts


def cookie(session_id: str, more: str = "") -> tuple[str, str]:
    """The session's cookie, for ``/rest`` alone."""
    return "Set-Cookie", f"{COOKIE}={session_id};Path=/rest;{more}Secure;HttpOnly"


def unknown_url(request: Request, words: str) -> NotFound:
    """The refusal of a URL that means no operation."""
    return NotFound(message("com.vmware.vapi.rest.operationsForUrlNotFound", words, request.path))


REFUSALS = Refusals(
    no_resource=lambda request: unknown_url(request, "There is no resource at {0}."),
    no_query=lambda request, method, queries: unknown_url(
        request, f"{method} at {{0}} needs one of these queries: {queries}."
    ),
    are_public=lambda request: False,
)
