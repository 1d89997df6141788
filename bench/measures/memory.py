"""What a VM costs in a worker's memory."""

from __future__ import annotations

from bench.client import ask, request
from bench.processes import Memory, memory
from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from bench.servers import Inventory, Server, fresh, log_in, resphere

FULL = Inventory(20_000, hosts=400, clusters=20)
EMPTY = Inventory(0, hosts=400, clusters=20)
TARGET_KB = 6.0


def measure_memory(_: Effort) -> Outcome:
    """The difference between a worker with all VMs and one with none, as started and after a list of all of them."""
    empty_started, empty_listed = of_worker(EMPTY)
    full_started, full_listed = of_worker(FULL)
    started = each(full_started.resident_bytes - empty_started.resident_bytes)
    listed = each(full_listed.resident_bytes - empty_listed.resident_bytes)
    proportional = each(full_listed.proportional_bytes - empty_listed.proportional_bytes)
    return Outcome(
        (
            at_most("memory a worker for each of 20,000 VMs, started", started, TARGET_KB, " KB"),
            at_most("memory a worker for each of 20,000 VMs, after a list of all", listed, TARGET_KB, " KB"),
            told("the same, shared pages counted in part (PSS)", f"{proportional:.2f} KB"),
        ),
        notes=(
            f"A worker without VMs takes {empty_started.resident_bytes / 1e6:.0f} MB, "
            f"one with 20,000 {full_listed.resident_bytes / 1e6:.0f} MB (RSS, after the list).",
        ),
    )


def each(grown_bytes: int) -> float:
    """Kilobytes for each VM."""
    return grown_bytes / FULL.vms / 1000


def of_worker(inventory: Inventory) -> tuple[Memory, Memory]:
    """The memory of the only worker: after the login, and after a list of all VMs."""
    with resphere(fresh("memory"), inventory, flags=("--no-list-limits",)) as server:
        session = log_in(server)
        started = worker_memory(server)
        answer = ask(server.address, request("GET", "/api/vcenter/vm", session))
        if answer.status != 200:
            raise RuntimeError(f"list: {answer.status}")
        return started, worker_memory(server)


def worker_memory(server: Server) -> Memory:
    """The largest of the server's children is the worker; the other ones are helpers of Python's."""
    return max((memory(pid) for pid in server.processes[1:]), key=lambda found: found.resident_bytes)
