"""A server that is killed between each two moments of a change: what its task says afterwards is what is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.providers.processes import gates
from tests.providers.processes.site import Site, site
from tests.providers.processes.slow_machine import RELEASE
from tests.support.server import wait_until
from tests.support.vms import OFF, ON, act, bring, refusal, state_of

DECIDING, DECIDED, ACTING, ACTED = "deciding", "decided", "acting", "acted"
SETTLED = "settled"
"""No gate: the reply has come."""

NONE, FAILED, SUCCEEDED = "none", "FAILED", "SUCCEEDED"
TRUTH = {DECIDING: NONE, DECIDED: FAILED, ACTED: SUCCEEDED, SETTLED: SUCCEEDED}
"""What the task says after a kill at a moment. What was begun depends on the verb."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that is killed again and again; each test has a VM of its own."""
    with site(tmp_path_factory.mktemp("kills")) as made:
        yield made


def killed_at(site: Site, verb: str, moment: str, ask: Callable[[], requests.Response]) -> dict[str, Any]:
    """Kill the server at a moment of what ``ask`` asks for, and start it again; returns the tasks that came by it."""
    before = site.tasks()
    if moment == SETTLED:
        assert ask().ok
        site.server.kill()
    else:
        gate = gates.build(site.gates, f"{verb}.{moment}")
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(ask)
            with gates.await_arrival(gate):
                site.server.kill()
            with suppress(requests.ConnectionError):
                raise AssertionError(asking.result().text)
    site.restart()
    return {id: task for id, task in site.tasks().items() if id not in before}


def require_outcome(tasks: dict[str, Any], expected: str) -> None:
    """One task that says so, or no task."""
    assert [task["status"] for task in tasks.values()] == ([] if expected == NONE else [expected])
    for task in tasks.values():
        if expected == FAILED:
            assert task["error"]["messages"][0]["id"] == "resphere.task.interrupted"


@pytest.mark.parametrize(("moment", "expected"), [*TRUTH.items(), (ACTING, FAILED)])
def test_create(shared: Site, moment: str, expected: str) -> None:
    name, free = shared.new_name(), shared.free_bytes()
    tasks = killed_at(shared, "create", moment, lambda: shared.create(name))
    require_outcome(tasks, expected)
    shared.require_truth()
    if expected == SUCCEEDED:
        [vm] = shared.named(name)
        assert [task["result"] for task in tasks.values()] == [vm["vm"]]
        assert refusal(shared.create(name)) == (400, "ALREADY_EXISTS", "vmsg.DuplicateName.summary")
        bring(shared.client, vm["vm"], ON)
    else:
        assert not shared.named(name)
        assert shared.free_bytes() == free
        assert shared.create(name).status_code == 201


@pytest.mark.parametrize(("moment", "expected"), [*TRUTH.items(), (ACTING, FAILED)])
def test_power_on(shared: Site, moment: str, expected: str) -> None:
    """A start that goes on while nobody waits for it is called off."""
    vm = shared.new_vm()
    if moment == ACTING:
        require_outcome(start_outlives_server(shared, vm, before_restart=False), expected)
    else:
        require_outcome(killed_at(shared, "power_on", moment, lambda: act(shared.client, vm, "start")), expected)
    assert shared.runs(vm) == (expected == SUCCEEDED)
    shared.require_truth()
    bring(shared.client, vm, OFF if expected == SUCCEEDED else ON)
    shared.require_truth()


def test_a_start_that_comes_true_while_no_server_runs(shared: Site) -> None:
    vm = shared.new_vm()
    require_outcome(start_outlives_server(shared, vm, before_restart=True), SUCCEEDED)
    assert state_of(shared.client, vm) == ON
    shared.require_truth()


def start_outlives_server(site: Site, vm: str, *, before_restart: bool) -> dict[str, Any]:
    """Kill the server while a machine starts, and let that go on before the server's next start, or after."""
    before, uuid = site.tasks(), site.uuid(vm)
    gate = gates.build(site.gates, "power_on.acting")
    release = gates.build(site.gates, RELEASE)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(act, site.client, vm, "start")
        with gates.await_arrival(gate) as starting:
            site.server.kill()
            with suppress(requests.ConnectionError):
                raise AssertionError(asking.result().text)
            if not before_restart:
                site.restart()
            release.write_bytes(b".")
            if before_restart:
                wait_until(lambda: site.machines.process(uuid), "the start of the machine")
                site.restart()
            else:
                # The end: neither the start nor a machine of it is there any more.
                gates.await_departure(starting)
    release.unlink()
    return {id: task for id, task in site.tasks().items() if id not in before}


@pytest.mark.parametrize(("moment", "expected"), [*TRUTH.items(), (ACTING, SUCCEEDED)])
def test_power_off(shared: Site, moment: str, expected: str) -> None:
    """A stop that was begun is finished."""
    vm = shared.new_vm()
    bring(shared.client, vm, ON)
    tasks = killed_at(shared, "power_off", moment, lambda: act(shared.client, vm, "stop"))
    require_outcome(tasks, expected)
    assert shared.runs(vm) == (expected != SUCCEEDED)
    shared.require_truth()
    bring(shared.client, vm, ON if expected == SUCCEEDED else OFF)
    shared.require_truth()


@pytest.mark.parametrize(("moment", "expected"), [*TRUTH.items(), (ACTING, SUCCEEDED)])
def test_delete(shared: Site, moment: str, expected: str) -> None:
    """A deletion that was begun is finished."""
    name = shared.new_name()
    vm = shared.create(name).json()
    path = f"/api/vcenter/vm/{vm}"
    require_outcome(killed_at(shared, "delete", moment, lambda: shared.client.delete(path)), expected)
    shared.require_truth()
    gone = shared.client.delete(path)
    assert gone.status_code == (404 if expected == SUCCEEDED else 204), gone.text
    assert shared.create(name).status_code == 201


def test_no_machine_outlives_its_site(tmp_path: Path) -> None:
    """Else these tests would leave processes behind."""
    with site(tmp_path) as made:
        vm = made.new_vm()
        bring(made.client, vm, ON)
        assert made.runs(vm)
        machines = made.machines
        uuid = made.uuid(vm)
    assert machines.process(uuid) is None
