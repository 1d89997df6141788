"""``com.vmware.vcenter.vm.guest.networking.routes``: the routes of a guest."""

from __future__ import annotations

import ipaddress

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest_networking import Routes
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.network import network_of
from resphere.rules.guests.tools import require_guest
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Routes.list, kept=True)
async def list_routes(call: Call, vm: ids.VirtualMachineId) -> tuple[Routes.Info, ...]:
    """The guest's routes: to its gateways, and to the networks that it is in."""
    found = call.require(VirtualMachine, vm)
    require_guest(call.vcenter, found)
    routes = []
    for index, interface in enumerate(network_of(found).interfaces.values()):
        for gateway in interface.gateways:
            everywhere = "::" if ":" in gateway else "0.0.0.0"  # noqa: S104 - a route
            routes.append(
                Routes.Info(network=everywhere, prefix_length=0, gateway_address=gateway, interface_index=index)
            )
        for address in interface.addresses:
            network = ipaddress.ip_interface(address).network
            routes.append(
                Routes.Info(
                    network=str(network.network_address), prefix_length=network.prefixlen, interface_index=index
                )
            )
    return tuple(routes)
