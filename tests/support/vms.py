"""Virtual machines for live tests: found, and brought into the state that a test begins with."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.server import Client

ON, OFF, SUSPENDED = "POWERED_ON", "POWERED_OFF", "SUSPENDED"
STEPS = {
    (ON, OFF): ("stop",),
    (ON, SUSPENDED): ("suspend",),
    (OFF, ON): ("start",),
    (OFF, SUSPENDED): ("start", "suspend"),
    (SUSPENDED, ON): ("start",),
    (SUSPENDED, OFF): ("stop",),
}


def power_path(vm: str) -> str:
    """Where the power of a VM is."""
    return f"/api/vcenter/vm/{vm}/power"


def act(client: Client, vm: str, action: str) -> requests.Response:
    """Start, stop, reset or suspend."""
    return client.post(power_path(vm), params={"action": action})


def state_of(client: Client, vm: str) -> str:
    """The power state."""
    state: str = client.read(power_path(vm))["state"]
    return state


def bring(client: Client, vm: str, state: str) -> None:
    """Bring a VM into a power state."""
    for action in STEPS.get((state_of(client, vm), state), ()):
        reply = act(client, vm, action)
        assert reply.status_code == 204, reply.text
    assert state_of(client, vm) == state


def any_vm(client: Client, state: str = OFF) -> str:
    """The id of a VM, now in that state."""
    listed: list[dict[str, Any]] = client.read("/api/vcenter/vm")
    vm: str = next((each for each in listed if each["power_state"] == state), listed[0])["vm"]
    bring(client, vm, state)
    return vm


def refusal(reply: requests.Response) -> tuple[int, str, str]:
    """Status, ``error_type`` and id of the first message of an error."""
    body = reply.json()
    return reply.status_code, body["error_type"], body["messages"][0]["id"]


def words(reply: requests.Response) -> str:
    """The first message of an error."""
    text: str = reply.json()["messages"][0]["default_message"]
    return text
