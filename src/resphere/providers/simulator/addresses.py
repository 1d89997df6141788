"""MAC and IP addresses of what is generated: each answers for its sequence number, none repeats."""

from __future__ import annotations

# Odd, so that multiplying is one-to-one modulo any power of two: addresses look drawn and never repeat.
_SCRAMBLE = 0x9E3779B1

_FIRST_BLOCK = 10 << 24 | 1 << 16
_BLOCK_SIZE = 1024
_FIRST_HOST_IN_BLOCK = 10


def assigned_mac(sequence: int) -> str:
    """The `sequence`-th address of those vCenter assigns, 00:50:56:80:00:00 to 00:50:56:bf:ff:ff; 2**22 differ."""
    low = sequence * _SCRAMBLE & 0x3FFFFF
    return f"00:50:56:{low >> 16 | 0x80:02x}:{low >> 8 & 0xFF:02x}:{low & 0xFF:02x}"


def physical_mac(vendor: str, sequence: int) -> str:
    """The `sequence`-th address of a network card maker, `vendor` its first three bytes; 2**24 differ."""
    low = sequence * _SCRAMBLE & 0xFFFFFF
    return f"{vendor}:{low >> 16:02x}:{low >> 8 & 0xFF:02x}:{low & 0xFF:02x}"


def management_ip(sequence: int) -> str:
    """The `sequence`-th host's address, from 1, in 172.16.0.0/12."""
    low = sequence // 253 * 256 + sequence % 253 + 1  # never .0, never .255
    return f"172.{16 + (low >> 16)}.{low >> 8 & 0xFF}.{low & 0xFF}"


class Subnet:
    """The addresses of one network: a block 10.x.y.0/22 from 10.1.0.0 on, and fd00:10:n::/64; none is taken twice.

    `block` numbers the networks, from 0; 10.0.0.0/8 has room for 16,000.
    """

    __slots__ = ("_base", "_block", "_taken")

    def __init__(self, block: int) -> None:
        self._block = block
        self._base = _FIRST_BLOCK + block * _BLOCK_SIZE
        self._taken = _FIRST_HOST_IN_BLOCK

    @property
    def full(self) -> bool:
        """Whether no address is left."""
        return self._taken >= _BLOCK_SIZE - 2

    def take(self, *, ipv6: bool) -> tuple[str, ...]:
        """The next IPv4 address and, where wanted, an IPv6 address."""
        self._taken = taken = self._taken + 1
        low = self._base + taken
        address = f"10.{low >> 16 & 0xFF}.{low >> 8 & 0xFF}.{low & 0xFF}"
        return (address, f"fd00:10:{self._block + 1:x}::{taken:x}") if ipv6 else (address,)
