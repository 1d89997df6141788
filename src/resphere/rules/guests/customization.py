"""What a customization makes of a guest: names and addresses."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from resphere.contract.generated.vcenter_guest import (
    AdapterMapping,
    CustomizationSpec,
    HostnameGenerator,
    IPSettings,
    Ipv4,
    Ipv6,
)
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.model import GuestInterface, GuestNetwork, VirtualMachine
from resphere.rules.guests.cloud_init import host_name_in
from resphere.rules.guests.network import Key, all_addresses, network_of

LONGEST_WINDOWS_NAME = 15


def pending(vm: str, spec: CustomizationSpec) -> GuestCustomization:
    """What makes the VM of that id be customized when it starts next; to be put into the edit that makes the VM."""
    return GuestCustomization(id=vm, spec=spec)


def finished(
    vm: str, now: datetime, *, started: datetime | None = None, error: str | None = None, live: bool = False
) -> GuestCustomization:
    """The record of a customization that is over; unless it ``started`` before, it took no time."""
    return GuestCustomization(id=vm, error=error, start_time=started or now, end_time=now, live=live)


def customized(vm: VirtualMachine, spec: CustomizationSpec) -> VirtualMachine:
    """``vm`` with the host name and the network that ``spec`` gives its guest. Pure.

    :raises ValueError: its guest cannot be customized.
    """
    if vm.guest is None:
        raise ValueError(f"VMware Tools are not installed in {vm.name}")
    interfaces = _interfaces(vm, spec)
    network = GuestNetwork(
        interfaces=interfaces,
        dns_servers=spec.global_DNS_settings.dns_servers or (),
        search_domains=spec.global_DNS_settings.dns_suffix_list or (),
    )
    guest = msgspec.structs.replace(
        vm.guest,
        host_name=host_name(vm, spec),
        network=network,
        ip_addresses=all_addresses(network),
    )
    return msgspec.structs.replace(vm, guest=guest)


def host_name(vm: VirtualMachine, spec: CustomizationSpec) -> str:
    """The name that ``spec`` gives the guest of ``vm``, with the domain where that is Linux."""
    assert vm.guest is not None
    configuration = spec.configuration_spec
    if configuration.linux_config is not None:
        linux = configuration.linux_config
        name = generated_name(linux.hostname, vm)
        return f"{name}.{linux.domain}" if linux.domain else name
    if configuration.windows_config is not None and configuration.windows_config.sysprep is not None:
        computer = configuration.windows_config.sysprep.user_data.computer_name
        return generated_name(computer, vm)[:LONGEST_WINDOWS_NAME]
    if configuration.cloud_config is not None and configuration.cloud_config.cloudinit is not None:
        return host_name_in(configuration.cloud_config.cloudinit.metadata) or vm.guest.host_name
    return vm.guest.host_name


def generated_name(generator: HostnameGenerator, vm: VirtualMachine) -> str:
    """The host name that a generator makes: given, of the VM's name, or a prefix with a number that no other VM has."""
    if generator.type is HostnameGenerator.Type.FIXED:
        return generator.fixed_name or vm.name
    if generator.type is HostnameGenerator.Type.PREFIX:
        return f"{generator.prefix}{vm.id.rpartition('-')[2]}"
    return re.sub(r"[^A-Za-z0-9-]+", "-", vm.name).strip("-") or vm.id


def _interfaces(vm: VirtualMachine, spec: CustomizationSpec) -> dict[Key, GuestInterface]:
    """The NICs as they are, with the settings of those that ``spec`` names, by MAC address or in their order."""
    current = dict(network_of(vm).interfaces)
    for key, mapping in mapped(vm, spec.interfaces):
        current[key] = _interface(current[key], mapping.adapter)
    return current


def mapped(vm: VirtualMachine, mappings: tuple[AdapterMapping, ...]) -> list[tuple[Key, AdapterMapping]]:
    """Which settings are whose NIC's.

    :raises ValueError: a MAC address is no NIC's, or there are more settings than NICs.
    """
    keys = sorted(vm.nics, key=int)
    by_mac = {(vm.nics[key].mac_address or "").lower(): key for key in keys}
    found = []
    for position, mapping in enumerate(mappings):
        if mapping.mac_address:
            key = by_mac.get(mapping.mac_address.lower().replace("-", ":"))
            if key is None:
                raise ValueError(f"no network adapter of {vm.name} has the MAC address {mapping.mac_address}")
        elif position < len(keys):
            key = keys[position]
        else:
            raise ValueError(f"{vm.name} has {len(keys)} network adapters, and settings are given for {len(mappings)}")
        found.append((key, mapping))
    return found


def _interface(before: GuestInterface, settings: IPSettings) -> GuestInterface:
    """A NIC with other settings; what DHCP gives is what it gave before."""
    ipv4, ipv6, windows = settings.ipv4, settings.ipv6, settings.windows
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    if ipv4 is None or ipv4.type is Ipv4.Type.DHCP:
        addresses += tuple(address for address in before.addresses if ":" not in address)
        gateways += tuple(gateway for gateway in before.gateways if ":" not in gateway)
    elif ipv4.type is Ipv4.Type.STATIC:
        addresses += (f"{ipv4.ip_address}/{ipv4.prefix}",)
        gateways += ipv4.gateways or ()
    if ipv6 is not None and ipv6.type is Ipv6.Type.STATIC:
        addresses += tuple(f"{address.ip_address}/{address.prefix}" for address in ipv6.ipv6 or ())
        gateways += ipv6.gateways or ()
    elif ipv6 is not None and ipv6.type is Ipv6.Type.DHCP:
        addresses += tuple(address for address in before.addresses if ":" in address)
    return GuestInterface(
        addresses=addresses,
        gateways=gateways,
        dhcp_ipv4=ipv4 is None or ipv4.type is Ipv4.Type.DHCP,
        dhcp_ipv6=ipv6 is not None and ipv6.type is Ipv6.Type.DHCP,
        dns_servers=(windows.dns_servers or ()) if windows else (),
        dns_domain=(windows.dns_domain or "") if windows else "",
        wins_servers=(windows.wins_servers or ()) if windows else (),
    )
