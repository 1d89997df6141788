"""The ``/api`` dialect (vCenter 7.0 U2 and later): bare values, one structure as the body itself, errors as objects."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from resphere.contract.errors import ErrorBody, NotFound, Unauthenticated, VapiError, message
from resphere.contract.extensions import QUERY_ALIASES
from resphere.contract.lookup import operation_at
from resphere.contract.model import AnyOperation, Asset, ByteStream, Route, Struct
from resphere.dialects.base import Outcome, ReadBody, Refused, Reply, Request, Resolved
from resphere.dialects.credentials import http_credentials
from resphere.dialects.json_values import encoded
from resphere.dialects.router import Found, Match, Router
from resphere.dialects.validation import bare, check_unions, convert, decode_json, field_types, invalid

CHALLENGE = 'Basic realm="VAPI endpoint",SIGN realm="VAPI endpoint",service="VAPI endpoint"'
JSON = "application/json"
PLACES = frozenset(
    {"clusters", "datacenters", "folders", "hosts", "parent_folders", "parent_resource_pools", "resource_pools"}
)
"""Filters by place, which a read that has not got them ignores, as vCenter 8.0 must: Ansible's lookups walk down a path
with what they found on it, and ask for ``resource-pool?parent_folders=...``. Other unknown keys are refused."""
MOST_REMEMBERED = 4096
LONGEST_REMEMBERED = 256  # characters: so what is remembered stays below some 4 MB

_encoder = msgspec.json.Encoder(order="deterministic")


class ApiDialect:
    """``/api``, and the few paths of ours beside it."""

    name = "api"

    def __init__(self, routes: Iterable[tuple[str, str, str]]) -> None:
        self._router = Router(routes)
        self._matches: dict[tuple[str, str, bytes], tuple[Match, dict[str, list[str]]]] = {}

    def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """The operation that method, path and query mean. Doubled slashes count as one (Ansible sends them).

        Refused with ``com.vmware.vapi.rest.httpNotFound``, or with status 405 and ``Allow``; below ``/api`` that is
        told only after authentication.
        """
        credentials = http_credentials(request)
        try:
            match, query = self._remembered_match(request)
        except VapiError as error:
            return Refused(error, credentials, public=not below_api(request.path))
        return Resolved(
            operation=operation_at(match.place),
            credentials=credentials,
            parameters=match.parameters,
            query=query,
            # What a body says is not known yet.
            kept_key=(request.path, request.query) if request.method in ("GET", "HEAD") else None,
        )

    def _remembered_match(self, request: Request) -> tuple[Match, dict[str, list[str]]]:
        """What :meth:`_match` finds. Clients ask for the same again and again; nobody changes what is handed out."""
        key = (request.method, request.path, request.query)
        remembered = self._matches.get(key)
        if remembered is None:
            remembered = self._match(request)
            if len(request.path) + len(request.query) <= LONGEST_REMEMBERED:
                if len(self._matches) >= MOST_REMEMBERED:
                    self._matches.clear()
                self._matches[key] = remembered
        return remembered

    def _match(self, request: Request) -> tuple[Match, dict[str, list[str]]]:
        found = self._router.find(self._segments(request))
        if found is None:
            raise no_resource(request)
        query = parse_query(request.query)
        method = "GET" if request.method == "HEAD" else request.method
        match = found.select(method, query)
        if match is None:
            raise no_candidate(request, found, method)
        for key, value in match.dispatch:
            if value is not None:
                del query[key]
        return match, query

    def options(self, request: Request) -> Reply:
        """The allowed methods, or 404."""
        found = self._router.find(self._segments(request))
        if found is None:
            return self.error(no_resource(request), None)
        return Reply(204, headers=(("Allow", ", ".join(found.allowed)),))

    @staticmethod
    def _segments(request: Request) -> list[str]:
        segments = [segment for segment in request.path.split("/") if segment]
        return [text(segment, "path") for segment in segments] if "%" in request.path else segments

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """Path, query and body as the operation's input structure.

        :raises InvalidArgument: names the field.
        """
        route = resolved.operation.api
        assert route is not None
        return codec(resolved.operation, route).decode(resolved, request, body)

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """The bare value; nothing for void."""
        operation, route = resolved.operation, resolved.operation.api
        assert route is not None
        if isinstance(result, Asset):
            return Reply(route.status, bytes(result), result.media_type, result.headers)
        if operation.output is ByteStream:
            return Reply(route.status, media_type=operation.media_type, stream=result)
        if operation.media_type is not None:
            return Reply(route.status, result, operation.media_type)
        if operation.output is None:
            return Reply(route.status)
        return Reply(route.status, encoded(result, operation.output), JSON)

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """Nothing in a reply is particular to a request."""
        return reply

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """``{"error_type": ..., "messages": [...]}`` with the error's status."""
        challenge = CHALLENGE if isinstance(error, Unauthenticated) else None
        body = ErrorBody(error.error_type, error.messages, error.data, challenge)
        headers = error.headers
        if challenge:
            headers = (*headers, ("WWW-Authenticate", challenge))
        return Reply(error.status or error.api_status, _encoder.encode(body), JSON, headers)


def below_api(path: str) -> bool:
    """Whether the path as sent is ``/api`` or begins with it as a segment, however that is written."""
    return unquote_to_bytes(path.lstrip("/").partition("/")[0]) == b"api"


def no_resource(request: Request) -> NotFound:
    """The refusal of a path that no release has."""
    return NotFound(message("com.vmware.vapi.rest.httpNotFound", "There is no resource at {0}.", request.path))


def no_candidate(request: Request, found: Found, method: str) -> VapiError:
    """The refusal where the path exists, but not with this method or dispatch query."""
    actions = found.actions(method)
    if actions:
        return NotFound(
            message(
                "com.vmware.vapi.rest.httpNotFound",
                "{0} at {1} needs one of these queries: {2}.",
                method,
                request.path,
                ", ".join(actions),
            )
        )
    allow = ", ".join(found.allowed)
    return VapiError(
        message(
            "com.vmware.vapi.rest.httpMethodNotAllowed",
            "{0} does not allow {1}; allowed: {2}.",
            request.path,
            request.method,
            allow,
        )
    ).http(405, [("Allow", allow)])


class Codec:
    """How one operation's input travels, worked out once."""

    def __init__(self, operation: AnyOperation, route: Route) -> None:
        self._input = operation.input
        types = field_types(operation.input)
        self._types = types
        self._attributes = {field.encode_name: field.name for field in msgspec.structs.fields(operation.input)}
        self._query: dict[str, tuple[str, str | None, Any]] = {}
        for path in route.query:
            parameter, _, member = path.partition(".")
            expected = field_types(bare(types[parameter]))[member] if member else types[parameter]
            # A query holds no null: the word is text, or wrong.
            self._query[member or parameter] = (parameter, member or None, without_none(expected))
        for alias, name in QUERY_ALIASES.get(operation.id, {}).items():
            self._query[alias] = self._query[name]
        self._selecting = {key for key, _ in route.dispatch}
        self._flat = route.body[0] if route.flat else None
        self._fields = () if route.flat else route.body
        self._takes_body = bool(route.body)
        self._ignores_body = route.method in ("GET", "DELETE")
        self._reads = route.method == "GET"
        self._body_type: Any = None
        if self._flat is not None:
            self._body_type = types[self._flat]
        elif self._fields:
            self._body_type = body_structure(operation.input, self._fields)
        self._is_raw = self._body_type in (bytes, ByteStream)
        self._body_required = self._flat is not None and not is_optional(self._body_type)
        self._decoder = msgspec.json.Decoder(self._body_type) if self._takes_body else None

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        values: dict[str, Any] = {
            self._attributes[name]: convert(value, self._types[name], name)
            for name, value in resolved.parameters.items()
        }
        if resolved.query or self._query:
            self._decode_query(resolved.query, values)
        if self._takes_body:
            self._decode_body(request, body, values)
        elif isinstance(body, bytes) and not self._ignores_body and body.strip() not in (b"", b"{}", b"null"):
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
        members: dict[str, dict[str, Any]] = {}
        for key, given in query.items():
            place = self._query.get(key)
            if place is None and key in self._selecting:
                continue
            if place is None and self._reads and key in PLACES:
                continue
            if place is None:
                allowed = ", ".join(sorted(self._query)) or "none"
                raise invalid(key, f"unknown query parameter; allowed: {allowed}")
            parameter, member, expected = place
            value = self._query_value(key, given, expected)
            if member is None:
                values[self._attributes[parameter]] = value
            else:
                members.setdefault(parameter, {})[member] = value
        for parameter, collected in members.items():
            value = convert(collected, self._types[parameter], parameter)
            check_unions(value, "")
            values[self._attributes[parameter]] = value
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
        for parameter, member, _ in self._query.values():
            absent = member and parameter not in members and self._attributes[parameter] not in values
            if absent and not is_optional(self._types[parameter]):
                values[self._attributes[parameter]] = convert({}, self._types[parameter], parameter)

    def _decode_body(self, request: Request, body: bytes | ByteStream, values: dict[str, Any]) -> None:
        assert self._decoder is not None
        if self._is_raw and self._flat is not None:
            values[self._attributes[self._flat]] = body
            return
        assert isinstance(body, bytes)
        if not body.strip():
            if self._body_required:
                raise invalid(self._flat or "body", "a body is required")
            if self._flat is None:
                body = b"{}"
            else:
                return
        content_type = (request.header(b"content-type") or JSON).partition(";")[0].strip().lower()
        if content_type != JSON:
            raise invalid("Content-Type", f"must be {JSON}, not {content_type}")
        root = self._flat or ""
        value = decode_json(self._decoder, body, root, self._body_type)
        if self._flat is not None:
            values[self._attributes[self._flat]] = value
        else:
            for name in self._fields:
                attribute = self._attributes[name]
                values[attribute] = getattr(value, attribute)


@cache
def codec(operation: AnyOperation, route: Route) -> Codec:
    """The operation's codec for a route, made at its first call."""
    return Codec(operation, route)


def without_none(expected: Any) -> Any:
    """A type without ``| None``, with its annotations."""
    return next(a for a in expected.__args__ if a is not type(None)) if is_optional(expected) else expected


def is_optional(expected: Any) -> bool:
    """Whether ``None`` is a value of the type."""
    return type(None) in getattr(expected, "__args__", ())


def body_structure(input: type[Struct], names: tuple[str, ...]) -> type[Struct]:
    """A structure of those fields of ``input`` that travel in the body, keyed by parameter."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(input):
        if field.encode_name in names:
            default = (
                msgspec.field(name=field.encode_name)
                if field.required
                else msgspec.field(name=field.encode_name, default=field.default)
            )
            fields.append((field.name, field.type, default))
    made = msgspec.defstruct("Body", fields, bases=(Struct,), kw_only=True, frozen=True)
    assert issubclass(made, Struct)
    return made


def text(segment: str, where: str) -> str:
    """A percent-encoded segment as text.

    :raises InvalidArgument: not UTF-8.
    """
    if "%" not in segment:
        return segment
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise invalid(where, "is not percent-encoded UTF-8") from None


def parse_query(query: bytes) -> dict[str, list[str]]:
    """A query string as key -> values, ``+`` meaning a space.

    :raises InvalidArgument: not UTF-8.
    """
    values: dict[str, list[str]] = {}
    if not query:
        return values
    for part in query.decode("latin-1").split("&"):
        if not part:
            continue
        key, _, value = part.replace("+", " ").partition("=")
        values.setdefault(text(key, "query"), []).append(text(value, "query"))
    return values
