"""What the appliance was measured to do: figures of each stretch of time, the older the longer."""

from __future__ import annotations

from struct import Struct
from typing import ClassVar

import msgspec

from resphere.replica.table import Table

PACKED = Struct("<4f")
"""How the figures of a thing are kept: 32 bits each, which are seven digits."""


class Figures(msgspec.Struct, frozen=True, gc=False):
    """Of what was measured of one thing in a stretch of time."""

    least: float
    greatest: float
    sum: float
    count: float

    def joined(self, other: Figures) -> Figures:
        """Of both stretches."""
        return Figures(
            min(self.least, other.least),
            max(self.greatest, other.greatest),
            self.sum + other.sum,
            self.count + other.count,
        )


class MonitoringSample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``seconds`` from ``start`` on (since the epoch): packed figures of the things ``names``, one after the other."""

    kind: ClassVar[str] = "monitoring_sample"

    id: str
    start: int
    seconds: int
    names: tuple[str, ...]
    packed: bytes

    def figures(self, name: str) -> Figures | None:
        """Those of one thing; ``None`` where it was not measured."""
        if name not in self.names:
            return None
        return Figures(*PACKED.unpack_from(self.packed, PACKED.size * self.names.index(name)))


def sample(start: int, seconds: int, figures: dict[str, Figures]) -> MonitoringSample:
    """The document of so many seconds."""
    names = tuple(sorted(figures))
    packed = b"".join([PACKED.pack(*msgspec.structs.astuple(figures[name])) for name in names])
    return MonitoringSample(id=f"{seconds}/{start}", start=start, seconds=seconds, names=names, packed=packed)


def by_seconds(each: MonitoringSample) -> tuple[str, ...]:
    """Of stretches of one length."""
    return (str(each.seconds),)


MONITORING_SAMPLES = Table(cls=MonitoringSample, revises=False, shared=("names",), indexes={"seconds": by_seconds})
