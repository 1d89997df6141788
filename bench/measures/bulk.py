"""One call powers on 5,000 VMs."""

from __future__ import annotations

import statistics
import time
from typing import Any

import msgspec

from bench.client import ask, request
from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from bench.servers import Inventory, Server, fresh, log_in, resphere

VMS, WORKERS, TURNS = 5_000, 2, 3
INVENTORY = Inventory(5_250, hosts=120)
"""Enough, without templates; and hosts that all of them run on."""
MOST_SECONDS = 3.0
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.02
BULK = "/api/resphere/bulk"
START, STOP = "com.vmware.vcenter.vm.power.start", "com.vmware.vcenter.vm.power.stop"


def measure_bulk(effort: Effort) -> Outcome:
    """From the call to the end of the task, by which each of them is durable; on, off, and again."""
    with resphere(fresh("bulk"), INVENTORY, WORKERS, ("--no-list-limits",)) as server:
        session = log_in(server)
        vms = [vm["vm"] for vm in query(server, session, "/api/vcenter/vm")][:VMS]
        turn(server, session, STOP, vms)
        seconds = []
        for _ in range(TURNS):
            seconds.append(turn(server, session, START, vms))
            turn(server, session, STOP, vms)
    middle = statistics.median(seconds)
    return Outcome(
        (
            at_most(f"bulk power-on of {VMS:,} VMs, {WORKERS} workers, median of {TURNS}", middle, MOST_SECONDS, " s"),
            told("for each VM", f"{middle / VMS * 1e6:,.0f} µs"),
        )
    )


def turn(server: Server, session: dict[str, str], operation: str, vms: list[str]) -> float:
    """Do it to all; the seconds that it takes.

    :raises RuntimeError: it does not come to its end, or VMs are not powered on.
    """
    body = {"each": {"operation": operation, "parameter": "vm", "values": vms}, "concurrency": 32}
    headers = {**session, "content-type": "application/json"}
    began = time.perf_counter()
    answer = ask(server.address, request("POST", BULK, headers, msgspec.json.encode(body)))
    if answer.status != 201:
        raise RuntimeError(f"{BULK}: {answer.status} {answer.body[:300]!r}")
    bulk = msgspec.json.decode(answer.body)
    while True:
        info = query(server, session, f"{BULK}/{bulk}")
        if info["status"] in ("SUCCEEDED", "FAILED"):
            break
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise RuntimeError(f"the bulk operation does not end: {info}")
        time.sleep(POLL_SECONDS)
    passed = time.perf_counter() - began
    if operation == START and info["counts"]["succeeded"] != len(vms):
        raise RuntimeError(f"not all were powered on: {info}")
    return passed


def query(server: Server, session: dict[str, str], path: str) -> Any:
    """What a GET answers."""
    return msgspec.json.decode(ask(server.address, request("GET", path, session)).body)
