"""Clones and moves as tasks of a real server: what clients see, and what a stop or a crash leaves."""

from __future__ import annotations

from pathlib import Path

from tests.live.test_tasks import FOREVER, check_interrupted, path, slow
from tests.support.exports import export, objects
from tests.support.server import Client, Server, wait_until
from tests.support.soundness import problems
from tests.support.vms import OFF, any_vm, refusal, words


def clone(client: Client, source: str, name: str) -> str:
    """The task of a clone."""
    reply = client.post("/api/vcenter/vm?action=clone&vmw-task=true", json={"source": source, "name": name})
    assert reply.status_code == 202, reply.text
    task: str = reply.json()
    return task


def relocate(client: Client, vm: str) -> str:
    """The task of a move that leads nowhere."""
    reply = client.post(f"/api/vcenter/vm/{vm}?action=relocate&vmw-task=true", json={})
    assert reply.status_code == 202, reply.text
    task: str = reply.json()
    return task


def test_a_clone_as_a_task(client: Client) -> None:
    vm = any_vm(client, OFF)
    task = clone(client, vm, "twin")

    def done() -> bool:
        return str(client.read(path(task))["status"]) != "RUNNING"

    wait_until(done, "the clone")
    shown = client.read(path(task))
    assert (shown["status"], shown["operation"], shown["target"]["id"]) == ("SUCCEEDED", "clone$task", vm)
    assert client.read(f"/api/vcenter/vm/{shown['result']}")["name"] == "twin"
    again = client.post("/api/vcenter/vm?action=clone&vmw-task=true", json={"source": vm, "name": "twin"})
    assert refusal(again) == (400, "ALREADY_EXISTS", "vmsg.DuplicateName.summary")


def test_a_crash_half_applies_nothing(tmp_path: Path) -> None:
    with slow(tmp_path, clone_vm=FOREVER, relocate_vm=FOREVER) as server:
        client = server.session()
        vm = any_vm(client, OFF)
        before = export(server)
        tasks = clone(client, vm, "twin"), relocate(client, vm)
        busy = client.post(f"/api/vcenter/vm/{vm}/power?action=start")
        assert refusal(busy) == (500, "RESOURCE_BUSY", "resphere.task.busy")
        assert tasks[1] in words(busy)
        server.kill()
        server.start()
        assert export(server) == before
        # The dead are in nobody's way.
        assert client.post(f"/api/vcenter/vm/{vm}/power?action=start").status_code == 204
        assert client.post(f"/api/vcenter/vm/{vm}/power?action=stop").status_code == 204
        for task in tasks:
            check_interrupted(client, task)
        assert not client.read("/api/vcenter/vm", params={"names": "twin"})
        assert problems(list(objects(server).values())) == []


def test_an_orderly_stop_says_why(tmp_path: Path) -> None:
    with slow(tmp_path, clone_vm=FOREVER) as server:
        client = server.session()
        task = clone(client, any_vm(client, OFF), "twin")
        server.stop()
        server.start()
        shown = client.read(path(task))
        assert (shown["status"], shown["error"]["error_type"]) == ("FAILED", "INTERNAL_SERVER_ERROR")
        assert shown["error"]["messages"][0]["id"] == "resphere.task.stopped"


def test_a_task_is_seen_through_and_canceled(tmp_path: Path) -> None:
    with slow(tmp_path, clone_vm=FOREVER) as server:
        canceled(server)


def canceled(server: Server) -> None:
    doer, other = server.session(), server.session()
    task = clone(doer, any_vm(doer, OFF), "twin")
    shown = other.read(path(task))
    assert (shown["status"], shown["cancelable"]) == ("RUNNING", True)
    assert other.post(f"{path(task)}?action=cancel").status_code == 204

    def over() -> bool:
        return str(other.read(path(task))["status"]) == "FAILED"

    wait_until(over, "the end")
    assert other.read(path(task))["error"]["error_type"] == "CANCELED"
    assert not other.read("/api/vcenter/vm", params={"names": "twin"})
