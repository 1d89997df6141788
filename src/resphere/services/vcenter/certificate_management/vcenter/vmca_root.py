"""``com.vmware.vcenter.certificate_management.vcenter.vmca_root``: the server's own authority."""

from __future__ import annotations

from functools import partial

from resphere.certificates.issuing import authority_subject
from resphere.contract.generated.vcenter_certificate_management_vcenter import VmcaRoot
from resphere.services.call import Call
from resphere.services.checks.certificates import done, key_size, subject_of
from resphere.services.registry import implements


@implements(VmcaRoot.create)
async def create(call: Call, spec: VmcaRoot.CreateSpec | None) -> None:
    """Make the authority anew, and the certificate that it has issued; clients must trust the new one.

    :raises InvalidArgument: a field cannot stand in a certificate.
    """
    distinction = call.environment.random_bytes(4).hex()
    given = VmcaRoot.CreateSpec() if spec is None else spec
    subject = subject_of(given, given.common_name or f"resphere CA {distinction}")
    if len(subject.rdns) == 1 and given.common_name is None:
        subject = authority_subject(distinction)
    await done(partial(call.environment.certificates.replace_authority, subject, key_size(given)))
