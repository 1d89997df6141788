"""Different work on one virtual machine at once, through two workers, while all of it takes time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.server import Client, Server
from tests.support.vms import OFF, act, any_vm

VMS = "/api/vcenter/vm"
TAKEN_TURNS = {"RESOURCE_BUSY", "NOT_ALLOWED_IN_CURRENT_STATE", "ALREADY_IN_DESIRED_STATE"}
GIB = 1 << 30
KINDS_OF_WORK = ("power_on", "power_off", "reconfigure", "create_snapshot", "delete_vm", "clone_vm", "relocate_vm")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    durations = tmp_path / "durations.yaml"
    durations.write_text("".join(f"{kind}: 0.15\n" for kind in KINDS_OF_WORK))
    with Server(tmp_path / "data", "--workers", "2", "--durations", str(durations)) as server:
        yield server


def do(client: Client, vm: str, work: str, name: str) -> requests.Response:
    """One piece of work on the machine."""
    if work == "disk":
        return client.post(f"{VMS}/{vm}/hardware/disk", json={"new_vmdk": {"capacity": GIB}})
    if work == "cpu":
        return client.patch(f"{VMS}/{vm}/hardware/cpu", json={"count": 2})
    if work == "clone":
        return client.post(f"{VMS}?action=clone", json={"source": vm, "name": name})
    if work == "snapshot":
        return client.post(f"/api/vcenter/vm/{vm}/snapshot", json={"name": name})
    if work == "delete":
        return client.delete(f"{VMS}/{vm}")
    return act(client, vm, work)


def all_at_once(server: Server, vm: str, works: list[str]) -> list[tuple[str, requests.Response]]:
    """Each piece of work with its reply; every one by a client of its own."""
    clients = [server.session() for _ in works]
    with ThreadPoolExecutor(len(works)) as pool:
        begun = [pool.submit(do, clients[i], vm, work, f"made-{i}") for i, work in enumerate(works)]
        replies = [each.result() for each in begun]
    for client in clients:
        client.close()
    return list(zip(works, replies, strict=True))


def error_type(reply: requests.Response) -> str:
    kind: str = reply.json()["error_type"]
    return kind


def machine(client: Client, vm: str) -> dict[str, Any]:
    found: dict[str, Any] = client.read(f"{VMS}/{vm}")
    return found


def test_hardware_power_and_clones(server: Server) -> None:
    with server.session() as client:
        vm = any_vm(client, OFF)
        before = machine(client, vm)
        done = all_at_once(server, vm, ["disk", "start", "disk", "clone", "cpu", "snapshot", "clone", "disk"])
        refused = {error_type(reply) for _, reply in done if not reply.ok}
        assert refused <= TAKEN_TURNS, refused
        assert any(reply.ok for work, reply in done if work != "clone")
        disks = sum(work == "disk" and reply.ok for work, reply in done)
        assert len(machine(client, vm)["disks"]) == len(before["disks"]) + disks
        made = [reply.json() for work, reply in done if work == "clone" and reply.ok]
        assert all(len(machine(client, clone)["disks"]) >= len(before["disks"]) for clone in made)


def test_a_delete_among_other_work(server: Server) -> None:
    with server.session() as client:
        vm = any_vm(client, OFF)
        done = all_at_once(server, vm, ["clone", "disk", "delete", "start", "delete", "clone", "snapshot"])
        refused = {(work, error_type(reply)) for work, reply in done if not reply.ok}
        # Clones declare nothing narrower for a source that is being deleted.
        refused.discard(("clone", "ERROR"))
        assert {error for _, error in refused} <= TAKEN_TURNS | {"NOT_FOUND"}, refused
        deleted = [reply.ok for work, reply in done if work == "delete"]
        assert sum(deleted) <= 1
        assert client.get(f"{VMS}/{vm}").status_code == (404 if any(deleted) else 200)
        made = [reply.json() for work, reply in done if work == "clone" and reply.ok]
        assert all(machine(client, clone)["name"].startswith("made-") for clone in made)


def test_two_deletes_of_one(server: Server) -> None:
    with server.session() as client:
        vm = any_vm(client, OFF)
        replies = [reply for _, reply in all_at_once(server, vm, ["delete"] * 6)]
        assert [reply.status_code for reply in replies].count(204) == 1
        assert {error_type(reply) for reply in replies if not reply.ok} <= {"RESOURCE_BUSY", "NOT_FOUND"}
