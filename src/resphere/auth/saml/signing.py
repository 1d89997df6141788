"""The key by which tokens are signed here: made at the first start, one for all workers, sealed in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import ClassVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from resphere.auth.saml.keys import LEAST_KEY_BITS, UNREADABLE
from resphere.auth.saml.writing import SigningKey
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table
from resphere.store.base import StoreError

ONLY = "sts"
KEY_BITS = 2048
VALIDITY = timedelta(days=3650)
RENEWED_BEFORE_END = timedelta(days=60)
"""Twice as long as any token lives."""
MOST_EARLIER = 8
MOST_CHAIN = 8
BACKDATED = timedelta(hours=1)
"""Clients whose clock is behind take what was made a moment ago."""


class UnfitKey(ValueError):
    """A key or a certificate that tokens cannot be signed with; the field, and why."""


class TokenSigning(msgspec.Struct, frozen=True, kw_only=True):
    """What tokens are signed with: ``key`` (PEM, PKCS#8), its certificate and that of who issued it (PEM).

    ``issuer`` is the name that stands in tokens. ``earlier`` are certificates of keys before, whose tokens are still
    good.
    """

    kind: ClassVar[str] = "token_signing"

    id: str = ONLY
    issuer: str
    key: str
    certificates: tuple[str, ...]
    earlier: tuple[str, ...] = ()


TOKEN_SIGNING = Table(cls=TokenSigning, revises=False, sealed=("key",))


class OwnSigning:
    """The key of this installation, as it is now."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._read: tuple[TokenSigning, SigningKey] | None = None

    async def ensure(self, issuer: str, now: Callable[[], datetime]) -> None:
        """Make the key where there is none, and a new one where its certificate ends soon."""
        present = self._replica.get(TokenSigning, ONLY)
        if present is not None and certificates(present)[0].not_valid_after_utc - now() >= RENEWED_BEFORE_END:
            return
        made = await asyncio.to_thread(make, issuer, now())

        def plan(edit: Edit) -> None:
            stored = edit.get(TokenSigning, ONLY)
            if stored == present:
                earlier = () if stored is None else (stored.certificates[0], *stored.earlier)
                edit.put(msgspec.structs.replace(made, earlier=earlier[:MOST_EARLIER]))

        await self._replica.change(plan)

    async def renew(self, now: Callable[[], datetime]) -> None:
        """Sign by a new key from now on."""
        await self.replace(await asyncio.to_thread(make, self.document.issuer, now()))

    async def replace(self, made: TokenSigning) -> None:
        """Sign by another key from now on. Tokens of the keys before stay good."""

        def plan(edit: Edit) -> None:
            stored = edit.get(TokenSigning, ONLY)
            earlier = () if stored is None else (stored.certificates[0], *stored.earlier)
            kept = [each for each in dict.fromkeys(earlier) if each != made.certificates[0]]
            edit.put(msgspec.structs.replace(made, earlier=tuple(kept[:MOST_EARLIER])))

        await self._replica.change(plan)

    @property
    def document(self) -> TokenSigning:
        """As it is stored.

        :raises StoreError: it is missing.
        """
        stored = self._replica.get(TokenSigning, ONLY)
        if stored is None:
            raise StoreError("the key by which tokens are signed is missing; a start of the server makes one")
        return stored

    @property
    def key(self) -> SigningKey:
        """The key, ready for use."""
        document = self.document
        if self._read is None or self._read[0] is not document:
            key = load_pem_private_key(document.key.encode(), password=None)
            assert isinstance(key, RSAPrivateKey), "made or checked by this server"
            first, *others = certificates(document)
            self._read = (document, SigningKey(key, first, tuple(others)))
        return self._read[1]


def certificates(signing: TokenSigning) -> list[x509.Certificate]:
    """The certificate of the key, and those of who issued it."""
    return [x509.load_pem_x509_certificate(each.encode()) for each in signing.certificates]


def trusted_certificates(signing: TokenSigning) -> tuple[x509.Certificate, ...]:
    """The certificates by whose keys tokens are or were signed."""
    pems = (signing.certificates[0], *signing.earlier)
    return tuple(x509.load_pem_x509_certificate(each.encode()) for each in pems)


def make(issuer: str, moment: datetime) -> TokenSigning:
    """A new key, with a certificate that it vouches for itself; ``ssoserverSign`` is what vCenter calls it."""
    key = generate_private_key(65537, KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ssoserverSign")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATED)
        .not_valid_after(moment - BACKDATED + VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return TokenSigning(
        issuer=issuer,
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificates=(certificate.public_bytes(Encoding.PEM).decode(),),
    )


def given(chain: Sequence[str], key_pem: str, issuer: str, moment: datetime) -> TokenSigning:
    """A key with its certificate, and those of who issued it, each issued by the next.

    :raises UnfitKey: they do not fit each other, the key is none for tokens, or the certificate is not valid now.
    """
    key = given_key(key_pem)
    if not 1 <= len(chain) <= MOST_CHAIN:
        raise UnfitKey("signing_cert_chain", f"must have 1 to {MOST_CHAIN} certificates")
    try:
        read = [x509.load_pem_x509_certificate(each.encode()) for each in chain]
        first_key = read[0].public_key()
    except UNREADABLE:
        raise UnfitKey("signing_cert_chain", "must be certificates in PEM") from None
    first = read[0]
    if first_key != key.public_key():
        raise UnfitKey("private_key", "is not that of the first certificate")
    if not first.not_valid_before_utc <= moment < first.not_valid_after_utc:
        raise UnfitKey("signing_cert_chain", "is not valid now")
    try:
        for certificate, issued_by in pairwise(read):
            certificate.verify_directly_issued_by(issued_by)
    except (ValueError, TypeError, InvalidSignature):
        raise UnfitKey("signing_cert_chain", "must have each certificate before that of its issuer") from None
    return TokenSigning(
        issuer=issuer,
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificates=tuple(each.public_bytes(Encoding.PEM).decode() for each in read),
    )


def given_key(pem: str) -> RSAPrivateKey:
    """The key that is written.

    :raises UnfitKey: it is none that tokens are signed with.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnfitKey("private_key", "must be a private key in PEM that is not encrypted") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_KEY_BITS:
        raise UnfitKey("private_key", f"must be an RSA key of {LEAST_KEY_BITS} bits or more")
    return key
