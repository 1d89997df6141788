"""One worker of many finishes what is due, whoever was asked for it; where it is killed, another does."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from resphere.replica.lease import LEASES, Lease
from resphere.replica.replica import Replica
from resphere.server.assembly import FEED
from resphere.store.engines import default_url, open_store
from tests.live.test_tasks import at_another_worker, worker_of
from tests.support.customizations import linux, named
from tests.support.server import Client, Server, wait_until
from tests.support.vms import bring

DUE_SECONDS = 10


async def holder_in(data_dir: Path) -> str | None:
    """Who is elected to run the feed, by a server's store."""
    store = await open_store(default_url(data_dir))
    try:
        replica = Replica(store, (LEASES,))
        await replica.load()
        lease = replica.get(Lease, FEED)
        return lease.holder if lease is not None else None
    finally:
        await store.close()


def leader(server: Server) -> int:
    """The worker process that leads; 0 while none that is alive does."""
    holder = asyncio.run(holder_in(server.data_dir))
    process = int(holder.partition("-")[0]) if holder else 0
    return process if process in server.workers else 0


@pytest.fixture
def server(tmp_path: Path) -> Server:
    durations = tmp_path / "durations.yaml"
    durations.write_text(f"customize: {DUE_SECONDS}\nreboot_guest: {DUE_SECONDS}\n")
    return Server(tmp_path / "data", "--workers", "2", "--durations", str(durations))


def linux_vms(client: Client) -> list[str]:
    """Three running VMs with Linux guests."""
    found = []
    for vm in client.read("/api/vcenter/vm", params={"power_states": "POWERED_ON"}):
        reply = client.get(f"/api/vcenter/vm/{vm['vm']}/guest/identity")
        if reply.ok and reply.json()["family"] == "LINUX":
            found.append(vm["vm"])
    assert len(found) >= 3
    return found[:3]


def guest_state(client: Client, vm: str) -> str:
    state: str = client.read(f"/api/vcenter/vm/{vm}/guest/power")["state"]
    return state


def customization(client: Client, vm: str) -> str:
    status: str = client.read(f"/api/vcenter/vm/{vm}/guest/customization")["status"]
    return status


def begin(one: Client, other: Client, vms: list[str]) -> None:
    """A reboot by each of two workers, and a customization by one."""
    first, second, customized = vms
    bring(other, customized, "POWERED_OFF")
    spec = {"spec": msgspec.to_builtins(linux(named("new"), domain=""))}
    assert other.put(f"/api/vcenter/vm/{customized}/guest/customization", json=spec).status_code == 204
    bring(other, customized, "POWERED_ON")
    for client, vm in ((one, first), (other, second)):
        assert client.post(f"/api/vcenter/vm/{vm}/guest/power?action=reboot").status_code == 204
    assert customization(one, customized) == "RUNNING"
    assert [guest_state(client, vm) for client in (one, other) for vm in (first, second)] == ["UNAVAILABLE"] * 4


def wait_for_all(client: Client, vms: list[str]) -> None:
    first, second, customized = vms
    for vm in (first, second):
        wait_until(lambda vm=vm: guest_state(client, vm) == "RUNNING", f"the end of the reboot of {vm}")  # type: ignore[misc]
    wait_until(lambda: customization(client, customized) == "SUCCEEDED", "the end of the customization")


def test_what_is_due_is_finished_whoever_was_asked(server: Server) -> None:
    with server, server.session() as one, server.session() as other:
        at_another_worker(other, worker_of(one.get("/api")))
        leading = wait_until(lambda: leader(server), "an election")
        vms = linux_vms(one)
        begin(one, other, vms)
        wait_for_all(one, vms)
        assert leader(server) == leading


def test_another_leads_when_the_leader_is_killed(server: Server) -> None:
    with server:
        with server.session() as one, server.session() as other:
            at_another_worker(other, worker_of(one.get("/api")))
            victim = wait_until(lambda: leader(server), "an election")
            vms = linux_vms(one)
            begin(one, other, vms)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: leader(server) not in (0, victim), "another leader")
        with server.session() as client:
            wait_for_all(client, vms)


def test_an_orderly_stop_leaves_nobody_elected(server: Server) -> None:
    with server:
        wait_until(lambda: leader(server), "an election")
        server.stop()
        assert asyncio.run(holder_in(server.data_dir)) is None
