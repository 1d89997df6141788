"""``com.vmware.appliance.networking.interfaces``: those of the machine below."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_networking import Interfaces
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import all_interfaces, require_nic
from resphere.services.registry import implements


@implements(Interfaces.list)
async def list_(call: Call) -> tuple[Interfaces.InterfaceInfo, ...]:
    """All of them."""
    return tuple(all_interfaces(call).values())


@implements(Interfaces.get)
async def get(call: Call, interface_name: ids.ApplianceNetworkingInterfacesId) -> Interfaces.InterfaceInfo:
    """One of them.

    :raises NotFound: there is none of that name.
    """
    require_nic(call, interface_name)
    return all_interfaces(call)[interface_name]
