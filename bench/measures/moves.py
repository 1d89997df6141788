"""A folder is moved, with a tree of 5,000 VMs in it."""

from __future__ import annotations

import statistics
import time
from typing import Any

import msgspec

from bench.client import ask, request
from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from bench.servers import Inventory, fresh, log_in, resphere
from bench.site import Site

VMS, MOVES = 5_000, 21
MOST_MILLISECONDS = 200.0


def measure_moves(effort: Effort) -> Outcome:
    """There and back, each move durable when it is answered; the server knows 5,000 VMs below the folder."""
    with resphere(fresh("moves"), Inventory(VMS), 1) as server:
        # Lists of VMs end at 4,000.
        found = Site(server, log_in(server), ())
        top = query(found, "/api/vcenter/folder?type=VIRTUAL_MACHINE&names=vm")[0]["folder"]
        inner = query(found, f"/api/vcenter/folder?parent_folders={top}")
        tree, one, two = (send(found, "folder", {"name": name, "parent": top}, 201) for name in ("Tree", "A", "B"))
        for folder in inner:
            move(found, folder["folder"], tree)
        seconds = []
        for turn in range(MOVES):
            began = time.perf_counter()
            move(found, tree, (one, two)[turn % 2])
            seconds.append(time.perf_counter() - began)
    middle, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
    return Outcome(
        (
            at_most(f"folder move of a tree of {VMS:,} VMs, median of {MOVES}", middle, MOST_MILLISECONDS, " ms", 1),
            told("the slowest of them", f"{worst:,.1f} ms"),
        )
    )


def query(found: Site, path: str) -> Any:
    """What a GET answers."""
    return msgspec.json.decode(found.get(path).body)


def move(found: Site, folder: str, parent: str) -> None:
    """Move the folder."""
    send(found, f"folder/{folder}?action=move", {"parent": parent}, 204)


def send(found: Site, path: str, body: Any, status: int) -> Any:
    """POST, and what it answers.

    :raises RuntimeError: the status is another.
    """
    headers = {**found.session, "content-type": "application/json"}
    answer = ask(found.server.address, request("POST", f"/api/vcenter/{path}", headers, msgspec.json.encode(body)))
    if answer.status != status:
        raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
    return msgspec.json.decode(answer.body) if answer.body else None
