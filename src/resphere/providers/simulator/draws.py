"""What generated objects are made from: numbers for ids, random choices, UUIDs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Numbers:
    """One rising counter over all kinds, as vCenter has: `take` answers 1, 2, 3 ... or goes on after `last`."""

    __slots__ = ("last",)

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def take(self) -> int:
        """The next number."""
        self.last += 1
        return self.last


class Draws:
    """Choices from an injected source.

    Only `random()` and `getrandbits()` are used: their streams are the same in every Python release, those of
    `choice` and `shuffle` are not.
    """

    __slots__ = ("_bits", "random")

    def __init__(self, source: Random) -> None:
        self.random = source.random
        self._bits = source.getrandbits

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`, all equally likely."""
        return options[int(self.random() * len(options))]

    def number(self, bits: int) -> int:
        """A number of that many random bits."""
        return self._bits(bits)

    def uuid(self) -> str:
        """A random UUID (version 4)."""
        return dashed(self._bits(128))

    def hex_digits(self) -> str:
        """The 32 digits of a random UUID."""
        return self.uuid().replace("-", "")


def dashed(bits: int) -> str:
    """128 bits as a version 4 UUID."""
    # By hand: uuid.UUID takes four times as long, and an inventory needs tens of thousands.
    text = f"{bits & _UUID_RANDOM | _UUID_VERSION:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_UUID_RANDOM = (1 << 128) - 1 ^ 0xF << 76 ^ 0x3 << 62
_UUID_VERSION = 0x4 << 76 | 0x2 << 62


def number_of(identifier: str) -> int:
    """The number an id ends in, 0 where there is none: `number_of("vm-1049") == number_of("domain-c1049") == 1049`."""
    digits = identifier[len(identifier.rstrip("0123456789")) :]
    return int(digits) if digits else 0
