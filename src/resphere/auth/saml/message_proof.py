"""The signature of a SOAP message by WS-Security: over its body and its timestamp, by the key of a certificate."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature as BadSignature
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from resphere.auth.credentials import BadProof, Shown
from resphere.auth.saml.documents import DSIG, BadDocument, only
from resphere.auth.saml.keys import rsa_key
from resphere.auth.saml.moments import CLOCK_SKEW, read_moment
from resphere.auth.saml.signatures import DIGESTS, REFERENCE, SIGNATURE_METHODS, require_message_shape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_WSS}wssecurity-secext-1.0.xsd"
WSU = f"{_WSS}wssecurity-utility-1.0.xsd"

HEADER = f"{{{SOAP}}}Header"
BODY = f"{{{SOAP}}}Body"
SECURITY = f"{{{WSSE}}}Security"
TIMESTAMP = f"{{{WSU}}}Timestamp"
ID = f"{{{WSU}}}Id"


class Times(msgspec.Struct, frozen=True):
    """When a message was made, and until when it is to be taken."""

    created: datetime
    expires: datetime

    def includes(self, moment: datetime) -> bool:
        """Whether a message is to be taken at that moment, give or take what clocks may differ."""
        return self.created - CLOCK_SKEW <= moment < self.expires + CLOCK_SKEW and self.created < self.expires


def times_of(element: etree._Element) -> Times:
    """The times in a ``wsu:Timestamp``, or in the ``Lifetime`` of a token.

    :raises BadDocument: one is missing or no moment.
    """
    created, expires = (only(element, f"{{{WSU}}}{name}").text or "" for name in ("Created", "Expires"))
    return Times(read_moment(created), read_moment(expires))


class MessageProof:
    """The signature of an envelope, which nobody changes."""

    def __init__(self, envelope: etree._Element) -> None:
        self._envelope = envelope

    async def verify(self, certificate: x509.Certificate, moment: datetime) -> Shown:
        """See :class:`~resphere.auth.credentials.KeyProof`."""
        return await asyncio.to_thread(self.check, certificate, moment)

    def check(self, certificate: x509.Certificate, moment: datetime) -> Shown:
        """What was shown, in the calling thread.

        :raises BadProof: body and timestamp are not signed by the certificate's key, or not at this time.
        """
        rsa_key(certificate)
        try:
            return self._check(certificate, moment)
        except BadDocument as error:
            raise BadProof(str(error)) from None
        except (SignXMLException, BadSignature, ValueError, etree.LxmlError) as error:
            raise BadProof(f"the message's signature is not good: {error}") from None

    def _check(self, certificate: x509.Certificate, moment: datetime) -> Shown:
        security = only(only(self._envelope, HEADER), SECURITY)
        signature = only(security, f"{{{DSIG}}}Signature")
        timestamp = only(security, TIMESTAMP)
        times = times_of(timestamp)
        if not times.includes(moment):
            raise BadProof(f"the message was made at {times.created.isoformat()}")
        information = require_message_shape(signature)
        wanted = [only(self._envelope, BODY).get(ID), timestamp.get(ID)]
        referred = [each.get("URI", "") for each in information.findall(REFERENCE)]
        if any(identity is None or f"#{identity}" not in referred for identity in wanted):
            raise BadProof("the signature is not of body and timestamp")
        configuration = SignatureConfiguration(
            location=f"./{HEADER}/{SECURITY}/",
            expect_references=True,
            signature_methods=SIGNATURE_METHODS,
            digest_algorithms=DIGESTS,
            verification_time=moment,
        )
        XMLVerifier().verify(
            self._envelope, x509_cert=certificate, expect_config=configuration, id_attribute="Id", validate_schema=False
        )
        message = etree.tostring(information, method="c14n", exclusive=True)
        return Shown(message, times.expires + CLOCK_SKEW)
