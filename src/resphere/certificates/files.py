"""The files TLS is served with: made here at the first start, or given by the user.

In the directory (`<data_dir>/tls/`): `ca.pem`, `ca.crl` and `ca.key`, the authority clients trust; `server.pem` and
`server.key`. Keys are PKCS#8, as Granian wants them, and readable by their owner only.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from resphere.certificates.issuing import (
    Authority,
    general_name,
    issue_authority,
    issue_revocation_list,
    issue_server_certificate,
)
from resphere.private_files import Exposed, require_private

RENEWED_BEFORE_END = timedelta(days=30)
ALWAYS_COVERED = ("localhost", "127.0.0.1", "::1")

ServerKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

logger = logging.getLogger(__name__)


class TlsError(Exception):
    """A certificate or key that cannot be used; the message says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What the server is started with. The authority's files are None where the user gave the certificate."""

    certificate: Path
    key: Path
    ca_certificate: Path | None
    ca_revocation_list: Path | None = None


def ensure_certificates(directory: Path, names: Iterable[str], clock: Callable[[], datetime]) -> TlsFiles:
    """The files in `directory`, made or renewed where that is due; safe for several processes that start at once.

    `names` are the host names and addresses clients will use, besides `localhost`, the loopback addresses and the
    machine's own name, which are always covered. `clock` gives an aware datetime. The server certificate is issued
    anew 30 days before it ends, and when it lacks a name; the authority only 30 days before its own end, after ten
    years. Raises TlsError where a name is none, or a file is damaged or cannot be read or written.
    """
    wanted = _covered_names(names)
    files = TlsFiles(directory / "server.pem", directory / "server.key", directory / "ca.pem", directory / "ca.crl")
    now = clock()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _locked(directory / ".lock"):
            authority = _ensure_authority(directory, now)
            if not _still_good(files, authority, wanted, now):
                issued = issue_server_certificate(authority, wanted, str(wanted[0].value), now)
                _write_pair(files.certificate, issued.certificate, files.key, issued.key)
    except OSError as error:
        raise TlsError(f"cannot keep certificates in {directory}: {error}") from error
    return files


def given_certificates(certificate: Path, key: Path, directory: Path, clock: Callable[[], datetime]) -> TlsFiles:
    """The user's own certificate (PEM, the server's first, then its chain) and key, checked.

    A key in an older form is written to `directory` as PKCS#8. A certificate outside its dates is a warning in the
    log, for a test may want one. Raises TlsError where a file cannot be read or the two do not belong together.
    """
    try:
        first = x509.load_pem_x509_certificates(_read(certificate))[0]
    except ValueError as error:
        raise TlsError(f"{certificate} holds no PEM certificate: {error}") from error
    key_pem = _read(key)
    private_key = _load_given_key(key, key_pem)
    _require_private(key)
    if _public_bytes(private_key.public_key()) != _public_bytes(first.public_key()):
        raise TlsError(f"{key} is not the key of the first certificate in {certificate}")
    now = clock()
    if now > first.not_valid_after_utc:
        logger.warning("the certificate %s expired on %s", certificate, first.not_valid_after_utc.isoformat())
    elif now < first.not_valid_before_utc:
        logger.warning("the certificate %s is not valid before %s", certificate, first.not_valid_before_utc.isoformat())
    if b"-----BEGIN PRIVATE KEY-----" in key_pem:
        return TlsFiles(certificate, key, None)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        converted = directory / "given.key"
        with _locked(directory / ".lock"):
            _write(converted, _key_pem(private_key), 0o600)
    except OSError as error:
        raise TlsError(f"cannot keep {key} as PKCS#8 in {directory}: {error}") from error
    return TlsFiles(certificate, converted, None)


def _covered_names(extra: Iterable[str]) -> list[x509.GeneralName]:
    """The names to cover, each once, the most telling first: it becomes the common name."""
    named: dict[x509.GeneralName, None] = {}
    for name in extra:
        try:
            value = general_name(name)
        except ValueError as error:
            raise TlsError(str(error)) from error
        if not _is_unspecified(value):
            named[value] = None
    for name in (socket.gethostname(), *ALWAYS_COVERED):
        try:
            named[general_name(name)] = None
        except ValueError:
            logger.warning("the host name %r fits no certificate, and is left out of it", name)
    return list(named)


def _is_unspecified(name: x509.GeneralName) -> bool:
    """0.0.0.0 and :: mean "listen everywhere"; no client connects to them by that name."""
    return isinstance(name, x509.IPAddress) and ip_address(str(name.value)).is_unspecified


def _ensure_authority(directory: Path, now: datetime) -> Authority:
    certificate_path, key_path, list_path = directory / "ca.pem", directory / "ca.key", directory / "ca.crl"
    _require_private(key_path, directory / "server.key")
    # The key is written last, so without it nothing was ever signed, and nobody has anything to trust yet.
    if key_path.exists():
        kept = _load_authority(certificate_path, key_path)
        if kept.certificate.not_valid_after_utc - now >= RENEWED_BEFORE_END:
            if not list_path.exists():
                _write_revocation_list(list_path, kept)
            return kept
        logger.warning("the authority in %s ends soon, and is made anew: clients must trust the new one", directory)
        key_path.unlink()
    made = issue_authority(now, secrets.token_hex(4))
    _write_revocation_list(list_path, made)
    _write_pair(certificate_path, made.certificate, key_path, made.key)
    return made


def _load_authority(certificate_path: Path, key_path: Path) -> Authority:
    advice = f"remove {key_path} to have a new authority made, which clients must then trust"
    try:
        certificate = x509.load_pem_x509_certificate(_read(certificate_path))
        key = load_pem_private_key(_read(key_path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise TlsError(f"the authority in {certificate_path.parent} is damaged ({error}); {advice}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TlsError(f"{key_path} holds no elliptic curve key; {advice}")
    if _public_bytes(key.public_key()) != _public_bytes(certificate.public_key()):
        raise TlsError(f"{key_path} is not the key of {certificate_path}; {advice}")
    return Authority(certificate, key)


def _still_good(files: TlsFiles, authority: Authority, wanted: list[x509.GeneralName], now: datetime) -> bool:
    """Whether the server's certificate is ours, complete and far from its end; anything odd is mended by a new one."""
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = load_pem_private_key(files.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority.certificate)
        covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.ExtensionNotFound):
        return False
    return (
        _public_bytes(key.public_key()) == _public_bytes(certificate.public_key())
        and certificate.not_valid_before_utc <= now
        and certificate.not_valid_after_utc - now >= RENEWED_BEFORE_END
        and set(wanted) <= set(covered)
    )


def _require_private(*paths: Path) -> None:
    """Refuse keys that others may read; those that are not there are made so."""
    try:
        for path in paths:
            if path.exists():
                require_private(path)
    except Exposed as error:
        raise TlsError(str(error)) from error


def _load_given_key(path: Path, pem: bytes) -> ServerKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        plain = f"openssl pkey -in {path} -out plain.key"
        raise TlsError(f"{path} is encrypted; give the key without a password, for instance from: {plain}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TlsError(f"{path} holds no PEM private key: {error}") from error
    if not isinstance(key, ServerKey):
        raise TlsError(f"{path} holds a key of a kind TLS servers do not use; use ECDSA, Ed25519 or RSA")
    return key


def _write_pair(
    certificate_path: Path, certificate: x509.Certificate, key_path: Path, key: ec.EllipticCurvePrivateKey
) -> None:
    _write(certificate_path, certificate.public_bytes(Encoding.PEM), 0o644)
    _write(key_path, _key_pem(key), 0o600)


def _write_revocation_list(path: Path, authority: Authority) -> None:
    _write(path, issue_revocation_list(authority).public_bytes(Encoding.PEM), 0o644)


def _key_pem(key: ServerKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_bytes(key: object) -> bytes:
    """The key in one form, to compare by; keys of kinds that cannot serve TLS compare unequal to all."""
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return secrets.token_bytes(16)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"cannot read {path}: {error.strerror}") from error


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, on the disk when this returns. The caller holds the lock: one temporary name is enough."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone among processes and threads: each opens the file for itself, so the lock holds between both."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
