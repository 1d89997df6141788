"""Loads servers in turn, round after round, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from bench.client import Load, Sent
from bench.processes import cpu_seconds
from bench.servers import Server
from bench.stats import Sample, Speed, speed

WARM_UP_SECONDS = 0.3


class Effort(msgspec.Struct, frozen=True):
    """How long to measure: ``rounds`` of ``seconds`` for each server."""

    rounds: int = 5
    seconds: float = 1.5


class Entrant(msgspec.Struct, frozen=True):
    """A server with what is asked of it: for each connection, the requests that it repeats."""

    name: str
    server: Server
    scripts: tuple[tuple[Sent, ...], ...]
    expected: int | tuple[int, ...] = 200


def same(name: str, server: Server, sent: bytes, connections: int) -> Entrant:
    """An entrant that is asked the same on all connections."""
    return Entrant(name, server, ((sent,),) * connections)


def take_turns(entrants: Sequence[Entrant], effort: Effort) -> dict[str, Speed]:
    """The speed of each entrant, by its name."""
    samples: dict[str, list[Sample]] = {entrant.name: [] for entrant in entrants}
    with ExitStack() as stack:
        loads = []
        for entrant in entrants:
            load = Load(entrant.server.address, entrant.scripts, entrant.expected)
            stack.callback(load.close)
            load.run(WARM_UP_SECONDS)
            loads.append((entrant, load))
        for _ in range(effort.rounds):
            for entrant, load in loads:
                samples[entrant.name].append(sample(entrant.server, load, effort.seconds))
    return {name: speed(taken) for name, taken in samples.items()}


def take_turns_in_pairs(first: Entrant, second: Entrant, effort: Effort) -> tuple[list[Sample], list[Sample]]:
    """Rounds of two that are to be compared closely: one right after the other, and now this one first, now that."""
    with ExitStack() as stack:
        loads: list[tuple[Entrant, Load, list[Sample]]] = []
        for entrant in (first, second):
            load = Load(entrant.server.address, entrant.scripts, entrant.expected)
            stack.callback(load.close)
            load.run(WARM_UP_SECONDS)
            loads.append((entrant, load, []))
        for round in range(effort.rounds):
            for entrant, load, samples in loads if round % 2 else reversed(loads):
                samples.append(sample(entrant.server, load, effort.seconds))
    return loads[0][2], loads[1][2]


def sample(server: Server, load: Load, seconds: float) -> Sample:
    """One round on one server."""
    processes = server.processes
    cpu, own = cpu_seconds(processes), time.process_time()
    run = load.run(seconds)
    return Sample(
        answers=run.answers,
        seconds=run.seconds,
        cpu_seconds=cpu_seconds(processes) - cpu,
        client_seconds=time.process_time() - own,
    )
