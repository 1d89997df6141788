"""A customization that takes its time outlives the server that began it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.live.test_guest import linux_vm
from tests.support.customizations import linux, named
from tests.support.server import Client, Server, wait_until
from tests.support.vms import bring


def status(client: Client, vm: str) -> str:
    found: str = client.read(f"/api/vcenter/vm/{vm}/guest/customization")["status"]
    return found


def test_it_outlives_a_power_failure(tmp_path: Path) -> None:
    durations = tmp_path / "durations.yaml"
    durations.write_text("customize: 5\n")
    with Server(tmp_path / "data", "--workers", "2", "--durations", str(durations)) as server:
        with server.session() as client:
            vm = linux_vm(client)
            bring(client, vm, "POWERED_OFF")
            spec = {"spec": msgspec.to_builtins(linux(named("new"), domain=""))}
            assert client.put(f"/api/vcenter/vm/{vm}/guest/customization", json=spec).status_code == 204
            assert status(client, vm) == "PENDING"
            bring(client, vm, "POWERED_ON")
            assert status(client, vm) == "RUNNING"
            before = client.read(f"/api/vcenter/vm/{vm}/guest/identity")["host_name"]
            assert before != "new"
        server.kill()
        with server, server.session() as client:
            wait_until(lambda: status(client, vm) == "SUCCEEDED", "the end of the customization")
            assert client.read(f"/api/vcenter/vm/{vm}/guest/identity")["host_name"] == "new"
            found = client.read(f"/api/vcenter/vm/{vm}/guest/customization")
            assert found["start_time"] < found["end_time"]
