"""Samples of rounds, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One round of load on one server, with the processor time of the server's processes and of the client."""

    answers: int
    seconds: float
    cpu_seconds: float
    client_seconds: float

    @property
    def cost(self) -> float:
        """Microseconds of the server's processor time for each answer."""
        return self.cpu_seconds / self.answers * 1e6


class Speed(msgspec.Struct, frozen=True):
    """Medians over rounds."""

    per_second: float
    cpu_microseconds: float
    """Processor time of the server for each answer."""
    spread: float
    """(largest - smallest) / median of the processor time: how far the rounds agree."""
    client_busy: float
    """Share of a core that the client used: near 1, the throughput is the client's and not the server's."""


def speed(samples: Iterable[Sample]) -> Speed:
    """What several rounds come to."""
    rounds = list(samples)
    costs = [sample.cost for sample in rounds]
    cost = median(costs)
    return Speed(
        per_second=median(sample.answers / sample.seconds for sample in rounds),
        cpu_microseconds=cost,
        spread=(max(costs) - min(costs)) / cost if cost else 0.0,
        client_busy=median(sample.client_seconds / sample.seconds for sample in rounds),
    )


class Extra(msgspec.Struct, frozen=True):
    """What one thing costs more than another, in microseconds of processor time for each answer; from ``least`` to
    ``most`` is where it lies nineteen times of twenty."""

    microseconds: float
    least: float
    most: float


def extra(pairs: Sequence[tuple[Sample, Sample]]) -> Extra:
    """What the second of each pair costs more than the first, which was measured at the same moment.

    The median, with the interval of ranks that holds that of any distribution: what else the machine does falls on both
    of a pair, or on few pairs.
    """
    costs = sorted(second.cost - first.cost for first, second in pairs)
    reach = math.ceil(0.98 * math.sqrt(len(costs)))
    middle = (len(costs) - 1) / 2
    least, most = max(0, math.floor(middle) - reach), min(len(costs) - 1, math.ceil(middle) + reach)
    return Extra(median(costs), costs[least], costs[most])


class Comparison(msgspec.Struct, frozen=True):
    """How one server stands to another that does the same: 1 is equal, more is better."""

    cpu: float
    throughput: float


def compare(subject: Speed, other: Speed) -> Comparison:
    """``subject`` beside ``other``."""
    return Comparison(
        cpu=other.cpu_microseconds / subject.cpu_microseconds, throughput=subject.per_second / other.per_second
    )
