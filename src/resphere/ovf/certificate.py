"""Certificates of packages (``.cert``): a signature of the manifest, and whose it is."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from resphere.certificates.chains import LONGEST_PATH, OF_AUTHORITIES, ChainError, read_certificates
from resphere.contract.errors import message
from resphere.contract.generated.content_library_item_updatesession import WarningType
from resphere.contract.model import LocalizableMessage
from resphere.ovf.issues import BadPackage, Category, issue, short

MOST_CERTIFICATE_BYTES = 256 * 1024
LONGEST_NAME = 1000
"""Of what is shown of a certificate's names."""

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    # Old packages are signed so. That one is says nothing about the manifest's own digests.
    "SHA1": hashes.SHA1,
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
_SIGNATURE = re.compile(r"\s*(SHA\d{1,3})\s*\((.+)\)\s*=\s*([0-9A-Fa-f]+)\s*")
_BEGIN = "-----BEGIN CERTIFICATE-----"

_MESSAGES = {
    WarningType.SELF_SIGNED_CERTIFICATE: message(
        "com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_SELF_SIGNED", "The certificate is self-signed."
    ),
    WarningType.EXPIRED_CERTIFICATE: message("resphere.ovf.certificate.expired", "The certificate has expired."),
    WarningType.NOT_YET_VALID_CERTIFICATE: message(
        "resphere.ovf.certificate.not_yet_valid", "The certificate is not yet valid."
    ),
    WarningType.UNTRUSTED_CERTIFICATE: message(
        "com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_UNTRUSTED", "The certificate is not trusted."
    ),
}


class CertificateWarning(msgspec.Struct, frozen=True):
    """Why a good signature may say nothing."""

    type: WarningType
    message: LocalizableMessage


class Signature(msgspec.Struct, frozen=True):
    """Who has signed a manifest: names as ``/C=US/O=VMware, Inc.``, certificates in PEM, the signer's first."""

    subject: str
    issuer: str
    self_signed: bool
    chain: tuple[str, ...]
    warnings: tuple[CertificateWarning, ...]


def verify(
    content: bytes, file: str, manifest: bytes, manifest_file: str, trusted: Sequence[x509.Certificate], now: datetime
) -> Signature:
    """The signature of ``manifest`` in a certificate file; ``trusted`` are authorities, or signers themselves.

    :raises BadPackage: it is no such file, or the signature is not that of the manifest.
    """
    algorithm, signature, chain = _parts(content, file, manifest_file)
    signer = chain[0]
    if not _is_signed_by(signer, algorithm, signature, manifest):
        raise _refused(file, 1, "the signature is not one of the manifest by the certificate's key")
    return Signature(
        subject=_written(signer.subject),
        issuer=_written(signer.issuer),
        self_signed=_is_self_signed(signer),
        chain=tuple([each.public_bytes(Encoding.PEM).decode() for each in chain]),
        warnings=tuple(_warnings(chain, trusted, now)),
    )


def warnings_of(
    chain: Sequence[str], trusted: Sequence[x509.Certificate], now: datetime
) -> tuple[CertificateWarning, ...]:
    """What is to be said of a signature's certificates, in PEM, the signer's first: now, and with this trust.

    :raises ChainError: they are none.
    """
    return tuple(_warnings(read_certificates("".join(chain)), trusted, now))


def _warnings(
    chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], now: datetime
) -> Iterator[CertificateWarning]:
    signer = chain[0]
    for type, applies in (
        (WarningType.SELF_SIGNED_CERTIFICATE, _is_self_signed(signer)),
        (WarningType.EXPIRED_CERTIFICATE, now > signer.not_valid_after_utc),
        (WarningType.NOT_YET_VALID_CERTIFICATE, now < signer.not_valid_before_utc),
        (WarningType.UNTRUSTED_CERTIFICATE, not _is_trusted(chain, trusted, now)),
    ):
        if applies:
            yield CertificateWarning(type, _MESSAGES[type])


def _is_self_signed(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer and _has_issued_itself(certificate)


def _written(name: x509.Name) -> str:
    """A name as vCenter's documentation writes it: ``/C=US/ST=California/O=VMware, Inc.``"""
    written = "".join(f"/{part.rfc4514_attribute_name}={part.value!s}" for rdn in name.rdns for part in rdn)
    return written[:LONGEST_NAME]


def _parts(
    content: bytes, file: str, manifest_file: str
) -> tuple[hashes.HashAlgorithm, bytes, tuple[x509.Certificate, ...]]:
    if len(content) > MOST_CERTIFICATE_BYTES:
        raise _refused(file, 0, f"it is larger than {MOST_CERTIFICATE_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(file, 0, "it is not text in UTF-8") from None
    head, begin, rest = text.partition(_BEGIN)
    lines = [line for line in head.splitlines() if line.strip()]
    match = _SIGNATURE.fullmatch(lines[0]) if lines else None
    if match is None or match[1] not in _HASHES:
        raise _refused(file, 1, "it does not begin with the signature of a manifest by SHA1, SHA256, SHA384 or SHA512")
    if match[2] != manifest_file:
        raise _refused(file, 1, f"it is of {short(match[2])}, not of {short(manifest_file)}")
    try:
        signature = binascii.unhexlify(match[3])
        # A CMS message may follow, which newer tools add; whoever reads the first part need not know of it.
        chain = read_certificates(
            begin + rest.partition("-----BEGIN CMS-----")[0].partition("-----BEGIN PKCS7-----")[0]
        )
    except (binascii.Error, ChainError) as error:
        raise _refused(
            file, 0, f"it {error}" if isinstance(error, ChainError) else "the signature is no number"
        ) from None
    return _HASHES[match[1]](), signature, chain


def _is_signed_by(signer: x509.Certificate, algorithm: hashes.HashAlgorithm, signature: bytes, manifest: bytes) -> bool:
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, manifest, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, manifest, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _has_issued_itself(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _is_trusted(chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], now: datetime) -> bool:
    """Whether the signer is trusted itself, or was issued by an authority that is. Dates of the signer do not count:
    that they are over is told by itself."""
    signer, *between = chain
    if signer in trusted:
        return True
    if not trusted:
        return False
    moment = min(max(now, signer.not_valid_before_utc), signer.not_valid_after_utc)
    try:
        (
            PolicyBuilder()
            .store(Store(list(trusted)))
            .time(moment)
            .max_chain_depth(LONGEST_PATH)
            .extension_policies(ca_policy=OF_AUTHORITIES, ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
            .verify(signer, between)
        )
    except VerificationError:
        return False
    return True


def _refused(file: str, line: int, reason: str) -> BadPackage:
    return BadPackage(
        [
            issue(
                Category.VALIDATION_ERROR,
                file,
                (line, 1 if line else 0),
                "certificate",
                "The certificate file of the package cannot be used: {0}.",
                reason,
            )
        ]
    )
