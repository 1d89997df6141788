"""Reads beside constant bytes of the same size: the list of 4,000 VMs, and one VM."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from bench.result import Outcome, Row, Verdict, at_least, told
from bench.rounds import Effort, Entrant, same, take_turns
from bench.servers import Inventory
from bench.site import constant, fastapi, site
from bench.stats import Speed, compare

LISTED = Inventory(4_182)  # the list leaves templates out: 4,000 remain, the most that vCenter lists at once
LIST = "/api/vcenter/vm"
LIST_TARGET, GET_TARGET = 0.85, 0.6
LIST_CONNECTIONS, GET_CONNECTIONS = 8, 32
GZIP = {"accept-encoding": "gzip"}
RESPHERE, CONSTANT, FASTAPI = "resphere", "constant bytes", "FastAPI"


def measure_list(effort: Effort) -> Outcome:
    """The whole list, plain and compressed, on an inventory that stands still."""
    with ExitStack() as stack:
        found = stack.enter_context(site("list", LISTED))
        plain, zipped = found.get(LIST).body, found.get(LIST, GZIP).body
        still = stack.enter_context(constant(found, {"plain": plain, "gzip": zipped}))
        other = stack.enter_context(fastapi(found))
        verdicts: list[Verdict] = []
        rows: list[Row] = []
        count = len(found.vms)
        for name, headers, body in (("plain", {}, plain), ("gzip", GZIP, zipped)):
            entrants = [
                same(RESPHERE, found.server, found.request(LIST, headers), LIST_CONNECTIONS),
                same(CONSTANT, still, found.request(f"/{name}", headers), LIST_CONNECTIONS),
            ]
            if name == "plain":
                entrants.append(same(FASTAPI, other, found.request(LIST), LIST_CONNECTIONS))
            speeds = take_turns(entrants, effort)
            asked = f"list of {count:,} VMs, {name} ({len(body):,} bytes)"
            verdicts += judge(asked, speeds, LIST_TARGET)
            rows += [Row(asked, server, speed) for server, speed in speeds.items()]
        ratio = compare(speed_of(rows, RESPHERE, "gzip"), speed_of(rows, CONSTANT, "plain")).cpu
        verdicts.append(told("the compressed list beside constant bytes of the plain list's size, CPU", f"{ratio:.2f}"))
    return Outcome(tuple(verdicts), tuple(rows))


def measure_get(effort: Effort) -> Outcome:
    """Every VM of the list in turn, each connection its own share."""
    with ExitStack() as stack:
        found = stack.enter_context(site("get", LISTED))
        paths = [f"{LIST}/{vm['vm']}" for vm in found.vms]
        middle = sorted((found.get(path).body for path in paths[::40]), key=len)
        body = middle[len(middle) // 2]
        still = stack.enter_context(constant(found, {"vm": body}))
        other = stack.enter_context(fastapi(found))
        scripts = tuple(
            tuple(found.request(path) for path in paths[first::GET_CONNECTIONS]) for first in range(GET_CONNECTIONS)
        )
        entrants = [
            Entrant(RESPHERE, found.server, scripts),
            same(CONSTANT, still, found.request("/vm"), GET_CONNECTIONS),
            Entrant(FASTAPI, other, scripts),
        ]
        speeds = take_turns(entrants, effort)
    asked = f"GET vm/{{vm}}, {len(paths):,} VMs in turn (median {len(body):,} bytes)"
    return Outcome(tuple(judge(asked, speeds, GET_TARGET)), tuple(Row(asked, name, speeds[name]) for name in speeds))


def judge(asked: str, speeds: Mapping[str, Speed], target: float) -> list[Verdict]:
    """The ratio of CPU decides; that of throughput and that to FastAPI are told."""
    ratio = compare(speeds[RESPHERE], speeds[CONSTANT])
    verdicts = [
        at_least(f"{asked}: beside constant bytes, CPU", ratio.cpu, target),
        told(f"{asked}: beside constant bytes, throughput", f"{ratio.throughput:.2f}"),
    ]
    if FASTAPI in speeds:
        times = compare(speeds[RESPHERE], speeds[FASTAPI])
        verdicts.append(told(f"{asked}: times FastAPI, CPU", f"{times.cpu:.1f}"))
    return verdicts


def speed_of(rows: list[Row], server: str, word: str) -> Speed:
    """The speed in the row of a server whose request has the word."""
    return next(row.speed for row in rows if row.server == server and f", {word} (" in row.request)
