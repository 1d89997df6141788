"""The lock that one server has at a time: refused to others, and let go of by whoever is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from resphere.store.base import InUse, StoreError
from resphere.store.engines import default_url, one_server_on, open_store
from resphere.store.one_server import one_server
from tests.store import holder


class Holder(msgspec.Struct, frozen=True):
    """A server that has the lock, and its worker."""

    process: subprocess.Popen[str]
    worker: int

    def kill(self) -> None:
        """Kill the server alone."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.lock"


@pytest.fixture
def held(path: Path) -> Iterator[Holder]:
    with subprocess.Popen([sys.executable, holder.__file__, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        held = Holder(process, int(process.stdout.readline()))
        yield held
        process.kill()
        with suppress(ProcessLookupError):
            os.kill(held.worker, signal.SIGKILL)


def take(path: Path, left_seconds: float = 60) -> None:
    """Have the lock for a moment."""
    with one_server(path, "it", "; hint", left_seconds=left_seconds):
        pass


def test_one_at_a_time(path: Path) -> None:
    with (
        one_server(path, "it"),
        pytest.raises(InUse, match=rf"^it is in use by another server \(process {os.getpid()}\); hint$"),
    ):
        take(path)
    take(path)


def test_one_that_has_not_said_who_it_is(path: Path) -> None:
    with one_server(path, "it"):
        path.write_bytes(b"")
        with pytest.raises(InUse, match=r"^it is in use by another server; hint$"):
            take(path)


def test_another_process(path: Path, held: Holder) -> None:
    with pytest.raises(InUse, match=rf"another server \(process {held.process.pid}\)"):
        take(path)


def test_the_workers_of_a_killed_server_are_waited_for(path: Path, held: Holder) -> None:
    held.kill()
    with pytest.raises(InUse, match=f"what the killed server process {held.process.pid} has left behind"):
        take(path, left_seconds=0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(take, path)
        os.kill(held.worker, signal.SIGKILL)
        waiting.result(60)


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot use .*nowhere/server\.lock: No such file"):
        take(tmp_path / "nowhere" / "server.lock")


def test_a_store_has_one_server_and_any_number_of_commands(tmp_path: Path) -> None:
    url = default_url(tmp_path)

    async def command() -> None:
        store = await open_store(url)
        await store.close()

    with one_server_on(url):
        with (
            pytest.raises(InUse, match=r"the store .* is in use by another server \(process \d+\)"),
            one_server_on(url),
        ):
            pass
        asyncio.run(command())
    with one_server_on(url):
        pass
