"""Further issuers of SAML tokens that are trusted, and solution users, which ask the STS by a key of their own.

A YAML file lists them; certificates are PEM files, relative to it::

    issuers:
      - name: https://idp.corp.example/metadata
        certificates: [idp.pem]
        domain: corp.example
    solution_users:
      - user: backup@vsphere.local
        certificate: backup.pem
        act_as: true
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from resphere.auth.saml.assertion import GROUPS
from resphere.auth.saml.keys import LEAST_KEY_BITS, UNREADABLE
from resphere.auth.saml.solutions import SolutionUser
from resphere.auth.saml.trust import TrustedIssuer
from resphere.server.keys import require_keys
from resphere.services.call import SSO_DOMAIN
from resphere.yaml_text import YamlFault, read_file


class TrustError(ValueError):
    """The file cannot be used; the message says what is wrong and where."""


class IssuerEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See :class:`~resphere.auth.saml.trust.TrustedIssuer`."""

    name: str
    certificates: tuple[str, ...]
    domain: str
    user_attribute: str | None = None
    group_attribute: str = GROUPS
    audiences: tuple[str, ...] = ()
    requires_audience: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.certificates:
            raise ValueError("an issuer needs a name, and certificates")
        if not self.domain.strip() or "@" in self.domain or "\\" in self.domain:
            raise ValueError(f"domain must be a domain, such as corp.example, not {self.domain!r}")
        if self.domain.strip().casefold() == SSO_DOMAIN:
            raise ValueError(f"domain must not be {SSO_DOMAIN}: of its users, this server alone may speak")


class SolutionEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See :class:`~resphere.auth.saml.solutions.SolutionUser`."""

    user: str
    certificate: str
    act_as: bool = False


class TrustFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as a whole."""

    issuers: tuple[IssuerEntry, ...] = ()
    solution_users: tuple[SolutionEntry, ...] = ()


class SamlTrust(msgspec.Struct, frozen=True):
    """What the file says, certificates read."""

    issuers: tuple[TrustedIssuer, ...] = ()
    solution_users: tuple[SolutionUser, ...] = ()


def read_trust(path: Path) -> SamlTrust:
    """What the file says.

    :raises TrustError: it cannot be read, or is not what it should be; names the place in it.
    """
    try:
        return checked(path, read_file(path.read_bytes()))
    except OSError as error:
        raise TrustError(f"SAML trust file {path}: {error.strerror}") from error
    except (YamlFault, ValueError) as error:
        raise TrustError(f"SAML trust file {path}: {error}") from error


def checked(path: Path, given: object) -> SamlTrust:
    """The content of a file.

    :raises ValueError: it is not what it should be.
    """
    require_keys(given, TrustFile)
    entries: dict[str, type[msgspec.Struct]] = {"issuers": IssuerEntry, "solution_users": SolutionEntry}
    for section, form in entries.items():
        listed = given.get(section) if isinstance(given, dict) else None
        for place, entry in enumerate(listed if isinstance(listed, list) else ()):
            require_keys(entry, form, f"{section}[{place}]")
    file = msgspec.convert(given, TrustFile)
    issuers = tuple(
        TrustedIssuer(
            name=each.name,
            certificates=tuple(read_certificate(path.parent / name) for name in each.certificates),
            domain=each.domain.strip().casefold(),
            user_attribute=each.user_attribute,
            group_attribute=each.group_attribute,
            audiences=each.audiences,
            requires_audience=each.requires_audience,
        )
        for each in file.issuers
    )
    if len({each.name for each in issuers}) != len(issuers):
        raise ValueError("two issuers have one name")
    users = tuple(
        SolutionUser(each.user, read_certificate(path.parent / each.certificate), each.act_as)
        for each in file.solution_users
    )
    return SamlTrust(issuers, users)


def read_certificate(path: Path) -> x509.Certificate:
    """The certificate in a PEM file, the first of several.

    :raises ValueError: there is none, or its key is none that signs tokens safely.
    """
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
        key = certificate.public_key()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    except UNREADABLE as error:
        raise ValueError(f"{path} holds no PEM certificate that can be read: {error}") from None
    if isinstance(key, RSAPublicKey) and key.key_size >= LEAST_KEY_BITS:
        return certificate
    if isinstance(key, EllipticCurvePublicKey):
        return certificate
    raise ValueError(f"{path}: the key must be RSA of {LEAST_KEY_BITS} bits or more, or of an elliptic curve")
