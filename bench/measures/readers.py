"""What a thousand readers of events cost, and how long an event takes to each of them."""

from __future__ import annotations

import ssl
import time
from contextlib import ExitStack
from itertools import cycle
from statistics import median

from bench.client import RECEIVED_AT_ONCE, Unexpected, connect, request
from bench.commits import Commits
from bench.measures.power import script
from bench.measures.schedules import idle
from bench.processes import cpu_seconds
from bench.result import Outcome, at_most, below, told
from bench.rounds import Effort
from bench.servers import Inventory
from bench.site import site
from bench.streams import Audience
from resphere.store.sqlite.engine import FILE

READERS, WORKERS = 1_000, 2
INVENTORY = Inventory(1_000)
EVENTS_OF_A_ROUND, NOT_COUNTED = 20, 5
"""The first few find code that has not run yet, and caches that are empty."""
PAUSE_SECONDS = 0.1
IDLE_SECONDS = 30.0
"""More than the time between two signs of life of a stream."""
MOST_MS, MOST_PERCENT = 20.0, 1.0
PATH = "/api/resphere/events"


def measure_readers(effort: Effort) -> Outcome:
    """Each of a thousand connections has a stream of events; a VM's power state changes now and then."""
    seconds: list[float] = []
    commit: list[float] = []
    with ExitStack() as stack:
        found = stack.enter_context(site("readers", INVENTORY, WORKERS))
        before = idle(found.server, IDLE_SECONDS)
        commits = Commits(found.server.data / "data" / FILE)
        stack.callback(commits.close)
        sent = request("GET", PATH + "?kinds=INVENTORY", {**found.session, "accept": "text/event-stream"})
        readers = Audience(found.server.address, (sent,) * READERS)
        stack.callback(readers.close)
        readers.drop()
        after = idle(found.server, IDLE_SECONDS)
        changes = cycle(script(found, found.vms[0]))
        writer = stack.enter_context(connect(found.server.address))
        for _ in range(NOT_COUNTED):
            changed(readers, writer, next(changes))
        cost = cpu_seconds(found.server.processes)
        for _ in range(effort.rounds * EVENTS_OF_A_ROUND):
            commits.take()
            began = time.time()
            heard = changed(readers, writer, next(changes))
            committed = commits.of(min(heard))
            commit.append(committed - began)
            seconds += [each - committed for each in heard]
        cost = (cpu_seconds(found.server.processes) - cost) / (effort.rounds * EVENTS_OF_A_ROUND)
    seconds.sort()
    median_ms, most_ms = (1000 * seconds[int(len(seconds) * part)] for part in (0.5, 0.99))
    name = f"{READERS:,} readers of events, {WORKERS} workers"
    return Outcome(
        (
            at_most(f"{name}: from the commit to 99% of them", most_ms, MOST_MS, " ms", 1),
            told(f"{name}: to half of them", f"{median_ms:.1f} ms"),
            told(f"{name}: from the change's request to its commit, median", f"{1000 * median(commit):.1f} ms"),
            told(f"{name}: CPU for an event", f"{1000 * cost:.1f} ms"),
            below(f"{name}, idle: of a core", 100 * (after - before), MOST_PERCENT, " %"),
        )
    )


def changed(readers: Audience, writer: ssl.SSLSocket, change: bytes) -> list[float]:
    """When a change that is asked for had come to each reader, in seconds of Unix time."""
    readers.drop()
    writer.sendall(change)
    heard = readers.hear(b'"kind":"INVENTORY"')
    require_done(writer.recv(RECEIVED_AT_ONCE))
    time.sleep(PAUSE_SECONDS)
    return heard


def require_done(answer: bytes) -> None:
    """Refuse an answer that says anything else.

    :raises Unexpected: it does.
    """
    if not answer.startswith(b"HTTP/1.1 204 "):
        raise Unexpected(f"{answer[:300]!r}")
