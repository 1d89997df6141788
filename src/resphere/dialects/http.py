"""What the dialects share of HTTP: addresses, queries, credentials, media types, refusals and the bodies of errors."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from resphere.auth.credentials import NO_CREDENTIALS, Credentials, SamlToken
from resphere.auth.saml.documents import MOST_TOKEN_BYTES
from resphere.auth.saml.request_proof import RequestProof
from resphere.contract.errors import ErrorBody, NotFound, Unauthenticated, VapiError, message
from resphere.contract.lookup import operation_at
from resphere.contract.model import AnyOperation, ByteStream
from resphere.contract.secrecy import masked, secret_parameters
from resphere.dialects.base import Outcome, ReadBody, Refused, Reply, Request, Resolved
from resphere.dialects.router import Found, Match, Router
from resphere.queries.lists import listing_of
from resphere.queries.options import is_option
from resphere.wire.validation import invalid

JSON = "application/json"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHALLENGE = 'Basic realm="VAPI endpoint",SIGN realm="VAPI endpoint",service="VAPI endpoint"'
SESSION_HEADER = b"vmware-api-session-id"
SIGN_PARAMETER = re.compile(r'\s*([a-z_]+)="([^"\\]*)"\s*')
MOST_REMEMBERED = 4096
LONGEST_REMEMBERED = 256  # characters: so what is remembered stays below some 4 MB

LINES = b"application/x-ndjson"
"""What a client accepts that wants the items of a list one a line."""

Query = dict[str, list[str]]
NO_OPTIONS: Query = {}


# --- credentials -----------------------------------------------------------------------------------------------------


def http_credentials(request: Request, read_body: ReadBody | None) -> Credentials:
    """The session id of the header, or else of the cookie, with what ``Authorization`` holds.

    ``read_body`` is ``None`` where the body is not to be read before the operation takes it.
    """
    headers = request.headers
    session = headers.get(SESSION_HEADER)
    authorization = headers.get(b"authorization")
    if session is None and authorization is None:
        session = session_cookie(headers.get(b"cookie", b""))
        if session is None:
            return NO_CREDENTIALS
    session_id = None if session is None else session.decode("latin-1")
    return Credentials(session_id) if authorization is None else authorized(request, read_body, session_id)


def session_cookie(header: bytes) -> bytes | None:
    """The session id in a ``Cookie`` header."""
    for part in header.split(b";"):
        name, _, content = part.strip().partition(b"=")
        if name == SESSION_HEADER:
            return content
    return None


def authorized(request: Request, read_body: ReadBody | None, session_id: str | None) -> Credentials:
    """What the ``Authorization`` header holds, beside a session id; nothing where it is malformed."""
    scheme, _, value = request.headers[b"authorization"].partition(b" ")
    match scheme.lower():
        case b"basic":
            user, password = basic_credentials(value)
            return Credentials(session_id, user=user, password=password, client=request.client)
        case b"bearer":
            return Credentials(session_id, bearer=value.strip().decode("latin-1"))
        case b"sign":
            return Credentials(session_id, saml=signed_credentials(request, value.decode("latin-1"), read_body))
    return Credentials(session_id)


def basic_credentials(encoded: bytes) -> tuple[str | None, str | None]:
    """Name and password as ``Basic`` has them, ``None`` where they are malformed."""
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return (user, password) if colon else (None, None)


def signed_credentials(request: Request, value: str, read_body: ReadBody | None) -> SamlToken:
    """What ``SIGN`` has: a token, and of the holder of a key a signature over the request.

    ``token="<Base64 of gzip>", nonce="<milliseconds>:<random>", bodyhash="...", signature_alg="RSA-SHA256",
    signature="..."``, in any order.
    """
    try:
        parameters = sign_parameters(value)
        token = unzipped(parameters.get("token", ""))
    except ValueError as error:
        return SamlToken("", fault=str(error))
    if "signature" not in parameters:
        return SamlToken(token)
    proof = RequestProof(
        nonce=parameters.get("nonce", ""),
        algorithm=parameters.get("signature_alg", ""),
        signature=parameters["signature"],
        body_hash=parameters.get("bodyhash", ""),
        method=request.method,
        path=request.path,
        host=request.header(b"host") or "",
        read_body=read_body,
    )
    return SamlToken(token, proof)


def sign_parameters(value: str) -> dict[str, str]:
    """The parameters of ``SIGN``.

    :raises ValueError: they are not written as parameters are, or one stands there twice.
    """
    parameters: dict[str, str] = {}
    for part in value.split(","):
        matched = SIGN_PARAMETER.fullmatch(part)
        if matched is None or matched[1] in parameters:
            raise ValueError("the parameters of SIGN are malformed")
        parameters[matched[1]] = matched[2]
    return parameters


def unzipped(encoded: str) -> str:
    """The text of a token that was compressed.

    :raises ValueError: it was not, or is larger than any token.
    """
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        content = decompressor.decompress(base64.b64decode(encoded, validate=True), MOST_TOKEN_BYTES + 1)
        if len(content) > MOST_TOKEN_BYTES:
            raise ValueError(f"the token is larger than {MOST_TOKEN_BYTES} bytes")
        if not decompressor.eof or decompressor.unused_data:
            raise ValueError("the token is not one whole member of gzip")
        return content.decode("utf-8")
    except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"the token is not Base64 of gzip of UTF-8: {error}") from None


# --- bodies ----------------------------------------------------------------------------------------------------------


def exceeds(request: Request, limit_bytes: int) -> bool:
    """Whether the request announces a body of more than so many bytes."""
    announced = request.headers.get(b"content-length")
    return announced is not None and announced.isdigit() and int(announced) > limit_bytes


MOST_VALUES = 100_000
"""What a document holds at most, for others wait while it is read and worked on."""


def has_too_many_values(content: bytes) -> bool:
    """Whether a JSON document is longer than anybody needs: there is a comma between each two values."""
    return content.count(b",") >= MOST_VALUES


def require_json(request: Request) -> None:
    """Refuse a body that says to be something else.

    :raises InvalidArgument: its media type is not JSON's.
    """
    if media_type_of(request) != JSON:
        raise invalid("Content-Type", f"must be {JSON}, not {media_type_of(request)}")


def media_type_of(request: Request) -> str:
    """What a body says to be; that of JSON where it says nothing."""
    return (request.header(b"content-type") or JSON).partition(";")[0].strip().lower()


def whole(body: bytes | ByteStream) -> bytes:
    """The body of an operation that takes no stream, without the mark that some editors begin a document with."""
    if not isinstance(body, bytes):
        raise TypeError("a document is decoded from the whole body, not from a stream")
    return body.removeprefix(BYTE_ORDER_MARK)


# --- refusals --------------------------------------------------------------------------------------------------------


def challenge_of(error: VapiError) -> str | None:
    """How a caller that nobody knows may say who it is."""
    return CHALLENGE if isinstance(error, Unauthenticated) else None


def error_body(error: VapiError) -> ErrorBody:
    """An error as plain JSON has it."""
    return ErrorBody(
        error.error_type,
        error.messages,
        error.data,
        challenge_of(error),
        error.oauth_error,
        error.oauth_description,
    )


def error_headers(error: VapiError) -> tuple[tuple[str, str], ...]:
    """The error's own headers, and the challenge."""
    challenge = challenge_of(error)
    return error.headers if challenge is None else (*error.headers, ("WWW-Authenticate", challenge))


def allow(methods: Iterable[str]) -> tuple[str, str]:
    """The header that names the methods of a path."""
    return "Allow", ", ".join(methods)


def allowing(methods: Iterable[str]) -> Reply:
    """The answer to ``OPTIONS``."""
    return Reply(204, headers=(allow(methods),))


# --- addresses -------------------------------------------------------------------------------------------------------


def segments(request: Request) -> list[str]:
    """The path's parts, decoded. Doubled slashes count as one (Ansible sends them).

    :raises InvalidArgument: not UTF-8.
    """
    parts = [segment for segment in request.path.split("/") if segment]
    return [text(segment, "path") for segment in parts] if "%" in request.path else parts


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


def parse_query(query: bytes) -> Query:
    """A query string as key -> values, ``+`` meaning a space.

    :raises InvalidArgument: not UTF-8.
    """
    values: Query = {}
    if not query:
        return values
    for part in query.decode("latin-1").split("&"):
        if not part:
            continue
        key, _, value = part.replace("+", " ").partition("=")
        values.setdefault(text(key, "query"), []).append(text(value, "query"))
    return values


class NoResource(NotFound):
    """The refusal of a path that no release has."""


class Refusals(msgspec.Struct, frozen=True):
    """A dialect's words for addresses that mean no operation."""

    no_resource: Callable[[Request], VapiError]
    """The path does not exist."""
    no_query: Callable[[Request, str, str], VapiError]
    """The path and method exist, but only with one of the queries that are named."""
    are_public: Callable[[Request, VapiError], bool]
    """Whether a refusal is told before authentication."""


class Addresses:
    """The addresses of a dialect that has one for each operation, made from the contract's routes."""

    def __init__(
        self,
        routes: Iterable[tuple[str, str, str]],
        refusals: Refusals,
        segments: Callable[[Request], list[str]] = segments,
    ) -> None:
        self._router = Router(routes)
        self._refusals = refusals
        self._segments = segments
        self._matches: dict[tuple[str, str, bytes], tuple[Match, Query]] = {}

    def resolve(self, request: Request, read_body: ReadBody, envelope: Any = None) -> Outcome:
        """The operation that method, path and query mean."""
        try:
            match, query = self._remembered_match(request)
        except VapiError as error:
            credentials = http_credentials(request, read_body)
            return Refused(error, credentials, public=self._refusals.are_public(request, error))
        operation = operation_at(match.place)
        credentials = http_credentials(request, None if operation.takes_stream else read_body)
        if request.method == "HEAD" and is_used_up(operation):
            # What is good once is not used up by a question about it: mail programs and chats look at each address.
            refusal = method_not_allowed(request, self.allowed(request))
            return Refused(refusal, credentials, public=self._refusals.are_public(request, refusal))
        query, options = divided(operation, query)
        streamed = LINES in request.headers.get(b"accept", b"") and listing_of(operation) is not None
        return Resolved(
            operation=operation,
            credentials=credentials,
            parameters=match.parameters,
            query=query,
            envelope=envelope,
            # What a body says is not known yet.
            kept_key=(request.path, request.query) if request.method in ("GET", "HEAD") and not streamed else None,
            options=options,
            streamed=streamed,
        )

    def allowed(self, request: Request) -> tuple[str, ...]:
        """The methods of the path.

        :raises VapiError: there is no such path.
        """
        return allowed(self._find(request))

    def _find(self, request: Request) -> Found:
        found = self._router.find(self._segments(request))
        if found is None:
            raise self._refusals.no_resource(request)
        return found

    def _remembered_match(self, request: Request) -> tuple[Match, Query]:
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

    def _match(self, request: Request) -> tuple[Match, Query]:
        found = self._find(request)
        query = parse_query(request.query)
        method = "GET" if request.method == "HEAD" else request.method
        match = found.select(method, query)
        if match is None:
            queries = found.actions(method)
            if queries:
                raise self._refusals.no_query(request, method, ", ".join(queries))
            raise method_not_allowed(request, allowed(found))
        for key, value in match.dispatch:
            if value is not None:
                del query[key]
        return match, query


def divided(operation: AnyOperation, query: Query) -> tuple[Query, Query]:
    """A query without the options of a list, and these."""
    if not any(map(is_option, query)) or listing_of(operation) is None:
        return query, NO_OPTIONS
    options = {name: values for name, values in query.items() if is_option(name)}
    return {name: values for name, values in query.items() if name not in options}, options


def is_used_up(operation: AnyOperation) -> bool:
    """Whether the address of an operation is good once."""
    return operation.good_once and bool(secret_parameters(operation))


def allowed(found: Found) -> tuple[str, ...]:
    """The methods of a path; what is good once is to be had, but not looked at."""
    once = any(is_used_up(operation_at(each.place)) for each in found.node_methods.get("GET", ()))
    return tuple(method for method in found.allowed if not (once and method == "HEAD"))


def method_not_allowed(request: Request, methods: Iterable[str]) -> VapiError:
    """The refusal where the path exists, but not with this method."""
    header = allow(methods)
    return VapiError(
        message(
            "resphere.method_not_allowed",
            "{0} does not allow {1}; allowed: {2}.",
            masked(request.path),
            request.method,
            header[1],
        )
    ).http(405, [header])
