"""``com.vmware.appliance.networking.interfaces``: those of the machine below."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_networking import Interfaces
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import all_interfaces, interface_info, require_nic
from resphere.services.registry import implements


@implements(Interfaces.list)
async def list_(call: Call) -> tuple[Interfaces.InterfaceInfo, ...]:
    """All of them."""
    return all_interfaces(call)


@implements(Interfaces.get)
async def get(call: Call, interface_name: ids.ApplianceNetworkingInterfacesId) -> Interfaces.InterfaceInfo:
    """One of them.

    :raises NotFound: there is none of that name.
    """
    nic = require_nic(call, interface_name)
    return interface_info(call, interface_name, nic, call.environment.machine.default_gateways())
