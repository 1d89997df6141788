"""``com.vmware.vcenter.vm.guest.networking.interfaces`` and ``.routes``: the guest's addresses and ways."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import GuestOSFamily
from resphere.contract.generated.vcenter_vm_guest import DhcpConfigInfo, DnsAssignedValues, DnsConfigInfo
from resphere.contract.generated.vcenter_vm_guest_networking import Interfaces
from resphere.inventory.model import GuestInterface, VirtualMachine
from resphere.rules.guests.network import network_of
from resphere.rules.guests.tools import require_guest
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Interfaces.list, kept=True)
async def list_interfaces(call: Call, vm: ids.VirtualMachineId) -> tuple[Interfaces.Info, ...]:
    """The guest's network interfaces, one a NIC.

    VMware Tools of Linux tell the addresses alone; DNS and DHCP of each interface are told by those of Windows (vCenter
    7.0.3).
    """
    found = call.require(VirtualMachine, vm)
    guest = require_guest(call.vcenter, found)
    network = network_of(found)
    if guest.family is GuestOSFamily.LINUX:
        return tuple(
            Interfaces.Info(nic=key, mac_address=found.nics[key].mac_address, ip=addresses_of(interface))
            for key, interface in network.interfaces.items()
        )
    host, _, domain = guest.host_name.partition(".")
    return tuple(
        Interfaces.Info(
            nic=key,
            mac_address=found.nics[key].mac_address,
            dns_values=DnsAssignedValues(host_name=host, domain_name=interface.dns_domain or domain),
            dns=DnsConfigInfo(
                ip_addresses=interface.dns_servers or network.dns_servers, search_domains=network.search_domains
            ),
            ip=ip_config(interface),
            wins_servers=interface.wins_servers or None,
        )
        for key, interface in network.interfaces.items()
    )


def addresses_of(interface: GuestInterface) -> Interfaces.IpConfigInfo:
    """The addresses of an interface, and not where they come from."""
    return Interfaces.IpConfigInfo(
        ip_addresses=tuple(
            msgspec.structs.replace(address, origin=None) for address in ip_config(interface).ip_addresses
        )
    )


def ip_config(interface: GuestInterface) -> Interfaces.IpConfigInfo:
    """The addresses of an interface."""
    return Interfaces.IpConfigInfo(
        ip_addresses=tuple(
            Interfaces.IpAddressInfo(
                ip_address=address.partition("/")[0],
                prefix_length=int(address.partition("/")[2]),
                origin=origin(interface, address),
                state=Interfaces.IpAddressStatus.PREFERRED,
            )
            for address in interface.addresses
        ),
        dhcp=DhcpConfigInfo(ipv4_enabled=interface.dhcp_ipv4, ipv6_enabled=interface.dhcp_ipv6),
    )


def origin(interface: GuestInterface, address: str) -> Interfaces.IpAddressOrigin:
    """Where an address comes from."""
    by_dhcp = interface.dhcp_ipv6 if ":" in address else interface.dhcp_ipv4
    return Interfaces.IpAddressOrigin.DHCP if by_dhcp else Interfaces.IpAddressOrigin.MANUAL
