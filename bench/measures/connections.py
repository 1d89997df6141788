"""What others notice of thousands of connections that send nothing, or not enough, while those are held."""

from __future__ import annotations

import resource
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from statistics import median

from bench.client import Address, connect, request
from bench.processes import family, memory
from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from bench.servers import Inventory, Server, fresh, log_in, resphere

HELD = 2048
MOST_TIMES = 2.0
OPEN_FILES = 4 * HELD
PATIENT = tuple(
    word
    for kind in ("request", "idle", "stall")
    for word in (f"--connection-{kind}-seconds", "3600")  # by default they would be gone before the end
)
WAYS = (
    b"",
    b"GET /api HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ",
    b"POST /api HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000\r\n\r\n{",
    b"GET /api HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
)
"""What they have sent: nothing, part of a header, part of a body, a request after which nothing comes."""


def measure_connections(effort: Effort) -> Outcome:
    """The slowest hundredth of reads on one connection, without and with the others, in turn."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, max(OPEN_FILES, files()[1])))
    free: list[float] = []
    beside: list[float] = []
    grown = 0
    with resphere(fresh("connections"), Inventory(1_000), flags=PATIENT) as server:
        sent = request("GET", "/api/vcenter/vm/vm-1007", log_in(server))
        before = resident_bytes(server)
        for _ in range(effort.rounds):
            free.append(slowest_hundredth_ms(server.address, sent, effort.seconds))
            with held(server.address):
                beside.append(slowest_hundredth_ms(server.address, sent, effort.seconds))
                grown = max(grown, resident_bytes(server) - before)
    ratio = median(beside) / median(free)
    name = f"{HELD:,} idle and slow connections held"
    return Outcome(
        (
            at_most(f"{name}: times longer that 99% of others' reads take at most", ratio, MOST_TIMES),
            told(f"{name}: that time", f"{median(beside):.2f} ms, without them {median(free):.2f} ms"),
            told(f"{name}: memory", f"{grown / 2**20:.0f} MB"),
        )
    )


def files() -> tuple[int, int]:
    """How many files this process may have open, and how many it may ask for."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)


@contextmanager
def held(address: Address) -> Iterator[None]:
    """So many connections while within."""
    with ExitStack() as stack:
        for _, start in zip(range(HELD), cycle(WAYS), strict=False):
            connection = stack.enter_context(connect(address))
            if start:
                connection.sendall(start)
        yield


def slowest_hundredth_ms(address: Address, sent: bytes, seconds: float) -> float:
    """How long 99 of 100 requests take at most, one after the other on one connection."""
    taken = []
    with connect(address) as connection:
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            connection.sendall(sent)
            whole_answer(connection)
            taken.append(time.perf_counter() - began)
    taken.sort()
    return taken[int(len(taken) * 0.99)] * 1000


def whole_answer(connection: ssl.SSLSocket) -> None:
    """Take a short answer with its head."""
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"}"):
        received += connection.recv(65_536)


def resident_bytes(server: Server) -> int:
    """The memory of all processes of a server."""
    return sum(memory(process).resident_bytes for process in family(server.pid))
