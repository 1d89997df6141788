"""``com.vmware.vcenter.certificate_management.vcenter.tls_csr``: a request for somebody else's signature."""

from __future__ import annotations

from functools import partial

from resphere.contract.generated.vcenter_certificate_management_vcenter import TlsCsr
from resphere.services.call import Call
from resphere.services.checks.certificates import done, key_size, request_of
from resphere.services.registry import implements


@implements(TlsCsr.create)
async def create(call: Call, spec: TlsCsr.Spec) -> TlsCsr.Info:
    """A request for a key that stays here, until ``tls`` is set to its certificate or another request is made.

    :raises InvalidArgument: a field cannot stand in a certificate.
    """
    request = request_of(spec, call.environment.product.host_name)
    csr = await done(partial(call.environment.certificates.stage, request, key_size(spec)))
    return TlsCsr.Info(csr=csr)
