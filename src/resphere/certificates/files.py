"""The files TLS is served with: made here at the first start, or given by the user.

In the directory (`<data_dir>/tls/`): `ca.pem`, `ca.crl` and `ca.key`, the authority clients trust; `server.pem` and
`server.key`; `installed.pem`, key and certificate of somebody else's that came while the server ran, and are served
instead. Keys are PKCS#8, as Granian wants them, and readable by their owner only.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    SERVER_DAYS,
    Authority,
    Request,
    ServerKey,
    authority_subject,
    general_name,
    issue_authority,
    issue_revocation_list,
    issue_server_certificate,
    new_key,
    server_subject,
)
from resphere.private_files import Exposed, require_private

RENEWED_BEFORE_END = timedelta(days=30)
ALWAYS_COVERED = ("localhost", "127.0.0.1", "::1")

SERVING = "serving"
"""The folder of what is served now: made of the other files, and in no backup."""

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


def own_files(directory: Path) -> TlsFiles:
    """Those of a certificate by our own authority."""
    return TlsFiles(directory / "server.pem", directory / "server.key", directory / "ca.pem", directory / "ca.crl")


def installed_files(directory: Path) -> TlsFiles:
    """Those of a certificate that came while the server ran: one, so that it changes only as a whole."""
    file = directory / "installed.pem"
    return TlsFiles(file, file, directory / "ca.pem", directory / "ca.crl")


def ensure_certificates(directory: Path, names: Iterable[str], clock: Callable[[], datetime]) -> TlsFiles:
    """The files in `directory`, made or renewed where that is due; safe for several processes that start at once.

    `names` are the host names and addresses clients will use, besides `localhost`, the loopback addresses and the
    machine's own name, which are always covered. `clock` gives an aware datetime. The server certificate is issued
    anew 30 days before it ends (one of less than 90 days: when a third is left), and when it lacks a name; the
    authority only 30 days before its own end, after ten years. An installed certificate is left as it is.

    Raises TlsError where a name is none, or a file is damaged or cannot be read or written.
    """
    wanted = covered_names(names)
    files, installed = own_files(directory), installed_files(directory)
    now = clock()
    try:
        with locked(directory):
            authority = ensure_authority(directory, now)
            if installed.key.exists():
                _require_private(installed.key)
                _load_pair(installed.certificate, installed.key)
                return installed
            if not _still_good(files, authority, wanted, now):
                renew_own(directory, authority, wanted, now)
    except OSError as error:
        raise TlsError(f"cannot keep certificates in {directory}: {error}") from error
    return files


def renew_own(
    directory: Path, authority: Authority, names: Sequence[x509.GeneralName], now: datetime, days: int = SERVER_DAYS
) -> None:
    """Have our own authority issue the server's certificate anew, for `days`. A subject that was asked for stays, with
    the names that go with it. The caller holds the lock."""
    files = own_files(directory)
    request = chosen_request(files.certificate)
    subject = server_subject(str(names[0].value)) if request is None else request.subject
    covered = tuple(dict.fromkeys((*(() if request is None else request.names), *names)))
    key = new_key()
    certificate = issue_server_certificate(authority, subject, covered, key, now, days)
    write_pair(files.certificate, (certificate,), files.key, key)


def chosen_request(path: Path) -> Request | None:
    """What was asked for when the certificate was issued, `None` where nobody chose anything."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return None
    if len(certificate.subject.rdns) <= len(server_subject("").rdns):
        return None
    return Request(certificate.subject, tuple(names))


def given_certificates(certificate: Path, key: Path, directory: Path, clock: Callable[[], datetime]) -> TlsFiles:
    """The user's own certificate (PEM, the server's first, then its chain) and key, checked.

    A key in an older form is written to `directory` as PKCS#8. A certificate outside its dates is a warning in the
    log, for a test may want one. Raises TlsError where a file cannot be read or the two do not belong together.
    """
    first, private_key = _load_pair(certificate, key)
    _require_private(key)
    now = clock()
    if now > first.not_valid_after_utc:
        logger.warning("the certificate %s expired on %s", certificate, first.not_valid_after_utc.isoformat())
    elif now < first.not_valid_before_utc:
        logger.warning("the certificate %s is not valid before %s", certificate, first.not_valid_before_utc.isoformat())
    if b"-----BEGIN PRIVATE KEY-----" in read(key):
        return TlsFiles(certificate, key, None)
    try:
        converted = directory / "given.key"
        with locked(directory):
            write(converted, key_pem(private_key), 0o600)
    except OSError as error:
        raise TlsError(f"cannot keep {key} as PKCS#8 in {directory}: {error}") from error
    return TlsFiles(certificate, converted, None)


def bundle(files: TlsFiles, directory: Path) -> Path:
    """One file of the key and the chain of `files`, checked, from which workers start. The user's files may be in the
    middle of a change when one dies and is replaced; this file changes only as a whole.

    Raises TlsError where a file cannot be read or written, or the two do not belong together.
    """
    path = directory / SERVING / "bundle.pem"
    try:
        with locked(directory):
            chain = x509.load_pem_x509_certificates(read(files.certificate))
            _, key = _load_pair(files.certificate, files.key)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_bundle(path, chain, key)
    except OSError as error:
        raise TlsError(f"cannot keep what is served in {path}: {error}") from error
    return path


def _load_pair(certificate: Path, key: Path) -> tuple[x509.Certificate, ServerKey]:
    """The first certificate of a file and its key.

    Raises TlsError where one cannot be read, or the two do not belong together.
    """
    try:
        first = x509.load_pem_x509_certificates(read(certificate))[0]
    except ValueError as error:
        raise TlsError(f"{certificate} holds no PEM certificate: {error}") from error
    private_key = _load_given_key(key, read(key))
    if public_bytes(private_key.public_key()) != public_bytes(first.public_key()):
        raise TlsError(f"{key} is not the key of the first certificate in {certificate}")
    return first, private_key


def covered_names(extra: Iterable[str]) -> list[x509.GeneralName]:
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


def ensure_authority(directory: Path, now: datetime) -> Authority:
    """The authority of the directory, made or renewed where that is due. The caller holds the lock."""
    certificate_path, key_path, list_path = directory / "ca.pem", directory / "ca.key", directory / "ca.crl"
    _require_private(key_path, directory / "server.key")
    # The key is written last, so without it nothing was ever signed, and nobody has anything to trust yet.
    if key_path.exists():
        kept = load_authority(certificate_path, key_path)
        if kept.certificate.not_valid_after_utc - now >= RENEWED_BEFORE_END:
            if not list_path.exists():
                write_revocation_list(list_path, kept)
            return kept
        logger.warning("the authority in %s ends soon, and is made anew: clients must trust the new one", directory)
    made = issue_authority(authority_subject(secrets.token_hex(4)), new_key(), now)
    put_authority(directory, made)
    return made


def put_authority(directory: Path, authority: Authority) -> None:
    """Keep it as ours. The caller holds the lock."""
    # Without a key there is no authority, so that whoever is killed within leaves none that does not fit.
    (directory / "ca.key").unlink(missing_ok=True)
    write_revocation_list(directory / "ca.crl", authority)
    write_pair(directory / "ca.pem", (authority.certificate,), directory / "ca.key", authority.key)


def load_authority(certificate_path: Path, key_path: Path) -> Authority:
    """The authority in two files. Raises TlsError where it is damaged."""
    advice = f"remove {key_path} to have a new authority made, which clients must then trust"
    try:
        certificate = x509.load_pem_x509_certificate(read(certificate_path))
        key = load_pem_private_key(read(key_path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise TlsError(f"the authority in {certificate_path.parent} is damaged ({error}); {advice}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TlsError(f"{key_path} holds neither an elliptic curve key nor an RSA key; {advice}")
    if public_bytes(key.public_key()) != public_bytes(certificate.public_key()):
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
        public_bytes(key.public_key()) == public_bytes(certificate.public_key())
        and certificate.not_valid_before_utc <= now
        and certificate.not_valid_after_utc - now >= renewed_before_end(certificate)
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


def renewed_before_end(certificate: x509.Certificate) -> timedelta:
    """How long before its end a certificate is renewed."""
    return min(RENEWED_BEFORE_END, (certificate.not_valid_after_utc - certificate.not_valid_before_utc) / 3)


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


def write_pair(certificate_path: Path, chain: Iterable[x509.Certificate], key_path: Path, key: ServerKey) -> None:
    """A certificate with its chain, and its key. The caller holds the lock."""
    write(certificate_path, b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain), 0o644)
    write(key_path, key_pem(key), 0o600)


def write_bundle(path: Path, chain: Iterable[x509.Certificate], key: ServerKey) -> None:
    """A key and a certificate with its chain, in one file. The caller holds the lock."""
    write(path, key_pem(key) + b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain), 0o600)


def write_revocation_list(path: Path, authority: Authority) -> None:
    """The list of an authority. The caller holds the lock."""
    write(path, issue_revocation_list(authority).public_bytes(Encoding.PEM), 0o644)


def key_pem(key: ServerKey) -> bytes:
    """PKCS#8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_bytes(key: object) -> bytes:
    """The key in one form, to compare by; keys of kinds that cannot serve TLS compare unequal to all."""
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return secrets.token_bytes(16)


def read(path: Path) -> bytes:
    """What a file holds. Raises TlsError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"cannot read {path}: {error.strerror}") from error


def write(path: Path, content: bytes, mode: int) -> None:
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
def locked(directory: Path) -> Iterator[None]:
    """Alone among processes and threads: each opens the file for itself, so the lock holds between both."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
