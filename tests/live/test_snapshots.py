"""Snapshots: the tree that they make, what a revert brings back, and what deleting leaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from resphere.inventory.model import VirtualMachine
from tests.support.exports import objects
from tests.support.server import Client, Server
from tests.support.vms import OFF, ON, SUSPENDED, act, any_vm, bring, refusal, state_of, words

NOT_FOUND = (404, "NOT_FOUND", "resphere.vm.snapshot.not_found")


def path(vm: str, snapshot: str | None = None) -> str:
    return f"/api/vcenter/vm/{vm}/snapshot" + (f"/{snapshot}" if snapshot else "")


@pytest.fixture
def vm(client: Client) -> str:
    """A VM that is off, without snapshots."""
    found = any_vm(client, OFF)
    assert client.delete(path(found)).status_code == 204
    return found


def take(client: Client, vm: str, name: str, **spec: Any) -> str:
    """Take a snapshot and return its id."""
    reply = client.post(path(vm), json={"name": name, **spec})
    assert reply.status_code == 201, reply.text
    made: str = reply.json()
    return made


def revert(client: Client, vm: str, snapshot: str) -> None:
    """Go back to a snapshot."""
    assert client.post(f"{path(vm, snapshot)}?action=revert").status_code == 204


def tree(client: Client, vm: str) -> dict[str, str | None]:
    """Name -> name of the parent."""
    listed = client.read(path(vm))
    names = {row["snapshot"]: row["name"] for row in listed}
    return {row["name"]: names.get(row.get("parent", "")) for row in listed}


def current(client: Client, vm: str) -> list[str]:
    """The names of those that the VM descends from directly: one, or none."""
    return [row["name"] for row in client.read(path(vm)) if row["current"]]


def branched(client: Client, vm: str) -> dict[str, str]:
    """``a`` with the children ``b`` and ``d``, ``c`` below ``b``; the VM descends from ``d``. Name -> id."""
    made = {name: take(client, vm, name) for name in ("a", "b", "c")}
    revert(client, vm, made["a"])
    made["d"] = take(client, vm, "d")
    assert tree(client, vm) == {"a": None, "b": "a", "c": "b", "d": "a"}
    assert current(client, vm) == ["d"]
    return made


def test_what_is_shown(client: Client, vm: str) -> None:
    one = take(client, vm, "one", description="the first")
    two = take(client, vm, "two")
    shown = client.read(path(vm, one))
    hardware = client.read(f"/api/vcenter/vm/{vm}")
    assert shown["vm"] == vm
    assert (shown["name"], shown["description"]) == ("one", "the first")
    assert shown["children"] == [two]
    assert "parent" not in shown
    assert (shown["cpu_count"], shown["memory_size_MiB"]) == (
        hardware["cpu"]["count"],
        hardware["memory"]["size_MiB"],
    )
    assert shown["disks"] == [disk["backing"]["vmdk_file"] for disk in hardware["disks"].values()]
    assert client.read(path(vm, two))["parent"] == one
    assert client.read(path(vm, two))["description"] == ""
    assert [row["snapshot"] for row in client.read(path(vm))] == [one, two]
    assert [row["current"] for row in client.read(path(vm))] == [False, True]


def test_deleting_one_hangs_its_children_on_its_parent(client: Client, vm: str) -> None:
    made = branched(client, vm)
    assert client.delete(path(vm, made["b"])).status_code == 204
    assert tree(client, vm) == {"a": None, "c": "a", "d": "a"}
    assert client.delete(path(vm, made["a"])).status_code == 204
    assert tree(client, vm) == {"c": None, "d": None}
    assert current(client, vm) == ["d"]


def test_deleting_with_children(client: Client, vm: str) -> None:
    made = branched(client, vm)
    assert client.delete(path(vm, made["b"]), params={"children": "true"}).status_code == 204
    assert tree(client, vm) == {"a": None, "d": "a"}
    assert client.delete(path(vm, made["a"]), params={"children": "true"}).status_code == 204
    assert tree(client, vm) == {}
    assert take(client, vm, "e")
    assert tree(client, vm) == {"e": None}


def test_deleting_the_current_one_makes_its_parent_current(client: Client, vm: str) -> None:
    made = branched(client, vm)
    assert client.delete(path(vm, made["d"]), params={"children": "false"}).status_code == 204
    assert current(client, vm) == ["a"]
    take(client, vm, "e")
    assert tree(client, vm)["e"] == "a"


def test_deleting_all(client: Client, vm: str) -> None:
    branched(client, vm)
    for _ in range(2):
        assert client.delete(path(vm)).status_code == 204
        assert client.read(path(vm)) == []
    assert state_of(client, vm) == OFF


@pytest.mark.parametrize(
    ("state", "memory", "shown", "after"),
    [
        (ON, True, ON, ON),
        (ON, False, OFF, OFF),
        (OFF, True, OFF, OFF),
        (OFF, False, OFF, OFF),
        (SUSPENDED, False, SUSPENDED, SUSPENDED),
    ],
)
def test_revert_brings_the_power_state_back(
    client: Client, vm: str, state: str, memory: bool, shown: str, after: str
) -> None:
    bring(client, vm, state)
    snapshot = take(client, vm, "state", memory=memory, quiesce=True)
    row = client.read(path(vm, snapshot))
    assert row["power_state"] == shown
    assert row["memory"] == (memory and state == ON)
    assert row["quiesced"] == (state == ON)
    for before in (ON, OFF):
        bring(client, vm, before)
        revert(client, vm, snapshot)
        assert state_of(client, vm) == after


def test_they_take_room(client: Client, vm: str) -> None:
    def free() -> int:
        return sum(row.get("free_space", 0) for row in client.read("/api/vcenter/datastore"))

    bring(client, vm, ON)
    machine = client.read(f"/api/vcenter/vm/{vm}")
    deltas = sum(disk["capacity"] // 16 for disk in machine["disks"].values())
    before = free()
    snapshot = take(client, vm, "room", memory=True)
    assert free() == before - deltas - machine["memory"]["size_MiB"] * 2**20
    assert client.delete(path(vm, snapshot), params={"consolidate": "false"}).status_code == 204
    assert free() == before - deltas
    assert client.post(f"/api/vcenter/vm/{vm}/snapshot-consolidation").status_code == 204
    assert free() == before


def test_they_need_room(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server, server.session() as client:
        vm = any_vm(client, OFF)
        home = client.read(f"/api/vcenter/vm/{vm}")["disks"]["2000"]["backing"]["vmdk_file"][1:].partition("]")[0]
        store = next(row for row in client.read("/api/vcenter/datastore") if row["name"] == home)
        spec = {"new_vmdk": {"capacity": store["free_space"]}}
        added = client.post(f"/api/vcenter/vm/{vm}/hardware/disk", json=spec)
        assert added.status_code == 201, added.text
        before = client.read(path(vm))
        refused = client.post(path(vm), json={"name": "no room"})
        assert refusal(refused)[1:] == ("UNABLE_TO_ALLOCATE_RESOURCE", "resphere.vm.disk.no_room")
        assert client.read(path(vm)) == before


def test_revert_by_the_path(client: Client, vm: str) -> None:
    snapshot = take(client, vm, "one")
    assert act(client, vm, "start").status_code == 204
    assert client.post(f"{path(vm, snapshot)}/revert").status_code == 204
    assert state_of(client, vm) == OFF


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_names_that_are_refused(client: Client, vm: str, name: str) -> None:
    reply = client.post(path(vm), json={"name": name})
    assert refusal(reply) == (400, "INVALID_ARGUMENT", "resphere.vm.snapshot.invalid_name")
    assert "spec.name" in words(reply)
    assert client.read(path(vm)) == []


@pytest.mark.parametrize("name", ["x" * 80, "Größe 100% / \\ 😀", "\0", "API-Snapshot"])
def test_names_that_are_kept(client: Client, vm: str, name: str) -> None:
    for _ in range(2):  # names need not be unique
        assert client.read(path(vm, take(client, vm, name)))["name"] == name


def test_snapshots_of_others_are_not_found(client: Client, vm: str) -> None:
    snapshot = take(client, vm, "one")
    other = next(row["vm"] for row in client.read("/api/vcenter/vm") if row["vm"] != vm)
    replies: list[requests.Response] = []
    for whose, which in ((other, snapshot), (vm, "snapshot-404"), (vm, vm)):
        replies += [
            client.get(path(whose, which)),
            client.delete(path(whose, which)),
            client.post(f"{path(whose, which)}?action=revert"),
        ]
    assert {refusal(reply) for reply in replies} == {NOT_FOUND}
    for method in ("GET", "DELETE"):
        reply = client.request(method, path("vm-404"))
        assert refusal(reply) == (404, "NOT_FOUND", "com.vmware.api.vcenter.vm.not_found")
    assert tree(client, vm) == {"one": None}


def test_templates_have_none(client: Client, shared_server: Server) -> None:
    found = objects(shared_server).values()
    template = next(obj.id for obj in found if isinstance(obj, VirtualMachine) and obj.template)
    reply = client.post(path(template), json={"name": "one"})
    assert refusal(reply) == (400, "NOT_ALLOWED_IN_CURRENT_STATE", "resphere.vm.snapshot.template")


def test_the_deepest_tree(client: Client, vm: str) -> None:
    made = [take(client, vm, str(level)) for level in range(32)]
    reply = client.post(path(vm), json={"name": "too deep"})
    assert refusal(reply) == (400, "NOT_ALLOWED_IN_CURRENT_STATE", "resphere.vm.snapshot.too_deep")
    revert(client, vm, made[30])
    take(client, vm, "beside the last")
    assert len(client.read(path(vm))) == 33
    assert client.delete(path(vm, made[0]), params={"children": "true"}).status_code == 204
    assert client.read(path(vm)) == []


def test_many_at_once_make_one_tree(client: Client, shared_server: Server, vm: str) -> None:
    clients = [shared_server.session() for _ in range(8)]
    with ThreadPoolExecutor(len(clients)) as pool:
        made = list(pool.map(lambda pair: take(pair[1], vm, str(pair[0])), enumerate(clients)))
    assert len(set(made)) == len(clients)
    rows = client.read(path(vm))
    # Each descends from the one before it: a chain without forks.
    parents = [row.get("parent") for row in rows]
    assert sorted(parents, key=str) == sorted([None, *(row["snapshot"] for row in rows if not row["current"])], key=str)
    for each in clients:
        each.close()
