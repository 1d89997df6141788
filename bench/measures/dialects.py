"""The list of 1,000 VMs in the three dialects, when nothing changed between calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack

from bench.client import ask, request
from bench.result import Outcome, Row, Verdict, at_most, told
from bench.rounds import Effort, Entrant, same, take_turns
from bench.servers import Inventory
from bench.site import Site, constant, site
from bench.stats import Speed

VMS = 1000
CONNECTIONS = 8
IDS = 64
"""Different ids that JSON-RPC calls carry in turn: a reply must not be good for one of them only."""
MOST = 1.3
KINDS: dict[str, dict[str, str]] = {"": {}, ", gzip": {"accept-encoding": "gzip"}}
PATHS = {"/api": "/api/vcenter/vm", "JSON-RPC": "/api"}
CONSTANT = "constant bytes"
AS_API, AS_JSONRPC = f"{CONSTANT} as /api", f"{CONSTANT} as JSON-RPC"
NOTES = (
    "JSON-RPC writes the same list in more bytes, and its calls have a body, which the server below hands over through"
    " two more threads: the lines of constant bytes tell what that costs where nothing else is done.",
)


def measure_dialects(effort: Effort) -> Outcome:
    """Server CPU of JSON-RPC and ``/rest`` beside ``/api``, with gzip accepted and not.

    Beside them, what the two sizes and the reading of a body cost where nothing else is done: constant bytes.
    """
    verdicts: list[Verdict] = []
    rows: list[Row] = []
    with ExitStack() as stack:
        running = stack.enter_context(site("dialects", Inventory(vms=VMS)))
        bodies = {name + kind: answered(running, name, headers) for name in PATHS for kind, headers in KINDS.items()}
        still = stack.enter_context(constant(running, {file_name(name): body for name, body in bodies.items()}))
        for kind, headers in KINDS.items():
            entrants = (
                api(running, headers),
                rest(running, headers),
                jsonrpc(running, headers),
                same(AS_API, still, running.request("/" + file_name("/api" + kind)), CONNECTIONS),
                same(AS_JSONRPC, still, posted(running, file_name("JSON-RPC" + kind)), CONNECTIONS),
            )
            speeds = take_turns(entrants, effort)
            verdicts += judge(kind, speeds)
            rows += [Row(f"list of {VMS:,} VMs{kind}", name, speed) for name, speed in speeds.items()]
    return Outcome(tuple(verdicts), tuple(rows), NOTES)


def judge(kind: str, speeds: Mapping[str, Speed]) -> list[Verdict]:
    """What each dialect costs beside ``/api``, and what the server below costs for JSON-RPC beside ``/api``."""

    def beside(name: str, other: str) -> float:
        return speeds[name].cpu_microseconds / speeds[other].cpu_microseconds

    asked = f"list of {VMS:,} VMs{kind}: CPU beside /api"
    return [
        at_most(f"/rest {asked}", beside("/rest", "/api"), MOST),
        at_most(f"JSON-RPC {asked}", beside("JSON-RPC", "/api"), MOST),
        told(f"the same of {CONSTANT} of both sizes{kind}", f"{beside(AS_JSONRPC, AS_API):.2f}"),
    ]


def file_name(name: str) -> str:
    """An answer's name among the constant ones."""
    return "".join(filter(str.isalpha, name))


def answered(running: Site, name: str, headers: dict[str, str]) -> bytes:
    """The body of the list in a dialect."""
    sent = invocation(running, headers, "0-0") if name == "JSON-RPC" else running.request(PATHS[name], headers)
    return ask(running.server.address, sent).body


def posted(running: Site, name: str) -> bytes:
    """A POST to a constant answer, with the head and body of a JSON-RPC call."""
    return invocation(running, {}, "0-0").replace(b"POST /api ", f"POST /{name} ".encode(), 1)


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
