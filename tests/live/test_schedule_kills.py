"""Schedules of a server with two workers that is killed, again and again: each time is done once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.kills import kill_in_turn, kills
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

KILLS = 3
SCHEDULES = 12
SOON = timedelta(seconds=2)
PATH = "/api/resphere/schedules"


def schedule(client: Client, name: str, due: datetime, vm: str) -> str:
    """A snapshot: to make one twice would show."""
    item = {
        "operation": "resphere.vcenter.vm.snapshots.create",
        "input": {"vm": vm, "spec": {"name": name}},
    }
    spec = {
        "name": name,
        "trigger": {"type": "ONCE", "time": due.isoformat()},
        "work": {"items": [item]},
    }
    reply = client.post(PATH, json=spec)
    assert reply.status_code == 201, reply.text
    found: str = reply.json()
    return found


def states(client: Client, schedules: list[str]) -> list[Any]:
    """The states of their runs."""
    return [[run["state"] for run in client.read(f"{PATH}/{each}/runs")] for each in schedules]


def test_killed_when_they_are_due_each_is_done_once(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS) as server:
        for number in range(kills(KILLS)):
            with server.session() as client:
                vms = client.read("/api/vcenter/vm")
                vm = vms[number % len(vms)]["vm"]
                made = [
                    schedule(client, f"round-{number}-{each}", datetime.now(UTC) + SOON, vm)
                    for each in range(SCHEDULES)
                ]
                wait_until(lambda: any(states(client, made)), "the first time")  # noqa: B023
            kill_in_turn(server, number)
            with server.session() as client:
                wait_until(lambda: states(client, made) == [["SUCCESS"]] * SCHEDULES, "all of them", 60)  # noqa: B023
                names = Counter(each["name"] for each in client.read(f"/api/vcenter/vm/{vm}/snapshot"))
                expected = Counter(f"round-{number}-{each}" for each in range(SCHEDULES))
                assert Counter({name: names[name] for name in names if name.startswith("round-")}) == expected
                assert client.delete(f"/api/vcenter/vm/{vm}/snapshot").status_code == 204
