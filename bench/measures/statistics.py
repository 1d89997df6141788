"""Figures of 1,000 machines: a page of recorded points, and a day of a cluster at a glance."""

from __future__ import annotations

import time

import msgspec

from bench.client import ask, request
from bench.result import Outcome, Row, at_most, told
from bench.rounds import Effort, same, take_turns
from bench.servers import Inventory
from bench.site import Site, site

VMS = 1000
CONNECTIONS = 4
DAY_SECONDS, INTERVAL_SECONDS = 86_400, 300
MOST_SECONDS = 5.0
PATIENCE_SECONDS = 120.0
COUNTER = "cpu.capacity.usage.VM"
POINTS, CLUSTER, VM = "a page of 10,000 points", "a day of a cluster", "a day of a VM"


def measure_statistics(effort: Effort) -> Outcome:
    """Server CPU; what a day of all machines costs follows from a page."""
    with site("statistics", Inventory(VMS)) as found:
        page = recorded(found)
        now = int(time.time())
        window = f"start={moment(now - DAY_SECONDS)}&end={moment(now)}&interval={INTERVAL_SECONDS}"
        clusters = msgspec.json.decode(found.get("/api/vcenter/cluster").body)
        paths = {
            POINTS: page,
            CLUSTER: f"/api/vcenter/cluster/{clusters[0]['cluster']}/utilization?{window}",
            VM: f"/api/vcenter/vm/{found.vms[0]['vm']}/utilization?{window}",
        }
        points = msgspec.json.decode(found.get(page).body)["data_points"]
        speeds = take_turns(
            [same(name, found.server, found.request(path), CONNECTIONS) for name, path in paths.items()], effort
        )
    pages = VMS * DAY_SECONDS / INTERVAL_SECONDS / len(points)
    seconds = speeds[POINTS].cpu_microseconds / 1e6
    return Outcome(
        (
            at_most(f"points of {VMS:,} VMs, 24 h every 5 min: CPU", pages * seconds, MOST_SECONDS, " s"),
            told(
                f"{CLUSTER} in a vCenter of {VMS:,} VMs, every 5 min: CPU",
                f"{speeds[CLUSTER].cpu_microseconds / 1e3:,.0f} ms",
            ),
            told(f"{VM}, every 5 min: CPU", f"{speeds[VM].cpu_microseconds / 1e3:,.1f} ms"),
        ),
        tuple(Row(f"{name} ({VMS:,} VMs)", "resphere", speed) for name, speed in speeds.items()),
    )


def recorded(found: Site) -> str:
    """Record all machines every second until there is a page of points; its path."""
    spec = {
        "counters": {"cid_mid": {"cid": COUNTER}},
        "resources": [{"type": "VM", "id_value": "", "predicate": "ALL"}],
        "interval": 1,
    }
    headers = {**found.session, "content-type": "application/json"}
    made = ask(found.server.address, request("POST", "/api/stats/acq-specs", headers, msgspec.json.encode(spec)))
    if made.status != 201:
        raise RuntimeError(f"acquisition specification: {made.status} {made.body[:300]!r}")
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        if "next" in msgspec.json.decode(found.get("/api/stats/data/dp").body):
            return f"/api/stats/data/dp?end={int(time.time())}"
        time.sleep(1)
    raise RuntimeError("no page of points was recorded")


def moment(seconds: int) -> str:
    """Seconds since the epoch, as a query has them."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
