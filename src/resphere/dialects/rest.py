"""The ``/rest`` dialect (vCenter 6.5 to 8.0): ``{"value": ...}``, bodies keyed by parameter, statuses of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from resphere.access.defaults import LOGIN
from resphere.contract.errors import ErrorBody, NotFound, Unauthenticated, VapiError, message
from resphere.contract.lookup import operation_at
from resphere.contract.model import AnyOperation, ByteStream, Route, Struct
from resphere.dialects.api import CHALLENGE, JSON, body_structure, is_optional, parse_query, text
from resphere.dialects.base import Outcome, ReadBody, Refused, Reply, Request, Resolved
from resphere.dialects.credentials import SESSION_HEADER, http_credentials
from resphere.dialects.plain_values import written
from resphere.dialects.rest_query import shaped, tree
from resphere.dialects.rest_values import MAPS, from_wire
from resphere.dialects.router import Match, Router
from resphere.dialects.validation import (
    check_unions,
    convert,
    convert_strictly,
    field_types,
    invalid,
    refuse_duplicate_keys,
)

PREFIX = "rest"
LOGOUT = "com.vmware.cis.session.delete"
COOKIE = SESSION_HEADER.decode()
HEADER_AUTHENTICATION = b"vmware-use-header-authn"
ID_PREFIX = "id:"
MAPPED = [PREFIX, "com", "vmware"]
"""How the paths begin that were made from service ids: only they have the prefix."""

_encoder = msgspec.json.Encoder(order="deterministic")


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """An error as ``/rest`` writes it."""

    type: str
    value: ErrorBody


class RestDialect:
    """``/rest``, with its short paths (``/rest/vcenter/vm``) and its mapped ones (``/rest/com/vmware/...``)."""

    name = "rest"

    def __init__(self, routes: Iterable[tuple[str, str, str]]) -> None:
        # `id:{name}` is a parameter like any other once the prefix is gone, here and in requests.
        self._router = Router((method, path.replace(ID_PREFIX + "{", "{"), place) for method, path, place in routes)

    def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """The operation that method, path and query mean; refusals are told after authentication only."""
        credentials = http_credentials(request)
        try:
            match, query = self._match(request)
        except VapiError as error:
            return Refused(error, credentials)
        wants_cookie = (request.header(HEADER_AUTHENTICATION) or "").lower() != "true"
        return Resolved(
            operation=operation_at(match.place),
            credentials=credentials,
            parameters=match.parameters,
            query=query,
            envelope=wants_cookie,
            # What a body says is not known yet.
            kept_key=(request.path, request.query) if request.method in ("GET", "HEAD") else None,
        )

    def _match(self, request: Request) -> tuple[Match, dict[str, list[str]]]:
        found = self._router.find(segments(request))
        if found is None:
            raise unknown_url(request, "There is no resource at {0}.")
        query = parse_query(request.query)
        method = "GET" if request.method == "HEAD" else request.method
        match = found.select(method, query)
        if match is None:
            if method in found.node_methods:
                actions = ", ".join(found.actions(method))
                raise unknown_url(request, f"{method} at {{0}} needs one of these queries: {actions}.")
            allow = ", ".join(found.allowed)
            raise VapiError(
                message(
                    "com.vmware.vapi.rest.httpMethodNotAllowed",
                    "{0} does not allow {1}; allowed: {2}.",
                    request.path,
                    request.method,
                    allow,
                )
            ).http(405, [("Allow", allow)])
        for key, value in match.dispatch:
            if value is not None:
                del query[key]
        return match, query

    def options(self, request: Request) -> Reply:
        """The allowed methods, or 404."""
        found = self._router.find(segments(request))
        if found is None:
            return self.error(unknown_url(request, "There is no resource at {0}."), None)
        return Reply(204, headers=(("Allow", ", ".join(found.allowed)),))

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """Path, query and body as the operation's input structure.

        :raises InvalidArgument: names the field.
        """
        route = resolved.operation.rest
        assert route is not None
        assert isinstance(body, bytes)
        return codec(resolved.operation, route).decode(resolved, request, body)

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """The value in its wrapping; nothing at all for void. Login sets the cookie, logout takes it away."""
        operation = resolved.operation
        if operation.output is None:
            headers = (cookie("", "Max-Age=0;"),) if operation.id == LOGOUT else ()
            return Reply(200, headers=headers)
        body = b'{"value":' + _encoder.encode(written(result, operation.output, MAPS)) + b"}"
        headers = (cookie(result),) if operation.id == LOGIN and resolved.envelope else ()
        return Reply(200, body, JSON, headers)

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """Nothing in a reply is particular to a request."""
        return reply

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """``{"type": ..., "value": {"error_type": ..., "messages": [...]}}`` with the error's ``/rest`` status."""
        challenge = CHALLENGE if isinstance(error, Unauthenticated) else None
        value = ErrorBody(error.error_type, error.messages, error.data, challenge)
        headers = error.headers
        if challenge:
            headers = (*headers, ("WWW-Authenticate", challenge))
        body = _encoder.encode(ErrorEnvelope(error.canonical_name(), value))
        return Reply(error.status or error.rest_status, body, JSON, headers)


class RestCodec:
    """How one operation's input travels on ``/rest``, worked out once."""

    def __init__(self, operation: AnyOperation, route: Route) -> None:
        self._input = operation.input
        self._types = field_types(operation.input)
        self._attributes = {field.encode_name: field.name for field in msgspec.structs.fields(operation.input)}
        in_path = set(re.findall(r"{(\w+)}", route.path))
        self._body = route.body
        self._query = tuple(name for name in self._types if name not in in_path and name not in route.body)
        self._selecting = {key for key, _ in route.dispatch}
        self._ignores_body = route.method in ("GET", "DELETE")
        self._body_type = body_structure(operation.input, route.body) if route.body else None
        self._from_wire = from_wire(self._body_type) if self._body_type else None

    def decode(self, resolved: Resolved, request: Request, body: bytes) -> Struct:
        values: dict[str, Any] = {
            self._attributes[name]: convert(value, self._types[name], name)
            for name, value in resolved.parameters.items()
        }
        self._decode_query(resolved.query, values)
        if self._body_type is not None:
            self._decode_body(self._body_type, request, body, values)
        elif not self._ignores_body and not repeats(body, resolved.parameters):
            raise invalid("body", "the operation takes no body")
        try:
            return self._input(**values)
        except TypeError:
            missing = [
                field.encode_name
                for field in msgspec.structs.fields(self._input)
                if field.required and field.name not in values
            ]
            raise invalid(", ".join(missing), "is required") from None

    def _decode_query(self, query: dict[str, list[str]], values: dict[str, Any]) -> None:
        for name, node in tree(query).items():
            if name in self._query:
                value = convert(shaped(node, self._types[name], name), self._types[name], name)
                check_unions(value, name)
                values[self._attributes[name]] = value
            elif name not in self._selecting:
                raise invalid(name, f"unknown query parameter; allowed: {', '.join(sorted(self._query)) or 'none'}")
        for name in self._query:
            members = self._types[name]
            structure = isinstance(members, type) and issubclass(members, Struct)
            if structure and self._attributes[name] not in values and not is_optional(members):
                values[self._attributes[name]] = convert({}, members, name)

    def _decode_body(self, expected: Any, request: Request, body: bytes, values: dict[str, Any]) -> None:
        document = body if body.strip() else b"{}"
        content_type = (request.header(b"content-type") or JSON).partition(";")[0].strip().lower()
        if body.strip() and content_type != JSON:
            raise invalid("Content-Type", f"must be {JSON}, not {content_type}")
        value = decoded(document, expected, self._from_wire)
        for name in self._body:
            attribute = self._attributes[name]
            values[attribute] = getattr(value, attribute)


def repeats(body: bytes, parameters: Mapping[str, str]) -> bool:
    """Whether a body says nothing but what the path does: govmomi's name the category there once more."""
    if body.strip() in (b"", b"{}", b"null"):
        return True
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(said, dict) and all(parameters.get(name) == value for name, value in said.items())


def decoded(document: bytes, expected: Any, change: Any) -> Any:
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
def codec(operation: AnyOperation, route: Route) -> RestCodec:
    """The operation's codec for a route, made at its first call."""
    return RestCodec(operation, route)


def segments(request: Request) -> list[str]:
    """The path's parts, decoded, without the ``id:`` that mapped paths put before identifiers."""
    found = [text(segment, "path") for segment in request.path.split("/") if segment]
    return [segment.removeprefix(ID_PREFIX) for segment in found] if found[: len(MAPPED)] == MAPPED else found


def cookie(session_id: str, more: str = "") -> tuple[str, str]:
    """The session's cookie, for ``/rest`` alone."""
    return "Set-Cookie", f"{COOKIE}={session_id};Path=/rest;{more}Secure;HttpOnly"


def unknown_url(request: Request, words: str) -> NotFound:
    """The refusal of a URL that means no operation."""
    return NotFound(message("com.vmware.vapi.rest.operationsForUrlNotFound", words, request.path))
