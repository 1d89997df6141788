"""The part ``ApplianceNetwork``: told, and written into an edit."""

from __future__ import annotations

from types import MappingProxyType

import msgspec

from resphere.contract.generated import (
    appliance_vcenter_settings_v1_config_components_applmgmt as form,
)
from resphere.contract.generated.appliance_networking import Proxy
from resphere.contract.generated.appliance_networking_firewall import Inbound
from resphere.contract.generated.appliance_networking_interfaces import Ipv4, Ipv6
from resphere.contract.model import Secret
from resphere.inventory.appliance.networking import DnsDomains, DnsServers, Firewall, Interfaces, NoProxy, Proxies
from resphere.inventory.appliance.settings import keep_setting, setting_of
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import invalid, require_few
from resphere.services.appliance.networking.dns.domains import checked as checked_domains
from resphere.services.appliance.networking.firewall.inbound import checked as checked_rules
from resphere.services.appliance.networking.no_proxy import checked as checked_no_proxy
from resphere.services.appliance.networking.proxy import require_config
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import checked_dns, nics, require_sound_ipv4, require_sound_ipv6
from resphere.services.checks.profiles.sections import Sections
from resphere.services.checks.profiles.state import Among, Network

DnsMode = form.DnsServerConfiguration.DNSServerMode
Up = form.Interface.InterfaceStatus


def told(among: Among, *, secrets: bool) -> Network:
    """What is set; passwords only with ``secrets``. What the machine has got by itself is none of it."""
    servers, proxies = setting_of(among, DnsServers).servers, setting_of(among, Proxies).by_protocol
    interfaces = setting_of(among, Interfaces)
    return Network(
        firewall_rule_policies=tuple(
            form.FirewallRulePolicy(
                address=each.address,
                prefix=each.prefix,
                policy=form.FirewallRulePolicy.Policy(each.policy),
                interface_name=each.interface_name,
            )
            for each in setting_of(among, Firewall).rules
        ),
        dns_server_configuration=form.DnsServerConfiguration(
            mode=DnsMode.DHCP if servers is None else DnsMode.IS_STATIC,
            servers=servers or (),
            domains=setting_of(among, DnsDomains).domains,
        ),
        proxy_configuration=tuple(
            told_proxy(form.ProxyConfiguration.Protocol(protocol), each, secrets=secrets)
            for protocol, each in sorted(proxies.items())
        ),
        interfaces=tuple(
            form.Interface(name=name, ipv4=told_ipv4(interfaces.ipv4.get(name)), ipv6=told_ipv6(interfaces, name))
            for name in sorted({*interfaces.ipv4, *interfaces.ipv6})
        ),
        no_proxy=setting_of(among, NoProxy).servers,
        ipv6_enabled=interfaces.ipv6_enabled,
    )


def keep_rules(call: Call, edit: Edit, wanted: tuple[form.FirewallRulePolicy, ...], field: str) -> None:
    """Rules of the firewall."""
    require_few(field, wanted)
    rules = [
        Inbound.Rule(
            address=each.address,
            prefix=each.prefix,
            policy=Inbound.Policy(each.policy),
            interface_name=each.interface_name,
        )
        for each in wanted
    ]
    keep_setting(edit, checked_rules(field, rules, nics(call)))


def keep_dns(_: Call, edit: Edit, wanted: form.DnsServerConfiguration, field: str) -> None:
    """DNS servers, and the domains; without any those that the machine has got."""
    kept = checked_dns(field, wanted.mode is DnsMode.IS_STATIC, wanted.servers)
    domains = DnsDomains() if wanted.domains is None else checked_domains(f"{field}.domains", wanted.domains)
    keep_setting(edit, kept)
    keep_setting(edit, domains)


def told_proxy(
    protocol: form.ProxyConfiguration.Protocol, kept: Proxy.Config, *, secrets: bool
) -> form.ProxyConfiguration:
    """The proxy of a protocol."""
    return form.ProxyConfiguration(
        protocol=protocol,
        server=kept.server,
        port=kept.port,
        username=kept.username,
        password=kept.password if secrets else None,
        enabled=kept.enabled,
    )


def keep_proxies(_: Call, edit: Edit, wanted: tuple[form.ProxyConfiguration, ...], field: str) -> None:
    """Proxies. A password that is not given stays with its server and user."""
    before, kept = setting_of(edit, Proxies).by_protocol, dict[str, Proxy.Config]()
    for place, each in enumerate(wanted):
        at = f"{field}[{place}]"
        if each.protocol in kept:
            raise invalid(f"{at}.protocol", "there is another proxy for {1}.", each.protocol)
        if each.server is None:
            raise invalid(f"{at}.server", "it has to be given; a protocol without a proxy is not in the list.")
        present = before.get(each.protocol)
        same = present is not None and (present.server, present.username) == (each.server, each.username)
        password: Secret | None = present.password if same and present is not None else None
        config = Proxy.Config(
            server=each.server,
            port=each.port,
            username=each.username,
            password=password if each.password is None else each.password,
            enabled=each.enabled is not False,
        )
        require_config(at, config)
        kept[each.protocol.value] = config
    keep_setting(edit, Proxies(by_protocol=kept))


def told_ipv4(kept: Ipv4.Config | None) -> form.Ipv4 | None:
    """IPv4 of an interface."""
    if kept is None:
        return None
    return form.Ipv4(
        mode=form.Ipv4.Mode(kept.mode),
        address=kept.address or "",
        prefix=kept.prefix or 0,
        default_gateway=kept.default_gateway,
    )


def told_ipv6(kept: Interfaces, name: str) -> form.Ipv6 | None:
    """IPv6 of an interface."""
    config = kept.ipv6.get(name)
    if config is None:
        return None
    return form.Ipv6(
        dhcp=config.dhcp,
        autoconf=config.autoconf,
        configurable=True,
        addresses=tuple(form.Address(address=each.address, prefix=each.prefix) for each in config.addresses),
        default_gateway=config.default_gateway,
    )


def keep_interfaces(call: Call, edit: Edit, wanted: tuple[form.Interface, ...], field: str) -> None:
    """Interfaces, which must be there; of those that are not given nothing is said any more."""
    there = nics(call)
    ipv4, ipv6 = dict[str, Ipv4.Config](), dict[str, Ipv6.Config]()
    names: set[str] = set()
    for place, each in enumerate(wanted):
        at = f"{field}[{place}]"
        name = each.name or ""
        if name not in there or name in names:
            reason = "{1} is no network interface, or named twice; there are {2}."
            raise invalid(f"{at}.name", reason, repr(name), ", ".join(there) or "none")
        names.add(name)
        nic = there[name]
        is_as_it_is = each.status in (None, Up.UP if nic.up else Up.DOWN) and each.mac in (None, nic.mac)
        if not is_as_it_is:
            raise invalid(at, "status and mac are the machine's, and cannot be set.")
        if each.ipv4 is not None:
            ipv4[name] = ipv4_of(each.ipv4, f"{at}.ipv4")
        if each.ipv6 is not None:
            ipv6[name] = ipv6_of(each.ipv6, f"{at}.ipv6")
    before = setting_of(edit, Interfaces)
    keep_setting(edit, msgspec.structs.replace(before, ipv4=ipv4, ipv6=ipv6))


def ipv4_of(wanted: form.Ipv4, field: str) -> Ipv4.Config:
    """What is to be kept of it; an address is only where it does not come by itself."""
    static = wanted.mode is form.Ipv4.Mode.STATIC
    config = Ipv4.Config(
        mode=Ipv4.Mode(wanted.mode),
        address=wanted.address if static else None,
        prefix=wanted.prefix if static else None,
        default_gateway=wanted.default_gateway,
    )
    require_sound_ipv4(field, config)
    return config


def ipv6_of(wanted: form.Ipv6, field: str) -> Ipv6.Config:
    """The same."""
    addresses = wanted.addresses or ()
    require_few(f"{field}.addresses", addresses)
    given = []
    for place, each in enumerate(addresses):
        if each.address is None or each.prefix is None:
            raise invalid(f"{field}.addresses[{place}]", "address and prefix have to be given.")
        given.append(Ipv6.Address(address=each.address, prefix=each.prefix))
    config = Ipv6.Config(
        dhcp=wanted.dhcp, autoconf=wanted.autoconf, addresses=tuple(given), default_gateway=wanted.default_gateway
    )
    require_sound_ipv6(field, config)
    return config


def keep_no_proxy(_: Call, edit: Edit, wanted: tuple[str, ...], field: str) -> None:
    """What is reached without a proxy."""
    keep_setting(edit, checked_no_proxy(field, wanted))


def keep_ipv6(_: Call, edit: Edit, wanted: bool, __: str) -> None:
    """Whether interfaces have IPv6."""
    keep_setting(edit, msgspec.structs.replace(setting_of(edit, Interfaces), ipv6_enabled=wanted))


SECTIONS: Sections = MappingProxyType(
    {
        "firewall_rule_policies": keep_rules,
        "dns_server_configuration": keep_dns,
        "proxy_configuration": keep_proxies,
        "interfaces": keep_interfaces,
        "no_proxy": keep_no_proxy,
        "ipv6_enabled": keep_ipv6,
    }
)
"""What keeps each field."""
