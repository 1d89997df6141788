"""``com.vmware.vcenter.system_config.deployment_type`` and ``.psc_registration``.

A vCenter of 7.0 and later holds its Platform Services Controller itself; there are no external ones to go to.
"""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, Unsupported, message
from resphere.contract.generated.vcenter_deployment import ApplianceType, RemotePscSpec
from resphere.contract.generated.vcenter_system_config import DeploymentType
from resphere.services.call import Call
from resphere.services.registry import implements

HTTPS = 443


@implements(DeploymentType.get, kept=True)
async def get_type(call: Call) -> DeploymentType.Info:
    """With the Platform Services Controller in it."""
    return DeploymentType.Info(type=ApplianceType.VCSA_EMBEDDED)


@implements(DeploymentType.reconfigure)
async def reconfigure(call: Call, spec: DeploymentType.ReconfigureSpec) -> None:
    """Refuse, as vCenter 7.0 and later have to.

    :raises InvalidArgument: an external controller is wanted and not described, or its port is none.
    :raises Unsupported: all else.
    """
    if spec.type is not ApplianceType.VCSA_EXTERNAL:
        raise Unsupported(
            message(
                "resphere.system_config.type",
                "spec.type: a configured appliance can only go from {0} to {1}, not to {2}.",
                ApplianceType.VCSA_EMBEDDED,
                ApplianceType.VCSA_EXTERNAL,
                spec.type,
            )
        )
    if spec.remote_psc is None:
        raise InvalidArgument(
            message(
                "resphere.system_config.remote_psc_required",
                "spec.remote_psc must be given to become a {0}.",
                ApplianceType.VCSA_EXTERNAL,
            )
        )
    require_address(spec.remote_psc, "spec.remote_psc.")
    raise Unsupported(
        message(
            "resphere.system_config.no_external_psc",
            "This release of vCenter has no external Platform Services Controllers: {0} cannot be one.",
            spec.remote_psc.psc_hostname,
        )
    )


def require_address(spec: RemotePscSpec, where: str) -> None:
    """Refuse a controller that can be nowhere."""
    if not spec.psc_hostname.strip():
        raise InvalidArgument(
            message("resphere.system_config.psc_hostname", "{0}psc_hostname: a host name or address is needed.", where)
        )
    if spec.https_port is not None and not 0 < spec.https_port < 65_536:
        raise InvalidArgument(
            message(
                "resphere.system_config.https_port",
                "{0}https_port must be from 1 to 65535, not {1}.",
                where,
                spec.https_port,
            )
        )
