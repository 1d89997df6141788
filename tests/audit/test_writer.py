"""The writer keeps every record it can, in whole lines, and owns up to those it could not."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from resphere.audit.writer import BATCH_LINES, LineWriter

NOW = datetime(2026, 11, 23, tzinfo=UTC)
# So long that the thread never comes first: the tests flush.
NEVER_SECONDS = 3600.0


def line(number: int) -> bytes:
    return b"%d\n" % number


def loss(time: datetime, lines: int) -> bytes:
    return b"lost %d at %d\n" % (lines, time.timestamp() - NOW.timestamp())


class Disk:
    """os.write with a disk that can be full: `room_bytes` are left, None means plenty."""

    def __init__(self) -> None:
        self.room_bytes: int | None = None
        self.writes = 0

    def append(self, descriptor: int, content: bytes) -> int:
        self.writes += 1
        if self.room_bytes is None:
            return os.write(descriptor, content)
        if self.room_bytes == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(descriptor, content[: self.room_bytes])
        self.room_bytes -= written
        return written


def open_writer(
    path: Path, disk: Disk | None = None, *, interval: float = NEVER_SECONDS, limit: int = 1_000_000
) -> LineWriter:
    return LineWriter(
        path,
        loss,
        flush_interval_seconds=interval,
        queue_limit_bytes=limit,
        clock=lambda: NOW,
        append=(disk or Disk()).append,
    )


def written(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "audit.log"


def test_close_writes_all_that_is_queued(path: Path) -> None:
    writer = open_writer(path)
    for number in range(1000):
        writer.write(line(number))
    writer.close()
    assert written(path) == [str(number) for number in range(1000)]


def test_close_twice_is_close_once(path: Path) -> None:
    writer = open_writer(path)
    writer.write(line(1))
    writer.close()
    writer.close()
    writer.write(line(2))
    assert written(path) == ["1"]


def test_the_thread_writes_without_being_told(path: Path) -> None:
    arrived = Event()

    def append(descriptor: int, content: bytes) -> int:
        arrived.set()
        return os.write(descriptor, content)

    writer = LineWriter(path, loss, flush_interval_seconds=0, append=append)
    for number in range(3):
        writer.write(line(number))
        assert arrived.wait(timeout=60)
        arrived.clear()
    writer.close()
    assert written(path) == ["0", "1", "2"]


def test_one_write_a_batch(path: Path) -> None:
    disk = Disk()
    writer = open_writer(path, disk)
    for number in range(BATCH_LINES):
        writer.write(line(number))
    writer.flush()
    assert disk.writes == 1
    writer.close()
    assert disk.writes == 1


def test_an_existing_file_is_continued(path: Path) -> None:
    for number in range(2):
        writer = open_writer(path)
        writer.write(line(number))
        writer.close()
    assert written(path) == ["0", "1"]


def test_the_file_is_not_for_everybody(path: Path) -> None:
    open_writer(path).close()
    assert path.stat().st_mode & 0o007 == 0


def test_a_path_that_cannot_be_opened_shows_at_once(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_writer(tmp_path)


def test_a_rotated_file_is_left_and_a_new_one_begun(path: Path) -> None:
    writer = open_writer(path)
    writer.write(line(1))
    writer.flush()
    path.rename(path.with_suffix(".1"))
    writer.write(line(2))
    writer.close()
    assert written(path.with_suffix(".1")) == ["1"]
    assert written(path) == ["2"]


def test_a_removed_directory_is_made_again(path: Path) -> None:
    writer = open_writer(path)
    path.unlink()
    path.parent.rmdir()
    writer.write(line(1))
    writer.close()
    assert written(path) == ["1"]


def test_a_full_disk_loses_records_and_says_so_when_there_is_room(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    writer = open_writer(path, disk)
    writer.write(line(1))
    writer.flush()
    disk.room_bytes = 0
    for number in range(2, 5):
        writer.write(line(number))
        writer.flush()
    assert writer.lost_lines == 3
    disk.room_bytes = None
    writer.write(line(5))
    writer.close()
    assert written(path) == ["1", "lost 3 at 0", "5"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "No space left" in caplog.text


def test_half_a_batch_is_taken_back(path: Path) -> None:
    disk = Disk()
    writer = open_writer(path, disk)
    writer.write(line(1))
    writer.flush()
    disk.room_bytes = 3
    for _ in range(10):
        writer.write(line(77))
    writer.flush()
    assert path.read_text() == "1\n"
    disk.room_bytes = None
    writer.write(line(2))
    writer.close()
    assert written(path) == ["1", "lost 10 at 0", "2"]


def test_what_stays_lost_at_the_end_is_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    writer = open_writer(path, disk)
    disk.room_bytes = 0
    writer.write(line(1))
    writer.close()
    assert "closed with 1 lines lost" in caplog.text


def test_a_directory_that_cannot_be_made_again_loses_records_only(path: Path) -> None:
    writer = open_writer(path)
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way")
    for number in range(3):
        writer.write(line(number))
    writer.flush()
    assert writer.lost_lines == 3
    path.parent.unlink()
    writer.close()
    assert written(path) == ["lost 3 at 0"]


def test_a_full_queue_loses_the_newest_and_counts_them(path: Path) -> None:
    writer = open_writer(path, limit=20)
    for number in range(15):
        writer.write(line(number))
    assert writer.lost_lines == 5
    writer.close()
    assert written(path) == ["lost 5 at 0", *map(str, range(10))]


def test_the_queue_is_bounded_by_bytes(path: Path) -> None:
    writer = open_writer(path, limit=100)
    writer.write(b"x" * 101)
    writer.write(b"y" * 99 + b"\n")
    writer.write(line(1))
    assert writer.lost_lines == 2
    writer.flush()
    writer.write(line(2))
    writer.close()
    assert written(path) == ["lost 2 at 0", "y" * 99, "2"]


def test_threads_that_write_at_once_lose_nothing(path: Path) -> None:
    writer = open_writer(path, interval=0)

    def write(first: int) -> None:
        for number in range(first, first + 2000):
            writer.write(line(number))

    threads = [Thread(target=write, args=(first,)) for first in range(0, 8000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert sorted(map(int, written(path))) == list(range(8000))


def append_numbers(path: Path, first: int) -> None:
    writer = open_writer(path, interval=0)
    for number in range(first, first + 2000):
        writer.write(line(number))
    writer.close()


def test_processes_that_append_to_one_file_write_whole_lines(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=append_numbers, args=(path, first)) for first in (10_000, 20_000)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(map(int, written(path))) == [*range(10_000, 12_000), *range(20_000, 22_000)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_really_full_device_and_a_file_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.symlink_to("/dev/full")
    writer = LineWriter(path, loss, flush_interval_seconds=NEVER_SECONDS, clock=lambda: NOW)
    writer.write(line(1))
    writer.flush()
    assert writer.lost_lines == 1
    path.unlink()
    writer.write(line(2))
    writer.close()
    assert written(path) == ["lost 1 at 0", "2"]
