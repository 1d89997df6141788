"""Starts on a data directory that another server has, had, or was killed on."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from resphere.store.engines import default_url
from tests.support.cli import resphere
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server, free_port, wait_until

LISTENING = "0A"
"""The state in ``/proc/net/tcp``."""


def refusal(data_dir: Path, *arguments: str, **environment: str) -> str:
    """What is told of a start that is refused."""
    done = resphere("serve", "--port", str(free_port()), "--data-dir", str(data_dir), *arguments, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_a_second_server_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "3", password=PASSWORD) as server, server.session() as client:
        process = f"(process {server.process.pid})"
        told = refusal(server.data_dir, RESPHERE_ADMIN_PASSWORD="another")
        assert told == (
            f"resphere: the data directory {server.data_dir} is in use by another server {process}; "
            "--data-dir names another\n"
        )
        told = refusal(tmp_path / "other", "--store", default_url(server.data_dir))
        assert told.startswith("resphere: the store ")
        assert told.endswith(f" is in use by another server {process}\n")
        assert not (tmp_path / "other" / "admin-password").exists()
        with Client(server, ADMINISTRATOR, PASSWORD) as another:
            assert len(another.read("/api/vcenter/vm")) == 3
        assert client.get("/api/session").status_code == 200
        assert resphere("user", "list", "--data-dir", str(server.data_dir)).returncode == 0


def test_another_inventory_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "3") as server:
        server.stop()
        told = refusal(server.data_dir, "--vms", "500", RESPHERE_ADMIN_PASSWORD="another")
        assert told.startswith(f"resphere: --vms 500: {server.data_dir} was filled at its first start (")
        assert "--vms 3, and keeps that inventory" in told
        told = refusal(server.data_dir, RESPHERE_SEED="7", RESPHERE_ADMIN_PASSWORD="another")
        assert told.startswith("resphere: --seed 7: ")
        server.start()
        with server.session() as client:
            assert len(client.read("/api/vcenter/vm")) == 3


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_was_killed_is_followed_at_once(tmp_path: Path, workers: str) -> None:
    # With flags that count at the first start only: to say the same again is fine.
    with Server(tmp_path / "data", "--workers", workers, "--vms", "5") as server:
        for _ in range(3):
            port = server.port
            server.kill_first()
            server.launch()
            assert server.banner, server.errors()
            assert server.port == port
            with server.session() as client:
                assert client.read("/api/vcenter/vm")


def test_workers_that_die_again_and_again_do_not_end_the_server(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--workers", "2") as server:
        wait_until(lambda: len(server.workers) == 2, "both workers")
        spared = server.workers[0]
        wait_until(lambda: listens(spared), "the worker that is spared")
        killed = []
        for _ in range(3):
            (victim,) = wait_until(lambda: [each for each in server.workers if each != spared], "another worker")
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)
            wait_until(lambda victim=victim: victim not in server.workers, "the death")  # type: ignore[misc]
            with server.session() as client:
                assert client.read("/api/vcenter/vm")
        assert spared in server.workers
        log = server.log.with_name("resphere.log")
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        told = [line["message"] for line in lines if line["level"] == "error"]
        assert [f"worker process {each} was killed (SIGKILL)" for each in killed] == [
            message.partition(";")[0] for message in told
        ]


def test_a_server_of_which_no_worker_can_start_ends_with_the_reason(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "1") as server:
        server.stop()
        # The first process writes no log of calls, the workers do.
        log = server.log.with_name("audit.log")
        log.unlink()
        log.mkdir()
        server.launch()
        assert not server.banner
        assert "the server cannot start: worker process" in server.errors()
        assert "ended with status 1, and none has served yet" in server.errors()


def listens(process: int) -> bool:
    """Whether the process itself has a socket that takes connections."""
    sockets: set[str] = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(str(descriptor.readlink()))
    rows = [line.split() for line in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]]
    return any(row[3] == LISTENING and f"socket:[{row[9]}]" in sockets for row in rows)
