"""Workers that die, hang or cannot start, as real processes: what becomes of them, of the others and of the server."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest
import requests

from resphere.server.supervisor import Patience, beat
from resphere.server.watched import drained
from tests.support.server import clean_environment, free_port, wait_until, worker_processes


class Supervised:
    """The server of :mod:`tests.server.supervised`; ``folder`` says what its workers do."""

    def __init__(self, folder: Path, workers: int, method: str, port: int) -> None:
        self.folder = folder
        self.port = port or free_port()
        command = [sys.executable, "-m", "tests.server.supervised", str(self.port), str(workers), str(folder), method]
        self.output = folder / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, env=clean_environment(), stdout=output, stderr=output)

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.output.read_text()

    def wait_for(self, text: str) -> None:
        """Wait until it has written this."""
        wait_until(lambda: text in self.said, text)

    @property
    def workers(self) -> set[int]:
        return set(worker_processes(self.process.pid))

    def answer(self, path: str = "/", timeout: float = 30) -> int:
        """The process id of the worker that answers on a new connection."""
        return int(requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=timeout).text)

    def serves(self) -> bool:
        try:
            return self.answer() in self.workers
        except requests.ConnectionError:
            return False

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


class Folder:
    """Where a test says how many workers do what."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._servers: list[Supervised] = []

    def let(self, number: int, what: str) -> None:
        """So many workers do this at their start."""
        (self.path / what).mkdir()
        for each in range(number):
            (self.path / what / str(each)).touch()

    def start(self, workers: int, method: str = "fork", port: int = 0) -> Supervised:
        """Start a server, on that port if it is given, that this test need not stop."""
        self._servers.append(Supervised(self.path, workers, method, port))
        return self._servers[-1]

    def close(self) -> None:
        for server in self._servers:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def test_the_first_death_is_mended_at_once_and_the_next_ones_later_and_later() -> None:
    patience = Patience(retry_seconds=0.5, longest_retry_seconds=30)
    assert [patience.delay_seconds(deaths) for deaths in (1, 2, 3, 4, 8, 9, 5000)] == [0, 0.5, 1, 2, 30, 30, 30]


def test_one_that_dies_again_and_again_is_replaced_and_the_healthy_one_goes_on(folder: Folder) -> None:
    server = folder.start(2)
    server.wait_for("listening")
    healthy = server.answer()
    for _ in range(4):
        (victim,) = wait_until(lambda: server.workers - {healthy}, "another worker")
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda victim=victim: victim not in server.workers, "the death")  # type: ignore[misc]
        server.wait_for(f"worker process {victim} was killed (SIGKILL); another starts")
        assert healthy in server.workers
    wait_until(lambda: len(server.workers) == 2, "the last one's successor")
    assert server.said.count("at once") == 1
    assert server.stop() == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_only_one_comes_back(folder: Folder, method: str) -> None:
    server = folder.start(1, method)
    server.wait_for("listening")
    for _ in range(3):
        os.kill(server.answer(), signal.SIGKILL)
        wait_until(server.serves, "another worker")
    assert server.said.count("listening") == 1
    assert server.stop() == 0


def test_one_that_hangs_is_killed_and_replaced(folder: Folder) -> None:
    server = folder.start(1)
    server.wait_for("listening")
    hung = server.answer()
    with pytest.raises(requests.ConnectionError):
        server.answer("/hang")
    assert f"worker process {hung} has hung for 5 s and is killed" in server.said
    server.wait_for(f"worker process {hung} was killed (SIGKILL); another starts at once")
    wait_until(server.serves, "another worker")
    assert server.answer() != hung
    assert server.stop() == 0


def test_one_that_is_stopped_hangs_too(folder: Folder) -> None:
    server = folder.start(2)
    server.wait_for("listening")
    worker = server.answer()
    os.kill(worker, signal.SIGSTOP)
    server.wait_for(f"worker process {worker} was killed (SIGKILL)")
    wait_until(lambda: len(server.workers) == 2, "another worker")
    assert server.said.count("has hung") == 1
    assert server.stop() == 0


def test_one_that_can_accept_no_connection_hangs_too(folder: Folder) -> None:
    server = folder.start(1)
    server.wait_for("listening")
    with requests.Session() as kept:  # a connection that is closed would leave a descriptor
        worker = kept.get(f"http://127.0.0.1:{server.port}/hoard", timeout=30).text
        server.wait_for(f"worker process {worker} has hung")
    wait_until(server.serves, "another worker")
    assert server.stop() == 0


def test_a_death_during_the_start_keeps_nobody_from_hearing_where_the_server_is(folder: Folder) -> None:
    folder.let(2, "kills")
    server = folder.start(2)
    server.wait_for("listening")
    wait_until(lambda: len(server.workers) == 2, "both workers")
    assert server.said.count("was killed (SIGKILL)") == 2
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("number", "what", "told"),
    [(1, "refusals", "ended with status 3"), (Patience().starts, "kills", "was killed (SIGKILL)")],
)
def test_a_server_of_which_none_has_served_ends(folder: Folder, number: int, what: str, told: str) -> None:
    folder.let(number, what)
    server = folder.start(1)
    assert server.process.wait(60) == 1
    assert re.search(
        rf"the server cannot start: worker process \d+ {re.escape(told)}, and none has served", server.said
    )
    assert "listening" not in server.said


def test_one_that_cannot_start_beside_one_that_serves_is_tried_again(folder: Folder) -> None:
    server = folder.start(2)
    server.wait_for("listening")
    folder.let(3, "refusals")
    os.kill(server.answer(), signal.SIGKILL)
    wait_until(lambda: server.said.count("ended with status 3") == 3, "three starts that failed")
    wait_until(lambda: len(server.workers) == 2, "one that succeeds")
    assert server.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes are Linux's")
def test_what_keeps_a_worker_from_being_started_passes(folder: Folder) -> None:
    server = folder.start(2)
    server.wait_for("listening")
    healthy = server.answer()
    (victim,) = wait_until(lambda: server.workers - {healthy}, "both workers")
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (0, limits[1]))
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: server.said.count("no worker process can be started: ") == 2, "two tries")
    assert server.workers == {healthy}
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
    wait_until(lambda: len(server.workers) == 2, "another worker")
    assert server.stop() == 0


def test_one_that_never_serves_is_told_of_once_and_left_alone(folder: Folder) -> None:
    folder.let(1, "mutes")
    server = folder.start(1)
    server.wait_for("does not serve yet after 2 s")
    (worker,) = server.workers
    assert server.answer() == worker
    assert server.said.count("does not serve yet") == 1
    assert server.stop() == 0


def test_a_reload_is_nobody_s_death(folder: Folder) -> None:
    server = folder.start(1)
    server.wait_for("listening")
    before = server.workers
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.workers and not server.workers & before, "a new worker")
    wait_until(server.serves, "an answer of it")
    assert "another starts" not in server.said
    assert server.stop() == 0


@pytest.mark.parametrize(("method", "stopped"), [("fork", False), ("fork", True), ("spawn", False)])
def test_workers_end_with_their_parent(folder: Folder, method: str, stopped: bool) -> None:
    server = folder.start(2, method)
    server.wait_for("listening")
    workers = wait_until(lambda: server.workers if len(server.workers) == 2 else set(), "both workers")
    if stopped and sys.platform == "linux":
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
    server.process.kill()
    server.process.wait()
    for worker in workers:
        wait_until(lambda worker=worker: not runs(worker), f"the end of {worker}")  # type: ignore[misc]
    again = folder.start(1, port=server.port)
    again.wait_for("listening")
    assert again.stop() == 0


def runs(process: int) -> bool:
    """Whether a process is there that is not dead, and waits for nobody to ask how it ended."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], stdout=subprocess.PIPE, text=True, check=False)
    return listed.stdout.strip()[:1] not in ("", "Z")


def fill(said: Connection) -> None:
    """Say as much as fits."""
    with suppress(BlockingIOError):
        while True:
            os.write(said.fileno(), bytes(4096))


def test_beats_are_said_from_the_loop_until_nobody_listens() -> None:
    beats, said = multiprocessing.Pipe(duplex=False)
    os.set_blocking(beats.fileno(), False)
    os.set_blocking(said.fileno(), False)

    async def test() -> None:
        beat(said)
        assert drained(beats)
        assert not drained(beats)
        await asyncio.to_thread(wait, [beats])
        assert drained(beats)
        # Neither one who does not read nor one who is gone is an error.
        fill(said)
        beat(said)
        beats.close()
        beat(said)

    asyncio.run(test())
    said.close()
