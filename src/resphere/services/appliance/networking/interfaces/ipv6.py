"""``com.vmware.appliance.networking.interfaces.ipv6``: kept only; the machine's own stays as it is."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_networking_interfaces import Ipv6
from resphere.inventory.appliance.networking import Interfaces
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import ipv6_info, require_nic, require_sound_ipv6
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(Ipv6.get)
async def get(call: Call, interface_name: ids.ApplianceNetworkingInterfacesId) -> Ipv6.Info:
    """IPv6 of an interface.

    :raises NotFound: there is none of that name.
    """
    nic = require_nic(call, interface_name)
    return ipv6_info(nic, setting(call, Interfaces).ipv6.get(interface_name))


@implements(Ipv6.set)
async def set_(call: Call, interface_name: ids.ApplianceNetworkingInterfacesId, config: Ipv6.Config) -> None:
    """Say how an interface comes to its addresses.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: an address or a prefix is none.
    """
    require_nic(call, interface_name)
    require_sound_ipv6("config", config)
    await change_setting(
        call,
        Interfaces,
        lambda kept: msgspec.structs.replace(kept, ipv6={**kept.ipv6, interface_name: config}),
    )
