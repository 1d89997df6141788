"""Power operations: each is on disk before it is answered."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bench.client import request
from bench.result import Outcome, Row, at_least, told
from bench.rounds import Effort, Entrant, take_turns
from bench.servers import Inventory
from bench.site import Site, fastapi, site
from bench.stats import compare

INVENTORY = Inventory(1_000)
CONNECTIONS, WORKERS = 32, 2
TARGET = 2_000
NO_CONTENT = 204
COMMITS_SECONDS = 0.5


def measure_power(effort: Effort) -> Outcome:
    """Each connection turns a VM of its own on and off; FastAPI changes one row for each."""
    with ExitStack() as stack:
        found = stack.enter_context(site("power", INVENTORY, WORKERS))
        other = stack.enter_context(fastapi(found, WORKERS))
        vms = found.vms[:: len(found.vms) // CONNECTIONS][:CONNECTIONS]
        scripts = tuple(script(found, vm) for vm in vms)
        speeds = take_turns(
            [
                Entrant("resphere", found.server, scripts, NO_CONTENT),
                Entrant("FastAPI", other, scripts, NO_CONTENT),
            ],
            effort,
        )
        floor = commits_per_second(found.data / "commits.db")
    asked = f"power start and stop, {CONNECTIONS} connections, {WORKERS} workers"
    ratio = compare(speeds["resphere"], speeds["FastAPI"])
    return Outcome(
        (
            at_least(f"{asked}: durable operations", speeds["resphere"].per_second, TARGET, "/s", 0),
            told(f"{asked}: times FastAPI, throughput", f"{ratio.throughput:.1f}"),
            told("SQLite alone, one commit of one row after the other", f"{floor:,.0f}/s"),
        ),
        tuple(Row(asked, name, speeds[name]) for name in speeds),
        ("synchronous=FULL in all three. An operation of resphere's also records a task and the audit trail.",),
    )


def script(found: Site, vm: dict[str, Any]) -> tuple[bytes, ...]:
    """The two requests that take the VM to the other power state and back."""
    path = f"/api/vcenter/vm/{vm['vm']}/power"
    on, off = (request("POST", f"{path}?action={action}", found.session) for action in ("start", "stop"))
    return (off, on) if vm["power_state"] == "POWERED_ON" else (on, off)


def commits_per_second(path: Path) -> float:
    """What the disk allows a single writer."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, value INTEGER)")
        connection.execute("INSERT INTO rows VALUES (1, 0)")
        commits, began = 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < COMMITS_SECONDS:
            connection.execute("UPDATE rows SET value = value + 1 WHERE id = 1")
            commits += 1
        return commits / passed
