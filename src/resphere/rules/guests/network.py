"""Which addresses a guest has on which NIC."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from resphere.contract.generated import ids
from resphere.inventory.model import GuestInterface, GuestNetwork, VirtualMachine

Key = ids.VcenterVmHardwareEthernetId

_TEN = ipaddress.ip_network("10.0.0.0/8")


def network_of(vm: VirtualMachine) -> GuestNetwork:
    """The network of the VM's guest; where it was told nothing, as DHCP sets it up."""
    if vm.guest is None:
        return GuestNetwork()
    told = vm.guest.network or GuestNetwork()
    given = dict(zip(sorted(vm.nics, key=int), addresses_by_nic(vm.guest.ip_addresses), strict=False))
    interfaces = {}
    for key in sorted(vm.nics, key=int):
        interfaces[key] = told.interfaces.get(key) or by_dhcp(given.get(key, ()) if vm.guest.network is None else ())
    servers = told.dns_servers
    if not servers:
        servers = next((interface.gateways for interface in interfaces.values() if interface.gateways), ())
    return msgspec.structs.replace(told, interfaces=interfaces, dns_servers=servers)


def by_dhcp(addresses: tuple[str, ...]) -> GuestInterface:
    """A NIC that has these addresses by DHCP: the first of its network is the gateway."""
    with_prefixes = tuple(f"{address}/{prefix_of(address)}" for address in addresses)
    gateways = tuple(gateway_of(address) for address in with_prefixes if ":" not in address)
    return GuestInterface(
        addresses=with_prefixes, gateways=gateways, dhcp_ipv6=any(":" in address for address in addresses)
    )


def prefix_of(address: str) -> int:
    """The length of the prefix of an address that came without."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6:
        return 64
    return 22 if parsed in _TEN else 24


def gateway_of(address: str) -> str:
    """The first address of the network of ``address``, which is with its prefix."""
    return str(ipaddress.ip_interface(address).network.network_address + 1)


def all_addresses(network: GuestNetwork) -> tuple[str, ...]:
    """The addresses of all NICs, without prefixes, in the order of the NICs."""
    return tuple(
        address.partition("/")[0] for interface in network.interfaces.values() for address in interface.addresses
    )


def addresses_by_nic(addresses: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Each NIC has an IPv4 address and maybe IPv6 ones behind it."""
    group: tuple[str, ...] = ()
    for address in addresses:
        if ":" not in address and group:
            yield group
            group = ()
        group = (*group, address)
    if group:
        yield group
