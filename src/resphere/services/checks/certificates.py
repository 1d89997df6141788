"""What the operations on certificates share: subjects that are asked for, and the words of refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from resphere.certificates.files import TlsError
from resphere.certificates.issuing import COMMON_NAME_CHARACTERS, Request, general_name
from resphere.certificates.keeper import (
    ChainExists,
    Given,
    NoChain,
    NoKey,
    NothingToChange,
    NotOurs,
    NotServed,
    SameCertificate,
    Unfit,
)
from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    Unsupported,
    VapiError,
    message,
)

T = TypeVar("T")

NO_TLS = message("resphere.certificates.no_tls", "This server serves plain HTTP, and has no certificate.")

KEY_SIZES_BITS = (2048, 3072, 4096, 8192)
MOST_NAMES = 100


class Spec(Protocol):
    """The fields of a subject, as several operations have them."""

    @property
    def common_name(self) -> str | None: ...
    @property
    def organization(self) -> str | None: ...
    @property
    def organization_unit(self) -> str | None: ...
    @property
    def locality(self) -> str | None: ...
    @property
    def state_or_province(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...
    @property
    def email_address(self) -> str | None: ...
    @property
    def subject_alt_name(self) -> tuple[str, ...] | None: ...
    @property
    def key_size(self) -> int | None: ...


FIELDS = (
    ("country", NameOID.COUNTRY_NAME),
    ("state_or_province", NameOID.STATE_OR_PROVINCE_NAME),
    ("locality", NameOID.LOCALITY_NAME),
    ("organization", NameOID.ORGANIZATION_NAME),
    ("organization_unit", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("common_name", NameOID.COMMON_NAME),
    ("email_address", NameOID.EMAIL_ADDRESS),
)


async def done(do: Callable[[], T]) -> T:
    """What ``do`` returns, which works on files and keys.

    :raises VapiError: it refused.
    """
    try:
        return await asyncio.to_thread(do)
    except Unfit as error:
        raise unfit(error.field, error.reason) from error
    except NotServed:
        raise NotFound(NO_TLS) from None
    except NothingToChange:
        raise VapiError(NO_TLS) from None
    except Given as error:
        raise VapiError(
            message(
                "resphere.certificates.given",
                "The certificate of this server is a file that it was started with; replace it in {0}.",
                str(error),
            )
        ) from None
    except NotOurs:
        raise Unsupported(
            message("resphere.certificates.not_ours", "The certificate was not issued by this server's own authority.")
        ) from None
    except SameCertificate:
        raise AlreadyExists(
            message("resphere.certificates.same", "This certificate is the one that the server has.")
        ) from None
    except NoKey:
        raise NotFound(
            message(
                "resphere.certificates.no_key",
                "The key of the certificate is not here: make a request for it (tls-csr), or send the key too.",
            )
        ) from None
    except NoChain:
        raise NotFound(
            message("resphere.certificates.no_chain", "There is no trusted root chain of this identifier.")
        ) from None
    except ChainExists:
        raise AlreadyExists(
            message("resphere.certificates.chain_exists", "There is a trusted root chain of this identifier.")
        ) from None
    except TlsError as error:
        raise VapiError(
            message("resphere.certificates.damaged", "The certificates cannot be used or kept: {0}", str(error))
        ) from error


def request_of(spec: Spec, host_name: str) -> Request:
    """The subject and names that a specification asks for; the common name is ``host_name`` where it names none.

    :raises InvalidArgument: names the field.
    """
    given = spec.subject_alt_name or ()
    # Before each is looked at: others wait meanwhile.
    if len(given) > MOST_NAMES:
        raise unfit("subject_alt_name", f"may have {MOST_NAMES} names")
    names = tuple(alternative_name(name) for name in given)
    common_name = spec.common_name or host_name
    if not names:
        names = common_names(common_name)
    return Request(subject_of(spec, common_name), names)


def subject_of(spec: Spec, common_name: str) -> x509.Name:
    """The subject that a specification asks for.

    :raises InvalidArgument: names the field.
    """
    attributes = []
    for field, oid in FIELDS:
        value = common_name if field == "common_name" else getattr(spec, field)
        if value is None:
            continue
        if not value.strip():
            raise unfit(field, "must not be empty")
        if field == "common_name" and len(value) > COMMON_NAME_CHARACTERS:
            raise unfit(field, f"may have {COMMON_NAME_CHARACTERS} characters")
        # Theirs are strings of ASCII in a certificate, which ``cryptography`` leaves unchecked until one is signed.
        if field == "country" and not (value.isascii() and value.isalpha()):
            raise unfit(field, "must be two letters, as ISO 3166 has them")
        if field == "email_address" and not value.isascii():
            raise unfit(field, "must be of ASCII")
        try:
            attributes.append(x509.NameAttribute(oid, value))
        except ValueError as error:
            raise unfit(field, f"cannot stand in a certificate: {error}") from error
    return x509.Name(attributes)


def common_names(common_name: str) -> tuple[x509.GeneralName, ...]:
    """The alternative name that a common name is, if it is a host's."""
    try:
        return (general_name(common_name),)
    except ValueError:
        return ()


def alternative_name(name: str) -> x509.GeneralName:
    """A host name or address for a certificate.

    :raises InvalidArgument: it is neither.
    """
    try:
        return general_name(name)
    except ValueError:
        raise unfit("subject_alt_name", "must be host names and addresses") from None


def key_size(spec: Spec) -> int | None:
    """How many bits an RSA key is to have, ``None`` where nobody asks for one.

    :raises InvalidArgument: no key has so many.
    """
    if spec.key_size is not None and spec.key_size not in KEY_SIZES_BITS:
        raise unfit("key_size", f"must be one of {', '.join(map(str, KEY_SIZES_BITS))}")
    return spec.key_size


def unfit(field: str, reason: str) -> InvalidArgument:
    """The refusal of a field."""
    return InvalidArgument(message("resphere.certificates.unfit", "{0} {1}.", field, reason))
