"""Health that follows reality: a disk that is full and has room again, a store that does not write and writes again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from resphere.appliance.folders import Folders
from resphere.appliance.machine import LocalMachine
from resphere.appliance.measuring import measured, reading
from resphere.contract.generated.appliance_health import Databasestorage, Storage
from tests.support.full_disk import file_size_limit_of
from tests.support.server import Client, Server, wait_until
from tests.support.world import World

MIB = 2**20


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A filesystem of so many bytes, where this process may make one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a filesystem")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_and_is_emptied(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8 * MIB) as disk, World(tmp_path) as world:
        folders = Folders(disk, disk, disk)
        world.environment = msgspec.structs.replace(world.environment, machine=LocalMachine(), folders=folders)
        assert world.call(Storage.get) == "green"
        for share, level in ((0.87, "yellow"), (0.92, "orange"), (0.99, "red")):
            (disk / "file").write_bytes(bytes(int(share * 8 * MIB)))
            assert (world.call(Storage.get), world.call(Databasestorage.get)) == (level, level)
        (disk / "file").unlink()
        assert (world.call(Storage.get), world.call(Databasestorage.get)) == ("green", "green")


def test_a_store_that_does_not_write_for_a_while(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "1") as server, server.session() as client:
        database = "/api/appliance/health/database"
        assert client.read(database) == {"status": "HEALTHY", "messages": []}
        (worker,) = server.workers
        with file_size_limit_of(worker, 1):
            told = client.read(database)
            assert told["status"] == "UNHEALTHY"
            assert told["messages"][0]["message"]["id"] == "resphere.appliance.health.database_fails"
            assert client.read("/rest/appliance/health/system") == {"value": "red"}
            assert client.read("/api/appliance/health/database/messages")
            with Client(server, None) as anybody:
                wait_until(lambda: anybody.get("/readyz").status_code == 503, "the worker to be unready")
                assert anybody.read("/healthz") == {"status": "ok"}
        assert client.read(database)["status"] == "HEALTHY"
        with Client(server, None) as anybody:
            wait_until(lambda: anybody.get("/readyz").status_code == 200, "the worker to be ready again")


def test_a_busy_core_is_measured(tmp_path: Path) -> None:
    machine, folders = LocalMachine(), Folders(tmp_path, tmp_path, None)
    before, moment = machine.cpu_times(), 0.0
    first = reading(machine, folders, moment)
    while machine.cpu_times().user - before.user < 0.2:
        sum(range(100_000))
    busy = measured(first, reading(machine, folders, moment + 1))
    assert busy["cpu.util"] > 0
