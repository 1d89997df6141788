"""Signatures of manifests: by whom, whether that says anything, and whether they are ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.generated.content_library_item_updatesession import WarningType
from resphere.ovf.certificate import LONGEST_NAME, MOST_CERTIFICATE_BYTES, Signature, verify, warnings_of
from resphere.ovf.issues import BadPackage
from tests.support import packages
from tests.support.packages import Key

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MANIFEST = b"SHA256(a.ovf)= 00\n"
SELF_SIGNED, EXPIRED, NOT_YET, UNTRUSTED = (
    WarningType.SELF_SIGNED_CERTIFICATE,
    WarningType.EXPIRED_CERTIFICATE,
    WarningType.NOT_YET_VALID_CERTIFICATE,
    WarningType.UNTRUSTED_CERTIFICATE,
)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def authority_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def authority(authority_key: rsa.RSAPrivateKey) -> x509.Certificate:
    return issued("authority", authority_key, "authority", authority_key, is_authority=True)


def issued(
    subject: str,
    key: Key | ed25519.Ed25519PrivateKey,
    issuer: str,
    issuer_key: Key,
    begin: datetime = NOW - timedelta(days=1),
    end: datetime = NOW + timedelta(days=1),
    is_authority: bool = False,
) -> x509.Certificate:
    return packages.issued(subject, key, issuer, issuer_key, begin=begin, end=end, is_authority=is_authority)


def signed(
    key: Key,
    *certificates: x509.Certificate,
    algorithm: hashes.HashAlgorithm | None = None,
    manifest: bytes = MANIFEST,
    name: str = "a.mf",
) -> bytes:
    return packages.signed(key, *certificates, manifest=manifest, name=name, algorithm=algorithm)


def verified(content: bytes, *trusted: x509.Certificate) -> Signature:
    return verify(content, "a.cert", MANIFEST, "a.mf", trusted, NOW)


def types(signature: Signature) -> list[WarningType]:
    return [each.type for each in signature.warnings]


def test_a_self_signed_certificate(key: rsa.RSAPrivateKey) -> None:
    certificate = issued("me", key, "me", key)
    made = verified(signed(key, certificate))
    assert (made.subject, made.issuer, made.self_signed) == ("/CN=me", "/CN=me", True)
    assert [(each.type, each.message.id, each.message.default_message) for each in made.warnings] == [
        (SELF_SIGNED, "com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_SELF_SIGNED", "The certificate is self-signed."),
        (UNTRUSTED, "com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_UNTRUSTED", "The certificate is not trusted."),
    ]
    assert made.chain == (certificate.public_bytes(Encoding.PEM).decode(),)
    assert types(verified(signed(key, certificate), certificate)) == [SELF_SIGNED]


def test_a_certificate_of_an_authority(
    key: rsa.RSAPrivateKey, authority: x509.Certificate, authority_key: rsa.RSAPrivateKey
) -> None:
    signer = issued("vendor", key, "authority", authority_key)
    assert types(verified(signed(key, signer), authority)) == []
    assert types(verified(signed(key, signer, authority))) == [UNTRUSTED], "it does not vouch for itself"
    stranger = issued("authority", key, "authority", key, is_authority=True)
    assert types(verified(signed(key, signer), stranger)) == [UNTRUSTED]


def test_what_is_said_later(
    key: rsa.RSAPrivateKey, authority: x509.Certificate, authority_key: rsa.RSAPrivateKey
) -> None:
    made = verified(signed(key, issued("me", key, "authority", authority_key)))
    assert types(made) == [UNTRUSTED]
    assert warnings_of(made.chain, (), NOW) == made.warnings
    assert warnings_of(made.chain, (authority,), NOW) == ()
    assert [each.type for each in warnings_of(made.chain, (authority,), NOW + timedelta(days=2))] == [EXPIRED]


def test_names_are_cut(key: rsa.RSAPrivateKey) -> None:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "VMware, Inc.")]
    parts += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 64)] * 20
    name = x509.Name(parts)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = verified(signed(key, certificate))
    assert made.subject.startswith("/O=VMware, Inc./OU=xxx")
    assert len(made.subject) == len(made.issuer) == LONGEST_NAME


def test_an_authority_between(
    key: rsa.RSAPrivateKey, authority: x509.Certificate, authority_key: rsa.RSAPrivateKey
) -> None:
    between_key = ec.generate_private_key(ec.SECP256R1())
    between = issued("between", between_key, "authority", authority_key, is_authority=True)
    signer = issued("vendor", key, "between", between_key)
    made = verified(signed(key, signer, between), authority)
    assert (types(made), len(made.chain)) == ([], 2)
    assert types(verified(signed(key, signer), authority)) == [UNTRUSTED]
    no_authority = issued("between", between_key, "authority", authority_key)
    assert types(verified(signed(key, signer, no_authority), authority)) == [UNTRUSTED]


def test_dates(key: rsa.RSAPrivateKey, authority: x509.Certificate, authority_key: rsa.RSAPrivateKey) -> None:
    day = timedelta(days=1)
    old = issued("vendor", key, "authority", authority_key, begin=NOW - day, end=NOW - day / 2)
    assert types(verified(signed(key, old), authority)) == [EXPIRED]
    new = issued("vendor", key, "authority", authority_key, begin=NOW + day / 2, end=NOW + day)
    assert types(verified(signed(key, new), authority)) == [NOT_YET]


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_algorithms(key: rsa.RSAPrivateKey, algorithm: hashes.HashAlgorithm) -> None:
    assert verified(signed(key, issued("me", key, "me", key), algorithm=algorithm)).self_signed


def test_elliptic_curves() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert verified(signed(key, issued("me", key, "me", key))).self_signed


def test_a_message_after_the_certificate_is_passed_over(key: rsa.RSAPrivateKey) -> None:
    content = signed(key, issued("me", key, "me", key)) + b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"
    assert verified(content).self_signed


def test_a_signature_of_something_else_is_refused(key: rsa.RSAPrivateKey, authority_key: rsa.RSAPrivateKey) -> None:
    certificate = issued("me", key, "me", key)
    for content in (
        signed(key, certificate, manifest=b"SHA256(a.ovf)= 01\n"),
        signed(authority_key, certificate),
        signed(key, certificate).replace(b"SHA256", b"SHA512"),
        signed(key, issued("me", ed25519.Ed25519PrivateKey.generate(), "me", key)),
    ):
        with pytest.raises(BadPackage, match="not one of the manifest"):
            verified(content)
    with pytest.raises(BadPackage, match=r"it is of b\.mf, not of a\.mf"):
        verified(signed(key, certificate, name="b.mf"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff",
        b"SHA256(a.mf)= 00",
        b"SHA256(a.mf)= 000\n-----BEGIN CERTIFICATE-----",
        b"MD5(a.mf)= 00\n-----BEGIN CERTIFICATE-----",
        b"SHA256(a.mf)= 00\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b" " * (MOST_CERTIFICATE_BYTES + 1),
    ],
)
def test_what_is_no_certificate_file(content: bytes) -> None:
    with pytest.raises(BadPackage) as caught:
        verified(content)
    message = caught.value.issues[0].message.default_message
    assert message.startswith("The certificate file of the package cannot be used")


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_refused(content: bytes, begun: bool) -> None:
    with pytest.raises(BadPackage):
        verified((b"SHA256(a.mf)= 00\n-----BEGIN CERTIFICATE-----" if begun else b"") + content)
