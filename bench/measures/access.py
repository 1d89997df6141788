"""What access control costs: a check, a list for somebody who sees a part, and that list after a change."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import msgspec

from bench.client import ask, request
from bench.measures.reads import LIST, LIST_CONNECTIONS, LISTED
from bench.processes import cpu_seconds
from bench.result import Outcome, Row, at_most
from bench.rounds import Effort, same, take_turns
from bench.servers import environment, fresh, log_in
from bench.site import Site, site
from bench.stats import compare
from resphere.access.check import authorize
from resphere.access.permissions import Permission
from resphere.access.principal import Principal
from resphere.access.roles import NO_ACCESS, READ_ONLY
from resphere.access.samples import SAMPLE_ROLES
from resphere.access.tree import TreeViews
from resphere.contract.generated import vcenter_vm
from resphere.inventory.model import ROOT_FOLDER, VirtualMachine
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.replica.table import Stored
from resphere.server.wiring import WIRING
from resphere.store.engines import default_url, open_store

ANN = Principal("ann@vsphere.local", frozenset({"staff@vsphere.local"}))
PASSWORD = secrets.token_urlsafe(12)
MACHINES = Sizes(datacenters=1, clusters=20, hosts=400, vms=20_000)
PERMISSIONS = 1_000
HIDDEN = 100
MOST_MICROSECONDS, MOST_RATIO, MOST_MILLISECONDS = 5.0, 1.5, 10.0
FILTERED = 4_000
CHANGES = 10
ADMINISTRATOR, RESTRICTED = "the administrator", "somebody from whom 100 VMs are hidden"


def measure_access(effort: Effort) -> Outcome:
    """Checks and filters in this process; the kept lists of two users of one server."""
    check, filtering = asyncio.run(on_many_machines(effort))
    with site("access", LISTED) as found:
        sessions = {ADMINISTRATOR: found.session, RESTRICTED: restricted(found)}
        speeds = take_turns(
            [same(who, found.server, request("GET", LIST, given), LIST_CONNECTIONS) for who, given in sessions.items()],
            effort,
        )
        changed_ms = after_changes_ms(found, sessions[RESTRICTED], effort)
    ratio = 1 / compare(speeds[RESTRICTED], speeds[ADMINISTRATOR]).cpu
    return Outcome(
        (
            at_most(
                f"access check of a request, {MACHINES.vms:,} VMs, {PERMISSIONS:,} permissions",
                check * 1e6,
                MOST_MICROSECONDS,
                " µs",
            ),
            at_most(
                f"list of {len(found.vms):,} VMs for {RESTRICTED}: times {ADMINISTRATOR}'s, CPU", ratio, MOST_RATIO
            ),
            at_most(
                f"list of {len(found.vms):,} VMs for {RESTRICTED}, the first after a change of permissions: CPU",
                changed_ms,
                MOST_MILLISECONDS,
                " ms",
            ),
            at_most(
                f"{FILTERED:,} VMs filtered after a change of permissions", filtering * 1e3, MOST_MILLISECONDS, " ms"
            ),
        ),
        tuple(Row(f"list of {len(found.vms):,} VMs", who, speed) for who, speed in speeds.items()),
    )


async def on_many_machines(effort: Effort) -> tuple[float, float]:
    """Seconds of a check, and of the filter of a list once permissions have changed."""
    store = await open_store(default_url(fresh("access-in-process")))
    try:
        sealing = Sealing(bytes(KEY_BYTES), secrets.token_bytes)
        replica = Replica(store, WIRING.tables, sealing=sealing, derived=WIRING.derived, rules=WIRING.rules)
        await replica.load()
        await put(replica, [*generate(MACHINES, 1), *SAMPLE_ROLES])
        await put(replica, permissions(list(replica.all(VirtualMachine))))
        views = TreeViews(replica)
        return check(views, list(replica.all(VirtualMachine)), effort), await filtering(replica, views, effort)
    finally:
        await store.close()


def check(views: TreeViews, machines: list[str], effort: Effort) -> float:
    """Seconds of a request's view and its privilege on the machine that the path names, in the median round."""
    operation = vcenter_vm.Power.get
    hidden = set(machines[:HIDDEN])
    # Neighbours stand in other folders and pools.
    asked = [{"vm": each} for each in machines if each not in hidden]

    def all_of_them() -> None:
        for parameters in asked:
            authorize(views.of(ANN), "vcenter", operation, parameters)

    return median(seconds(all_of_them) for _ in range(effort.rounds)) / len(asked)


async def filtering(replica: Replica, views: TreeViews, effort: Effort) -> float:
    """Seconds of the choice of what is seen, the first after a change of permissions, in the median round."""
    machines = list(replica.all(VirtualMachine).values())[:FILTERED]
    found: list[float] = []
    for number in range(effort.rounds):
        await put(replica, [Permission(principal=f"new{number}@x", object=ROOT_FOLDER, role=READ_ONLY.id)])

        def chosen() -> None:
            view = views.of(ANN)
            if len([vm for vm in machines if view.sees(vm)]) != FILTERED - HIDDEN:
                raise RuntimeError("other machines are seen")

        found.append(seconds(chosen))
    return median(found)


def permissions(machines: list[str]) -> list[Permission]:
    """Ann reads everything by a group, but for some machines; the others are of users who do not call."""
    mine = [Permission(principal=ANN.name, object=each, role=NO_ACCESS.id) for each in machines[:HIDDEN]]
    reads = Permission(principal="staff@vsphere.local", group=True, object=ROOT_FOLDER, role=READ_ONLY.id)
    others = PERMISSIONS - len(mine) - 1
    return [
        reads,
        *mine,
        *[
            Permission(principal=f"user{n % 50}@vsphere.local", object=each, role=READ_ONLY.id)
            for n, each in enumerate(machines[-others:])
        ],
    ]


async def put(replica: Replica, documents: Sequence[Stored]) -> None:
    """Write documents in one change."""

    def plan(edit: Edit) -> None:
        for each in documents:
            edit.put(each)

    await replica.change(plan)


def seconds(do: Callable[[], None]) -> float:
    """How long it takes, in CPU time of this process."""
    began = time.process_time()
    do()
    return time.process_time() - began


def after_changes_ms(found: Site, session: dict[str, str], effort: Effort) -> float:
    """CPU milliseconds of the server for a list, each time after one more VM was hidden, in the median."""
    processes = found.server.processes
    sent = request("GET", LIST, session)
    costs = []
    for number in range(CHANGES * effort.rounds):
        hide(found, found.vms[HIDDEN + number])
        began = cpu_seconds(processes)
        answer = ask(found.server.address, sent)
        costs.append((cpu_seconds(processes) - began) * 1e3)
        listed = len(msgspec.json.decode(answer.body, type=list[msgspec.Raw]))
        if answer.status != 200 or listed != len(found.vms) - HIDDEN - number - 1:
            raise RuntimeError(f"list: {answer.status}, {listed} VMs")
    return median(costs)


def restricted(found: Site) -> dict[str, str]:
    """The session of an account that reads everything, but for some machines."""
    command = [sys.executable, "-m", "resphere", "user", "add", ANN.name, "--role", "ReadOnly"]
    subprocess.run(
        [*command, "--data-dir", str(found.data / "data")],
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
        env=environment(),
    )
    for vm in found.vms[:HIDDEN]:
        hide(found, vm)
    return log_in(found.server, ANN.name, PASSWORD)


def hide(found: Site, vm: dict[str, Any]) -> None:
    """Let that account see a machine no more."""
    name, _, domain = ANN.name.partition("@")
    spec = {
        "object": {"type": "VirtualMachine", "id": vm["vm"]},
        "principal": {"type": "USER", "name": name, "domain": domain},
        "role": NO_ACCESS.id,
        "propagating": True,
    }
    headers = {**found.session, "content-type": "application/json"}
    path = "/api/vcenter/authorization/permissions"
    answer = ask(found.server.address, request("POST", path, headers, msgspec.json.encode(spec)))
    if answer.status != 201:
        raise RuntimeError(f"permission: {answer.status} {answer.body[:300]!r}")
