"""Disks and the end of a virtual machine, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.server import Client, Server
from tests.support.vms import OFF, ON, bring, refusal

GIB = 1 << 30


def test_a_vm_gets_a_disk_and_is_deleted(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server, server.session() as client:
        check(client)


def check(client: Client) -> None:
    vm = next(each["vm"] for each in client.read("/api/vcenter/vm") if has_scsi(client, each["vm"]))
    bring(client, vm, OFF)
    path = f"/api/vcenter/vm/{vm}/hardware/disk"
    free = free_spaces(client)
    made = client.post(path, json={"type": "SCSI", "new_vmdk": {"capacity": GIB, "name": "more"}})
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = client.read(f"{path}/{made.json()}")
    assert shown["capacity"] == GIB
    assert sum(free.values()) - sum(free_spaces(client).values()) == GIB
    both = client.post(path, json={"type": "SCSI"})
    assert refusal(both) == (400, "INVALID_ARGUMENT", "resphere.vm.disk.backing")
    large = client.post(path, json={"type": "SCSI", "new_vmdk": {"capacity": 62 << 40}})
    assert refusal(large) == (500, "UNABLE_TO_ALLOCATE_RESOURCE", "resphere.vm.disk.no_room")
    assert client.delete(f"{path}/{made.json()}").status_code == 204
    bring(client, vm, ON)
    running = client.delete(f"/api/vcenter/vm/{vm}")
    assert refusal(running) == (400, "NOT_ALLOWED_IN_CURRENT_STATE", "resphere.vm.delete.power_state")
    bring(client, vm, OFF)
    assert client.delete(f"/api/vcenter/vm/{vm}").status_code == 204
    assert client.get(f"/api/vcenter/vm/{vm}").status_code == 404


def free_spaces(client: Client) -> dict[str, int]:
    """What is free on each datastore."""
    return {each["datastore"]: each["free_space"] for each in client.read("/api/vcenter/datastore")}


def has_scsi(client: Client, vm: str) -> bool:
    """Whether a VM has an adapter for the disks."""
    return bool(client.read(f"/api/vcenter/vm/{vm}/hardware/adapter/scsi"))
