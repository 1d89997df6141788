"""What vCenter hands out at /certs/download.zip: its authorities, named as Linux, macOS and Windows expect them."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections import Counter

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_BIT_STRING, _OBJECT_ID, _UTF8_STRING, _SEQUENCE, _SET = 0x03, 0x06, 0x0C, 0x30, 0x31
_BLANK_BYTES = b" \t\n\v\f\r"
_BLANKS = re.compile(rb"[ \t\n\v\f\r]+")
_EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def certs_zip(ca_pem: bytes, crl_pem: bytes | None = None) -> bytes:
    """A ZIP of the PEM authorities in `ca_pem` and, where given, of a revocation list; equal input gives equal bytes.

    Members: `certs/lin/<hash>.0`, `certs/mac/<hash>.0`, `certs/win/<hash>.0.crt`, and for the list `.r0`, `.r0` and
    `.r0.crl`, where <hash> is `subject_hash`. Raises ValueError where the input is not PEM.
    """
    members: list[tuple[str, bytes]] = []
    counts: Counter[str] = Counter()
    for certificate in x509.load_pem_x509_certificates(ca_pem):
        name = subject_hash(certificate.subject)
        numbered = f"{name}.{counts[name]}"
        counts[name] += 1
        members += _members(numbered, "crt", certificate.public_bytes(Encoding.PEM))
    if crl_pem is not None:
        revoked = x509.load_pem_x509_crl(crl_pem)
        members += _members(f"{subject_hash(revoked.issuer)}.r0", "crl", revoked.public_bytes(Encoding.PEM))
    # Stored, not deflated: compressors differ from machine to machine, and the files are small.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in sorted(members):
            member = zipfile.ZipInfo(path, _EARLIEST_ZIP_TIME)
            member.create_system = 3  # Unix, wherever this runs
            member.external_attr = 0o100644 << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def subject_hash(name: x509.Name) -> str:
    """OpenSSL's X509_NAME_hash, eight hexadecimal digits: the file name under which it looks an authority up."""
    canonical = b"".join(_canonical_rdn(rdn) for rdn in name.rdns)
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _members(name: str, windows_ending: str, content: bytes) -> list[tuple[str, bytes]]:
    return [
        (f"certs/lin/{name}", content),
        (f"certs/mac/{name}", content),
        (f"certs/win/{name}.{windows_ending}", content),
    ]


def _canonical_rdn(rdn: x509.RelativeDistinguishedName) -> bytes:
    attributes = [
        _der(_SEQUENCE, _der_object_id(attribute.oid) + _canonical_value(attribute.value)) for attribute in rdn
    ]
    return _der(_SET, b"".join(sorted(attributes)))


def _canonical_value(value: str | bytes) -> bytes:
    """Text as UTF-8 in lower ASCII case with single inner blanks; a bit string has no such form and stays as it is."""
    if isinstance(value, bytes):
        return _der(_BIT_STRING, b"\0" + value)
    text = _BLANKS.sub(b" ", value.encode().strip(_BLANK_BYTES)).lower()
    return _der(_UTF8_STRING, text)


def _der_object_id(oid: x509.ObjectIdentifier) -> bytes:
    first, second, *rest = (int(part) for part in oid.dotted_string.split("."))
    encoded = b"".join(_base_128(number) for number in (first * 40 + second, *rest))
    return _der(_OBJECT_ID, encoded)


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content
