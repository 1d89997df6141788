"""States: putting an inventory of 1,000 VMs back after a change, beside a list of them."""

from __future__ import annotations

from bench.client import ask, request
from bench.measures.power import script
from bench.result import Outcome, Row, at_most, told
from bench.rounds import Effort, Entrant, take_turns
from bench.servers import Inventory
from bench.site import site
from bench.stats import Speed

INVENTORY = Inventory(1_046)  # of which 1,000 are no templates
STATES = "/api/resphere/states"
JSON = {"content-type": "application/json"}
RATIO_TARGET = 4
OK, NO_CONTENT, CREATED = 200, 204, 201


def measure_states(effort: Effort) -> Outcome:
    """Each entrant changes a VM's power before what is measured, on one connection; one does nothing else."""
    with site("states", INVENTORY) as found, site("states-beside", INVENTORY) as other:
        made = ask(found.server.address, request("POST", STATES, {**found.session, **JSON}, b'{"name": "fresh"}'))
        if made.status != CREATED:
            raise RuntimeError(f"{STATES}: {made.status} {made.body[:300]!r}")
        count = len(found.vms)
        there, _ = script(found, found.vms[0])
        restore = request("POST", f"{STATES}/fresh?action=restore", found.session)
        listed = other.request("/api/vcenter/vm")
        one, two = script(other, other.vms[0]), script(other, other.vms[1])
        lists = (one[0], listed, one[1], listed)
        speeds = take_turns(
            [
                Entrant("change and restore", found.server, ((there, restore),), (NO_CONTENT, OK)),
                Entrant("change and list", other.server, (lists,), (NO_CONTENT, OK, NO_CONTENT, OK)),
                Entrant("change", other.server, (two,), NO_CONTENT),
            ],
            effort,
        )
    change = speeds["change"].cpu_microseconds
    restored, shown = (2 * speeds[name].cpu_microseconds - change for name in ("change and restore", "change and list"))
    return Outcome(
        (
            at_most(
                f"restore {count:,} VMs of which one is different: CPU beside a list", restored / shown, RATIO_TARGET
            ),
            told(f"restore {count:,} VMs of which one is different: server CPU", f"{restored / 1000:.2f} ms"),
            told("change and restore one after the other", f"{2000 / speeds['change and restore'].per_second:.1f} ms"),
        ),
        tuple(rows(speeds, count)),
    )


def rows(speeds: dict[str, Speed], count: int) -> list[Row]:
    """The figures behind."""
    return [Row(f"{name}, {count:,} VMs", "resphere", speed) for name, speed in speeds.items()]
