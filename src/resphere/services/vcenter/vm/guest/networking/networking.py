"""``com.vmware.vcenter.vm.guest.networking``: the guest's own names."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import DnsAssignedValues, DnsConfigInfo, Networking
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.network import network_of
from resphere.rules.guests.tools import require_guest
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Networking.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Networking.Info:
    """The guest's host and domain name."""
    found = call.require(VirtualMachine, vm)
    guest = require_guest(call.vcenter, found)
    host, _, domain = guest.host_name.partition(".")
    network = network_of(found)
    return Networking.Info(
        dns_values=DnsAssignedValues(host_name=host, domain_name=domain),
        # By DHCP comes the guest's own domain.
        dns=DnsConfigInfo(
            ip_addresses=network.dns_servers, search_domains=network.search_domains or ((domain,) if domain else ())
        ),
    )
