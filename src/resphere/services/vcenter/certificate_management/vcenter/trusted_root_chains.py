"""``com.vmware.vcenter.certificate_management.vcenter.trusted_root_chains``: whose certificates are believed."""

from __future__ import annotations

from functools import partial

from cryptography.hazmat.primitives.serialization import Encoding

from resphere.certificates.keeper import NoChain
from resphere.contract.generated.vcenter_certificate_management import X509CertChain
from resphere.contract.generated.vcenter_certificate_management_vcenter import TrustedRootChains
from resphere.services.call import Call
from resphere.services.checks.certificates import done
from resphere.services.registry import implements


@implements(TrustedRootChains.list)
async def names(call: Call) -> tuple[TrustedRootChains.Summary, ...]:
    """Their identifiers; that of the server's own authority is one of them."""
    chains = await done(call.environment.certificates.chains)
    return tuple(TrustedRootChains.Summary(chain=name) for name in chains)


@implements(TrustedRootChains.get)
async def get(call: Call, chain: str) -> TrustedRootChains.Info:
    """One, in PEM.

    :raises NotFound: there is none of this identifier.
    """

    def find() -> TrustedRootChains.Info:
        found = call.environment.certificates.chains().get(chain)
        if found is None:
            raise NoChain
        pems = tuple(one.public_bytes(Encoding.PEM).decode("ascii") for one in found)
        return TrustedRootChains.Info(cert_chain=X509CertChain(cert_chain=pems))

    return await done(find)


@implements(TrustedRootChains.create)
async def create(call: Call, spec: TrustedRootChains.CreateSpec) -> str:
    """Believe the root of a chain; returns the identifier.

    :raises InvalidArgument: it is no chain of authorities that are valid now, each issued by the next, up to a root.
    :raises AlreadyExists: there is one of this identifier.
    """
    return await done(partial(call.environment.certificates.add_chain, spec.chain, spec.cert_chain.cert_chain))


@implements(TrustedRootChains.delete)
async def delete(call: Call, chain: str) -> None:
    """Believe it no longer.

    :raises NotFound: there is none of this identifier.
    :raises InvalidArgument: it is that of the server's own authority.
    """
    await done(partial(call.environment.certificates.delete_chain, chain))
