"""WS-Trust 1.3 in SOAP 1.1, at ``/sts/STSService``: how clients ask vCenter's Security Token Service for SAML tokens.

What vCenter serves, govmomi's package ``sts`` (0.24) asks for and understands; names of faults are those of WS-Trust
1.3 and WS-Security 1.0.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from cryptography import x509
from lxml import etree

from resphere.auth.credentials import NO_CREDENTIALS, BadProof, Credentials, SamlToken, SignedMessage
from resphere.auth.saml.assertion import decoded_certificate, read_assertion
from resphere.auth.saml.documents import DSIG, SAML, BadDocument, only, optional, parse, text_of
from resphere.auth.saml.message_proof import BODY, HEADER, SECURITY, SOAP, TIMESTAMP, WSSE, WSU, MessageProof, times_of
from resphere.auth.saml.moments import write_moment
from resphere.auth.saml.refusals import InvalidSecurityToken, InvalidTimeRange, UnableToRenew
from resphere.contract.errors import InvalidArgument, Unauthenticated, VapiError, message
from resphere.contract.extensions.sts import IssuedToken, SecurityTokens
from resphere.contract.model import AnyOperation, ByteStream, Secret, Struct
from resphere.dialects.base import Outcome, ReadBody, Refused, Reply, Request, Resolved
from resphere.dialects.http import allow, allowing, exceeds, whole

PATH = "sts/STSService"
ALLOWED = ("GET", "OPTIONS", "POST")
MOST_MESSAGE_BYTES = 256 * 1024
PARSED_AT_ONCE_BYTES = 32 * 1024
"""Larger messages, which hold several tokens or none, are read beside the loop."""
REPLY_VALIDITY = timedelta(minutes=5)
XML = "text/xml; charset=utf-8"

WST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
WST14 = "http://docs.oasis-open.org/ws-sx/ws-trust/200802"
WSA = "http://www.w3.org/2005/08/addressing"
ENVELOPE = f"{{{SOAP}}}Envelope"
ASSERTION = f"{{{SAML}}}Assertion"
BINARY_TOKEN = f"{{{WSSE}}}BinarySecurityToken"
AS_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"
TOKEN_TYPES = ("urn:oasis:names:tc:SAML:2.0:assertion", "oasis:names:tc:SAML:2.0:assertion")
"""The second is what govmomi asks for."""

OPERATIONS: Mapping[str, AnyOperation] = {
    f"{WST}/Issue": SecurityTokens.issue,
    f"{WST}/Renew": SecurityTokens.renew,
    f"{WST}/Validate": SecurityTokens.validate,
}


class MessageFault(InvalidArgument):
    """A message that means no request."""


class MessageExpired(MessageFault):
    """A message that is not of this time."""


CODES: tuple[tuple[type[VapiError], str, str], ...] = (
    (Unauthenticated, WST, "FailedAuthentication"),
    (MessageExpired, WSU, "MessageExpired"),
    (MessageFault, WST, "BadRequest"),
    (InvalidTimeRange, WST, "InvalidTimeRange"),
    (InvalidSecurityToken, WST, "InvalidSecurityToken"),
    (UnableToRenew, WST, "UnableToRenew"),
    (InvalidArgument, WST, "InvalidRequest"),
    (VapiError, WST, "RequestFailed"),
)
"""Which fault says what; the first that fits."""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A message that was understood: the envelope, the request in it, and how the caller was to be known."""

    envelope: etree._Element
    request: etree._Element
    saml: str | None


class StsDialect:
    """``/sts/STSService`` and what is below it, which names a domain."""

    name = "sts"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    async def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """What the message asks for, and what it shows of who asks."""
        if request.method == "GET" and request.query.lower() in (b"wsdl", b"wsdl="):
            return Resolved(SecurityTokens.describe, NO_CREDENTIALS, {})
        if request.method != "POST":
            refusal = fault("The service is asked by POST, and described by GET with the query wsdl.")
            return Refused(refusal.http(405, [allow(ALLOWED)]), NO_CREDENTIALS, public=True)
        try:
            if exceeds(request, MOST_MESSAGE_BYTES):
                raise BadDocument(f"it is larger than {MOST_MESSAGE_BYTES} bytes")
            body = await read_body(MOST_MESSAGE_BYTES)
            if len(body) <= PARSED_AT_ONCE_BYTES:
                return self._resolved(parsed(body), request.client)
            return self._resolved(await asyncio.to_thread(parsed, body), request.client)
        except BadDocument as error:
            return Refused(fault(f"The message is not a request for a token: {error}."), NO_CREDENTIALS, public=True)
        except VapiError as error:
            return Refused(error, NO_CREDENTIALS, public=True)

    def _resolved(self, envelope: etree._Element, client: str) -> Resolved:
        if envelope.tag != ENVELOPE:
            raise BadDocument("it is no SOAP 1.1 envelope")
        asked = only(only(envelope, BODY), f"{{{WST}}}RequestSecurityToken")
        kind = text_of(only(asked, f"{{{WST}}}RequestType")).strip()
        operation = OPERATIONS.get(kind)
        if operation is None:
            raise BadDocument(f"the request type {kind[:100]!r} is not supported")
        security = only(only(envelope, HEADER), SECURITY)
        if not times_of(only(security, TIMESTAMP)).includes(self._now()):
            raise MessageExpired(message("resphere.sts.expired", "The message is not of this time: check the clocks."))
        credentials = credentials_of(envelope, security, asked if operation is SecurityTokens.renew else None, client)
        token = credentials.saml.text if credentials.saml else None
        return Resolved(operation, credentials, {}, envelope=Asked(envelope, asked, token))

    def options(self, request: Request) -> Reply:
        """The methods of the path."""
        return allowing(ALLOWED)

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """What is asked for; where the message is signed, by the key that its signature proves.

        :raises InvalidArgument: a part is not what it should be.
        """
        whole(body)
        asked = resolved.envelope
        try:
            if resolved.operation is SecurityTokens.issue:
                return self._issue(asked)
            if resolved.operation is SecurityTokens.renew:
                created, expires = lifetime_of(asked.request)
                return SecurityTokens.RenewInput(token=Secret(asked.saml), created=created, expires=expires)
            if resolved.operation is SecurityTokens.validate:
                return SecurityTokens.ValidateInput(token=Secret(target(asked.request, "ValidateTarget")))
            return resolved.operation.input()
        except BadDocument as error:
            raise fault(f"The message is not a request for a token: {error}.") from None

    def _issue(self, asked: Asked) -> SecurityTokens.IssueInput:
        request = asked.request
        token_type = value_of(request, "TokenType")
        if token_type is not None and token_type not in TOKEN_TYPES:
            raise BadDocument(f"tokens of the type {token_type[:100]!r} are not issued")
        created, expires = lifetime_of(request)
        renewing = optional(request, f"{{{WST}}}Renewing")
        acting = [
            each for name in (f"{{{WST14}}}ActAs", f"{{{WST}}}ActAs") for each in request.findall(name) if len(each)
        ]
        if len(acting) > 1:
            raise BadDocument("it names several users to act for")
        return SecurityTokens.IssueInput(
            key_type=value_of(request, "KeyType"),
            certificate=self._proven_certificate(asked),
            created=created,
            expires=expires,
            renewable=renewing is not None and truth(renewing.get("Allow", "true")),
            delegatable=truth(value_of(request, "Delegatable") or "false"),
            audiences=audiences_of(request),
            act_as=Secret(token_in(acting[0])) if acting else None,
            presented=None if asked.saml is None else Secret(asked.saml),
        )

    def _proven_certificate(self, asked: Asked) -> str | None:
        """The certificate whose key has signed the message, Base64; ``None`` where it is not signed."""
        security = only(only(asked.envelope, HEADER), SECURITY)
        binary = optional(security, BINARY_TOKEN)
        if optional(security, f"{{{DSIG}}}Signature") is None:
            return None
        if binary is None:
            # Signed by the key of the token that has let the caller in: without it, nobody gets this far.
            return certificate_in(asked.saml) if asked.saml is not None else None
        certificate = decoded_certificate(text_of(binary))
        try:
            MessageProof(asked.envelope).check(x509.load_der_x509_certificate(certificate), self._now())
        except BadProof as error:
            raise fault(f"The message's signature is not good: {error}.") from None
        return base64.b64encode(certificate).decode()

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """The answer in an envelope, or the description as it is."""
        if isinstance(result, bytes):
            return Reply(200, result, XML)
        if resolved.operation is SecurityTokens.validate:
            code = f"{WST}/status/{'valid' if result else 'invalid'}"
            return self._reply(
                f"<wst:RequestSecurityTokenResponse><wst:TokenType>{WST}/RSTR/Status</wst:TokenType>"
                f"<wst:Status><wst:Code>{code}</wst:Code></wst:Status></wst:RequestSecurityTokenResponse>"
            )
        response = f"<wst:RequestSecurityTokenResponse>{token_content(result)}</wst:RequestSecurityTokenResponse>"
        if resolved.operation is SecurityTokens.issue:
            response = (
                f"<wst:RequestSecurityTokenResponseCollection>{response}</wst:RequestSecurityTokenResponseCollection>"
            )
        return self._reply(response)

    def _reply(self, content: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        created, expires = write_moment(self._now()), write_moment(self._now() + REPLY_VALIDITY)
        text = (
            f'<soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Header><wsse:Security xmlns:wsse="{WSSE}">'
            f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="timestamp"><wsu:Created>{created}</wsu:Created>'
            f"<wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp></wsse:Security></soapenv:Header>"
            f'<soapenv:Body xmlns:wst="{WST}" xmlns:wsu="{WSU}">{content}</soapenv:Body></soapenv:Envelope>'
        )
        return Reply(status, text.encode(), XML, headers)

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """``reply``: there is nothing that belongs to one request."""
        return reply

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """A SOAP fault. SOAP 1.1 sends them with status 500, whatever they are."""
        namespace, code = next((namespace, code) for cls, namespace, code in CODES if isinstance(error, cls))
        words = "Invalid credentials" if isinstance(error, Unauthenticated) else str(error)
        content = (
            f'<soapenv:Fault><faultcode xmlns:code="{namespace}">code:{code}</faultcode>'
            f"<faultstring>{escape(words)}</faultstring></soapenv:Fault>"
        )
        return self._reply(content, error.status or 500, error.headers)


def fault(words: str) -> MessageFault:
    """The refusal of a message."""
    return MessageFault(message("resphere.sts.message", "{0}", words))


def parsed(body: bytes) -> etree._Element:
    """The message's envelope.

    :raises BadDocument: it is no document that is read here.
    """
    try:
        text = whole(body).decode("utf-8")
    except UnicodeDecodeError:
        raise BadDocument("it is not UTF-8") from None
    return parse(text, MOST_MESSAGE_BYTES)


def credentials_of(
    envelope: etree._Element, security: etree._Element, renewing: etree._Element | None, client: str
) -> Credentials:
    """What a message from an address shows of its sender: name and password, or a token with the signature that
    belongs to it (the token that is to be renewed is one, too), or nothing but a signature.

    :raises BadDocument: it is not written as WS-Security says.
    """
    username = optional(security, f"{{{WSSE}}}UsernameToken")
    if username is not None:
        password = only(username, f"{{{WSSE}}}Password")
        if password.get("Type", AS_TEXT) != AS_TEXT:
            raise BadDocument("passwords are taken as text only, which TLS protects")
        user = text_of(only(username, f"{{{WSSE}}}Username"))
        return Credentials(user=user, password=text_of(password), client=client)
    is_signed = optional(security, f"{{{DSIG}}}Signature") is not None
    token = optional(security, ASSERTION)
    text = written(token) if token is not None else None
    if text is None and renewing is not None:
        text = target(renewing, "RenewTarget")
    if text is None:
        binary = optional(security, BINARY_TOKEN) if is_signed else None
        if binary is None:
            return NO_CREDENTIALS
        certificate = x509.load_der_x509_certificate(decoded_certificate(text_of(binary)))
        return Credentials(signed=SignedMessage(certificate, MessageProof(envelope)))
    return Credentials(saml=SamlToken(text, MessageProof(envelope) if is_signed else None))


def certificate_in(token: str) -> str | None:
    """The certificate of the key that the token names, Base64; ``None`` where it is a bearer's."""
    der = read_assertion(parse(token)).certificate
    return None if der is None else base64.b64encode(der).decode()


def written(element: etree._Element) -> str:
    """An element by itself, with the namespaces that it uses."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def target(request: etree._Element, name: str) -> str:
    """The token that a request refers to.

    :raises BadDocument: there is none.
    """
    return token_in(only(request, f"{{{WST}}}{name}"))


def token_in(element: etree._Element) -> str:
    """The token that stands in an element.

    :raises BadDocument: there is none.
    """
    return written(only(element, ASSERTION))


def value_of(request: etree._Element, name: str) -> str | None:
    """The text of an element of the request, ``None`` where it is missing or empty.

    :raises BadDocument: it stands there twice, or has more than text.
    """
    found = optional(request, f"{{{WST}}}{name}")
    return None if found is None else text_of(found).strip() or None


def truth(text: str) -> bool:
    """A truth value of XML Schema.

    :raises BadDocument: it is none.
    """
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.strip() not in values:
        raise BadDocument(f"{text[:20]!r} is no truth value")
    return values[text.strip()]


def lifetime_of(request: etree._Element) -> tuple[datetime | None, datetime | None]:
    """From when until when the token is to be good, as far as the request says.

    :raises BadDocument: it says something else.
    """
    lifetime = optional(request, f"{{{WST}}}Lifetime")
    if lifetime is None:
        return None, None
    times = times_of(lifetime)
    return times.created, times.expires


def audiences_of(request: etree._Element) -> tuple[str, ...]:
    """For whom the token is to be."""
    participants = optional(request, f"{{{WST}}}Participants")
    if participants is None:
        return ()
    return tuple(text_of(each).strip() for each in participants.iter(f"{{{WSA}}}Address"))


def token_content(issued: IssuedToken) -> str:
    """What stands in the answer to a request for a token."""
    return (
        f"<wst:TokenType>{TOKEN_TYPES[0]}</wst:TokenType>"
        f"<wst:RequestedSecurityToken>{issued.token}</wst:RequestedSecurityToken>"
        f"<wst:Lifetime><wsu:Created>{write_moment(issued.created)}</wsu:Created>"
        f"<wsu:Expires>{write_moment(issued.expires)}</wsu:Expires></wst:Lifetime>"
        f'<wst:Renewing Allow="{xml_truth(issued.renewable)}" OK="false"/>'
        f"<wst:KeyType>{issued.key_type}</wst:KeyType>"
        f"<wst:Delegatable>{xml_truth(issued.delegatable)}</wst:Delegatable>"
    )


def xml_truth(value: bool) -> str:
    """A truth value as XML Schema has it."""
    return "true" if value else "false"
