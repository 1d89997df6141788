"""Whether a certificate is what it must be: issued by somebody trusted, in its dates, and for this use.

The path is built and the signatures are checked by ``cryptography``, by the rules of the Web's certificates. Two of
these are left out, for many companies' authorities do not follow them: that an authority states what its key is for,
and that the certificates it issues have alternative names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
NAMES = {SERVER: "servers", CLIENT: "clients"}
MOST_CERTIFICATES = 16
MOST_CHARACTERS = 256 * 1024
LONGEST_PATH = 8


class ChainError(Exception):
    """A certificate that is not good; the message says why."""


UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises at certificates that are none."""


def read_certificates(pem: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a text, in its order.

    :raises ChainError: there is none, or too many, or one cannot be read.
    """
    if len(pem) > MOST_CHARACTERS:
        raise ChainError(f"is longer than {MOST_CHARACTERS} characters")
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        for certificate in found:
            # Extensions are read only when they are asked for, the key too.
            certificate.extensions, certificate.public_key()
    except UNREADABLE as error:
        raise ChainError(f"holds no certificate in PEM: {error}") from error
    if len(found) > MOST_CERTIFICATES:
        raise ChainError(f"holds more than {MOST_CERTIFICATES} certificates")
    return tuple(found)


def require_dates(certificate: x509.Certificate, moment: datetime) -> None:
    """Refuse a certificate outside its dates.

    :raises ChainError: it has ended, or has not begun.
    """
    if moment > certificate.not_valid_after_utc:
        raise ChainError(f"has expired on {certificate.not_valid_after_utc.isoformat()}")
    if moment < certificate.not_valid_before_utc:
        raise ChainError(f"is not valid before {certificate.not_valid_before_utc.isoformat()}")


def is_root(certificate: x509.Certificate) -> bool:
    """Whether it stands at the end of a path."""
    return certificate.subject == certificate.issuer


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may issue others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def require_trusted(
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    moment: datetime,
    use: ObjectIdentifier,
) -> tuple[x509.Certificate, ...]:
    """The path from ``leaf`` over some of ``between`` to one of ``trusted``, whose dates are looked at too.

    :raises ChainError: there is none, or the certificate is not for this ``use``, :data:`SERVER` or :data:`CLIENT`.
    """
    require_dates(leaf, moment)
    if is_authority(leaf):
        raise ChainError("is that of an authority")
    if not trusted:
        raise ChainError("is issued by nobody who is trusted: nobody is")
    verifier = (
        PolicyBuilder()
        .store(Store(list(trusted)))
        .time(moment)
        .max_chain_depth(LONGEST_PATH)
        .extension_policies(ca_policy=OF_AUTHORITIES, ee_policy=end_policy(use))
        .build_client_verifier()
    )
    try:
        return tuple(verifier.verify(leaf, list(between)).chain)
    except VerificationError as error:
        raise ChainError(f"is issued by nobody who is trusted, or not for {NAMES[use]}: {error}") from error


def end_policy(use: ObjectIdentifier) -> ExtensionPolicy:
    """What is asked of the certificate itself."""

    def may_be_used(_: Policy, __: x509.Certificate, found: x509.ExtendedKeyUsage | None) -> None:
        if found is not None and use not in found and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in found:
            raise ValueError("the extended key usage has another purpose")

    # A server's need not say so. Of clients it must be said: those of servers are easier to be had.
    if use == SERVER:
        return ExtensionPolicy.permit_all().may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, may_be_used)
    return ExtensionPolicy.permit_all().require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, may_be_used)


def _may_issue(_: Policy, __: x509.Certificate, found: x509.BasicConstraints | None) -> None:
    if found is None or not found.ca:
        raise ValueError("it is no authority")


def _may_sign(_: Policy, __: x509.Certificate, found: x509.KeyUsage | None) -> None:
    if found is not None and not found.key_cert_sign:
        raise ValueError("its key may not sign certificates")


OF_AUTHORITIES = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _may_issue)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
)
