"""The ZIP of authorities, under the file names OpenSSL itself computes."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.certificates.certs_zip import certs_zip, subject_hash
from resphere.certificates.issuing import Authority, authority_subject, issue_authority, issue_revocation_list, new_key
from tests.support.examples import examples

NOW = datetime(2026, 11, 23, tzinfo=UTC)
OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="no openssl command here")
KEY = ec.generate_private_key(ec.SECP256R1())


def authority(distinction: str) -> Authority:
    return issue_authority(authority_subject(distinction), new_key(), NOW)


def self_signed(subject: x509.Name) -> bytes:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.PEM)


def openssl_hash(certificate_pem: bytes) -> str:
    command = [str(OPENSSL), "x509", "-hash", "-noout"]
    return subprocess.run(command, input=certificate_pem, capture_output=True, check=True).stdout.decode().strip()


def attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(oid, value)


SUBJECTS = [
    pytest.param(x509.Name([attribute(NameOID.COMMON_NAME, "resphere CA 3fa9c1d2")]), id="one attribute"),
    pytest.param(
        x509.Name(
            [
                attribute(NameOID.COMMON_NAME, "CA"),
                attribute(NameOID.DOMAIN_COMPONENT, "vsphere"),
                attribute(NameOID.DOMAIN_COMPONENT, "local"),
                attribute(NameOID.COUNTRY_NAME, "US"),
                attribute(NameOID.STATE_OR_PROVINCE_NAME, "California"),
                attribute(NameOID.ORGANIZATION_NAME, "vc.example.test"),
                attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "VMware Engineering"),
            ]
        ),
        id="as vCenter's own authority",
    ),
    pytest.param(x509.Name([attribute(NameOID.COMMON_NAME, "  Two \t blanks  ÄÖ  ")]), id="blanks and non-ASCII"),
    pytest.param(x509.Name([attribute(NameOID.STREET_ADDRESS, "Long " * 40)]), id="a length of two bytes"),
    pytest.param(
        x509.Name(
            [
                x509.RelativeDistinguishedName(
                    [attribute(NameOID.ORGANIZATION_NAME, "Z"), attribute(NameOID.COMMON_NAME, "A")]
                )
            ]
        ),
        id="two attributes in one part",
    ),
]


@needs_openssl
@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_hash_is_openssls(subject: x509.Name) -> None:
    assert subject_hash(subject) == openssl_hash(self_signed(subject))


@needs_openssl
@settings(max_examples=examples(30))
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=64))
def test_the_hash_is_openssls_for_any_text(text: str) -> None:
    subject = x509.Name([attribute(NameOID.ORGANIZATION_NAME, text), attribute(NameOID.COMMON_NAME, "CA")])
    assert subject_hash(subject) == openssl_hash(self_signed(subject))


def members(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_every_system_finds_the_authority_and_its_list() -> None:
    made = authority("3fa9c1d2")
    ca = made.certificate.public_bytes(Encoding.PEM)
    crl = issue_revocation_list(made).public_bytes(Encoding.PEM)
    name = subject_hash(made.certificate.subject)
    assert members(certs_zip(ca, crl)) == {
        f"certs/lin/{name}.0": ca,
        f"certs/lin/{name}.r0": crl,
        f"certs/mac/{name}.0": ca,
        f"certs/mac/{name}.r0": crl,
        f"certs/win/{name}.0.crt": ca,
        f"certs/win/{name}.r0.crl": crl,
    }


def test_authorities_of_one_name_are_numbered() -> None:
    first, second = authority("same"), authority("same")
    pems = [one.certificate.public_bytes(Encoding.PEM) for one in (first, second)]
    name = subject_hash(first.certificate.subject)
    found = members(certs_zip(b"".join(pems)))
    assert [found[f"certs/lin/{name}.{number}"] for number in range(2)] == pems


def test_equal_input_gives_equal_bytes() -> None:
    ca = authority("3fa9c1d2").certificate.public_bytes(Encoding.PEM)
    assert certs_zip(ca) == certs_zip(ca)


def test_what_is_no_certificate_is_an_error() -> None:
    with pytest.raises(ValueError, match="PEM"):
        certs_zip(b"nothing")
