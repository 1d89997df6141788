"""``com.vmware.vcenter.system_config.psc_registration``: there is no external Platform Services Controller."""

from __future__ import annotations

from resphere.contract.errors import Unsupported, message
from resphere.contract.generated.vcenter_deployment import ApplianceType, RemotePscSpec
from resphere.contract.generated.vcenter_system_config import PscRegistration
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.system_config.deployment_type import HTTPS, require_address


@implements(PscRegistration.get, kept=True)
async def get_registration(call: Call) -> PscRegistration.Info:
    """The appliance's own controller."""
    product = call.environment.product
    return PscRegistration.Info(address=product.host_name, https_port=HTTPS, sso_domain=product.sso_domain)


@implements(PscRegistration.repoint)
async def repoint(call: Call, spec: RemotePscSpec) -> None:
    """Refuse, as an appliance with its own controller has to.

    :raises InvalidArgument: the controller has no name, or an impossible port.
    :raises Unsupported: all else.
    """
    require_address(spec, "spec.")
    raise Unsupported(
        message(
            "resphere.system_config.not_external",
            "Only a {0} can be repointed; this appliance is a {1}.",
            ApplianceType.VCSA_EXTERNAL,
            ApplianceType.VCSA_EMBEDDED,
        )
    )
