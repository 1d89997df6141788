"""Tasks: what ran, what runs, and what a crash interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
import requests

from resphere.inventory.model import Host, VirtualMachine
from resphere.replica.replica import Replica
from resphere.store.engines import default_url, open_store
from resphere.tasks.record import TASKS, Task
from tests.support.exports import export, objects
from tests.support.server import ADMINISTRATOR, Client, Server, wait_until
from tests.support.vms import OFF, ON, act, any_vm, bring, power_path, refusal, state_of

LIST = "/api/cis/tasks?action=list"
POWER = "com.vmware.vcenter.vm.power"
# Longer than any test takes: what is to be seen running runs until the test ends it.
FOREVER = 600


def tasks(client: Client, **wanted: Any) -> dict[str, Any]:
    """The tasks that match a filter."""
    reply = client.post(LIST, json={"filter_spec": wanted} if wanted else {})
    assert reply.status_code == 200, reply.text
    listed: dict[str, Any] = reply.json()
    return listed


def newest(client: Client, target: str) -> str:
    """The last task on a VM."""
    found = tasks(client, targets=[{"type": "VirtualMachine", "id": target}])
    # Ids are given in order, and two may begin within a millisecond.
    return max(found, key=lambda identity: (found[identity]["start_time"], int(identity.removeprefix("task-"))))


def path(task: str) -> str:
    return f"/api/cis/tasks/{task}"


def running(client: Client, target: str) -> str:
    """The task that runs on an object, awaited."""
    kind = "HostSystem" if target.startswith("host") else "VirtualMachine"
    wanted = {"status": ["RUNNING"], "targets": [{"type": kind, "id": target}]}
    return wait_until(lambda: next(iter(tasks(client, **wanted)), ""), f"a running task on {target}")


def owner_of(server: Server, task: str) -> int:
    """The process that does a task."""
    found = asyncio.run(task_in(server.data_dir, task))
    assert found is not None
    return int(found.owner.partition("-")[0])


async def task_in(data_dir: Path, task: str) -> Task | None:
    """A task as it is in a server's data directory."""
    store = await open_store(default_url(data_dir))
    try:
        replica = Replica(store, (TASKS,))
        await replica.load()
        return replica.get(Task, task)
    finally:
        await store.close()


def slow(folder: Path, **seconds: float) -> Server:
    """A server of two workers where work takes that long."""
    file = folder / "durations.yaml"
    file.write_text("".join(f"{name}: {value}\n" for name, value in seconds.items()))
    return Server(folder / "data", "--workers", "2", "--durations", str(file))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Where requests wait that the test does not."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_work_that_is_over_at_once_leaves_a_finished_task(client: Client) -> None:
    vm = any_vm(client, OFF)
    assert act(client, vm, "start").status_code == 204
    identity = newest(client, vm)
    task = client.read(path(identity))
    assert tasks(client, tasks=[identity]) == {identity: task}
    assert (task["service"], task["operation"], task["user"]) == (POWER, "start", ADMINISTRATOR)
    assert (task["status"], task["cancelable"]) == ("SUCCEEDED", False)
    assert task["target"] == {"type": "VirtualMachine", "id": vm}
    assert (task["progress"]["total"], task["progress"]["completed"]) == (100, 100)
    assert task["description"]["default_message"] == "VirtualMachine.powerOn"
    assert datetime.fromisoformat(task["start_time"]) <= datetime.fromisoformat(task["end_time"])
    assert "error" not in task


def test_the_result_of_a_task(client: Client) -> None:
    vm = any_vm(client, OFF)
    snapshot = client.post(f"/api/vcenter/vm/{vm}/snapshot", json={"name": "one"}).json()
    identity = newest(client, vm)
    assert client.read(path(identity))["result"] == snapshot
    assert "result" not in client.read(f"{path(identity)}?exclude_result=true")
    reply = client.post(LIST, json={"filter_spec": {"tasks": [identity]}, "result_spec": {"exclude_result": True}})
    assert "result" not in reply.json()[identity]
    client.delete(f"/api/vcenter/vm/{vm}/snapshot")


def test_work_that_is_refused_at_once_leaves_none(client: Client) -> None:
    vm = any_vm(client, OFF)
    before = tasks(client, targets=[{"type": "VirtualMachine", "id": vm}])
    assert act(client, vm, "stop").status_code == 400
    assert tasks(client, targets=[{"type": "VirtualMachine", "id": vm}]) == before


def test_filters(client: Client) -> None:
    for action in ("start", "reset", "suspend", "stop"):
        assert act(client, any_vm(client, OFF if action == "start" else ON), action).status_code == 204
    every = tasks(client)
    some = list(every)[:5:2]
    targets = [task["target"] for task in every.values()][:2]
    for wanted, expected in (
        ({"tasks": some}, lambda i, t: i in some),
        ({"services": [POWER]}, lambda i, t: t["service"] == POWER),
        ({"operations": ["start", "stop"]}, lambda i, t: t["operation"] in ("start", "stop")),
        ({"status": ["SUCCEEDED"]}, lambda i, t: t["status"] == "SUCCEEDED"),
        ({"users": [ADMINISTRATOR]}, lambda i, t: t["user"] == ADMINISTRATOR),
        ({"targets": targets}, lambda i, t: t["target"] in targets),
        ({"services": [POWER], "operations": ["reset"]}, lambda i, t: t["operation"] == "reset"),
    ):
        assert tasks(client, **wanted) == {i: t for i, t in every.items() if expected(i, t)}, wanted
    for none in ({"tasks": ["task-404"]}, {"users": ["nobody"]}, {"status": ["BLOCKED"]}, {"services": ["x"]}):
        assert tasks(client, **none) == {}


def test_unknown_tasks(client: Client) -> None:
    for reply in (client.get(path("task-404")), client.post(f"{path('task-404')}?action=cancel")):
        assert refusal(reply) == (404, "NOT_FOUND", "resphere.task.not_found")


def test_a_finished_task_cannot_be_canceled(client: Client) -> None:
    vm = any_vm(client, OFF)
    assert act(client, vm, "start").status_code == 204
    reply = client.post(f"{path(newest(client, vm))}?action=cancel")
    assert refusal(reply) == (400, "NOT_ALLOWED_IN_CURRENT_STATE", "resphere.task.already_finished")


def worker_of(reply: requests.Response) -> str:
    """Request ids begin with the worker's own."""
    return reply.headers["x-request-id"].partition("-")[0]


def at_another_worker(client: Client, worker: str) -> None:
    """Reconnect until another worker answers; a connection stays with one."""

    def reconnected() -> bool:
        client.http.close()
        return worker_of(client.get("/api")) != worker

    wait_until(reconnected, "another worker")


def evacuated_host(server: Server, client: Client) -> str:
    """A host in a cluster with two VMs that run."""
    found = objects(server)
    for host in found.values():
        vms = [vm for vm in found.values() if isinstance(vm, VirtualMachine) and vm.host == host.id and not vm.template]
        if isinstance(host, Host) and str(host.parent).startswith("domain-c") and len(vms) > 1:
            for vm in vms[:2]:
                bring(client, vm.id, ON)
            return host.id
    raise AssertionError("the default inventory has such a host")


def test_what_runs_is_seen_and_canceled_by_others(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with slow(tmp_path, migrate=FOREVER, reset=FOREVER) as server:
        doer, other = server.session(), server.session()
        host = evacuated_host(server, doer)
        before = export(server)
        at_another_worker(other, worker_of(doer.get("/api")))
        entering = pool.submit(doer.post, f"/api/vcenter/host/{host}/maintenance", json={"action": "enter"})
        task = running(other, host)
        shown = other.read(path(task))
        assert (shown["status"], shown["cancelable"], shown["operation"]) == ("RUNNING", True, "set")
        assert shown["progress"]["completed"] < 100
        assert "end_time" not in shown
        assert other.post(f"{path(task)}?action=cancel").status_code == 204
        reply = entering.result()
        assert refusal(reply) == (500, "CANCELED", "resphere.task.canceled")
        ended = other.read(path(task))
        assert (ended["status"], ended["cancelable"]) == ("FAILED", False)
        assert ended["error"]["error_type"] == "CANCELED"
        assert export(server) == before

        vm = any_vm(other, ON)
        resetting = pool.submit(act, doer, vm, "reset")
        task = running(other, vm)
        reply = other.post(f"{path(task)}?action=cancel")
        assert refusal(reply) == (400, "NOT_ALLOWED_IN_CURRENT_STATE", "resphere.task.not_cancelable")
        assert other.read(path(task))["status"] == "RUNNING"
        server.kill()
        assert isinstance(resetting.exception(), requests.ConnectionError)


def test_work_goes_on_without_the_client_that_asked(tmp_path: Path) -> None:
    with slow(tmp_path, power_on=3.0) as server, server.session() as client:
        vm = any_vm(client, OFF)
        leaver = HTTPSConnection("127.0.0.1", server.port, context=ssl.create_default_context(cafile=server.ca))
        leaver.request("POST", f"{power_path(vm)}?action=start", headers={"vmware-api-session-id": client.token})
        running(client, vm)
        leaver.close()
        wait_until(lambda: state_of(client, vm) == ON, "the start")
        assert client.read(path(newest(client, vm)))["status"] == "SUCCEEDED"


def test_a_crash_fails_what_ran(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with slow(tmp_path, power_on=FOREVER, create_snapshot=FOREVER, migrate=FOREVER) as server:
        client = server.session()
        host = evacuated_host(server, client)
        off = any_vm(client, OFF)
        on = next(row["vm"] for row in client.read("/api/vcenter/vm", params={"power_states": ON}))
        before = export(server)
        started: list[Future[requests.Response]] = [
            pool.submit(act, server.session(), off, "start"),
            pool.submit(server.session().post, f"/api/vcenter/vm/{on}/snapshot", json={"name": "one"}),
            pool.submit(server.session().post, f"/api/vcenter/host/{host}/maintenance", json={"action": "enter"}),
        ]
        identities = [running(client, target) for target in (off, on, host)]
        server.kill()
        assert all(isinstance(each.exception(), requests.ConnectionError) for each in started)
        server.start()
        for identity in identities:
            check_interrupted(client, identity)
        assert export(server) == before
        assert tasks(client, status=["RUNNING"]) == {}


def test_what_slow_work_needs_stays_until_it_has_died(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with slow(tmp_path, create_vm=FOREVER) as server:
        doer, other = server.session(), server.session()
        at_another_worker(other, worker_of(doer.get("/api")))
        above = other.read("/api/vcenter/folder", params={"type": "VIRTUAL_MACHINE"})[0]["folder"]
        folder = other.post("/api/vcenter/folder", json={"name": "needed", "parent": above}).json()
        cluster = other.read("/api/vcenter/cluster")[0]["cluster"]
        root = other.read(f"/api/vcenter/cluster/{cluster}")["resource_pool"]
        pool_spec = {"name": "needed", "parent": root}
        resource_pool = other.post("/api/vcenter/resource-pool", json=pool_spec).json()
        placement = {"folder": folder, "resource_pool": resource_pool}
        spec = {"name": "made", "guest_OS": "DEBIAN_11_64", "placement": placement}
        creating = pool.submit(doer.post, "/api/vcenter/vm", json=spec)
        wait_until(lambda: tasks(other, services=["com.vmware.vcenter.VM"], status=["RUNNING"]), "the creation")
        needed = {
            f"/api/vcenter/folder/{folder}": (400, "RESOURCE_IN_USE"),
            f"/api/vcenter/resource-pool/{resource_pool}": (500, "ERROR"),
        }
        for place, expected in needed.items():
            assert refusal(other.delete(place)) == (*expected, "resphere.task.needs")
        server.kill()
        assert isinstance(creating.exception(), requests.ConnectionError)
        server.start()
        for place in needed:
            assert other.delete(place).status_code == 204


def check_interrupted(client: Client, task: str) -> None:
    """The task has failed, and says why."""
    shown = wait_until(
        lambda: found if (found := client.read(path(task)))["status"] != "RUNNING" else {}, f"the end of {task}"
    )
    assert shown["status"] == "FAILED"
    assert shown["error"]["error_type"] == "INTERNAL_SERVER_ERROR"
    (message,) = shown["error"]["messages"]
    assert message["id"] == "resphere.task.interrupted"
    assert message["default_message"] == "The server stopped while the task was running."
    assert datetime.fromisoformat(shown["start_time"]) <= datetime.fromisoformat(shown["end_time"])


def test_one_worker_s_crash_fails_its_tasks_only(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with slow(tmp_path, power_on=FOREVER, reset=FOREVER) as server:
        workers = server.workers
        assert len(workers) == 2
        first, second = server.session(), server.session()
        at_another_worker(second, worker_of(first.get("/api")))
        off, on = any_vm(second, OFF), next(iter(second.read("/api/vcenter/vm", params={"power_states": ON})))["vm"]
        doomed, spared = pool.submit(act, first, off, "start"), pool.submit(act, second, on, "reset")
        with server.session() as watcher:
            doomed_task, spared_task = running(watcher, off), running(watcher, on)
        victim = owner_of(server, doomed_task)
        assert {victim, owner_of(server, spared_task)} == set(workers)
        os.kill(victim, signal.SIGKILL)
        assert isinstance(doomed.exception(), requests.ConnectionError)

        def replaced() -> bool:
            return len(server.workers) == 2 and victim not in server.workers

        wait_until(replaced, "a new worker")
        with server.session() as client:
            check_interrupted(client, doomed_task)
            assert client.read(path(spared_task))["status"] == "RUNNING"
            assert state_of(client, off) == OFF
        assert not spared.done()
        server.kill()
        spared.exception()
