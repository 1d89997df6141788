"""Certificates that clients have shown to a proxy, and the users they are.

The proxy has seen that the client holds the key; all else is seen here: who has issued it, its dates, its use, and
whether it was revoked. Files are read again when they change.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from resphere.auth.certificate_forms import shown_certificates
from resphere.auth.credentials import ShownCertificate
from resphere.certificates.chains import CLIENT, ChainError, is_root, read_certificates, require_trusted
from resphere.yaml_text import YamlFault, read_file

T = TypeVar("T")

UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
CN, EMAIL, UPN_RULE, FINGERPRINT = "cn", "email", "upn", "fingerprint"
RULES = (CN, EMAIL, UPN_RULE, FINGERPRINT)
LOCAL_DOMAIN = "vsphere.local"
USER = re.compile(r"[^\s:@\\\x00-\x1f\x7f]{1,128}(@[^\s:@\\\x00-\x1f\x7f]{1,255})?\Z")
HEX = re.compile(r"[0-9a-f]{64}\Z")
UTF8_STRING = 0x0C


class NotGood(Exception):
    """A certificate that lets nobody in; the message says why, for the log."""


class Kept(Generic[T]):
    """What is in a file, read again when that has changed."""

    def __init__(self, path: Path, read: Callable[[bytes], T]) -> None:
        self._path = path
        self._read = read
        self._mark: tuple[int, int, int] | None = None
        self._value: T | None = None

    def value(self) -> T:
        """What is in it now.

        :raises ValueError: it cannot be read; names the file.
        """
        try:
            status = self._path.stat()
            mark = status.st_ino, status.st_size, status.st_mtime_ns
            if self._value is None or mark != self._mark:
                self._value, self._mark = self._read(self._path.read_bytes()), mark
        except OSError as error:
            raise ValueError(f"{self._path}: {error.strerror}") from error
        except ValueError as error:
            raise ValueError(f"{self._path}: {error}") from error
        return self._value


class Trust(msgspec.Struct, frozen=True):
    """Whose certificates are taken: issued by ``authorities``, not in ``revocations``, of users by ``rule``.

    ``users`` are those of fingerprints, where that is the rule.
    """

    authorities: Kept[tuple[x509.Certificate, ...]]
    revocations: Kept[tuple[x509.CertificateRevocationList, ...]] | None
    rule: str
    users: Kept[Mapping[str, str]] | None = None

    def user_of(self, shown: ShownCertificate, moment: datetime) -> str:
        """The name of the user whom a certificate is of, ``user@domain``. Blocking: files may be read.

        :raises NotGood: it lets nobody in.
        """
        try:
            leaf, *between = shown_certificates(shown)
            known = self.authorities.value()
            roots = [one for one in known if is_root(one)]
            between += [one for one in known if not is_root(one)]
            path = require_trusted(leaf, between, roots, moment, CLIENT)
            if self.revocations is not None:
                require_not_revoked(path, self.revocations.value(), moment)
            return self._name_of(leaf)
        except (ChainError, ValueError) as error:
            raise NotGood(f"the client's certificate is not taken: {error}") from error

    def _name_of(self, leaf: x509.Certificate) -> str:
        if self.rule == FINGERPRINT:
            fingerprint = leaf.fingerprint(SHA256()).hex()
            name = self.users.value().get(fingerprint) if self.users is not None else None
            found = [] if name is None else [name]
        elif self.rule == CN:
            found = [text(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        else:
            found = alternative_names(leaf, self.rule)
        if len(found) != 1:
            raise ChainError(f"has {len(found)} names by the rule {self.rule}, and must have one")
        if not USER.match(found[0]):
            raise ChainError(f"has a name that no user has: {found[0]!r}")
        return found[0] if "@" in found[0] else f"{found[0]}@{LOCAL_DOMAIN}"


def text(value: str | bytes) -> str:
    """A name's value; bit strings are no text."""
    return value if isinstance(value, str) else ""


def alternative_names(leaf: x509.Certificate, rule: str) -> list[str]:
    """The e-mail addresses, or the principal names of Active Directory."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    if rule == EMAIL:
        return names.get_values_for_type(x509.RFC822Name)
    return [upn_text(one.value) for one in names.get_values_for_type(x509.OtherName) if one.type_id == UPN]


def upn_text(der: bytes) -> str:
    """The text of a principal name: a UTF8String in DER.

    :raises ValueError: it is none.
    """
    size = len(der) - 2
    if size < 1 or size > 127 or der[0] != UTF8_STRING or der[1] != size:
        raise ValueError("the principal name is no UTF8String")
    return der[2:].decode("utf-8")


def require_not_revoked(
    path: tuple[x509.Certificate, ...], lists: tuple[x509.CertificateRevocationList, ...], moment: datetime
) -> None:
    """Refuse a path of which a certificate was revoked, or nobody can say whether.

    :raises ChainError: says which.
    """
    for below, above in itertools.pairwise(path):
        whom = below.subject.rfc4514_string()
        good = [one for one in lists if is_list_of(one, above, moment)]
        if not good:
            raise ChainError(f"cannot be looked up: there is no valid revocation list of the issuer of {whom}")
        if any(one.get_revoked_certificate_by_serial_number(below.serial_number) is not None for one in good):
            raise ChainError(f"was revoked: {whom}")


def is_list_of(revocations: x509.CertificateRevocationList, issuer: x509.Certificate, moment: datetime) -> bool:
    """Whether the list is the issuer's, and of now."""
    end = revocations.next_update_utc
    if revocations.issuer != issuer.subject or revocations.last_update_utc > moment or end is None or end < moment:
        return False
    try:
        return revocations.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False


# --- files -----------------------------------------------------------------------------------------------------------


def read_authorities(content: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of authorities, PEM.

    :raises ValueError: there are none.
    """
    try:
        return read_certificates(content.decode("utf-8"))
    except ChainError as error:
        raise ValueError(str(error)) from error


def read_revocations(content: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Revocation lists, PEM, one after the other.

    :raises ValueError: there are none.
    """
    end = b"-----END X509 CRL-----"
    lists = tuple(x509.load_pem_x509_crl(part + end) for part in content.split(end)[:-1])
    if not lists:
        raise ValueError("holds no revocation list in PEM")
    return lists


def read_users(content: bytes) -> Mapping[str, str]:
    """``<SHA-256 of the certificate>: <user>``, a line each; colons between the digits may stand there.

    :raises ValueError: it is not that.
    """
    try:
        found = read_file(content)
    except YamlFault as fault:
        raise ValueError(str(fault)) from fault
    users = {}
    for key, user in found.items() if isinstance(found, dict) else ():
        fingerprint = key.replace(":", "").lower()
        if not HEX.match(fingerprint) or not isinstance(user, str) or not USER.match(user):
            raise ValueError(f"{key!r}: must be a SHA-256 fingerprint in hexadecimal, and a user behind it")
        users[fingerprint] = user
    if not users:
        raise ValueError("names no user")
    return users
