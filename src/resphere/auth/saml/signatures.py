"""Signatures of whole assertions: of one shape only, that of SAML, checked before the library gets to see them.

signxml does the cryptography. What it would tolerate besides (further references and transforms, other places, keys
that the document brings along) is refused here: what was signed is the assertion, all of it, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature as BadSignature
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from resphere.auth.saml.documents import DSIG, BadDocument, name_of, only, optional, text_of

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SIGNATURE = f"{{{DSIG}}}Signature"
SIGNED_INFO = f"{{{DSIG}}}SignedInfo"
REFERENCE = f"{{{DSIG}}}Reference"
INCLUSIVE_NAMESPACES = f"{{{EXCLUSIVE}}}InclusiveNamespaces"

SIGNATURE_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})

MOST_REFERENCES = 4
"""Of a message: body and timestamp, and what clients sign besides."""
PARTS = {"SignedInfo", "SignatureValue", "KeyInfo"}


def verified(
    root: etree._Element, certificates: Sequence[x509.Certificate], moment: datetime, *, transforms: tuple[str, ...]
) -> etree._Element:
    """The document as it was signed, by the key of one of ``certificates``, which is good at that moment.

    What is not in the result was not signed, and nobody may read it from ``root``.

    :raises BadDocument: it has no such signature.
    """
    require_shape(root, transforms)
    reasons = []
    for certificate in certificates:
        configuration = SignatureConfiguration(
            location="./",
            expect_references=1,
            signature_methods=SIGNATURE_METHODS,
            digest_algorithms=DIGESTS,
            verification_time=moment,
        )
        try:
            found = XMLVerifier().verify(
                root, x509_cert=certificate, expect_config=configuration, id_attribute="ID", validate_schema=False
            )
        except (SignXMLException, BadSignature, ValueError, etree.LxmlError) as error:
            reasons.append(str(error))
            continue
        signed = found.signed_xml if not isinstance(found, list) else None
        if signed is None or signed.get("ID") != root.get("ID") or signed.tag != root.tag:
            raise BadDocument("what was signed is not the assertion")
        return signed
    raise BadDocument(f"its signature is not good: {'; '.join(reasons) or 'no certificate is trusted'}")


def require_shape(root: etree._Element, transforms: tuple[str, ...]) -> None:
    """Refuse a document that is not signed as SAML says: once, as a whole, by a signature right below its root.

    :raises BadDocument: it is not.
    """
    signature = only(root, SIGNATURE)
    if sum(1 for _ in root.iter(SIGNATURE)) != 1:
        raise BadDocument("it has signatures within")
    references = signed_references(signature)
    if len(references) != 1:
        raise BadDocument("its signature is of more than the assertion")
    identity = root.get("ID")
    if not identity or references[0].get("URI") != f"#{identity}":
        raise BadDocument(f"its signature is of {references[0].get('URI')!r}, not of the assertion")
    require_transforms(references[0], transforms)


def require_message_shape(signature: etree._Element) -> etree._Element:
    """What is signed of a message: elements of it, each as a whole.

    :raises BadDocument: anything else is.
    """
    references = signed_references(signature)
    if not 0 < len(references) <= MOST_REFERENCES:
        raise BadDocument(f"the signature is of {len(references)} parts")
    for reference in references:
        if not reference.get("URI", "").startswith("#"):
            raise BadDocument(f"the signature is of {reference.get('URI')!r}, which is not in the message")
        require_transforms(reference, (EXCLUSIVE,))
    return only(signature, SIGNED_INFO)


def signed_references(signature: etree._Element) -> list[etree._Element]:
    """What a signature is of, once nothing else stands in it.

    :raises BadDocument: something does, or its algorithms are not accepted.
    """
    if any(etree.QName(part).namespace != DSIG or etree.QName(part).localname not in PARTS for part in signature):
        raise BadDocument("its signature holds objects")
    information = only(signature, SIGNED_INFO)
    require_base64(only(signature, f"{{{DSIG}}}SignatureValue"))
    optional(signature, f"{{{DSIG}}}KeyInfo")
    require_method(information, "CanonicalizationMethod", {EXCLUSIVE})
    require_method(information, "SignatureMethod", {method.value for method in SIGNATURE_METHODS})
    references = information.findall(REFERENCE)
    if len(information) != 2 + len(references):
        raise BadDocument("its signature is of something unknown")
    return references


def require_transforms(reference: etree._Element, transforms: tuple[str, ...]) -> None:
    """Refuse a reference to anything but the whole of an element.

    :raises BadDocument: it is another one, or its algorithms are not accepted.
    """
    listed = only(reference, f"{{{DSIG}}}Transforms")
    algorithms = tuple(each.get("Algorithm", "") for each in listed)
    if algorithms != transforms:
        raise BadDocument(f"the transforms {', '.join(algorithms)} are not those of a whole element")
    for transform in listed:
        if any(each.tag != INCLUSIVE_NAMESPACES or len(each) for each in transform):
            raise BadDocument("a transform has parameters that are not understood")
    require_method(reference, "DigestMethod", {digest.value for digest in DIGESTS})
    require_base64(only(reference, f"{{{DSIG}}}DigestValue"))


def require_base64(element: etree._Element) -> None:
    """Refuse what is not bytes in Base64, be they broken into lines.

    :raises BadDocument: it is something else, or nothing.
    """
    try:
        content = base64.b64decode("".join(text_of(element).split()), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise BadDocument(f"{name_of(element)} is not Base64")


def require_method(element: etree._Element, name: str, allowed: set[str]) -> None:
    """Refuse algorithms that are not good enough, and unknown ones.

    :raises BadDocument: the algorithm is not among those that are allowed.
    """
    algorithm = only(element, f"{{{DSIG}}}{name}").get("Algorithm")
    if algorithm not in allowed:
        raise BadDocument(f"{name} is {algorithm!r}, which is not accepted")
