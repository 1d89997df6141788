"""The ``/rest`` dialect (vCenter 6.5 to 8.0): ``{"value": ...}``, bodies keyed by parameter, statuses of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec

from resphere.access.defaults import LOGIN
from resphere.contract.errors import ErrorBody, NotFound, VapiError, message
from resphere.contract.model import AnyOperation, ByteStream, Route, Struct
from resphere.contract.unions import check_unions
from resphere.dialects.base import Outcome, ReadBody, Reply, Request, Resolved
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
from resphere.dialects.rest_query import shaped, tree
from resphere.dialects.rest_values import READING, WRITING
from resphere.wire.codec import Read
from resphere.wire.input_parts import InputParts, body_structure, is_empty, is_optional, route_of
from resphere.wire.plain_values import document, written
from resphere.wire.validation import (
    convert,
    convert_strictly,
    invalid,
    refuse_duplicate_keys,
    refuse_unexpected,
    unexpected,
)

PREFIX = "rest"
LOGOUT = "com.vmware.cis.session.delete"
COOKIE = SESSION_HEADER.decode()
HEADER_AUTHENTICATION = b"vmware-use-header-authn"
ID_PREFIX = "id:"
OPERATION_INPUT = Struct.__vapi_name__
ASKS_OPTIONS = b"~method=OPTIONS"
"""What asks of any URL what may be done there: one operation answers that of all of them."""
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
        plain = ((method, path.replace(ID_PREFIX + "{", "{"), place) for method, path, place in with_base_paths(routes))
        self._addresses = Addresses(plain, REFUSALS, segments_without_prefix)

    def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """The operation that method, path and query mean; refusals are told after authentication only.

        The envelope is the scheme by which a cookie would travel, where the caller wants one.
        """
        if ASKS_OPTIONS in request.query.split(b"&") and request.path.strip("/") != PREFIX:
            request = about_itself(request)
        wants_none = (request.header(HEADER_AUTHENTICATION) or "").lower() == "true"
        return self._addresses.resolve(request, read_body, None if wants_none else request.scheme)

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
            headers = (cookie("", resolved.envelope or "https", "Max-Age=0;"),) if operation.id == LOGOUT else ()
            return Reply(200, headers=headers)
        body = b'{"value":' + document(written(result, operation.output, WRITING)) + b"}"
        wanted = operation.id == LOGIN and resolved.envelope is not None
        headers = (cookie(result, resolved.envelope),) if wanted else ()
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
        in_path = tuple(re.findall(r"{(\w+)}", route.path))
        self._query = tuple(name for name in self._parts.types if name not in in_path and name not in route.body)
        self._selecting = {key for key, _ in route.dispatch}
        self._ignores_body = route.method in ("GET", "DELETE")
        may_repeat = not self._ignores_body and (is_mapped(route.path) or not route.body)
        repeated = in_path if may_repeat else ()
        has_body = bool(route.body or repeated)
        self._body = RestBody(operation, route.body, repeated, self._parts) if has_body else None

    def decode(self, resolved: Resolved, request: Request, body: bytes) -> Struct:
        """The input.

        :raises InvalidArgument: names the field.
        """
        values = self._parts.of_path(resolved.parameters)
        self._decode_query(resolved.query, values)
        if self._body is not None:
            self._body.decode(request, body, values)
        elif not self._ignores_body and not is_empty(body):
            raise invalid("body", "the operation takes no body")
        return self._parts.put_together(values)

    def _decode_query(self, query: dict[str, list[str]], values: dict[str, Any]) -> None:
        nodes = tree(query)
        unknown = [name for name in nodes if name not in self._query and name not in self._selecting]
        if unknown:
            # Where another key is one too many, that which was to select an operation is not named as a field.
            raise unexpected([name for name in unknown if not name.startswith("~")] or unknown, OPERATION_INPUT)
        for name, node in nodes.items():
            if name in self._query:
                value = convert(shaped(node, self._parts.types[name], name), self._parts.types[name], name)
                check_unions(value, name)
                values[self._parts.attributes[name]] = value
        for name in self._query:
            members = self._parts.types[name]
            structure = isinstance(members, type) and issubclass(members, Struct)
            if structure and self._parts.attributes[name] not in values and not is_optional(members):
                values[self._parts.attributes[name]] = convert({}, members, name)


class RestBody:
    """A body that is a JSON object of the parameters that travel in it, ``own``, and of some that may stand in it too:
    those of the path, which clients repeat, or leave out of a mapped one."""

    def __init__(
        self, operation: AnyOperation, own: tuple[str, ...], repeated: tuple[str, ...], parts: InputParts
    ) -> None:
        self._attributes = [parts.attributes[name] for name in own]
        self._repeated = {name: parts.attributes[name] for name in repeated}
        self._type = body_structure(operation.input, own, repeated)
        self._from_wire = READING.of(self._type)

    def decode(self, request: Request, body: bytes, values: dict[str, Any]) -> None:
        """Put the values of the body's parameters among the ``values``.

        :raises InvalidArgument: names the field.
        :raises UnexpectedInput: names the field.
        """
        is_blank = is_empty(body) if not self._attributes else not body.strip()
        if not is_blank:
            require_json(request)
        value = decoded(b"{}" if is_blank else body, self._type, self._from_wire)
        for attribute in self._attributes:
            values[attribute] = getattr(value, attribute)
        for name, attribute in self._repeated.items():
            said = getattr(value, attribute)
            if said is not None and values.setdefault(attribute, said) != said:
                raise invalid(name, "is another in the path")


def decoded(document: bytes, expected: Any, change: Read | None) -> Any:
    """A body as a typed value, its maps read as this dialect writes them.

    :raises InvalidArgument: not JSON, a duplicate key, or not of the type; names the field.
    :raises UnexpectedInput: fields that its structures have not.
    """
    try:
        plain = msgspec.json.decode(document)
    except RecursionError:
        raise invalid("body", "the JSON document is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise invalid("body", f"the body is not a JSON document: {error}") from None
    refuse_duplicate_keys(document, "")
    wanted = change(plain, "") if change is not None else plain
    refuse_unexpected(wanted, expected, "")
    value = convert_strictly(wanted, expected, "")
    check_unions(value, "")
    return value


@cache
def form_of(operation: AnyOperation) -> RestForm:
    """How the operation travels, worked out at its first call."""
    return RestForm(operation, route_of(operation.rest, operation))


def with_base_paths(routes: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """The routes, and for those that a mapped path selects by ``~action`` the same path without its identifier: it may
    stand in the body."""
    for method, text, place in routes:
        yield method, text, place
        path, _, query = text.partition("?")
        base, _, last = path.rpartition("/")
        if method == "POST" and query.startswith("~action=") and is_mapped(path) and last.startswith(ID_PREFIX):
            yield method, f"{base}?{query}", place


def about_itself(request: Request) -> Request:
    """The request for what may be done at the URL of a request."""
    about = f"url={quote(request.path, safe='')}".encode()
    return msgspec.structs.replace(request, path=f"/{PREFIX}", query=ASKS_OPTIONS + b"&" + about)


def is_mapped(path: str) -> bool:
    """Whether a path was made from a service's id."""
    return path.strip("/").split("/")[: len(MAPPED)] == MAPPED


def segments_without_prefix(request: Request) -> list[str]:
    """The path's parts, without the ``id:`` that mapped paths put before identifiers."""
    parts = segments(request)
    return [part.removeprefix(ID_PREFIX) for part in parts] if parts[: len(MAPPED)] == MAPPED else parts


def cookie(session_id: str, scheme: str, more: str = "") -> tuple[str, str]:
    """The session's cookie, for ``/rest`` alone, and never for what a page of another site asks."""
    secure = "Secure;" if scheme == "https" else ""  # without TLS no client would send it back
    return "Set-Cookie", f"{COOKIE}={session_id};Path=/rest;SameSite=Strict;{more}{secure}HttpOnly"


def unknown_url(request: Request, words: str) -> NotFound:
    """The refusal of a URL that means no operation."""
    path = request.path.removeprefix(f"/{PREFIX}")
    return NotFound(message("com.vmware.vapi.rest.operationsForUrlNotFound", words, path))


REFUSALS = Refusals(
    no_resource=lambda request: unknown_url(request, "Unable to find operations for URL: {0}."),
    no_query=lambda request, method, queries: unknown_url(
        request, f"Unable to find operations for URL: {{0}}. {method} needs one of these queries: {queries}."
    ),
    are_public=lambda request, error: False,
)
