"""What a SAML 2.0 assertion says, once its signature was good."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from enum import StrEnum

import msgspec
from cryptography import x509
from lxml import etree
from msgspec.structs import replace

from resphere.auth.saml.documents import DSIG, SAML, XSI, BadDocument, name_of, only, optional, text_of
from resphere.auth.saml.keys import UNREADABLE
from resphere.auth.saml.moments import read_moment

UPN = "http://schemas.xmlsoap.org/claims/UPN"
"""The format of names as vCenter's STS writes them: ``user@domain``."""
GROUPS = "http://rsa.com/schemas/attr-names/2009/01/GroupIdentity"
"""The attribute that names groups, ``domain\\group``, in tokens of vCenter's STS."""
SOURCE = "urn:resphere:identity-source"
"""The attribute that names the identity source of a user without a local account, in tokens of this server."""
GRANTED = "urn:resphere:granted-group"
"""The attribute that names local groups which such a user is given for groups of its source."""
DELEGATION = "urn:oasis:names:tc:SAML:2.0:conditions:delegation"
RENEWAL = "http://www.rsa.com/names/2009/12/std-ext/SAML2.0"

TAG = f"{{{SAML}}}"
KEY_INFO = f"{{{DSIG}}}KeyInfo"
X509_DATA = f"{{{DSIG}}}X509Data"
X509_CERTIFICATE = f"{{{DSIG}}}X509Certificate"


class Confirmation(StrEnum):
    """By what its presenter shows to be the one that a token is about."""

    BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What limits the use of a token besides its time.

    ``audiences`` are those that it was made for, if it names any: one of each restriction must be this server.
    ``renewals`` and ``delegations`` are how often it may still be renewed and handed on. ``delegates`` are who acts for
    the subject, the first first.
    """

    audiences: tuple[tuple[str, ...], ...] = ()
    renewals: int = 0
    delegations: int = 0
    delegates: tuple[str, ...] = ()


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """A token. Moments are aware, in UTC; it is good from ``not_before`` until before ``not_on_or_after``.

    ``certificate`` (DER) is of the key that its presenter must hold. ``attributes`` are names with their values.
    """

    id: str
    issuer: str
    name: str
    name_format: str | None
    confirmation: Confirmation
    certificate: bytes | None
    issue_instant: datetime
    not_before: datetime | None
    not_on_or_after: datetime
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    limits: Limits = Limits()

    def values(self, attribute: str) -> tuple[str, ...]:
        """The values of an attribute, by its name."""
        return tuple(value for name, values in self.attributes if name == attribute for value in values)


def read_assertion(root: etree._Element) -> Assertion:
    """What the assertion says; of several confirmations of its subject, none is chosen.

    :raises BadDocument: it is not what SAML 2.0 says an assertion is, or holds what is not understood here.
    """
    if root.tag != f"{TAG}Assertion" or root.get("Version") != "2.0":
        raise BadDocument("it is no SAML 2.0 assertion")
    subject = only(root, f"{TAG}Subject")
    name = only(subject, f"{TAG}NameID")
    confirmation = only(subject, f"{TAG}SubjectConfirmation")
    method = confirmation.get("Method", "")
    if method not in tuple(Confirmation):
        raise BadDocument(f"the subject is to be confirmed by {method!r}")
    data = optional(confirmation, f"{TAG}SubjectConfirmationData")
    conditions = only(root, f"{TAG}Conditions")
    until = moment_of(conditions, "NotOnOrAfter")
    confirmed_until = None if data is None else moment_of(data, "NotOnOrAfter")
    confirmed_from = None if data is None else moment_of(data, "NotBefore")
    ends = [each for each in (until, confirmed_until) if each is not None]
    begins = [each for each in (moment_of(conditions, "NotBefore"), confirmed_from) if each is not None]
    if not ends:
        raise BadDocument("it never ends")
    issued = moment_of(root, "IssueInstant")
    if issued is None:
        raise BadDocument("it does not say when it was issued")
    holder = method == Confirmation.HOLDER_OF_KEY
    return Assertion(
        id=root.get("ID", ""),
        issuer=issuer_of(root),
        name=filled(name, text_of(name).strip()),
        name_format=name.get("Format"),
        confirmation=Confirmation(method),
        certificate=certificate_of(data) if holder else None,
        issue_instant=issued,
        not_before=max(begins) if begins else None,
        not_on_or_after=min(ends),
        attributes=attributes_of(root),
        limits=limits_of(conditions),
    )


def issuer_of(root: etree._Element) -> str:
    """Who says to have issued the assertion.

    :raises BadDocument: it does not say.
    """
    issuer = only(root, f"{TAG}Issuer")
    return filled(issuer, text_of(issuer).strip())


def filled(element: etree._Element, text: str) -> str:
    """The text.

    :raises BadDocument: there is none, or control characters are in it.
    """
    if not text or not text.isprintable():
        raise BadDocument(f"{name_of(element)} is empty, or has control characters")
    return text


def moment_of(element: etree._Element, attribute: str) -> datetime | None:
    """A moment that stands in an attribute."""
    value = element.get(attribute)
    return None if value is None else read_moment(str(value))


def certificate_of(data: etree._Element | None) -> bytes:
    """The certificate of the key that the presenter must hold, DER.

    :raises BadDocument: there is not exactly one.
    """
    if data is None:
        raise BadDocument("the key is missing by which the subject is to be confirmed")
    found = only(only(only(data, KEY_INFO), X509_DATA), X509_CERTIFICATE)
    return decoded_certificate(text_of(found))


def decoded_certificate(text: str) -> bytes:
    """A certificate that is written in Base64, DER.

    :raises BadDocument: it is none.
    """
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
        x509.load_der_x509_certificate(content)
    except (binascii.Error, *UNREADABLE) as error:
        raise BadDocument(f"what should be a certificate is none: {error}") from None
    return content


def limits_of(conditions: etree._Element) -> Limits:
    """What limits the assertion's use besides its time.

    :raises BadDocument: a condition is not understood: then SAML demands that the assertion is not good.
    """
    limits = Limits()
    for condition in conditions:
        match condition.tag:
            case "{urn:oasis:names:tc:SAML:2.0:assertion}AudienceRestriction":
                named = tuple(text_of(each).strip() for each in condition.findall(f"{TAG}Audience"))
                limits = replace(limits, audiences=(*limits.audiences, named))
            case "{urn:oasis:names:tc:SAML:2.0:assertion}ProxyRestriction":
                limits = replace(limits, delegations=count_of(condition))
            case "{urn:oasis:names:tc:SAML:2.0:assertion}Condition":
                limits = further_limits(condition, limits)
            case _:
                raise BadDocument(f"the condition {name_of(condition)} is not understood")
    return limits


def further_limits(condition: etree._Element, limits: Limits) -> Limits:
    """``limits`` with a condition of one of the kinds that vCenter's STS writes.

    What the prefix of its type stands for is not looked at: exclusive canonicalization leaves that out of what is
    signed.

    :raises BadDocument: it is of no such kind.
    """
    _, _, kind = condition.get(f"{{{XSI}}}type", "").rpartition(":")
    if kind == "RenewRestrictionType":
        return replace(limits, renewals=count_of(condition))
    if kind == "DelegationRestrictionType":
        names = [only(each, f"{TAG}NameID") for each in condition.findall(f"{{{DELEGATION}}}Delegate")]
        return replace(limits, delegates=tuple(filled(each, text_of(each).strip()) for each in names))
    raise BadDocument(f"a condition of the type {kind!r} is not understood")


def count_of(condition: etree._Element) -> int:
    """The attribute ``Count``; none are left where it is not there.

    :raises BadDocument: it is no number.
    """
    text = condition.get("Count", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadDocument(f"{text[:20]!r} is no count")
    return int(text)


def attributes_of(root: etree._Element) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The attributes, by name, with their values."""
    return tuple(
        (
            attribute.get("Name", ""),
            tuple(text_of(value).strip() for value in attribute.findall(f"{TAG}AttributeValue")),
        )
        for statement in root.findall(f"{TAG}AttributeStatement")
        for attribute in statement.findall(f"{TAG}Attribute")
    )
