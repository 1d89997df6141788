"""Counts of failed logins in a file, after the processes that have written it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from resphere.limits.kept import HEAD_BYTES, KeptFile
from resphere.limits.rates import SECOND_NS, Counted, Strikes
from resphere.limits.shared import SharedMemory, SharedState

RUN, GROUPS = b"a run of the computer", 64
ANN = (Counted("name\nann", Strikes(free=3)),)
NOW = 1_000 * SECOND_NS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "counts"


def memory(path: Path, run: bytes = RUN, groups: int = GROUPS, seed: int = 1) -> SharedMemory:
    """What a server makes at its start."""
    random_bytes = random.Random(seed).randbytes
    return SharedMemory(random_bytes, groups, partial(KeptFile, path, run, random_bytes))


def fail(path: Path, times: int = 3) -> None:
    """A server that counts failures."""
    state = SharedState(memory(path))
    for _ in range(times):
        state.fail(ANN, NOW)


def waits(path: Path, run: bytes = RUN, groups: int = GROUPS, seed: int = 2) -> bool:
    """Whether a server that is started now has the next login wait."""
    return SharedState(memory(path, run, groups, seed)).attempt(ANN, NOW) > 0


def test_a_server_goes_on_with_the_counts_of_the_one_before(path: Path) -> None:
    fail(path, 2)
    assert not waits(path)
    fail(path, 1)
    assert waits(path)
    assert waits(path)


def fail_and_die(path: Path) -> None:
    fail(path)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_server_that_was_killed_leaves_its_counts(path: Path) -> None:
    process = multiprocessing.get_context().Process(target=fail_and_die, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert waits(path)


def test_they_say_nothing_in_another_run_of_the_computer_or_an_unknown_one(path: Path) -> None:
    fail(path)
    assert not waits(path, run=b"another run of the computer")
    fail(path)  # in the first run again, whose counts are gone
    assert waits(path)
    assert not waits(path, run=b"")
    SharedState(memory(path, run=b"")).fail(ANN, NOW)
    assert not waits(path, run=b"")


def overwritten(content: bytes) -> bytes:
    return b"x" * len(content)


@pytest.mark.parametrize(
    "change",
    [overwritten, lambda content: content[:-8], lambda content: content + bytes(8), lambda content: b""],
    ids=["another file", "shorter", "longer", "empty"],
)
def test_what_is_no_such_file_begins_empty(path: Path, change: Callable[[bytes], bytes]) -> None:
    fail(path)
    path.write_bytes(change(path.read_bytes()))
    assert not waits(path)
    fail(path)
    assert waits(path)


def test_another_size_begins_empty(path: Path) -> None:
    fail(path)
    assert not waits(path, groups=2 * GROUPS)


def test_whatever_stands_in_the_slots_is_taken_for_counts(path: Path) -> None:
    fail(path)
    content = path.read_bytes()
    for seed in range(20):
        noise = random.Random(seed).randbytes(len(content) - HEAD_BYTES)
        path.write_bytes(content[:HEAD_BYTES] + noise)
        state = SharedState(memory(path))
        state.fail(ANN, NOW)
        assert state.attempt(ANN, NOW) >= 0
        state.withdraw(ANN, NOW)


def test_a_worker_that_is_not_forked_maps_the_file_itself(path: Path) -> None:
    file = KeptFile(path, RUN, random.Random(1).randbytes, 64)
    other: KeptFile = pickle.loads(pickle.dumps(file))
    file.content()[7] = 42
    assert (other.content()[7], other.secret) == (42, file.secret)


def test_nobody_else_reads_it_and_no_name_stands_in_it(path: Path) -> None:
    fail(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ann" not in path.read_bytes()


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        memory(tmp_path / "nowhere" / "counts")
