"""``com.vmware.vcenter.certificate_management.vcenter.signing_certificate``: by what key the STS signs tokens.

A new key is used at once by all workers; tokens of the one before stay good as long as they would have been.
"""

from __future__ import annotations

from resphere.auth.saml.signing import UnfitKey, given
from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vcenter_certificate_management import X509CertChain
from resphere.contract.generated.vcenter_certificate_management_vcenter import SigningCertificate
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(SigningCertificate.get)
async def get(call: Call) -> SigningCertificate.Info:
    """The chain of the key in use, and all whose tokens are taken."""
    signing = call.environment.security_tokens.signing.document
    active = X509CertChain(cert_chain=signing.certificates)
    earlier = tuple(X509CertChain(cert_chain=(each,)) for each in signing.earlier)
    return SigningCertificate.Info(active_cert_chain=active, signing_cert_chains=(active, *earlier))


@implements(SigningCertificate.refresh)
async def refresh(call: Call, force: bool | None) -> X509CertChain:
    """Make a new key. There is nothing that ``force`` would have to overrule: no other node signs tokens."""
    signing = call.environment.security_tokens.signing
    await signing.renew(call.environment.present)
    return X509CertChain(cert_chain=signing.document.certificates)


@implements(SigningCertificate.set)
async def put(call: Call, spec: SigningCertificate.SetSpec) -> None:
    """Sign by a key of the caller's choice.

    :raises InvalidArgument: it is none, or its certificates do not fit.
    """
    signing = call.environment.security_tokens.signing
    try:
        made = given(
            spec.signing_cert_chain.cert_chain, spec.private_key, signing.document.issuer, call.environment.present()
        )
    except UnfitKey as error:
        raise InvalidArgument(message("resphere.signing_certificate.unfit", "{0}: {1}.", *error.args)) from None
    await signing.replace(made)
