"""What a family of metrics is: its name, its kind and its labels."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """How the values of a family come about, and how those of several workers become one."""

    COUNTER = "counter"
    """It rises as long as a server runs; those of all workers are added, also of workers that are gone."""
    GAUGE = "gauge"
    """It goes up and down; those of the workers that live are added."""
    HISTOGRAM = "histogram"
    """How many observations were up to each bound, and their sum; a counter of several values."""


class Family(msgspec.Struct, frozen=True):
    """Metrics of one name. Values of labels come from small sets that the program knows: never ids or names of users.

    ``bounds`` are those of a histogram's buckets, rising; the last bucket has none.
    """

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def words(self) -> int:
        """How many numbers one metric of it takes: of a histogram the sum, and the count of each bucket."""
        return 2 + len(self.bounds) if self.kind is Kind.HISTOGRAM else 1


Labels = tuple[str, ...]
"""The values of a family's labels, in their order."""


class Sample(msgspec.Struct, frozen=True):
    """One metric at a moment: ``values`` has as many as the family has :attr:`~Family.words`."""

    family: Family
    labels: Labels
    values: tuple[float, ...]


def one(family: Family, value: float, *labels: str) -> Sample:
    """A metric with one value."""
    return Sample(family, labels, (float(value),))
