"""The list of 1,000 VMs in the three dialects, when nothing changed between calls."""

from __future__ import annotations

import json

from bench.client import request
from bench.result import Outcome, Row, at_most
from bench.rounds import Effort, Entrant, same, take_turns
from bench.servers import Inventory
from bench.site import Site, site

VMS = 1000
CONNECTIONS = 8
IDS = 64
"""Different ids that JSON-RPC calls carry in turn: a reply must not be good for one of them only."""
MOST = 1.3


def measure_dialects(effort: Effort) -> Outcome:
    """Server CPU of JSON-RPC and ``/rest`` beside ``/api``, with gzip accepted and not."""
    with site("dialects", Inventory(vms=VMS)) as running:
        entrants = [
            Entrant(entrant.name + kind, entrant.server, entrant.scripts)
            for kind, headers in (("", {}), (", gzip", {"accept-encoding": "gzip"}))
            for entrant in (api(running, headers), rest(running, headers), jsonrpc(running, headers))
        ]
        speeds = take_turns(entrants, effort)
    verdicts = tuple(
        at_most(
            f"{name} list of {VMS:,} VMs{kind}: CPU beside /api",
            speeds[name + kind].cpu_microseconds / speeds["/api" + kind].cpu_microseconds,
            MOST,
        )
        for kind in ("", ", gzip")
        for name in ("/rest", "JSON-RPC")
    )
    rows = tuple(Row(f"list of {VMS:,} VMs", name, speed) for name, speed in speeds.items())
    return Outcome(verdicts, rows)


def api(running: Site, headers: dict[str, str]) -> Entrant:
    """``GET /api/vcenter/vm``."""
    return same("/api", running.server, running.request("/api/vcenter/vm", headers), CONNECTIONS)


def rest(running: Site, headers: dict[str, str]) -> Entrant:
    """``GET /rest/vcenter/vm``."""
    return same("/rest", running.server, running.request("/rest/vcenter/vm", headers), CONNECTIONS)


def jsonrpc(running: Site, headers: dict[str, str]) -> Entrant:
    """``com.vmware.vcenter.VM.list`` as the official SDK asks for it, each call with another id."""
    scripts = tuple(
        tuple(invocation(running, headers, f"{connection}-{number}") for number in range(IDS))
        for connection in range(CONNECTIONS)
    )
    return Entrant("JSON-RPC", running.server, scripts)


def invocation(running: Site, headers: dict[str, str], identity: str) -> bytes:
    """One call."""
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "method": "invoke",
            "id": identity,
            "params": {
                "serviceId": "com.vmware.vcenter.VM",
                "operationId": "list",
                "input": {"STRUCTURE": {"operation-input": {"filter": {"OPTIONAL": None}}}},
                "ctx": {"appCtx": {"opId": identity}},
            },
        }
    ).encode()
    more = {**running.session, **headers, "content-type": "application/json"}
    return request("POST", "/api", more, body)
