"""The network of the appliance, as it is told: what was set, and else what the machine below tells.

Interfaces are called ``nic0``, ``nic1``... as vCenter's appliance calls them, in the order of the machine's names; the
one that leads nowhere is left out where there are others.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from resphere.appliance import machine
from resphere.contract.errors import NotFound, message
from resphere.contract.generated.appliance_networking import Interfaces
from resphere.contract.generated.appliance_networking_interfaces import Ipv4, Ipv6
from resphere.inventory.appliance.networking import DnsDomains, DnsServers, HostName
from resphere.inventory.appliance.networking import Interfaces as Kept
from resphere.rules.appliance_values import (
    invalid,
    require_few,
    require_hosts,
    require_ipv4,
    require_ipv6,
    require_prefix,
)
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting

Status = Interfaces.InterfaceStatus
USUAL_IPV6 = Ipv6.Config(dhcp=False, autoconf=True, addresses=(), default_gateway="")
"""Of an interface of which nobody has said anything."""


def host_name(call: Call) -> str:
    """The name of the appliance."""
    return setting(call, HostName).name or call.environment.product.host_name


def dns_servers(call: Call) -> tuple[str, ...]:
    """The DNS servers."""
    kept = setting(call, DnsServers).servers
    return call.environment.machine.name_resolution().servers if kept is None else kept


def dns_domains(call: Call) -> tuple[str, ...]:
    """The domains in which names are looked up."""
    kept = setting(call, DnsDomains).domains
    return call.environment.machine.name_resolution().domains if kept is None else kept


def all_interfaces(call: Call) -> tuple[Interfaces.InterfaceInfo, ...]:
    """All interfaces in order."""
    gateways = call.environment.machine.default_gateways()
    return tuple(interface_info(call, name, nic, gateways) for name, nic in nics(call).items())


def interface_info(
    call: Call, name: str, nic: machine.Interface, gateways: Mapping[str, str]
) -> Interfaces.InterfaceInfo:
    """One interface as it is told."""
    kept = setting(call, Kept)
    return Interfaces.InterfaceInfo(
        name=name,
        status=Status.up if nic.up else Status.down,
        mac=nic.mac,
        ipv4=ipv4_info(nic, gateways, kept.ipv4.get(name)),
        ipv6=None if kept.ipv6_enabled is False else ipv6_info(nic, kept.ipv6.get(name)),
    )


def nics(call: Call) -> dict[str, machine.Interface]:
    """The machine's interfaces by the names that the appliance gives them."""
    all_of_them = call.environment.machine.interfaces()
    leading = [nic for nic in all_of_them if not leads_nowhere(nic)]
    return {f"nic{index}": nic for index, nic in enumerate(leading or all_of_them)}


def leads_nowhere(nic: machine.Interface) -> bool:
    """Whether it reaches this machine alone."""
    return bool(nic.addresses) and all(ipaddress.ip_address(each.address).is_loopback for each in nic.addresses)


def require_nic(call: Call, name: str) -> machine.Interface:
    """The machine's interface that the appliance gives that name.

    :raises NotFound: there is none.
    """
    there = nics(call)
    if name not in there:
        text = "There is no network interface {0}; there are {1}."
        raise NotFound(message("resphere.appliance.no_interface", text, name, ", ".join(there) or "none"))
    return there[name]


def ipv4_info(nic: machine.Interface, gateways: Mapping[str, str], kept: Ipv4.Config | None) -> Ipv4.Info:
    """IPv4 of an interface: as it was set, and else the machine's, which has got it."""
    if kept is not None and kept.mode is Ipv4.Mode.STATIC:
        return Ipv4.Info(
            configurable=True,
            mode=Ipv4.Mode.STATIC,
            address=kept.address,
            prefix=kept.prefix,
            default_gateway=kept.default_gateway or "",
        )
    own = next((each for each in nic.addresses if ":" not in each.address), None)
    if own is None or (kept is not None and kept.mode is Ipv4.Mode.UNCONFIGURED):
        return Ipv4.Info(configurable=True, mode=Ipv4.Mode.UNCONFIGURED)
    return Ipv4.Info(
        configurable=True,
        mode=Ipv4.Mode.DHCP,
        address=own.address,
        prefix=own.prefix,
        default_gateway=gateways.get(nic.name, ""),
    )


def ipv6_info(nic: machine.Interface, kept: Ipv6.Config | None) -> Ipv6.Info:
    """IPv6 of an interface: what was set beside what the machine has got."""
    told = kept or USUAL_IPV6
    got = [address_info(each, origin(each.address)) for each in nic.addresses if ":" in each.address]
    manual = [address_info(each, Ipv6.Origin.MANUAL) for each in told.addresses]
    return Ipv6.Info(
        dhcp=told.dhcp,
        autoconf=told.autoconf,
        addresses=(*got, *manual),
        default_gateway=told.default_gateway,
        configurable=True,
    )


def address_info(address: machine.Address | Ipv6.Address, origin: Ipv6.Origin) -> Ipv6.AddressInfo:
    """An address that is in use."""
    status = Ipv6.Status.PREFERRED
    return Ipv6.AddressInfo(origin=origin, status=status, address=address.address, prefix=address.prefix)


def origin(address: str) -> Ipv6.Origin:
    """Where an address comes from, as far as it shows that."""
    return Ipv6.Origin.LINKLAYER if ipaddress.ip_address(address).is_link_local else Ipv6.Origin.OTHER


def require_sound_ipv4(field: str, config: Ipv4.Config) -> None:
    """Refuse what no interface can have.

    :raises InvalidArgument: an address or a prefix is none.
    """
    if config.default_gateway:
        require_ipv4(f"{field}.default_gateway", config.default_gateway)
    if config.mode is Ipv4.Mode.STATIC:
        # The contract has them both where the mode is static.
        assert config.address is not None
        assert config.prefix is not None
        require_ipv4(f"{field}.address", config.address)
        require_prefix(f"{field}.prefix", config.prefix, config.address)


def require_sound_ipv6(field: str, config: Ipv6.Config) -> None:
    """The same of IPv6.

    :raises InvalidArgument: an address or a prefix is none, or there are too many.
    """
    if config.default_gateway:
        require_ipv6(f"{field}.default_gateway", config.default_gateway)
    require_few(f"{field}.addresses", config.addresses)
    for place, each in enumerate(config.addresses):
        require_ipv6(f"{field}.addresses[{place}].address", each.address)
        require_prefix(f"{field}.addresses[{place}].prefix", each.prefix, each.address)


def checked_dns(field: str, is_static: bool, servers: tuple[str, ...]) -> DnsServers:
    """What is to be kept of DNS servers.

    :raises InvalidArgument: one is no address, there are none, or some where the machine gets them.
    """
    if not is_static:
        if servers:
            raise invalid(f"{field}.servers", "where the servers come by DHCP none can be given.")
        return DnsServers()
    if not servers:
        raise invalid(f"{field}.servers", "a server has to be given, unless the servers come by DHCP.")
    require_hosts(f"{field}.servers", servers)
    return DnsServers(servers=servers)
