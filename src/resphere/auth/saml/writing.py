"""Tokens written as vCenter's STS writes them, element for element: clients canonicalize them by their own knowledge.

govmomi, for one, signs requests over a token that it has taken apart and written anew (``sts/internal/types.go``):
what it does not know of, or finds in another order, would break its signature.
"""

from __future__ import annotations

import base64

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from resphere.auth.saml.assertion import DELEGATION, RENEWAL, Assertion, Confirmation
from resphere.auth.saml.documents import DSIG, SAML, XS, XSI
from resphere.auth.saml.moments import write_moment

PROTECTED_TRANSPORT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
X509_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"
UNSPECIFIED = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
URI_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

NAMESPACES = {"saml2": SAML, "xs": XS, "xsi": XSI}
TYPE = f"{{{XSI}}}type"


class SigningKey(msgspec.Struct, frozen=True):
    """What tokens are signed with: the key, its certificate, and those of who vouch for it."""

    key: RSAPrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def write_token(
    assertion: Assertion, signing: SigningKey, friendly: dict[str, str], context: str = PROTECTED_TRANSPORT
) -> str:
    """The assertion, signed. ``friendly`` are the names of attributes that people read, ``context`` how the subject
    has shown who it is."""
    return sign(unsigned(assertion, friendly, context), signing)


def sign(root: etree._Element, signing: SigningKey) -> str:
    """An assertion, whose signature goes where it has a place for it."""
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = signer.sign(
        root,
        key=signing.key,
        cert=[signing.certificate, *signing.chain],
        reference_uri=f"#{root.get('ID')}",
        id_attribute="ID",
    )
    return str(etree.tostring(signed, encoding="unicode"))


def unsigned(assertion: Assertion, friendly: dict[str, str], context: str) -> etree._Element:
    """The assertion with a place for its signature."""
    root = etree.Element(saml("Assertion"), nsmap=NAMESPACES)
    root.set("ID", assertion.id)
    root.set("IssueInstant", write_moment(assertion.issue_instant))
    root.set("Version", "2.0")
    add(root, "Issuer", assertion.issuer, Format=ENTITY)
    etree.SubElement(root, f"{{{DSIG}}}Signature", {"Id": "placeholder"}, nsmap={"ds": DSIG})
    add_subject(root, assertion)
    add_conditions(root, assertion)
    statement = add(root, "AuthnStatement", AuthnInstant=write_moment(assertion.issue_instant))
    add(add(statement, "AuthnContext"), "AuthnContextClassRef", context)
    attributes = add(root, "AttributeStatement")
    for name, values in assertion.attributes:
        attribute = add(attributes, "Attribute", FriendlyName=friendly[name], Name=name, NameFormat=URI_FORMAT)
        for value in values:
            add(attribute, "AttributeValue", value).set(TYPE, "xs:string")
    return root


def add_subject(root: etree._Element, assertion: Assertion) -> None:
    """Whom the token is about, and how that is confirmed."""
    subject = add(root, "Subject")
    add(subject, "NameID", assertion.name, **({"Format": assertion.name_format} if assertion.name_format else {}))
    confirmation = add(subject, "SubjectConfirmation", Method=assertion.confirmation.value)
    if assertion.confirmation is Confirmation.BEARER:
        add(confirmation, "SubjectConfirmationData", NotOnOrAfter=write_moment(assertion.not_on_or_after))
        return
    assert assertion.certificate is not None, "a token of the holder of a key names the key"
    data = add(confirmation, "SubjectConfirmationData")
    data.set(TYPE, "saml2:KeyInfoConfirmationDataType")
    information = etree.SubElement(data, f"{{{DSIG}}}KeyInfo", nsmap={"ds": DSIG})
    x509_data = etree.SubElement(information, f"{{{DSIG}}}X509Data")
    etree.SubElement(x509_data, f"{{{DSIG}}}X509Certificate").text = base64.b64encode(assertion.certificate).decode()


def add_conditions(root: etree._Element, assertion: Assertion) -> None:
    """When and for whom it is good, and whether it may be handed on and renewed."""
    times = {"NotOnOrAfter": write_moment(assertion.not_on_or_after)}
    if assertion.not_before is not None:
        times = {"NotBefore": write_moment(assertion.not_before), **times}
    conditions = add(root, "Conditions", **times)
    for audiences in assertion.limits.audiences:
        restriction = add(conditions, "AudienceRestriction")
        for audience in audiences:
            add(restriction, "Audience", audience)
    if assertion.limits.delegations:
        add(conditions, "ProxyRestriction", Count=str(assertion.limits.delegations))
    if assertion.limits.renewals:
        condition = etree.SubElement(conditions, saml("Condition"), nsmap={"rsa": RENEWAL})
        condition.set("Count", str(assertion.limits.renewals))
        condition.set(TYPE, "rsa:RenewRestrictionType")
    if assertion.limits.delegates:
        condition = etree.SubElement(conditions, saml("Condition"), nsmap={"del": DELEGATION})
        condition.set(TYPE, "del:DelegationRestrictionType")
        for name in assertion.limits.delegates:
            delegate = etree.SubElement(condition, f"{{{DELEGATION}}}Delegate")
            delegate.set("DelegationInstant", write_moment(assertion.issue_instant))
            name_id = add(delegate, "NameID", name)
            name_id.set("Format", assertion.name_format or "")


def add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    """A further element of SAML."""
    made = etree.SubElement(parent, saml(name), attributes)
    made.text = text
    return made


def saml(name: str) -> str:
    """The name with SAML's namespace."""
    return f"{{{SAML}}}{name}"
