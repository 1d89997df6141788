"""From the start of the process to the first answer, with an empty data directory and with a filled one."""

from __future__ import annotations

from statistics import median

from bench.result import Outcome, below
from bench.rounds import Effort
from bench.servers import Inventory, fresh, resphere

TARGETS = ((Inventory(1_000, hosts=20, clusters=4), 1.5), (Inventory(20_000, hosts=400, clusters=20), 4.0))
MOST_ROUNDS = 3


def measure_start(effort: Effort) -> Outcome:
    """The inventory is generated and stored in an empty directory, and read in one that was used before."""
    verdicts = []
    for inventory, target in TARGETS:
        first: list[float] = []
        again: list[float] = []
        for _ in range(min(MOST_ROUNDS, effort.rounds)):
            data = fresh("start")
            for seconds in (first, again):
                with resphere(data, inventory) as server:
                    seconds.append(server.first_answer_seconds)
        name = f"start to first answer, {inventory.vms:,} VMs"
        verdicts.append(below(f"{name}, empty data directory", median(first), target, " s"))
        verdicts.append(below(f"{name}, filled data directory", median(again), target, " s"))
    return Outcome(tuple(verdicts), notes=("At start any answer counts: the first request has no session (401).",))
