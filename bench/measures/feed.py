"""A list that is asked for again and again while the inventory changes: what each change costs those who ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack

import msgspec

from bench.client import Load
from bench.measures.power import NO_CONTENT, script
from bench.measures.reads import GZIP, LIST
from bench.processes import cpu_seconds
from bench.result import Outcome, Row, Verdict, at_most
from bench.rounds import Effort, sample
from bench.servers import Inventory, Server
from bench.site import site
from bench.stats import Sample, Speed, compare, speed

LISTED = Inventory(20_909)  # of which 20,000 are no templates
CLIENTS = 8
TICKS = 10
TURNS = 20
MOST = 1.5
CONSTANTLY, ONCE = "as fast as they can", "once a second each"


class Costs(msgspec.Struct, frozen=True):
    """What a list costs the server while nothing changes, and with a change a second."""

    still: Speed
    fed: Speed

    @property
    def ratio(self) -> float:
        """How many times as much processor time the list takes where it changes."""
        return compare(self.still, self.fed).cpu


def measure_feed(effort: Effort) -> Outcome:
    """One VM changes its power state each second; eight clients list all of them, constantly or once a second.

    The change itself is taken off: its cost is that of another measure. That each client lists once between two changes
    is what counts, not that a second passes meanwhile.
    """
    verdicts: list[Verdict] = []
    rows: list[Row] = []
    with ExitStack() as stack:
        found = stack.enter_context(site("feed", LISTED, flags=("--no-list-limits",)))
        writes = Load(found.server.address, (script(found, found.vms[len(found.vms) // 2]),), NO_CONTENT)
        stack.callback(writes.close)
        for name, headers in (("plain", {}), ("gzip", GZIP)):
            lists = Load(found.server.address, ((found.request(LIST, headers),),) * CLIENTS, 200)
            stack.callback(lists.close)
            lists.run(0)
            asked = f"list of {len(found.vms):,} VMs, {name}, by {CLIENTS} clients"
            for pace, measured in (
                (CONSTANTLY, constantly(found.server, lists, writes, effort)),
                (ONCE, once_a_second(found.server, lists, writes, effort)),
            ):
                verdicts.append(
                    at_most(f"{asked} {pace}, one change a second: beside no change, CPU", measured.ratio, MOST)
                )
                rows += [
                    Row(f"{asked} {pace}", f"resphere, {when}", each)
                    for when, each in (("no change", measured.still), ("one change a second", measured.fed))
                ]
    return Outcome(tuple(verdicts), tuple(rows))


def constantly(server: Server, lists: Load, writes: Load, effort: Effort) -> Costs:
    """A second of lists, and one with a change before it, in turn."""
    still, fed = [], []
    for _ in range(effort.rounds):
        still.append(sample(server, lists, 1.0))
        writes.run(0)
        fed.append(sample(server, lists, 1.0))
    return Costs(speed(still), speed(fed))


def once_a_second(server: Server, lists: Load, writes: Load, effort: Effort) -> Costs:
    """Lists by all clients, and the same with a change before each time, less what the changes cost.

    The three take turns, a few times each: whatever else the machine does falls on all of them alike.
    """
    still, fed = [], []
    for _ in range(effort.rounds):
        turns = [
            (
                sampled(server, lambda: lists.run(0)),
                sampled(server, lambda: writes.run(0)),
                sampled(server, lambda: (writes.run(0), lists.run(0))),
            )
            for _ in range(TURNS)
        ]
        unchanged, alone, both = (total(samples) for samples in zip(*turns, strict=True))
        still.append(unchanged)
        fed.append(msgspec.structs.replace(both, cpu_seconds=both.cpu_seconds - alone.cpu_seconds))
    return Costs(speed(still), speed(fed))


def sampled(server: Server, act: Callable[[], object]) -> Sample:
    """What :data:`TICKS` times ``act`` take, told for each list."""
    processes = server.processes
    before, began, own = cpu_seconds(processes), time.perf_counter(), time.process_time()
    for _ in range(TICKS):
        act()
    return Sample(
        answers=TICKS * CLIENTS,
        seconds=time.perf_counter() - began,
        cpu_seconds=cpu_seconds(processes) - before,
        client_seconds=time.process_time() - own,
    )


def total(samples: Iterable[Sample]) -> Sample:
    """All of them as one."""
    return Sample(*(sum(values) for values in zip(*map(msgspec.structs.astuple, samples), strict=True)))
