"""Settings of the appliance's network. The machine's own stays as it is; what nobody has set is what that tells."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

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


class Ipv4Mode(StrEnum):
    """How an interface comes to its IPv4 address."""

    DHCP = "DHCP"
    STATIC = "STATIC"
    UNCONFIGURED = "UNCONFIGURED"


class Ipv4(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """IPv4 of an interface; ``address`` and ``prefix`` where the mode is static."""

    mode: Ipv4Mode
    address: str = ""
    prefix: int = 0
    default_gateway: str = ""


class Ipv6(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """IPv6 of an interface: ``addresses`` with their prefixes beside those that it gets."""

    dhcp: bool
    autoconf: bool
    addresses: tuple[tuple[str, int], ...] = ()
    default_gateway: str = ""


class Interfaces(Setting, frozen=True, kw_only=True, tag="interfaces"):
    """What was said of interfaces (``nic0``...), and whether they have IPv6."""

    about: ClassVar[str] = "IPv4 and IPv6 of the network interfaces"

    ipv4: dict[str, Ipv4] = msgspec.field(default_factory=dict)
    ipv6: dict[str, Ipv6] = msgspec.field(default_factory=dict)
    ipv6_enabled: bool | None = None


class Proxy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A proxy; ``port`` is -1 where it is the usual one."""

    server: str
    port: int
    username: str | None = None
    password: str | None = None
    enabled: bool = False


class Proxies(Setting, frozen=True, kw_only=True, tag="proxies"):
    """The proxies that were set, by protocol (``HTTP``...)."""

    about: ClassVar[str] = "proxies"

    by_protocol: dict[str, Proxy] = msgspec.field(default_factory=dict)


class NoProxy(Setting, frozen=True, kw_only=True, tag="no_proxy"):
    """What is reached without a proxy."""

    about: ClassVar[str] = "servers that are reached without a proxy"

    servers: tuple[str, ...] = ("localhost", "127.0.0.1")


class FirewallPolicy(StrEnum):
    """What becomes of what comes from there; ``RETURN`` leaves it to the appliance's other rules."""

    ACCEPT = "ACCEPT"
    IGNORE = "IGNORE"
    REJECT = "REJECT"
    RETURN = "RETURN"


class FirewallRule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule for what comes from a network, at one interface or at all (empty)."""

    address: str
    prefix: int
    policy: FirewallPolicy
    interface_name: str = ""


class Firewall(Setting, frozen=True, kw_only=True, tag="firewall"):
    """The rules for what comes in, in their order."""

    about: ClassVar[str] = "firewall rules"

    rules: tuple[FirewallRule, ...] = ()
