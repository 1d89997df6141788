"""Who may answer over TLS: whom authorities vouch for, or who shows one certificate and no other."""

from __future__ import annotations

import hashlib
import hmac
import re

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.certificates.chains import ChainError, read_certificates
from resphere.fetching.errors import bad_certificate, bad_thumbprint

THUMBPRINT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
ALGORITHMS = {40: "sha1", 64: "sha256"}


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """``thumbprint`` (SHA-1 or SHA-256, hexadecimal) and ``certificate`` (PEM) pin the certificate of whoever answers:
    then that one is good, whoever has issued it and for whichever name, and no other is. Where neither is given,
    authorities must vouch for it: those of the operating system, the server's, and ``authorities`` (PEM)."""

    thumbprint: str | None = None
    certificate: str | None = None
    authorities: str | None = None


AUTHORITIES = Trust()


class Pins(msgspec.Struct, frozen=True):
    """Digests in hexadecimal digits; the certificate that is shown has to have one of each of the groups."""

    groups: tuple[frozenset[str], ...]

    def hold(self, shown: bytes) -> bool:
        """Whether the certificate (DER) is that which is meant."""
        return all(any(is_digest_of(digest, shown) for digest in group) for group in self.groups)


def is_digest_of(digest: str, certificate: bytes) -> bool:
    """Whether it is one of that certificate (DER)."""
    made = hashlib.new(ALGORITHMS[len(digest)], certificate, usedforsecurity=False).hexdigest()
    return hmac.compare_digest(made, digest)


def read_pins(trust: Trust) -> Pins | None:
    """What pins the certificate, ``None``: authorities have to vouch for it.

    :raises BadAddress: what is given is no thumbprint, or no certificate.
    """
    groups = []
    if trust.thumbprint is not None:
        groups.append(frozenset({read_thumbprint(trust.thumbprint)}))
    if trust.certificate is not None:
        groups.append(read_digests(trust.certificate))
    return Pins(tuple(groups)) if groups else None


def read_thumbprint(written: str) -> str:
    """In lower case, without colons.

    :raises BadAddress: it is none.
    """
    digits = written.strip().replace(":", "").lower()
    if not THUMBPRINT.fullmatch(digits):
        raise bad_thumbprint()
    return digits


def read_digests(pem: str) -> frozenset[str]:
    """The SHA-256 digests of certificates.

    :raises BadAddress: they are none.
    """
    try:
        found = read_certificates(pem)
    except ChainError as error:
        raise bad_certificate(str(error)) from None
    return frozenset(hashlib.sha256(each.public_bytes(Encoding.DER)).hexdigest() for each in found)


def thumbprint_of(certificate: bytes, algorithm: str = "sha1") -> str:
    """That of a certificate (DER), as vSphere writes it: upper case, with colons."""
    return hashlib.new(algorithm, certificate, usedforsecurity=False).digest().hex(":").upper()
