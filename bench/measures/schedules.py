"""What 10,000 schedules cost that are not due."""

from __future__ import annotations

import time

import msgspec

from bench.client import ask, request
from bench.processes import cpu_seconds
from bench.result import Outcome, below, told
from bench.rounds import Effort
from bench.servers import Inventory, Server, fresh, log_in, resphere

SCHEDULES, SECONDS = 10_000, 10.0
MOST_PERCENT = 1.0
PATH = "/api/resphere/schedules"


def measure_schedules(effort: Effort) -> Outcome:
    """A server with one worker, idle, before there are any and with all of them."""
    with resphere(fresh("schedules"), Inventory(40, 6, 2)) as server:
        session = log_in(server)
        before = idle(server)
        for number in range(SCHEDULES):
            make(server, session, number)
        after = idle(server)
    cost = 100 * (after - before)
    return Outcome(
        (
            below(f"{SCHEDULES:,} schedules, none of them due: of a core", cost, MOST_PERCENT, " %"),
            told("the idle server without any, of a core", f"{100 * before:.2f} %"),
        )
    )


def idle(server: Server, seconds: float = SECONDS) -> float:
    """The share of a core that it takes while nobody asks it anything."""
    began = cpu_seconds(server.processes)
    time.sleep(seconds)
    return (cpu_seconds(server.processes) - began) / seconds


def make(server: Server, session: dict[str, str], number: int) -> None:
    """One that is due once a year.

    :raises RuntimeError: it is refused.
    """
    body = {
        "name": f"schedule-{number}",
        "trigger": {"type": "CRON", "cron": f"{number % 60} {number % 24} {1 + number % 28} 1 *"},
        "work": {"items": [{"operation": "com.vmware.vcenter.vm.power.get", "input": {"vm": "vm-1"}}]},
    }
    headers = {**session, "content-type": "application/json"}
    answer = ask(server.address, request("POST", PATH, headers, msgspec.json.encode(body)))
    if answer.status != 201:
        raise RuntimeError(f"{PATH}: {answer.status} {answer.body[:300]!r}")
