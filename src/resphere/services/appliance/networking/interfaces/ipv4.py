"""``com.vmware.appliance.networking.interfaces.ipv4``: kept only; the machine's own stays as it is."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_networking_interfaces import Ipv4
from resphere.inventory.appliance.networking import Interfaces
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import ipv4_info, require_nic, require_sound_ipv4
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(Ipv4.get)
async def get(call: Call, interface_name: ids.ApplianceNetworkingInterfacesId) -> Ipv4.Info:
    """IPv4 of an interface.

    :raises NotFound: there is none of that name.
    """
    nic = require_nic(call, interface_name)
    gateways = call.environment.machine.default_gateways()
    return ipv4_info(nic, gateways, setting(call, Interfaces).ipv4.get(interface_name))


@implements(Ipv4.set)
async def set_(call: Call, interface_name: ids.ApplianceNetworkingInterfacesId, config: Ipv4.Config) -> None:
    """Say how an interface comes to its addresses.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: an address or a prefix is none.
    """
    require_nic(call, interface_name)
    require_sound_ipv4("config", config)
    await change_setting(
        call,
        Interfaces,
        lambda kept: msgspec.structs.replace(kept, ipv4={**kept.ipv4, interface_name: config}),
    )
