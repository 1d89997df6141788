"""The certificates resphere issues itself: a P-256 authority, its server certificate and its empty revocation list.

Values in, values out; the files are the business of `tls`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # Apple's limit for a server certificate is 398.
# A client whose clock is a little behind ours accepts what was issued a moment ago.
BACKDATED = timedelta(hours=1)
# The longest common name X.520 allows.
COMMON_NAME_CHARACTERS = 64
# Underscores are in no host name, and in many names of containers.
HOST_NAME = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\Z")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate and the key that signs for it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A server certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def general_name(name: str) -> x509.GeneralName:
    """`name`, an address or a host name, as it stands in a certificate; ValueError where it is neither."""
    bare = name.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        return x509.IPAddress(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        ascii_name = bare.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_name = ""
    if not HOST_NAME.match(ascii_name):
        raise ValueError(f"{name!r} is neither a host name nor an address")
    return x509.DNSName(ascii_name)


def issue_authority(now: datetime, distinction: str) -> Authority:
    """A new authority, valid ten years; `distinction` keeps the subjects of two installations apart."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "resphere"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"resphere CA {distinction}"),
        ]
    )
    certificate = (
        _builder(subject, subject, key.public_key(), now - BACKDATED, now - BACKDATED + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )
    return Authority(certificate, key)


def issue_server_certificate(
    authority: Authority, names: Sequence[x509.GeneralName], common_name: str, now: datetime
) -> ServerCertificate:
    """A certificate for `names`, valid 397 days or until the authority itself ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "resphere"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:COMMON_NAME_CHARACTERS]),
        ]
    )
    begins = now - BACKDATED
    ends = min(begins + timedelta(days=SERVER_DAYS), authority.certificate.not_valid_after_utc)
    issuer_key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(subject, authority.certificate.subject, key.public_key(), begins, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority.key, SHA256())
    )
    return ServerCertificate(certificate, key)


def issue_revocation_list(authority: Authority) -> x509.CertificateRevocationList:
    """An empty list, valid as long as the authority: nothing is ever revoked, but some trust stores want one."""
    key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(authority.certificate.not_valid_before_utc)
        .next_update(authority.certificate.not_valid_after_utc)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
        .sign(authority.key, SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
