"""What was acknowledged stays, however the server ends; and an orderly end finishes what runs."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.exports import export
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until
from tests.support.vms import OFF, ON, act, any_vm, bring, state_of

KILLS = 3
WRITERS = 4
AFTER = {"start": ON, "stop": OFF}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Where requests wait that the test does not."""
    with ThreadPoolExecutor(WRITERS) as pool:
        yield pool


class Writer:
    """Starts and stops a VM again and again until the server is gone, and remembers what it was told."""

    def __init__(self, client: Client, vm: str) -> None:
        self.client = client
        self.vm = vm
        self.acknowledged = state_of(client, vm)
        self.asked: str | None = None
        self.count = 0

    def run(self, goes_on: threading.Event) -> None:
        """Write until the connection breaks."""
        while True:
            action = "stop" if self.acknowledged == ON else "start"
            self.asked = AFTER[action]
            try:
                reply = act(self.client, self.vm, action)
            except requests.ConnectionError:
                return
            assert reply.status_code == 204, reply.text
            self.acknowledged, self.asked = self.asked, None
            self.count += 1
            goes_on.set()

    @property
    def possible(self) -> set[str]:
        """What may be: the last acknowledged state, or the one that was asked for when the server went."""
        return {state for state in (self.acknowledged, self.asked) if state}


def test_kills_lose_nothing_that_was_acknowledged(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    chance = random.Random(1)
    with Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS) as server:
        with server.session() as client:
            vms = [row["vm"] for row in client.read("/api/vcenter/vm")][:WRITERS]
            for vm in vms:
                bring(client, vm, OFF)
        for _ in range(KILLS):
            clients = [server.session() for _ in vms]
            writers = [Writer(client, vm) for client, vm in zip(clients, vms, strict=True)]
            begun = threading.Event()
            written = [pool.submit(writer.run, begun) for writer in writers]
            assert begun.wait(60)
            # A moment that has nothing to do with what the server does just then.
            threading.Event().wait(chance.uniform(0, 0.2))
            server.kill()
            for each in written:
                each.result()
            server.start()
            with server.session() as client:
                for writer in writers:
                    assert state_of(client, writer.vm) in writer.possible
                assert sum(writer.count for writer in writers) > 0
            for each_client in clients:
                each_client.close()


def test_what_one_worker_acknowledged_the_other_shows(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--workers", "2") as server, server.session() as writer, server.session() as reader:
        vm = any_vm(writer, OFF)
        seen = set()
        for number in range(60):
            action = ("start", "stop")[number % 2]
            assert act(writer, vm, action).status_code == 204
            reader.http.close()
            reply = reader.get(f"/api/vcenter/vm/{vm}/power")
            assert reply.json()["state"] == AFTER[action]
            seen.add(reply.headers["x-request-id"].partition("-")[0])
        assert len(seen) == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_orderly_stop_finishes_what_runs(tmp_path: Path, pool: ThreadPoolExecutor, workers: str) -> None:
    durations = tmp_path / "durations.yaml"
    durations.write_text("power_on: 3.0\n")
    server = Server(tmp_path / "data", "--workers", workers, "--durations", str(durations))
    with server:
        clients = [server.session() for _ in range(3)]
        listed = clients[0].read("/api/vcenter/vm", params={"power_states": OFF})
        vms = [row["vm"] for row in listed][: len(clients)]
        starting = [pool.submit(act, client, vm, "start") for client, vm in zip(clients, vms, strict=True)]

        def all_run() -> bool:
            found = watcher.post("/api/cis/tasks?action=list", json={"filter_spec": {"status": ["RUNNING"]}})
            return len(found.json()) == len(vms)

        with server.session() as watcher:
            wait_until(all_run, "the tasks")
        assert server.stop() == 0
        assert [each.result().status_code for each in starting] == [204] * len(vms)
        server.start()
        with server.session() as client:
            assert [state_of(client, vm) for vm in vms] == [ON] * len(vms)
        assert server.stop() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_idle_connections_do_not_hold_up_a_stop(tmp_path: Path, workers: str) -> None:
    with Server(tmp_path / "data", "--workers", workers) as server:
        clients = [server.session() for _ in range(4)]
        # What stalls is killed by Granian, after 30 seconds.
        assert server.stop(seconds=15) == 0
        assert "Traceback" not in server.errors()
        for client in clients:
            client.close()


def test_a_stop_while_workers_start_is_heard(tmp_path: Path) -> None:
    chance = random.Random(2)
    with Server(tmp_path / "data", "--workers", "2") as server:
        assert server.stop() == 0
        for _ in range(4):
            server.launch()
            threading.Event().wait(chance.uniform(0, 0.3))
            assert server.stop(seconds=15) == 0


def test_restarts_change_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    with server, server.session() as client:
        bring(client, any_vm(client, OFF), ON)
        before, listed = export(server), client.get("/api/vcenter/vm")
        server.stop()
        server.start()
        assert export(server) == before
        again = client.get("/api/vcenter/vm", headers={"If-None-Match": listed.headers["ETag"]})
        assert again.status_code in (200, 304)
        if again.status_code == 200:
            assert again.json() == listed.json()
