"""Counts in a file: exact among processes, after one was killed, and when there is no room."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from resphere.faults.counts import NONE, SLOTS, Count, Counts


def strike(number: int) -> bool:
    return True


def counts(folder: Path, live: set[int] | None = None) -> Counts:
    return Counts(folder / "counts", lambda: live or set())


def test_what_is_counted(tmp_path: Path) -> None:
    one, other = counts(tmp_path), counts(tmp_path)
    assert one.of(7) == NONE
    assert not (tmp_path / "counts").exists()
    assert [one.match(7, 2, strike), other.match(7, 2, strike), one.match(7, 2, strike)] == [0, 1, None]
    assert one.of(7) == other.of(7) == Count(2, 2)
    assert one.match(8, None, lambda number: number == 1) == -1
    assert other.match(8, None, lambda number: number == 1) == 1
    assert one.of(8) == Count(2, 1)
    assert one.match(9, 0, strike) is None
    one.close()
    one.close()
    assert one.of(8) == Count(2, 1)
    one.close()
    other.close()


def match_often(folder: Path, times: int) -> None:
    mine = counts(folder)
    for _ in range(times):
        mine.match(7, 500, strike)


def test_workers_count_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=match_often, args=(tmp_path, 400)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert counts(tmp_path).of(7) == Count(500, 500)


def die(number: int) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return True


def die_while_counting(folder: Path) -> None:
    counts(folder).match(7, None, die)


def test_who_dies_holds_up_nobody(tmp_path: Path) -> None:
    worker = multiprocessing.get_context("spawn").Process(target=die_while_counting, args=(tmp_path,))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    assert counts(tmp_path).match(7, 1, strike) is not None
    assert counts(tmp_path).of(7) == Count(2, 1)


def test_rules_that_are_gone_make_room(tmp_path: Path) -> None:
    mine = counts(tmp_path, {3})
    for mark in range(1, SLOTS + 1):
        mine.match(mark, None, strike)
    mine.match(SLOTS + 1, None, strike)
    assert mine.of(3) == Count(1, 1)
    assert mine.of(4) == NONE
    assert mine.of(SLOTS + 1) == Count(1, 1)


def test_a_file_that_is_none_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "counts").write_bytes(b"nothing")
    assert counts(tmp_path).match(7, None, strike) == 0
    (tmp_path / "full").mkdir()
    with pytest.raises(OSError, match="full"):
        Counts(tmp_path / "full", set).match(7, None, strike)
