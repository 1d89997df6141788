"""Signatures over requests by the key of a certificate."""

from __future__ import annotations

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from resphere.auth.credentials import BadProof

LEAST_KEY_BITS = 2048
UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion)
"""What is raised of bytes that are no certificate, and of one whose key is of no known kind."""


def require_signature(certificate: x509.Certificate, signature: str, message: bytes, algorithm: HashAlgorithm) -> None:
    """Refuse a message that the certificate's key has not signed (PKCS#1 v1.5, in Base64).

    :raises BadProof: it has not.
    """
    try:
        content = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise BadProof("the signature is no Base64") from None
    try:
        rsa_key(certificate).verify(content, message, PKCS1v15(), algorithm)
    except InvalidSignature:
        raise BadProof("the signature is not of this request, or not by this key") from None


def rsa_key(certificate: x509.Certificate) -> RSAPublicKey:
    """The certificate's key.

    :raises BadProof: it is none that signs requests, or too short.
    """
    try:
        key = certificate.public_key()
    except UNREADABLE as error:
        raise BadProof(f"the certificate's key cannot be read: {error}") from None
    if not isinstance(key, RSAPublicKey):
        raise BadProof("the certificate's key is no RSA key")
    if key.key_size < LEAST_KEY_BITS:
        raise BadProof(f"the certificate's key has {key.key_size} bits, and must have {LEAST_KEY_BITS}")
    return key
