"""Bulk operations of a server with two workers, killed in the middle again and again: each item is done once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.support.kills import kill_in_turn, kills
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

KILLS = 5
LOOKED_AT = 20
"""After so many rounds the snapshots are counted and removed: a tree may have 32 levels."""
VMS = 110
RATE = 100
"""So that it takes more than a second."""
BULK = "/api/resphere/bulk"


def begin(client: Client, name: str, vms: list[str]) -> str:
    """Snapshots of all: to make one twice would show."""
    each = {
        "operation": "resphere.vcenter.vm.snapshots.create",
        "parameter": "vm",
        "values": vms,
        "input": {"spec": {"name": name}},
    }
    reply = client.post(BULK, json={"each": each, "idempotency_key": name, "rate": RATE})
    assert reply.status_code == 201, reply.text
    bulk: str = reply.json()
    return bulk


def done(client: Client, bulk: str) -> int:
    """How many items are done, as far as that is written down."""
    counts = client.read(f"{BULK}/{bulk}")["counts"]
    found: int = counts["total"] - counts["pending"]
    return found


def finished(client: Client, bulk: str) -> bool:
    return client.read(f"{BULK}/{bulk}")["status"] in ("SUCCEEDED", "FAILED")


def snapshots(client: Client, vm: str) -> Counter[str]:
    """Those of the rounds, by name."""
    names = [each["name"] for each in client.read(f"/api/vcenter/vm/{vm}/snapshot")]
    return Counter(name for name in names if name.startswith("round-"))


def require_once(client: Client, vms: Sequence[str], names: Sequence[str]) -> None:
    """Each machine has one snapshot of each round; they are removed."""
    for vm in vms:
        assert snapshots(client, vm) == Counter(names), vm
        assert client.delete(f"/api/vcenter/vm/{vm}/snapshot").status_code == 204


def test_killed_in_the_middle_it_goes_on_and_does_nothing_twice(tmp_path: Path) -> None:
    rounds = kills(KILLS)
    server = Server(tmp_path / "data", "--workers", "2", "--vms", str(VMS), WITHOUT_TLS)
    names: list[str] = []
    with server:
        with server.session() as client:
            vms = [vm["vm"] for vm in client.read("/api/vcenter/vm")]
        for number in range(rounds):
            name = f"round-{number}"
            names.append(name)
            with server.session() as client:
                bulk = begin(client, name, vms)
                wait_until(lambda: done(client, bulk) > len(vms) // 10, "some of them")  # noqa: B023
            kill_in_turn(server, number)
            with server.session() as client:
                wait_until(lambda: finished(client, bulk), "its end", 60)  # noqa: B023
                info = client.read(f"{BULK}/{bulk}")
                # A second request says what became of the first.
                assert begin(client, name, vms) == bulk
                assert info["counts"] == {
                    "total": len(vms),
                    "pending": 0,
                    "succeeded": len(vms),
                    "failed": 0,
                    "skipped": 0,
                }
                if len(names) == LOOKED_AT or number == rounds - 1:
                    require_once(client, vms, names)
                    names.clear()
