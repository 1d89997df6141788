"""What it costs to decide whether a call is too much: in processor time, within one process, beside no other work."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from resphere.contract.generated.vcenter import VM
from resphere.limits.limits import Limits, Parties
from resphere.limits.policy import Party, Policy, RateRule
from resphere.limits.shared import SharedMemory, SharedState, monotonic_ns

DECISION_TARGET_US = 3.0
DECISIONS = 50_000
ADDRESS = "192.0.2.1"
PER_SECOND, BURST = 1e6, 10**9
"""So many that no decision is a refusal."""


class Nobody(msgspec.Struct, frozen=True):
    """Knows nobody: no login is measured."""

    def knows(self, user: str, address: str) -> bool:
        return False

    def note(self, user: str, address: str) -> None:
        """Nothing to note."""


def measure_limits(effort: Effort) -> Outcome:
    """A decision by address alone, as reads have it by default, and one by all four parties; and a turn."""
    parties = Parties(ADDRESS, "ann@vsphere.local", "0123abcd", "token")
    alone, whole = limits(Party.ADDRESS), limits(*Party)

    def by_address() -> None:
        alone.arrive(VM.list, ADDRESS)
        alone.call(VM.list, parties)

    def by_all() -> None:
        whole.arrive(VM.list, ADDRESS)
        whole.call(VM.list, parties)

    def turn() -> None:
        if not alone.entered("ann@vsphere.local"):
            raise RuntimeError("there is no turn, and nobody has one")
        alone.leave("ann@vsphere.local")

    return Outcome(
        (
            at_most("rate limit decision, by address: CPU", each_us(by_address, effort), DECISION_TARGET_US, " µs"),
            at_most(
                "rate limit decision, by address, user, session and token: CPU",
                each_us(by_all, effort),
                DECISION_TARGET_US,
                " µs",
            ),
            told("turn to be worked for, taken and given back: CPU", f"{each_us(turn, effort):.2f} µs"),
        )
    )


def limits(*parties: Party) -> Limits:
    """Limits with one rule for each of the parties."""
    rules = tuple(RateRule(per=party, per_second=PER_SECOND, burst=BURST) for party in parties)
    return Limits(Policy(rates=rules), SharedState(SharedMemory(bytes)), Nobody(), monotonic_ns)


def each_us(work: Callable[[], None], effort: Effort) -> float:
    """Microseconds of processor time that one takes, in the best of the rounds: others disturb it, nobody helps it."""
    best = float("inf")
    for _ in range(effort.rounds):
        began = time.process_time_ns()
        for _ in range(DECISIONS):
            work()
        best = min(best, (time.process_time_ns() - began) / DECISIONS / 1000)
    return best
