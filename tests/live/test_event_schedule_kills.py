"""Schedules at events of a server with two workers that is killed, again and again: each event is in one run."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import requests

from tests.support.kills import kill_in_turn, kills
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

KILLS = 4
VMS = 8
LOOKED_AT = 4
"""After so many rounds the snapshots are counted and removed: a tree may have 32 levels."""
PATH = "/api/resphere/schedules"
MADE = "VmPoweredOnEvent"
SCHEDULE = {
    "name": "what is switched on",
    "trigger": {"type": "EVENT", "events": {"types": [MADE]}, "interval_seconds": 0},
    "work": {
        "items": [
            {
                "operation": "resphere.vcenter.vm.snapshots.create",
                "input": {"vm": {"$event": "object.id"}, "spec": {"name": {"$event": "sequence"}}},
            }
        ]
    },
}


def toggle(server: Server, vm: str, over: threading.Event) -> None:
    """Turn a machine on and off, a few times, until the server is gone."""
    try:
        with Client(server) as client:
            for _ in range(4):
                if over.is_set():
                    return
                state = client.read(f"/api/vcenter/vm/{vm}/power")["state"]
                action = "stop" if state == "POWERED_ON" else "start"
                client.post(f"/api/vcenter/vm/{vm}/power?action={action}")
    except (requests.RequestException, AssertionError, ValueError):
        return  # the server was killed, or a worker of it


def events_after(client: Client, after: int) -> tuple[list[dict[str, Any]], int]:
    """The events of machines that were switched on, and what to go on after."""
    found: list[dict[str, Any]] = []
    while True:
        page = client.read(f"/api/resphere/events?after={after}&size=1000&types={MADE}")
        found += page["events"]
        after = page["next"]
        if after >= page["latest"]:
            return found, after


def snapshots(client: Client, vms: list[str]) -> Counter[tuple[str, str]]:
    """Those that are called by events, of all machines, with the machine."""
    made = ((vm, each["name"]) for vm in vms for each in client.read(f"/api/vcenter/vm/{vm}/snapshot"))
    return Counter((vm, name) for vm, name in made if name.isdecimal())


def test_killed_at_any_moment_each_event_is_in_one_run(tmp_path: Path) -> None:
    chance = random.Random(13)
    server = Server(tmp_path / "data", "--workers", "2", "--vms", str(VMS), WITHOUT_TLS)
    with server:
        with server.session() as client:
            vms = [each["vm"] for each in client.read("/api/vcenter/vm")]
            reply = client.post(PATH, json=SCHEDULE)
            assert reply.status_code == 201, reply.text
            schedule = reply.json()
            _, after = events_after(client, 0)
        expected: Counter[tuple[str, str]] = Counter()
        rounds = kills(KILLS)
        for number in range(rounds):
            over = threading.Event()
            threads = [threading.Thread(target=toggle, args=(server, vm, over)) for vm in vms[:4]]
            for thread in threads:
                thread.start()
            threading.Event().wait(chance.uniform(0.05, 0.6))  # a moment that has nothing to do with what goes on
            kill_in_turn(server, number)
            over.set()
            for thread in threads:
                thread.join()
            with server.session() as client:
                found, after = events_after(client, after)
                expected.update((each["object"]["id"], str(each["sequence"])) for each in found)
                wait_until(lambda: snapshots(client, vms) >= expected, "the runs for all events", 60)
                wait_until(lambda: not client.read(f"{PATH}/{schedule}").get("active_task"), "their end")
                assert snapshots(client, vms) == expected
                if number % LOOKED_AT == LOOKED_AT - 1:
                    for vm in vms:
                        assert client.delete(f"/api/vcenter/vm/{vm}/snapshot").status_code == 204
                    expected.clear()
        with server.session() as client:
            states = Counter(run["state"] for run in client.read(f"{PATH}/{schedule}/runs"))
            assert set(states) == {"SUCCESS"}
