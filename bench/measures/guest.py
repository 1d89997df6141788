"""Guest operations: looking at files, and changing them, which is on disk before it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec

from bench.client import ask, request
from bench.measures.create import FEW, MANY, decoded, listed, vcenter
from bench.result import Outcome, Row, at_most, told
from bench.rounds import Effort, Entrant, take_turns
from bench.site import Site

CONNECTIONS, WORKERS = 16, 2
MANY_TARGET = 1.2
FOUND, DONE = 200, 204
CREDENTIALS = {
    "type": "USERNAME_PASSWORD",
    "user_name": "root",
    "password": "VMware1!",
    "interactive_session": False,
}


def measure_guest(effort: Effort) -> Outcome:
    """Each connection makes a directory in a guest of its own and deletes it; then it looks at a file."""
    with ExitStack() as stack:
        few = stack.enter_context(vcenter("guest-few", FEW))
        many = stack.enter_context(vcenter("guest-many", MANY))
        changes = take_turns([changing("few", few), changing("many", many)], effort)
        looks = take_turns([looking("few", few), looking("many", many)], effort)
    asked = f"guest directory create and delete, {CONNECTIONS} connections, {WORKERS} workers"
    looked = f"guest file get, {CONNECTIONS} connections, {WORKERS} workers"
    return Outcome(
        (
            told(f"{asked}: durable operations", f"{changes['few'].per_second:,.0f}/s"),
            at_most(
                f"{asked}: times slower with 20,000 VMs than with 100",
                changes["few"].per_second / changes["many"].per_second,
                MANY_TARGET,
            ),
            told(looked, f"{looks['few'].per_second:,.0f}/s"),
            at_most(
                f"{looked}: times slower with 20,000 VMs than with 100",
                looks["few"].per_second / looks["many"].per_second,
                MANY_TARGET,
            ),
        ),
        (
            Row(asked, "100 VMs", changes["few"]),
            Row(asked, "20,000 VMs", changes["many"]),
            Row(looked, "100 VMs", looks["few"]),
            Row(looked, "20,000 VMs", looks["many"]),
        ),
    )


def changing(name: str, found: Site) -> Entrant:
    """A directory comes and goes in each guest."""
    scripts = tuple(
        (
            asking(found, vm, "filesystem/directories?action=create", path="/srv/bench"),
            asking(found, vm, "filesystem/directories?action=delete", path="/srv/bench"),
        )
        for vm in linux_guests(found)
    )
    return Entrant(name, found.server, scripts, DONE)


def looking(name: str, found: Site) -> Entrant:
    """A file of each guest."""
    scripts = tuple((asking(found, vm, "filesystem/files/%2Fetc%2Fhostname?action=get"),) for vm in linux_guests(found))
    return Entrant(name, found.server, scripts, FOUND)


def asking(found: Site, vm: str, what: str, **body: Any) -> bytes:
    """The request for a guest operation."""
    headers = {**found.session, "content-type": "application/json"}
    content = msgspec.json.encode({"credentials": CREDENTIALS, **body})
    return request("POST", f"/api/vcenter/vm/{vm}/guest/{what}", headers, content)


def linux_guests(found: Site) -> Iterator[str]:
    """So many running VMs with a Linux guest that is ready."""
    ready = 0
    # A list of all of 20,000 is refused: a few hosts have enough.
    hosts = "&".join(f"hosts={host['host']}" for host in listed(found, "host")[:4])
    for vm in listed(found, f"vm?power_states=POWERED_ON&{hosts}"):
        if ask(found.server.address, found.request(f"/api/vcenter/vm/{vm['vm']}/guest/identity")).status != FOUND:
            continue
        if decoded(found, f"vm/{vm['vm']}/guest/identity")["family"] == "LINUX":
            yield vm["vm"]
            ready += 1
            if ready == CONNECTIONS:
                return
