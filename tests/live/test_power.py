"""Power: every operation in every state, templates, and many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resphere.inventory.model import VirtualMachine
from tests.support.exports import objects
from tests.support.server import Client, Server
from tests.support.vms import OFF, ON, SUSPENDED, act, any_vm, bring, power_path, refusal, state_of

ALREADY, FORBIDDEN = "ALREADY_IN_DESIRED_STATE", "NOT_ALLOWED_IN_CURRENT_STATE"
SUMMARY = "vmsg.InvalidPowerState.summary"
STATES = {ON: "Powered on", OFF: "Powered off", SUSPENDED: "Suspended"}
ALLOWED = [
    (ON, "stop", OFF),
    (ON, "reset", ON),
    (ON, "suspend", SUSPENDED),
    (OFF, "start", ON),
    (SUSPENDED, "start", ON),
    (SUSPENDED, "stop", OFF),
]
THEIRS, OURS = "com.vmware.api.vcenter.vm.power", "resphere.vm.power"
REFUSED = [
    (ON, "start", ALREADY, "already_powered_on"),
    (OFF, "stop", ALREADY, "already_powered_off"),
    (OFF, "suspend", FORBIDDEN, "suspend_not_allowed"),
    (OFF, "reset", FORBIDDEN, "reset_not_allowed"),
    (SUSPENDED, "suspend", ALREADY, "already_suspended"),
    (SUSPENDED, "reset", FORBIDDEN, "reset_not_allowed"),
]


def test_the_tables_are_complete() -> None:
    every = {(state, action) for state in STATES for action in ("start", "stop", "reset", "suspend")}
    assert {row[:2] for row in (*ALLOWED, *REFUSED)} == every
    assert len(ALLOWED) + len(REFUSED) == len(every)


@pytest.mark.parametrize("form", ["?action=", "/"])
@pytest.mark.parametrize(("before", "action", "after"), ALLOWED)
def test_what_is_allowed(client: Client, before: str, action: str, after: str, form: str) -> None:
    vm = any_vm(client, before)
    reply = client.post(f"{power_path(vm)}{form}{action}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert "Content-Type" not in reply.headers
    assert state_of(client, vm) == after
    assert client.read(f"/api/vcenter/vm/{vm}")["power_state"] == after
    assert [row["power_state"] for row in client.read("/api/vcenter/vm", params={"vms": vm})] == [after]


@pytest.mark.parametrize("form", ["?action=", "/"])
@pytest.mark.parametrize(("before", "action", "error_type", "name"), REFUSED)
def test_what_is_refused(client: Client, before: str, action: str, error_type: str, name: str, form: str) -> None:
    vm = any_vm(client, before)
    reply = client.post(f"{power_path(vm)}{form}{action}")
    assert refusal(reply) == (400, error_type, f"{THEIRS if name.startswith('already') else OURS}.{name}")
    second = reply.json()["messages"][1]
    assert len(reply.json()["messages"]) == 2
    assert (second["id"], second["args"]) == (SUMMARY, [])
    assert STATES[before] in second["default_message"]
    assert state_of(client, vm) == before


def test_how_it_was_powered_off(client: Client) -> None:
    vm = any_vm(client, ON)
    assert client.read(power_path(vm)) == {"state": ON}
    assert act(client, vm, "stop").status_code == 204
    assert client.read(power_path(vm)) == {"state": OFF, "clean_power_off": True}


def test_devices_follow_the_power(client: Client) -> None:
    vm = any_vm(client, ON)
    nics = client.read(f"/api/vcenter/vm/{vm}")["nics"].values()
    assert all(nic["state"] == "CONNECTED" for nic in nics if nic["start_connected"])
    assert act(client, vm, "stop").status_code == 204
    nics = client.read(f"/api/vcenter/vm/{vm}")["nics"].values()
    assert all(nic["state"] == "NOT_CONNECTED" for nic in nics)


@pytest.mark.parametrize("action", ["start", "stop", "reset", "suspend"])
def test_vms_that_do_not_exist(client: Client, action: str) -> None:
    reply = act(client, "vm-404", action)
    assert refusal(reply) == (404, "NOT_FOUND", "com.vmware.api.vcenter.vm.not_found")
    uuid = client.read("/api")["instance_uuid"]
    first, second = reply.json()["messages"]
    assert (first["args"], second["args"]) == ([f"vm-404:{uuid}"], [])
    assert "'vim.VirtualMachine:vm-404'" in second["default_message"]


@pytest.mark.parametrize("action", ["start", "stop", "reset", "suspend"])
def test_templates(shared_server: Server, client: Client, action: str) -> None:
    found = objects(shared_server).values()
    template = next(obj.id for obj in found if isinstance(obj, VirtualMachine) and obj.template)
    assert refusal(act(client, template, action)) == (404, "NOT_FOUND", "com.vmware.api.vcenter.vm.not_found")


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_many_starts_of_one_vm_at_once(tmp_path: Path, seconds: float) -> None:
    durations = tmp_path / "durations.yaml"
    durations.write_text(f"power_on: {seconds}\n")
    with Server(tmp_path / "data", "--workers", "2", "--durations", str(durations)) as server:
        clients = [server.session() for _ in range(12)]
        vm = any_vm(clients[0], OFF)
        for _ in range(3):
            bring(clients[0], vm, OFF)
            with ThreadPoolExecutor(len(clients)) as pool:
                replies = list(pool.map(lambda client: act(client, vm, "start"), clients))
            assert [reply.status_code for reply in replies].count(204) == 1
            refused = {reply.json()["error_type"] for reply in replies if not reply.ok}
            # As long as the start takes, the VM is busy.
            assert refused <= ({ALREADY, "RESOURCE_BUSY"} if seconds else {ALREADY}), refused
            assert state_of(clients[0], vm) == ON
        for client in clients:
            client.close()


def test_many_different_acts_at_once_leave_a_state_that_one_of_them_made(client: Client, shared_server: Server) -> None:
    vm = any_vm(client, ON)
    actions = ["stop", "start", "suspend", "reset"] * 6
    clients = [shared_server.session() for _ in actions]
    with ThreadPoolExecutor(len(actions)) as pool:
        replies = list(pool.map(lambda pair: act(pair[0], vm, pair[1]), zip(clients, actions, strict=True)))
    for reply in replies:
        assert reply.status_code == 204 or reply.json()["error_type"] in (ALREADY, FORBIDDEN)
    assert state_of(client, vm) in STATES
    for each in clients:
        each.close()
