"""Maintenance mode: it evacuates, or refuses and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resphere.inventory.model import Cluster, Host, ManagedObject, VirtualMachine
from tests.support.exports import export, objects
from tests.support.server import Client, Server, wait_until
from tests.support.vms import OFF, ON, SUSPENDED, act, bring, refusal, state_of, words


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose hosts nobody else needs."""
    with Server(tmp_path_factory.mktemp("maintenance") / "data") as server:
        yield server


@pytest.fixture
def operator(own_server: Server) -> Iterator[Client]:
    """A client of it, which takes every host out of maintenance in the end."""
    with own_server.session() as client:
        yield client
        for row in client.read("/api/vcenter/host"):
            set_maintenance(client, row["host"], "exit")


def path(host: str) -> str:
    return f"/api/vcenter/host/{host}/maintenance"


def set_maintenance(client: Client, host: str, action: str, **more: bool) -> int:
    """Enter or exit; returns the status."""
    return client.post(path(host), json={"action": action, **more}).status_code


def hosts_of(everything: dict[str, ManagedObject], clustered: bool) -> list[Host]:
    """The hosts in clusters, or those that stand alone."""
    return [
        obj
        for obj in everything.values()
        if isinstance(obj, Host) and isinstance(everything[str(obj.parent)], Cluster) == clustered
    ]


def vms_on(server: Server, host: str) -> list[VirtualMachine]:
    """The VMs of a host, without templates."""
    found = objects(server).values()
    return [obj for obj in found if isinstance(obj, VirtualMachine) and obj.host == host and not obj.template]


def clustered_host(server: Server, client: Client) -> tuple[Host, list[str]]:
    """A host in a cluster with a VM in each state: on, suspended, off."""
    host = next(host for host in hosts_of(objects(server), True) if len(vms_on(server, host.id)) >= 3)
    vms = [vm.id for vm in vms_on(server, host.id)][:3]
    for vm, state in zip(vms, (ON, SUSPENDED, OFF), strict=True):
        bring(client, vm, state)
    return host, vms


def host_of(server: Server, vm: str) -> str:
    """Where a VM is."""
    found = objects(server)[vm]
    assert isinstance(found, VirtualMachine)
    return found.host


def test_what_runs_is_moved_within_the_cluster(own_server: Server, operator: Client) -> None:
    host, (running, suspended, off) = clustered_host(own_server, operator)
    assert operator.post(path(host.id), json={"action": "enter"}).content == b""
    after = objects(own_server)
    siblings = {other.id for other in hosts_of(after, True) if other.parent == host.parent} - {host.id}
    assert host_of(own_server, running) in siblings
    assert host_of(own_server, suspended) in siblings
    assert host_of(own_server, off) == host.id
    assert state_of(operator, running) == ON
    assert state_of(operator, suspended) == SUSPENDED
    assert operator.read(path(host.id)) == {"in_maintenance_mode": True}
    shown = operator.read(f"/api/vcenter/host/{host.id}")
    assert (shown["in_maintenance_mode"], shown["powered_on_vm_count"]) == (True, 0)


def test_what_is_off_is_moved_on_demand(own_server: Server, operator: Client) -> None:
    host, (_, _, off) = clustered_host(own_server, operator)
    assert set_maintenance(operator, host.id, "enter", evacuate_powered_off_vms=True) == 204
    assert host_of(own_server, off) != host.id
    assert operator.read("/api/vcenter/vm", params={"hosts": host.id}) == []


def test_starting_a_vm_of_such_a_host_moves_it(own_server: Server, operator: Client) -> None:
    host, (_, _, off) = clustered_host(own_server, operator)
    assert set_maintenance(operator, host.id, "enter") == 204
    assert act(operator, off, "start").status_code == 204
    moved_to = objects(own_server)[host_of(own_server, off)]
    assert moved_to.id != host.id
    assert moved_to.parent == host.parent
    assert isinstance(moved_to, Host)
    assert not moved_to.in_maintenance_mode


def test_reverting_to_a_running_state_moves_too(own_server: Server, operator: Client) -> None:
    host, (running, _, _) = clustered_host(own_server, operator)
    snapshots = f"/api/vcenter/vm/{running}/snapshot"
    snapshot = operator.post(snapshots, json={"name": "running", "memory": True}).json()
    assert act(operator, running, "stop").status_code == 204
    assert set_maintenance(operator, host.id, "enter") == 204
    assert operator.post(f"{snapshots}/{snapshot}?action=revert").status_code == 204
    assert state_of(operator, running) == ON
    assert host_of(own_server, running) != host.id


def test_a_standalone_host_with_running_vms_refuses(own_server: Server, operator: Client) -> None:
    host = next(host for host in hosts_of(objects(own_server), False) if vms_on(own_server, host.id))
    vm = vms_on(own_server, host.id)[0].id
    bring(operator, vm, ON)
    before = export(own_server)
    for more in ({}, {"evacuate_powered_off_vms": True}):
        reply = operator.post(path(host.id), json={"action": "enter", **more})
        assert refusal(reply) == (400, "NOT_ALLOWED_IN_CURRENT_STATE", "resphere.host.maintenance.no_place")
        assert host.name in words(reply)
        assert export(own_server) == before


def test_the_last_host_of_a_cluster_refuses(own_server: Server, operator: Client) -> None:
    host, (running, _, _) = clustered_host(own_server, operator)
    siblings = [other.id for other in hosts_of(objects(own_server), True) if other.parent == host.parent]
    for other in siblings:
        if other != host.id:
            assert set_maintenance(operator, other, "enter") == 204
    before = export(own_server)
    reply = operator.post(path(host.id), json={"action": "enter"})
    assert refusal(reply) == (400, "NOT_ALLOWED_IN_CURRENT_STATE", "resphere.host.maintenance.no_place")
    assert export(own_server) == before
    assert state_of(operator, running) == ON


def test_an_idle_standalone_host_enters_and_starts_nothing_then(own_server: Server, operator: Client) -> None:
    host = next(host for host in hosts_of(objects(own_server), False) if vms_on(own_server, host.id))
    vms = [vm.id for vm in vms_on(own_server, host.id)]
    for vm in vms:
        bring(operator, vm, OFF)
    assert set_maintenance(operator, host.id, "enter") == 204
    reply = act(operator, vms[0], "start")
    assert refusal(reply) == (500, "UNABLE_TO_ALLOCATE_RESOURCE", "vmsg.NoCompatibleHost.summary")
    assert state_of(operator, vms[0]) == OFF
    assert set_maintenance(operator, host.id, "exit") == 204
    assert act(operator, vms[0], "start").status_code == 204


def ended(task: dict[str, Any]) -> dict[str, Any]:
    """The task, once it is over; nothing before."""
    return task if "end_time" in task else {}


def test_it_goes_on_as_a_task(own_server: Server, operator: Client) -> None:
    host, (running, _, _) = clustered_host(own_server, operator)
    reply = operator.post(f"{path(host.id)}?vmw-task=true", json={"action": "enter"})
    assert reply.status_code == 202
    address = f"/api/cis/tasks/{reply.json()}"
    task = wait_until(lambda: ended(operator.read(address)), "the task ends")
    assert (task["status"], task["target"], task["operation"]) == (
        "SUCCEEDED",
        {"type": "HostSystem", "id": host.id},
        "set$task",
    )
    assert host_of(own_server, running) != host.id
    refused = operator.post(f"{path(host.id)}?vmw-task=true", json={"action": "enter"})
    assert refusal(refused) == (400, "ALREADY_IN_DESIRED_STATE", "resphere.host.maintenance.already_in")


def test_twice_is_refused(own_server: Server, operator: Client) -> None:
    host, _ = clustered_host(own_server, operator)
    reply = operator.post(path(host.id), json={"action": "exit"})
    assert refusal(reply) == (400, "ALREADY_IN_DESIRED_STATE", "resphere.host.maintenance.not_in")
    assert set_maintenance(operator, host.id, "enter") == 204
    reply = operator.post(path(host.id), json={"action": "enter"})
    assert refusal(reply) == (400, "ALREADY_IN_DESIRED_STATE", "resphere.host.maintenance.already_in")


def test_a_host_that_does_not_exist(operator: Client) -> None:
    for reply in (operator.get(path("host-404")), operator.post(path("host-404"), json={"action": "enter"})):
        assert refusal(reply) == (404, "NOT_FOUND", "com.vmware.api.vcenter.host.not_found")
