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
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # Apple's limit for a server certificate is 398.
# A client whose clock is a little behind ours accepts what was issued a moment ago.
BACKDATED = timedelta(hours=1)
# The longest common name X.520 allows.
COMMON_NAME_CHARACTERS = 64
# Underscores are in no host name, and in many names of containers.
HOST_NAME = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\Z")


AuthorityKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
ServerKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate and the key that signs for it."""

    certificate: x509.Certificate
    key: AuthorityKey


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants in a certificate."""

    subject: x509.Name
    names: tuple[x509.GeneralName, ...]


def new_key(size_bits: int | None = None) -> AuthorityKey:
    """A new key: RSA of so many bits, or P-256 where nobody asks for a size."""
    if size_bits is None:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=size_bits)


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


def authority_subject(distinction: str) -> x509.Name:
    """The name of an authority; `distinction` keeps those of two installations apart."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "resphere"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"resphere CA {distinction}"),
        ]
    )


def server_subject(common_name: str) -> x509.Name:
    """The name of a server about which nobody has said more."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "resphere"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:COMMON_NAME_CHARACTERS] or "server"),
        ]
    )


def issue_authority(subject: x509.Name, key: AuthorityKey, now: datetime) -> Authority:
    """A new authority, valid ten years."""
    certificate = (
        _builder(subject, subject, key.public_key(), now - BACKDATED, now - BACKDATED + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )
    return Authority(certificate, key)


def issue_server_certificate(
    authority: Authority,
    subject: x509.Name,
    names: Sequence[x509.GeneralName],
    key: ServerKey,
    now: datetime,
    days: int = SERVER_DAYS,
) -> x509.Certificate:
    """A certificate for `names`, valid for `days` or until the authority itself ends."""
    begins = now - BACKDATED
    ends = min(begins + timedelta(days=days), authority.certificate.not_valid_after_utc)
    issuer_key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(subject, authority.certificate.subject, key.public_key(), begins, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority.key, SHA256())
    )


def signing_request(subject: x509.Name, names: Sequence[x509.GeneralName], key: AuthorityKey) -> bytes:
    """A request to sign a server certificate, PEM."""
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    return request.public_bytes(Encoding.PEM)


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
    subject: x509.Name, issuer: x509.Name, key: PublicKey, begins: datetime, ends: datetime
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
