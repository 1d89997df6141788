"""Clones through tasks: a thousand of them, beside few VMs and beside many."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

import msgspec

from bench.client import request
from bench.measures.create import FEW, MANY, MANY_TARGET, WORKERS, vcenter, vm_of
from bench.result import Outcome, Row, at_least, at_most, told
from bench.rounds import Effort, Entrant, take_turns
from bench.site import Site

CONNECTIONS = 32
CLONES_TARGET = 334
BEGUN, SHOWN, DELETED = 202, 200, 204


def measure_clone(effort: Effort) -> Outcome:
    """Each connection clones a VM through a task, reads the task, and deletes the clone that it resulted in."""
    with ExitStack() as stack:
        few = stack.enter_context(vcenter("clone-few", FEW))
        many = stack.enter_context(vcenter("clone-many", MANY))
        speeds = take_turns([clones("few", few), clones("many", many)], effort)
    asked = f"VM clone through a task, {CONNECTIONS} connections, {WORKERS} workers"
    ratio = speeds["few"].per_second / speeds["many"].per_second
    return Outcome(
        (
            at_least(f"{asked}: clones", speeds["few"].per_second / 3, CLONES_TARGET, "/s", 0),
            told(f"{asked}, with 20,000 VMs: clones", f"{speeds['many'].per_second / 3:,.0f}/s"),
            at_most(f"{asked}: times slower with 20,000 VMs than with 100", ratio, MANY_TARGET),
        ),
        (Row(asked, "100 VMs", speeds["few"]), Row(asked, "20,000 VMs", speeds["many"])),
        ("A clone is three operations: begun, its task read, and deleted again. 1,000 in 3 s are 333/s.",),
    )


def clones(name: str, found: Site) -> Entrant:
    """Every connection with names of its own, all of one source."""
    source, numbers = vm_of(found, 0), count()
    scripts = tuple((beginning(found, source, numbers), reading(found), deletion(found)) for _ in range(CONNECTIONS))
    return Entrant(name, found.server, scripts, (BEGUN, SHOWN, DELETED))


def beginning(found: Site, source: str, numbers: count[int]) -> Callable[[bytes], bytes]:
    """Makes the request for the next clone."""
    headers = {**found.session, "content-type": "application/json"}

    def begin(_: bytes) -> bytes:
        spec = msgspec.json.encode({"source": source, "name": f"clone-{next(numbers)}"})
        return request("POST", "/api/vcenter/vm?action=clone&vmw-task=true", headers, spec)

    return begin


def reading(found: Site) -> Callable[[bytes], bytes]:
    """Makes the request for the task whose id was answered: without durations it is over by then."""
    return lambda body: found.request(f"/api/cis/tasks/{msgspec.json.decode(body, type=str)}")


class Shown(msgspec.Struct):
    """What is looked at of a task."""

    result: str


def deletion(found: Site) -> Callable[[bytes], bytes]:
    """Makes the request to delete the clone that the task resulted in."""
    return lambda body: found.request(
        f"/api/vcenter/vm/{msgspec.json.decode(body, type=Shown).result}", method="DELETE"
    )
