"""``com.vmware.vcenter.certificate_management.vcenter.tls``: the certificate that this server is reached with.

What is written here the server serves some seconds later, with new workers; requests under way are finished.
"""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from resphere.certificates.keeper import thumbprint
from resphere.contract.generated.vcenter_certificate_management_vcenter import Tls
from resphere.services.call import Call
from resphere.services.checks.certificates import done, key_size, request_of, unfit
from resphere.services.registry import implements

X = TypeVar("X", bound=x509.ExtensionType)

MOST_DAYS = 730
USAGES = {
    "digital_signature": "Digital Signature",
    "content_commitment": "Non Repudiation",
    "key_encipherment": "Key Encipherment",
    "data_encipherment": "Data Encipherment",
    "key_agreement": "Key Agreement",
    "key_cert_sign": "Certificate Sign",
    "crl_sign": "CRL Sign",
}


@implements(Tls.get)
async def get(call: Call) -> Tls.Info:
    """The certificate, with its fields in words.

    :raises NotFound: the server has no TLS.
    """
    return info(await done(call.environment.certificates.served))


@implements(Tls.set)
async def put(call: Call, spec: Tls.Spec) -> None:
    """Serve a certificate that somebody else has issued.

    :raises InvalidArgument: it is none, does not fit its key, has ended, or is issued by nobody who is trusted.
    :raises NotFound: no key was sent, and none waits for this certificate.
    :raises AlreadyExists: it is served already.
    """
    certificates = call.environment.certificates
    await done(partial(certificates.install, spec.cert, spec.key, spec.root_cert))


@implements(Tls.renew)
async def renew(call: Call, duration: int | None) -> None:
    """Have the server's own authority issue the certificate anew, for so many days.

    :raises Unsupported: somebody else has issued it.
    :raises InvalidArgument: more than two years.
    """
    days = MOST_DAYS if duration is None else duration
    if not 1 <= days <= MOST_DAYS:
        raise unfit("duration", f"must be from 1 to {MOST_DAYS} days")
    await done(partial(call.environment.certificates.renew, days))


@implements(Tls.replace_vmca_signed)
async def replace_vmca_signed(call: Call, spec: Tls.ReplaceSpec) -> None:
    """Serve a certificate of the server's own authority, with a subject of the caller's choice.

    :raises InvalidArgument: a field cannot stand in a certificate.
    """
    request = request_of(spec, call.environment.product.host_name)
    await done(partial(call.environment.certificates.replace, request, key_size(spec)))


def info(certificate: x509.Certificate) -> Tls.Info:
    """A certificate in words."""
    constraints = extension(certificate, x509.BasicConstraints)
    path_length = None if constraints is None else constraints.path_length
    usage = extension(certificate, x509.KeyUsage)
    extended = extension(certificate, x509.ExtendedKeyUsage)
    names = extension(certificate, x509.SubjectAlternativeName)
    access = extension(certificate, x509.AuthorityInformationAccess)
    return Tls.Info(
        version=certificate.version.value + 1,
        serial_number=f"{certificate.serial_number:X}",
        signature_algorithm=algorithm(certificate),
        issuer_dn=certificate.issuer.rfc4514_string(),
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        subject_dn=certificate.subject.rfc4514_string(),
        thumbprint=thumbprint(certificate),
        is_CA=constraints is not None and constraints.ca,
        path_length_constraint=-1 if path_length is None else path_length,
        key_usage=tuple(words for field, words in USAGES.items() if usage is not None and getattr(usage, field)),
        extended_key_usage=tuple(purpose._name for purpose in extended or ()),
        subject_alternative_name=tuple(str(name.value) for name in names or ()),
        authority_information_access_uri=tuple(
            one.access_location.value
            for one in access or ()
            if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        ),
        cert=certificate.public_bytes(Encoding.PEM).decode("ascii"),
    )


def extension(certificate: x509.Certificate, kind: type[X]) -> X | None:
    """The extension of that kind, if the certificate has it."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def algorithm(certificate: x509.Certificate) -> str:
    """``ecdsa-with-SHA256``."""
    return certificate.signature_algorithm_oid._name
