"""Settings of the appliance's network. The machine's own stays as it is; what nobody has set is what that tells."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated.appliance_networking import Proxy
from resphere.contract.generated.appliance_networking_firewall import Inbound
from resphere.contract.generated.appliance_networking_interfaces import Ipv4, Ipv6
from resphere.inventory.appliance.setting import Setting


class HostName(Setting, frozen=True, kw_only=True, tag="host_name"):
    """The name that the appliance has been given."""

    about: ClassVar[str] = "host name of the appliance"

    name: str | None = None


class DnsServers(Setting, frozen=True, kw_only=True, tag="dns_servers"):
    """The DNS servers, unless they are those that the machine has got."""

    about: ClassVar[str] = "DNS servers"

    servers: tuple[str, ...] | None = None


class DnsDomains(Setting, frozen=True, kw_only=True, tag="dns_domains"):
    """The domains in which names are looked up, unless they are those that the machine has got."""

    about: ClassVar[str] = "DNS search domains"

    domains: tuple[str, ...] | None = None


class Interfaces(Setting, frozen=True, kw_only=True, tag="interfaces"):
    """What was said of interfaces (``nic0``...), and whether they have IPv6."""

    about: ClassVar[str] = "IPv4 and IPv6 of the network interfaces"

    ipv4: dict[str, Ipv4.Config] = msgspec.field(default_factory=dict)
    ipv6: dict[str, Ipv6.Config] = msgspec.field(default_factory=dict)
    ipv6_enabled: bool | None = None


class Proxies(Setting, frozen=True, kw_only=True, tag="proxies"):
    """The proxies that were set, by protocol (``HTTP``...)."""

    about: ClassVar[str] = "proxies"

    by_protocol: dict[str, Proxy.Config] = msgspec.field(default_factory=dict)


class NoProxy(Setting, frozen=True, kw_only=True, tag="no_proxy"):
    """What is reached without a proxy."""

    about: ClassVar[str] = "servers that are reached without a proxy"

    servers: tuple[str, ...] = ("localhost", "127.0.0.1")


class Firewall(Setting, frozen=True, kw_only=True, tag="firewall"):
    """The rules for what comes in, in their order."""

    about: ClassVar[str] = "firewall rules"

    rules: tuple[Inbound.Rule, ...] = ()
