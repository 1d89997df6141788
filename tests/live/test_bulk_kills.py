"""Bulk operations of a server with two workers, killed in the middle again and again: each item is done once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.kills import kill_in_turn, kill_worker, kills
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

KILLS = 3
LOOKED_AT = 5
"""After so many rounds the snapshots are counted and removed: there is room for some on the datastores."""
KILLS_OF_ONE = 3
FOLDERS = 1_400
"""Some parts, so that both workers have one."""
CREATE_FOLDER = "resphere.vcenter.folder.create"
VMS = 110
RATE = 100
"""So that it takes more than a second."""
BULK = "/api/resphere/bulk"


def batched(names: list[str], most: int = 500) -> Iterator[list[str]]:
    """No list returns more than a thousand."""
    for first in range(0, len(names), most):
        yield names[first : first + most]


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
                failed = client.read(f"{BULK}/{bulk}/items?states=FAILED&states=SKIPPED")["items"]
                assert (failed, info["counts"]["succeeded"]) == ([], len(vms))
                assert info["counts"]["total"] == len(vms)
                if len(names) == LOOKED_AT or number == rounds - 1:
                    require_once(client, vms, names)
                    names.clear()


def test_two_workers_carry_out_one_and_either_may_be_killed(tmp_path: Path) -> None:
    """To make a folder of a name twice is refused, so an item that is done twice shows."""
    rng = random.Random(5)
    with Server(tmp_path / "data", "--workers", "2", "--vms", "0", WITHOUT_TLS) as server:
        with server.session() as client:
            (top,) = [each["folder"] for each in client.read("/api/vcenter/folder?names=vm")]
        for number in range(kills(KILLS_OF_ONE)):
            specs = [{"name": f"{number}-{folder}", "parent": top} for folder in range(FOLDERS)]
            items = [{"operation": CREATE_FOLDER, "input": {"spec": spec}} for spec in specs]
            with server.session() as client:
                reply = client.post(BULK, json={"items": items, "concurrency": 8})
                assert reply.status_code == 201, reply.text
                bulk = reply.json()
                point = rng.randrange(1, FOLDERS * 3 // 4)
                wait_until(lambda: done(client, bulk) >= point, "some of them")  # noqa: B023
            kill_worker(server, rng.choice(server.workers))
            with server.session() as client:
                wait_until(lambda: finished(client, bulk), "its end", 60)  # noqa: B023
                counts = client.read(f"{BULK}/{bulk}")["counts"]
                assert counts == {"total": FOLDERS, "pending": 0, "succeeded": FOLDERS, "failed": 0, "skipped": 0}
                for names in batched([spec["name"] for spec in specs]):
                    made = client.read(f"/api/vcenter/folder?names={'&names='.join(names)}")
                    assert sorted(each["name"] for each in made) == sorted(names)
