"""From where this server fetches: what the operator allows, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

AnyAddress = IPv4Address | IPv6Address
AnyNetwork = IPv4Network | IPv6Network

NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,126}\Z")
WITH_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]{1,5})\Z")
BRACKETS = re.compile(r"\A\[([^\[\]]*)\]\Z")
NAT64 = IPv6Network("64:ff9b::/96")
LOCALHOST = "localhost"


class Rule(msgspec.Struct, frozen=True):
    """A host by name, or a network (an address is one of itself); at one port, or at any."""

    where: str | AnyNetwork
    port: int | None = None


class Allowed(msgspec.Struct, frozen=True):
    """The rules of an operator; without any, nothing is allowed."""

    rules: tuple[Rule, ...] = ()

    def knows(self, host: str, port: int) -> bool:
        """Whether anything at ``host`` can be allowed, before its addresses are looked up; a name in lower case."""
        if is_address(host):
            return self.allows(host, port, host)
        return any(
            rule.port in (None, port) and (not isinstance(rule.where, str) or rule.where == host) for rule in self.rules
        )

    def allows(self, host: str, port: int, address: str) -> bool:
        """Whether a connection to ``address`` is allowed, which ``host`` was found to be at.

        A name that is allowed may be anywhere but on this machine, or where nobody is; what is allowed there is
        said by address. Who may change what a name means gets no further by it.
        """
        found = plain(address)
        return any(
            rule.port in (None, port)
            and (
                rule.where == host and (is_ordinary(found) or (host == LOCALHOST and found.is_loopback))
                if isinstance(rule.where, str)
                else covers(rule.where, found)
            )
            for rule in self.rules
        )


def is_address(host: str) -> bool:
    """Whether it needs no looking up."""
    try:
        plain(host)
    except ValueError:
        return False
    return True


def plain(address: str) -> AnyAddress:
    """The address that is reached: that of IPv4 within one of IPv6."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return found.ipv4_mapped
        if found in NAT64:
            return IPv4Address(int(found) & 0xFFFFFFFF)
    return found


def is_ordinary(address: AnyAddress) -> bool:
    """Whether it is one of some other machine, on a private network or not."""
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    )


def covers(network: AnyNetwork, address: AnyAddress) -> bool:
    """Whether ``network`` allows ``address``: a large one says nothing of this machine, nor of what is on links alone,
    as the metadata services of clouds are."""
    if address not in network:
        return False
    return (
        is_ordinary(address)
        or (address.is_loopback and network.is_loopback)
        or (address.is_link_local and network.is_link_local)
    )


def read_rules(entries: Iterable[str]) -> Allowed:
    """The rules that are written as ``HOST``, ``HOST:PORT`` or ``NETWORK/BITS``.

    :raises ValueError: one of them is none of these.
    """
    return Allowed(tuple(read_rule(entry) for entry in entries))


def read_rule(entry: str) -> Rule:
    """One of them.

    :raises ValueError: it is none.
    """
    if "/" in entry:
        return Rule(ip_network(entry))
    with_port = WITH_PORT.match(entry)
    host, port = (entry, None) if with_port is None else (with_port[1], int(with_port[2]))
    if port is not None and not 1 <= port <= 65_535:
        raise ValueError(f"{entry!r} has no port from 1 to 65535")
    try:
        return Rule(ip_network(BRACKETS.sub(r"\1", host)), port)
    except ValueError:
        name = host.lower().removesuffix(".")
        if not NAME.match(name) or name.rpartition(".")[2].isdecimal():
            raise ValueError(f"{entry!r} is no host, address or network, with or without a port") from None
        return Rule(name, port)
