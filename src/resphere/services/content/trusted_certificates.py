"""``com.vmware.content.trusted_certificates``: the certificates by which signed contents are trusted."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

from resphere.certificates.chains import ChainError, read_certificates
from resphere.contract.errors import NotFound, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.content import TrustedCertificates
from resphere.inventory.content.settings import TrustedCertificate
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.registry import implements

LONGEST_PEM = 65_536


@implements(TrustedCertificates.list, kept=True)
async def list_certificates(call: Call) -> TrustedCertificates.ListResult:
    """All of them."""
    return TrustedCertificates.ListResult(
        certificates=tuple(
            TrustedCertificates.Summary(certificate=each.id, cert_text=each.text)
            for each in call.all(TrustedCertificate).values()
        )
    )


@implements(TrustedCertificates.get, kept=True)
async def get(call: Call, certificate: ids.ContentTrustedCertificateId) -> TrustedCertificates.Info:
    """One of them."""
    return TrustedCertificates.Info(cert_text=require(call, certificate).text)


@implements(TrustedCertificates.create)
async def create(call: Call, spec: TrustedCertificates.CreateSpec) -> ids.ContentTrustedCertificateId:
    """Trust a certificate; one that is trusted already keeps its id.

    :raises VapiError: the text is no certificate in PEM, as vCenter's API declares it.
    """
    fingerprint = fingerprint_of(spec.cert_text)
    made = TrustedCertificate(
        id=ids.ContentTrustedCertificateId(call.new_uuid()), fingerprint=fingerprint, text=spec.cert_text
    )

    def plan(edit: Edit) -> ids.ContentTrustedCertificateId:
        for known in call.unfiltered.by(TrustedCertificate, "fingerprint", fingerprint).values():
            return known.id
        edit.put(made)
        return made.id

    return await call.settle(plan)


@implements(TrustedCertificates.delete)
async def delete(call: Call, certificate: ids.ContentTrustedCertificateId) -> None:
    """Trust it no more."""
    await call.settle(lambda edit: edit.delete(TrustedCertificate, require(edit, certificate).id))


def require(among: Lookup, id: str) -> TrustedCertificate:
    """The certificate of that id.

    :raises NotFound: there is none.
    """
    found = among.get(TrustedCertificate, id)
    if found is None:
        raise NotFound(
            message("resphere.content.certificate_not_found", "There is no trusted certificate with the id {0}.", id)
        )
    return found


def fingerprint_of(text: str) -> str:
    """The SHA-256 fingerprint of a certificate in PEM.

    :raises VapiError: it is none.
    """
    try:
        if len(text) > LONGEST_PEM:
            raise ValueError(f"longer than {LONGEST_PEM} characters")
        return read_certificates(text)[0].fingerprint(hashes.SHA256()).hex()
    except (ChainError, ValueError):
        raise VapiError(
            message("resphere.content.no_certificate", "cert_text: must be a certificate in PEM (BEGIN CERTIFICATE).")
        ) from None
