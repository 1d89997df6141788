"""vAPI's JSON-RPC at ``POST /api``: what the official SDKs speak.

The body names the operation, carries the credentials and the input. A vAPI error is a result like any other; only what
is not a proper JSON-RPC request at all is answered by a JSON-RPC error. Both ride HTTP status 200: the SDK would not
read anything else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable
from functools import cache
from typing import Any, ClassVar, Literal

import msgspec

from resphere.auth.credentials import NO_CREDENTIALS, Credentials, SamlToken
from resphere.auth.saml.json_proof import JsonProof
from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import InvalidArgument, OperationNotFound, ServiceUnavailable, VapiError, message
from resphere.contract.lookup import operation_at
from resphere.contract.model import AnyOperation, ByteStream, Struct
from resphere.contract.unions import check_unions
from resphere.dialects.base import Outcome, ReadBody, Refused, Reply, Request, Resolved
from resphere.dialects.gzip_member import gzip_extended
from resphere.dialects.http import (
    BYTE_ORDER_MARK,
    JSON,
    MOST_VALUES,
    NO_OPTIONS,
    SESSION_HEADER,
    allow,
    allowing,
    authorized,
    challenge_of,
    exceeds,
    has_too_many_values,
)
from resphere.queries.lists import listing_of
from resphere.queries.options import FULL, is_option
from resphere.wire.codec import Read, Write
from resphere.wire.validation import convert_strictly, invalid, refuse_duplicate_keys
from resphere.wire.vapi_values import decoder, encode_error, encoder

PATH = "api"
ALLOWED = ("GET", "HEAD", "OPTIONS", "POST")
"""The methods of ``/api``: reading it is the other dialect's."""

SECURITY = "com.vmware.vapi.std.security."
LARGEST_KEPT_INPUT_BYTES = 4096
LARGE_BODY_BYTES = 64 * 1024
"""Bodies from here on are read beside the loop."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
INVALID_OPERATION = -31001

NULL = b"null"
_HEAD = b'{"jsonrpc":"2.0","result":{"output":'
_VOID = _HEAD + b"null}"
_encoder = msgspec.json.Encoder()
_PLAIN_ID = re.compile(rb'"[ !#-\[\]-~]*"|0|[1-9][0-9]*')


class ProtocolFault(VapiError):
    """What was sent is no proper request. ``code`` is JSON-RPC's."""

    error_type: ClassVar[str] = "INVALID_REQUEST"

    def __init__(self, code: int, text: str) -> None:
        super().__init__(message("resphere.jsonrpc", "{0}", text))
        self.code = code


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """The outermost object. Members beside these mean nothing to us."""

    id: msgspec.Raw = msgspec.Raw(b"")
    jsonrpc: Any = None
    method: Any = None
    params: msgspec.Raw = msgspec.Raw(b"")


class ContextSignature(msgspec.Struct, frozen=True, gc=False):
    """The token of a holder of a key, beside the signature by that key, which :class:`JsonProof` reads."""

    samlToken: str | None = None


class SecurityContext(msgspec.Struct, frozen=True, gc=False):
    """What the caller shows of itself; further members belong to kinds that are not accepted."""

    schemeId: str | None = None
    userName: str | None = None
    password: str | None = None
    sessionId: str | None = None
    accessToken: str | None = None
    samlToken: str | None = None
    signature: ContextSignature | None = None


class Context(msgspec.Struct, frozen=True, gc=False):
    """The execution context. The application context may hold options of a list; the rest of it (trace id, locale) is
    the headers' affair."""

    securityCtx: SecurityContext | None = None
    appCtx: msgspec.Raw = msgspec.Raw(b"")


class Params(msgspec.Struct, frozen=True, gc=False):
    """The parameters of ``invoke``."""

    serviceId: str
    operationId: str
    input: msgspec.Raw
    ctx: Context | None = None


class Sent(msgspec.Struct, frozen=True, gc=False):
    """What a request leaves for its reply and for decoding: the id as it was written, and the input, undecoded."""

    id: bytes
    input: bytes


class Proper(msgspec.Struct, frozen=True, gc=False):
    """A whole request as every client sends it, read at one go."""

    jsonrpc: Literal["2.0"]
    method: Literal["invoke"]
    id: msgspec.Raw
    params: Params


_proper = msgspec.json.Decoder(Proper)
_envelope = msgspec.json.Decoder(Envelope)
_params = msgspec.json.Decoder(Params)
_json = msgspec.json.Decoder()


class JsonRpcDialect:
    """``POST /api``."""

    name = "jsonrpc"

    def __init__(self, body_limit_bytes: int, catalogue: Catalogue) -> None:
        self._body_limit_bytes = body_limit_bytes
        self._catalogue = catalogue
        self._operations: dict[tuple[str, str], AnyOperation] = {}

    async def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """The operation that the body names.

        Refused with a JSON-RPC error, or after authentication with ``operation_not_found``.
        """
        if request.method != "POST":
            fault = ProtocolFault(INVALID_REQUEST, f"JSON-RPC is POST, not {request.method}.")
            return Refused(fault.http(405, [allow(ALLOWED)]), NO_CREDENTIALS, public=True, envelope=NULL)
        try:
            if exceeds(request, self._body_limit_bytes):
                raise self._too_large()
            body = await read_body(self._body_limit_bytes)
        except InvalidArgument as error:
            return unread(ProtocolFault(INVALID_REQUEST, str(error)))
        except (ProtocolFault, ServiceUnavailable) as error:
            return unread(error)
        if len(body) > LARGE_BODY_BYTES:
            return await asyncio.to_thread(self._understand, request, body)
        return self._understand(request, body)

    def _understand(self, request: Request, body: bytes) -> Outcome:
        """What the body says, in any thread."""
        identity = NULL
        try:
            if len(body) > self._body_limit_bytes:
                raise self._too_large()
            body = body.removeprefix(BYTE_ORDER_MARK)
            if has_too_many_values(body):
                raise ProtocolFault(INVALID_REQUEST, f"The body must not have more than {MOST_VALUES} values.")
            proper = parse_proper(body)
            if proper is not None:
                identity, params = proper
            else:
                envelope = parse_envelope(body)
                identity = bytes(envelope.id)
                params = parse_params(envelope)
            check_headers(request, params)
        except ProtocolFault as fault:
            # By the specification, and the SDK insists: the id is null where the request could not be understood.
            shown = NULL if fault.code in (PARSE_ERROR, INVALID_REQUEST) else identity
            return Refused(fault, NO_CREDENTIALS, public=True, envelope=shown)
        credentials = shown_credentials(request, params.ctx, body)
        try:
            operation = self._operation(params.serviceId, params.operationId)
        except OperationNotFound as error:
            return Refused(error, credentials, envelope=identity)
        sent = Sent(identity, bytes(params.input))
        options = list_options(operation, params.ctx)
        return Resolved(
            operation=operation,
            credentials=credentials,
            parameters=target_parameters(operation, sent.input),
            envelope=sent,
            kept_key=kept_key(sent.input, options),
            revalidates=False,
            options=options,
        )

    def _too_large(self) -> ProtocolFault:
        return ProtocolFault(INVALID_REQUEST, f"The body must not be larger than {self._body_limit_bytes} bytes.")

    def _operation(self, service: str, name: str) -> AnyOperation:
        """What :func:`find_operation` finds, which is the same again and again: only what there is, is remembered."""
        operation = self._operations.get((service, name))
        if operation is None:
            operation = self._operations[service, name] = find_operation(self._catalogue, service, name)
        return operation

    def options(self, request: Request) -> Reply:
        """The methods of the path, the other dialect's included."""
        return allowing(ALLOWED)

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """The input structure, validated.

        :raises InvalidArgument: names the field.
        :raises UnexpectedInput: a field is set that the operation does not know.
        """
        sent: Sent = resolved.envelope
        refuse_duplicate_keys(sent.input, "input")
        try:
            decode, _ = codec(resolved.operation)
            value: Struct = convert_strictly(decode(parse(sent.input), ""), resolved.operation.input, "")
            check_unions(value, "")
        except RecursionError:
            raise invalid("input", "is nested too deeply") from None
        return value

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """The beginning of a reply, up to what is particular to a request."""
        if resolved.operation.output is None:
            return Reply(200, _VOID, JSON)
        _, encode = codec(resolved.operation)
        return Reply(200, b"".join((_HEAD, _encoder.encode(encode(result)), b"}")), JSON)

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """``reply`` with the request's id, and the end."""
        tail = b',"id":%b}' % resolved.envelope.id
        gzipped = ("Content-Encoding", "gzip") in reply.headers
        body = gzip_extended(reply.body, tail) if gzipped else reply.body + tail
        return Reply(reply.status, body, reply.media_type, reply.headers)

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """A vAPI error as a result, or a protocol fault as JSON-RPC's own error."""
        identity = NULL
        if outcome is not None:
            envelope = outcome.envelope
            identity = envelope.id if isinstance(envelope, Sent) else envelope
        if isinstance(error, ProtocolFault) or outcome is None:
            code = error.code if isinstance(error, ProtocolFault) else INTERNAL_ERROR
            content = b'"error":' + _encoder.encode({"code": code, "message": str(error)})
            if code in (PARSE_ERROR, INVALID_REQUEST):
                identity = NULL
            headers = error.headers
        else:
            challenge = challenge_of(error)
            more = {} if challenge is None else {"challenge": challenge}
            content = b'"result":' + _encoder.encode({"error": encode_error(error, **more)})
            headers = (*error.headers, ("vapi-error", error.canonical_name()))
        status = 405 if error.status == 405 else 200
        return Reply(status, b"".join((b'{"jsonrpc":"2.0",', content, b',"id":', identity, b"}")), JSON, headers)


def unread(error: VapiError) -> Refused:
    """The refusal of a request whose body was not read."""
    return Refused(error, NO_CREDENTIALS, public=True, envelope=NULL)


def parse(content: bytes | msgspec.Raw) -> Any:
    """Any JSON document.

    :raises ProtocolFault: it is none.
    """
    try:
        return _json.decode(content)
    except RecursionError:
        raise ProtocolFault(PARSE_ERROR, "The JSON document is nested too deeply.") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise ProtocolFault(PARSE_ERROR, f"The body is not a JSON document: {error}") from None


def parse_proper(body: bytes) -> tuple[bytes, Params] | None:
    """The id as it is written, and the parameters; ``None`` for whatever has to be looked at more closely."""
    try:
        call = _proper.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    identity = bytes(call.id)
    return (identity, call.params) if _PLAIN_ID.fullmatch(identity) else None


def parse_envelope(body: bytes) -> Envelope:
    """The envelope of a call.

    :raises ProtocolFault: it is not in order. Notifications and batches are not: nobody would hear what became of them.
    """
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        if isinstance(parse(body), list):
            raise ProtocolFault(INVALID_REQUEST, "Batches are not supported.") from None
        raise ProtocolFault(INVALID_REQUEST, "The request must be an object.") from None
    if not bytes(envelope.id):
        raise ProtocolFault(INVALID_REQUEST, "The request has no id; notifications are not supported.")
    if isinstance(parse(envelope.id), (bool, list, dict)):
        raise ProtocolFault(INVALID_REQUEST, "The id must be a string, a number or null.")
    if envelope.jsonrpc != "2.0":
        raise ProtocolFault(INVALID_REQUEST, 'jsonrpc must be "2.0".')
    if not isinstance(envelope.method, str):
        raise ProtocolFault(INVALID_REQUEST, "The method must be a string.")
    return envelope


def parse_params(envelope: Envelope) -> Params:
    """The parameters of the call.

    :raises ProtocolFault: the method is not ``invoke``, or they are not its parameters.
    """
    if envelope.method != "invoke":
        raise ProtocolFault(METHOD_NOT_FOUND, f"There is no method {envelope.method}; there is invoke.")
    content = bytes(envelope.params) or b"{}"
    try:
        return _params.decode(content)
    except msgspec.ValidationError as error:
        reason = re.sub(r"`\$\.?([^`]*)`", r"params.\1", str(error)).rstrip(".").replace("`", "'")
        parse(content)
        raise ProtocolFault(INVALID_PARAMS, f"{reason}.") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        parse(content)
        raise


def check_headers(request: Request, params: Params) -> None:
    """Refuse a request that says one thing to a proxy and another to us.

    :raises ProtocolFault: the headers that name the operation do not agree with the body.
    """
    headers = request.headers
    if b"vapi-service" not in headers and b"vapi-operation" not in headers:
        return
    for header, stated in ((b"vapi-service", params.serviceId), (b"vapi-operation", params.operationId)):
        value = request.header(header)
        if value is not None and value != stated:
            raise ProtocolFault(INVALID_OPERATION, f"The header {header.decode()} does not agree with the body.")


def shown_credentials(request: Request, context: Context | None, body: bytes) -> Credentials:
    """The session id of the header, with what the security context holds, which may be a signature over ``body``, or
    else a token in ``Authorization``."""
    session_id = request.header(SESSION_HEADER)
    security = context.securityCtx if context else None
    if security is None or security.schemeId is None:
        if b"authorization" in request.headers:
            return Credentials(session_id, bearer=authorized(request, None, None).bearer)
        return NO_CREDENTIALS if session_id is None else Credentials(session_id)
    if security.schemeId == SECURITY + "session_id":
        return Credentials(security.sessionId if session_id is None else session_id)
    if security.schemeId == SECURITY + "user_pass":
        return Credentials(session_id, user=security.userName, password=security.password, client=request.client)
    if security.schemeId == SECURITY + "oauth":
        return Credentials(session_id, bearer=security.accessToken)
    if security.schemeId == SECURITY + "saml_bearer_token":
        return Credentials(session_id, saml=SamlToken(security.samlToken or ""))
    if security.schemeId == SECURITY + "saml_hok_token":
        token = security.signature.samlToken if security.signature else None
        return Credentials(session_id, saml=SamlToken(token or "", JsonProof(body)))
    return Credentials(session_id, unaccepted=security.schemeId)


def find_operation(catalogue: Catalogue, service: str, name: str) -> AnyOperation:
    """The operation of the contract.

    :raises OperationNotFound: there is no such service, or it has no such operation.
    """
    if service not in catalogue.services:
        raise OperationNotFound(
            message("vapi.method.input.invalid.interface", "There is no service with the identifier {0}.", service)
        )
    place = catalogue.place_of(service, name)
    operation = operation_at(place) if place is not None else None
    if operation is None or operation.service != service:
        raise OperationNotFound(
            message("vapi.method.input.invalid.method", "The service {0} has no operation {1}.", service, name)
        )
    if operation.streams:
        raise OperationNotFound(
            message(
                "resphere.operation.streams",
                "The bytes of the operation {0} travel only as the body of a request or reply at its own address.",
                operation.id,
            )
        )
    return operation


def target_parameters(operation: AnyOperation, content: bytes) -> dict[str, str]:
    """What names the operation's target, as a path would.

    What is not in order is left out here and refused by decoding, which has the same content before it.
    """
    names = target_names(operation)
    if not names:
        return {}
    try:
        input = target_decoder(operation.input.__vapi_name__, names).decode(content)
        fields = zip(names, msgspec.structs.astuple(input.structure.fields), strict=True)
        return {name: str(_json.decode(value)) for name, value in fields if bytes(value)[:1] == b'"'}
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}


OF_THE_RUNTIME = frozenset({"$doNotRoute", "$showUnreleasedAPIs", "$taskId", "$userAgent"})
"""What vAPI's runtime itself puts into the application context, and dcli with ``+show-unreleased-apis``."""


def list_options(operation: AnyOperation, context: Context | None) -> dict[str, list[str]]:
    """The options of a list that the application context holds, which is a map of texts."""
    content = b"" if context is None else bytes(context.appCtx)
    if (b"$" not in content and FULL.encode() not in content) or listing_of(operation) is None:
        return NO_OPTIONS
    try:
        entries = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return NO_OPTIONS
    return {name: [str(value)] for name, value in entries.items() if is_option(name) and name not in OF_THE_RUNTIME}


def kept_key(input: bytes, options: dict[str, list[str]]) -> Hashable | None:
    """What names a request among all that may share a kept reply."""
    if len(input) > LARGEST_KEPT_INPUT_BYTES:
        return None
    return (input, *(f"{name}={values[0]}" for name, values in options.items())) if options else input


@cache
def target_decoder(structure: str, names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Reads the fields of those names as they are written, and passes over all others, however large they are."""
    fields = [
        (f"field_{number}", msgspec.Raw, msgspec.field(name=name, default=msgspec.Raw()))
        for number, name in enumerate(names)
    ]
    inner = msgspec.defstruct("Fields", fields, frozen=True)
    outer = msgspec.defstruct("Structure", [("fields", inner, msgspec.field(name=structure))], frozen=True)
    return msgspec.json.Decoder(
        msgspec.defstruct("Input", [("structure", outer, msgspec.field(name="STRUCTURE"))], frozen=True)
    )


@cache
def target_names(operation: AnyOperation) -> tuple[str, ...]:
    """The parameters that are an operation's target: those of its path, or where it has none, those that its privileges
    are asked on."""
    route = operation.api or operation.rest
    if route is not None:
        return tuple(re.findall(r"\{([^}]+)\}", route.path))
    return tuple(requirement.parameter for requirement in operation.privileges if requirement.parameter)


@cache
def codec(operation: AnyOperation) -> tuple[Read, Write]:
    """How the operation's input is read and its output written."""
    return decoder(operation.input), encoder(operation.output)
