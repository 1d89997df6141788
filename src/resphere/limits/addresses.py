"""Addresses of clients, as limits count them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

NETWORK_BITS = 64
"""Of IPv6, what is one customer's: anybody has that many addresses to choose from."""


@lru_cache(maxsize=4096)
def counted_address(client: str) -> str:
    """The address that a client counts for: of IPv6 its network, and what is no address as it is."""
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), NETWORK_BITS), strict=False))
