"""What may be done to the certificates of a server that runs.

All that is written lies in one directory (see :mod:`resphere.certificates.files`), where the server finds it and has
its workers start anew with it. Blocking: files are read and written, and keys made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from resphere.certificates.certs_zip import certs_zip
from resphere.certificates.chains import (
    SERVER,
    ChainError,
    is_authority,
    is_root,
    read_certificates,
    require_dates,
    require_trusted,
)
from resphere.certificates.files import (
    TlsError,
    TlsFiles,
    covered_names,
    ensure_authority,
    installed_files,
    key_pem,
    locked,
    own_files,
    public_bytes,
    put_authority,
    read,
    renew_own,
    write,
    write_bundle,
    write_pair,
)
from resphere.certificates.issuing import (
    SERVER_DAYS,
    Request,
    ServerKey,
    issue_authority,
    issue_server_certificate,
    new_key,
    signing_request,
)

V = TypeVar("V")

STAGED = "staged.key"
"""The key of the request that was made last, which waits for its certificate."""
TRUSTED = "trusted"
"""The folder of the chains whose roots are trusted, a file each."""
CHAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
MOST_CHAINS = 1000


class Unfit(Exception):
    """What was given cannot be taken: the ``field``, and why, as a sentence goes on after its name."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class NotServed(Exception):
    """There is no certificate: the server has no TLS."""


class NothingToChange(Exception):
    """There is no certificate to be changed: the server has no TLS."""


class Given(Exception):
    """The certificate is a file of the user's, which nobody else changes; the message names it."""


class NotOurs(Exception):
    """The certificate that is served was not issued by our own authority."""


class SameCertificate(Exception):
    """The certificate is served already."""


class NoKey(Exception):
    """No key waits for a certificate, or another one than this certificate's."""


class NoChain(Exception):
    """There is no chain of that name."""


class ChainExists(Exception):
    """There is a chain of that name."""


class Certificates:
    """The certificates in ``directory``, for a server of the ``names``.

    ``given`` are the user's own files, which are served then and never changed; ``has_tls``: anything is served.
    """

    def __init__(
        self,
        directory: Path,
        names: Iterable[str],
        now: Callable[[], datetime],
        *,
        given: TlsFiles | None = None,
        has_tls: bool = True,
    ) -> None:
        self._directory = directory
        self._names = tuple(names)
        self._now = now
        self._given = given
        self._has_tls = has_tls

    # --- what is served ----------------------------------------------------------------------------------------------

    def served(self) -> x509.Certificate:
        """The certificate that clients get.

        :raises NotServed: there is none.
        """
        if not self._has_tls:
            raise NotServed
        return read_certificates(read(self._files().certificate).decode("ascii", "replace"))[0]

    def stage(self, request: Request, size_bits: int | None) -> str:
        """A request to sign (PEM) for a key that is kept until its certificate comes; one before it is forgotten."""
        key = new_key(size_bits)
        with locked(self._directory):
            write(self._directory / STAGED, key_pem(key), 0o600)
        return signing_request(request.subject, request.names, key).decode("ascii")

    def install(self, certificate: str, key: str | None, root: str | None) -> None:
        """Serve ``certificate`` (PEM, with what leads from it to a trusted root). Without ``key`` the one that was kept
        with the last request is its key; ``root`` is trusted from then on.

        :raises Unfit: it is no certificate, its dates are over, nobody trusted has issued it, or the key is another's.
        :raises NoKey: its key is not here.
        :raises SameCertificate: it is served already.
        :raises NothingToChange: the server has no TLS.
        :raises Given: the user's own certificate is served.
        """
        self._require_changeable()
        chain = fit("cert", lambda: read_certificates(certificate))
        roots = () if root is None else fit("root_cert", lambda: read_certificates(root))
        with locked(self._directory):
            if self.served() == chain[0]:
                raise SameCertificate
            private = self._staged(chain[0]) if key is None else given_key(key, chain[0])
            for authority in roots:
                fit("root_cert", lambda authority=authority: require_authority(authority, self._now()))  # type: ignore[misc]
            known = [one for known in self.chains().values() for one in known]
            between = [one for one in (*chain[1:], *roots, *known) if not is_root(one)]
            trusted = [one for one in (*roots, *known) if is_root(one)]
            fit("cert", lambda: require_trusted(chain[0], between, trusted, self._now(), SERVER))
            if roots:
                self._put_chain(chain_name(roots), roots)
            write_bundle(installed_files(self._directory).key, chain, private)
            if key is None:
                (self._directory / STAGED).unlink()

    def renew(self, days: int) -> None:
        """Issue the certificate anew, for ``days``.

        :raises NotOurs: it is none of our own authority's.
        :raises NothingToChange: the server has no TLS.
        :raises Given: the user's own certificate is served.
        """
        self._require_changeable()
        with locked(self._directory):
            if installed_files(self._directory).key.exists():
                raise NotOurs
            authority = ensure_authority(self._directory, self._now())
            renew_own(self._directory, authority, covered_names(self._names), self._now(), days)

    def replace(self, request: Request, size_bits: int | None) -> None:
        """Serve a certificate of our own authority with that subject, and those names besides the server's.

        :raises NothingToChange: the server has no TLS.
        :raises Given: the user's own certificate is served.
        """
        self._require_changeable()
        key = new_key(size_bits)
        with locked(self._directory):
            authority = ensure_authority(self._directory, self._now())
            names = tuple(dict.fromkeys((*request.names, *covered_names(self._names))))
            issued = issue_server_certificate(authority, request.subject, names, key, self._now(), SERVER_DAYS)
            files = own_files(self._directory)
            write_pair(files.certificate, (issued,), files.key, key)
            installed_files(self._directory).key.unlink(missing_ok=True)

    def replace_authority(self, subject: x509.Name, size_bits: int | None) -> None:
        """Make our own authority anew, and all that it has issued.

        :raises NothingToChange: the server has no TLS.
        :raises Given: the user's own certificate is served.
        """
        self._require_changeable()
        made = issue_authority(subject, new_key(size_bits), self._now())
        with locked(self._directory):
            put_authority(self._directory, made)
            renew_own(self._directory, made, covered_names(self._names), self._now())

    # --- whom is trusted ---------------------------------------------------------------------------------------------

    def chains(self) -> dict[str, tuple[x509.Certificate, ...]]:
        """The chains whose roots are trusted, by name; our own authority's is among them."""
        found = {}
        authority = own_files(self._directory).ca_certificate
        if authority is not None and authority.exists():
            own = read_certificates(read(authority).decode("ascii"))
            found[chain_name(own)] = own
        for path in sorted((self._directory / TRUSTED).glob("*.pem")):
            found[path.stem] = read_certificates(read(path).decode("ascii"))
        return found

    def add_chain(self, name: str | None, pems: Iterable[str]) -> str:
        """Trust the root of a chain, which begins with what it leads from; returns its name.

        :raises Unfit: it is no chain of authorities, or has ended.
        :raises ChainExists: there is one of that name.
        """
        chain = tuple(one for pem in pems for one in fit("cert_chain", lambda pem=pem: read_certificates(pem)))  # type: ignore[misc]
        fit("cert_chain", lambda: require_chain(chain, self._now()))
        if name is not None and not CHAIN_NAME.match(name):
            raise Unfit("chain", "may have letters, digits, dots, hyphens and underscores, up to 128 of them")
        name = chain_name(chain) if name is None else name
        with locked(self._directory):
            present = self.chains()
            if name in present:
                raise ChainExists
            if len(present) >= MOST_CHAINS:
                raise Unfit("cert_chain", f"would be one more than the {MOST_CHAINS} that may be kept")
            self._put_chain(name, chain)
        return name

    def delete_chain(self, name: str) -> None:
        """Trust a chain's root no longer.

        :raises NoChain: there is none of that name.
        :raises Unfit: it is that of our own authority.
        """
        with locked(self._directory):
            if name not in self.chains():
                raise NoChain
            path = self._directory / TRUSTED / f"{name}.pem"
            if not path.exists():
                raise Unfit("chain", "is that of the server's own authority, which vmca-root replaces")
            path.unlink()

    def archive(self) -> bytes | None:
        """What ``/certs/download.zip`` hands out; ``None`` where there is nobody to trust."""
        if not self._has_tls:
            return None
        chains = self.chains()
        own = own_files(self._directory)
        if self._given is not None and own.ca_certificate is not None and own.ca_certificate.exists():
            # Of an authority that has issued nothing of what is served.
            authority = read_certificates(read(own.ca_certificate).decode("ascii"))
            chains.pop(chain_name(authority), None)
        revocations = own.ca_revocation_list
        if not chains:
            return None
        pem = b"".join(one.public_bytes(Encoding.PEM) for chain in chains.values() for one in chain)
        has_list = self._given is None and revocations is not None and revocations.exists()
        return certs_zip(pem, read(revocations) if has_list and revocations is not None else None)

    def trusted(self) -> tuple[x509.Certificate, ...]:
        """The roots that are trusted, our own authority's among them."""
        return tuple(one for chain in self.chains().values() for one in chain if is_root(one))

    def trusted_pem(self) -> str:
        """The same in PEM.

        :raises OSError: they cannot be read.
        :raises ValueError: what stands in their folder is no certificates.
        """
        return "".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in self.trusted())

    # --- within ------------------------------------------------------------------------------------------------------

    def _files(self) -> TlsFiles:
        if self._given is not None:
            return self._given
        installed = installed_files(self._directory)
        return installed if installed.key.exists() else own_files(self._directory)

    def _require_changeable(self) -> None:
        if not self._has_tls:
            raise NothingToChange
        if self._given is not None:
            raise Given(str(self._given.certificate))

    def _put_chain(self, name: str, chain: Iterable[x509.Certificate]) -> None:
        folder = self._directory / TRUSTED
        folder.mkdir(exist_ok=True)
        write(folder / f"{name}.pem", b"".join(one.public_bytes(Encoding.PEM) for one in chain), 0o644)

    def _staged(self, certificate: x509.Certificate) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
        path = self._directory / STAGED
        if not path.exists():
            raise NoKey
        key = load_pem_private_key(read(path), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise TlsError(f"{path} holds a key of a kind that no request has")
        if public_bytes(key.public_key()) != public_bytes(certificate.public_key()):
            raise NoKey
        return key


def fit(field: str, do: Callable[[], V]) -> V:
    """What ``do`` returns.

    :raises Unfit: it found fault with the field.
    """
    try:
        return do()
    except ChainError as error:
        raise Unfit(field, str(error)) from error


def require_authority(certificate: x509.Certificate, moment: datetime) -> None:
    """Refuse what may issue nothing.

    :raises ChainError: it is no authority's, or has ended.
    """
    if not is_authority(certificate):
        raise ChainError("is not that of an authority")
    require_dates(certificate, moment)


def require_chain(chain: tuple[x509.Certificate, ...], moment: datetime) -> None:
    """Refuse what is no chain of authorities, each issued by the next, up to a root.

    :raises ChainError: says why.
    """
    if not chain:
        raise ChainError("has no certificate")
    for certificate in chain:
        require_authority(certificate, moment)
    for below, above in zip(chain, (*chain[1:], chain[-1]), strict=True):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
            whom = below.subject.rfc4514_string()
            if below is above:
                raise ChainError(f"does not end in a root: {whom} has not issued itself") from error
            raise ChainError(f"is none: {whom} was not issued by {above.subject.rfc4514_string()}") from error


def given_key(pem: str, certificate: x509.Certificate) -> ServerKey:
    """The key in a text.

    :raises Unfit: there is none, it is encrypted, or not the certificate's.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError as error:
        raise Unfit("key", "is encrypted; send it without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unfit("key", "holds no private key in PEM") from error
    if not isinstance(key, ServerKey):
        raise Unfit("key", "is of a kind that TLS servers do not use; use ECDSA, Ed25519 or RSA")
    if public_bytes(key.public_key()) != public_bytes(certificate.public_key()):
        raise Unfit("key", "is not the key of the certificate")
    return key


def chain_name(chain: tuple[x509.Certificate, ...]) -> str:
    """A chain's name where nobody chose one, as vCenter has it: the key id of its first certificate."""
    key = chain[0].public_key()
    return x509.SubjectKeyIdentifier.from_public_key(key).digest.hex().upper()


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-1, as vCenter shows it: ``AB:CD:...``."""
    return certificate.fingerprint(SHA1()).hex(":").upper()  # noqa: S303 - a name, which protects nothing
