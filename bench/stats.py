"""Samples of rounds, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One round of load on one server, with the processor time of the server's processes and of the client."""

    answers: int
    seconds: float
    cpu_seconds: float
    client_seconds: float


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
    costs = [sample.cpu_seconds / sample.answers * 1e6 for sample in rounds]
    cost = median(costs)
    return Speed(
        per_second=median(sample.answers / sample.seconds for sample in rounds),
        cpu_microseconds=cost,
        spread=(max(costs) - min(costs)) / cost if cost else 0.0,
        client_busy=median(sample.client_seconds / sample.seconds for sample in rounds),
    )


class Comparison(msgspec.Struct, frozen=True):
    """How one server stands to another that does the same: 1 is equal, more is better."""

    cpu: float
    throughput: float


def compare(subject: Speed, other: Speed) -> Comparison:
    """``subject`` beside ``other``."""
    return Comparison(
        cpu=other.cpu_microseconds / subject.cpu_microseconds, throughput=subject.per_second / other.per_second
    )
