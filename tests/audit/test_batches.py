"""Records of one turn of the event loop are written together, and a slow disk keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from resphere.audit.batches import APART_SECONDS, SLOW_SECONDS, Batches
from resphere.audit.chain import Kind
from resphere.audit.formats import json_object
from resphere.audit.trail import ANCHOR_RECORDS, Trail
from tests.audit.records import record
from tests.audit.trails import KEY, Logs

MANY = 3 * ANCHOR_RECORDS // 2


class Time:
    """A clock by which each write takes as long as the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.each_write_seconds = 0.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Batches on a disk of the test's own, which notes by which thread and how often it was written to."""

    def __init__(self, path: Path, *, keeps_room: bool = False, most_waiting: int = 10_000) -> None:
        self.logs = Logs(path)
        self.time = Time()
        self.writers: list[str] = []
        self.let: threading.Event | None = None
        """What a write waits for."""
        self.trail = Trail(
            self.logs.folder,
            self.logs.heads,
            KEY,
            clock=self.logs.clock,
            append=self.append,
            allocate=self.logs.disk.allocate,
        )
        self.writers.clear()
        self.batches = Batches(self.trail, keeps_room=keeps_room, monotonic=self.time, most_waiting=most_waiting)

    def append(self, descriptor: int, content: bytes) -> int:
        self.writers.append("loop" if threading.current_thread() is threading.main_thread() else "thread")
        if self.let is not None:
            assert self.let.wait(60)
        self.time.now += self.time.each_write_seconds
        return self.logs.disk.append(descriptor, content)

    def add(self, *numbers: int) -> list[asyncio.Future[bool]]:
        return [self.batches.add(json_object(record(request_id=str(number)))) for number in numbers]

    async def be_slow_once(self) -> None:
        """Have the disk be slow for one write."""
        self.time.each_write_seconds = 2 * SLOW_SECONDS
        assert await self.add(0)[0]
        self.time.each_write_seconds = 0.0
        self.writers.clear()

    def close(self) -> None:
        self.batches.close()
        self.trail.close()


Run = Callable[[Callable[[Desk], Coroutine[Any, Any, None]]], Desk]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def whole(test: Callable[[Desk], Coroutine[Any, Any, None]]) -> Desk:
        desk = Desk(tmp_path)
        asyncio.run(test(desk))
        desk.close()
        assert desk.logs.findings() == []
        return desk

    return whole


def test_what_comes_in_one_turn_is_written_at_once(run: Run) -> None:
    async def test(desk: Desk) -> None:
        written = desk.add(*range(10))
        assert desk.writers == []
        assert all(await asyncio.gather(*written))
        assert desk.writers == ["loop"]
        assert all(await asyncio.gather(*desk.add(*range(10, 13))))
        assert desk.writers == ["loop", "loop"]

    assert run(test).logs.kinds() == [Kind.START, *[None] * 13, Kind.STOP]


def test_there_is_an_anchor_in_a_batch_that_is_longer_than_the_way_to_the_next(run: Run) -> None:
    async def test(desk: Desk) -> None:
        assert all(await asyncio.gather(*desk.add(*range(MANY))))

    kinds = run(test).logs.kinds()
    assert kinds[ANCHOR_RECORDS + 1] is Kind.TIME
    assert kinds.count(None) == MANY


def test_a_slow_write_makes_the_next_ones_a_threads(run: Run) -> None:
    async def test(desk: Desk) -> None:
        await desk.be_slow_once()
        desk.let = threading.Event()
        [first] = desk.add(1)
        await asyncio.sleep(0)
        later = desk.add(2, 3)
        await asyncio.sleep(0)  # the loop goes on, whatever the disk does
        assert not first.done()
        assert not any(each.done() for each in later)
        desk.let.set()
        assert all(await asyncio.gather(first, *later))
        assert desk.writers == ["thread", "thread"]
        desk.time.now += APART_SECONDS
        assert await desk.add(4)[0]
        assert desk.writers[2:] == ["loop"]

    run(test)


def test_other_work_on_the_trail_waits_for_the_thread(run: Run) -> None:
    async def test(desk: Desk) -> None:
        await desk.be_slow_once()
        desk.let = threading.Event()
        [written] = desk.add(1)
        await asyncio.sleep(0)
        place = asyncio.ensure_future(desk.batches.run(lambda: desk.trail.place.sequence))
        tended = asyncio.ensure_future(desk.batches.tend())
        await asyncio.sleep(0)
        assert not place.done()
        desk.let.set()
        assert await written
        assert await place == desk.trail.place.sequence
        await tended

    run(test)


def test_what_waits_is_written_at_the_end(run: Run) -> None:
    async def test(desk: Desk) -> None:
        await desk.be_slow_once()
        desk.let = threading.Event()
        desk.add(1)
        await asyncio.sleep(0)
        desk.add(2)
        threading.Timer(0.05, desk.let.set).start()
        desk.batches.close()

    assert run(test).logs.kinds() == [Kind.START, None, None, None, Kind.STOP]


def test_a_record_that_comes_after_the_end_is_not_written(run: Run) -> None:
    async def test(desk: Desk) -> None:
        desk.close()
        assert not await desk.add(1)[0]

    run(test)


def test_what_waits_is_bounded_and_the_rest_is_told(tmp_path: Path) -> None:
    async def test() -> None:
        await desk.be_slow_once()
        desk.let = threading.Event()
        [first] = desk.add(1)
        await asyncio.sleep(0)
        waiting = desk.add(*range(2, 8))
        assert [each.done() for each in waiting] == [False] * 4 + [True] * 2
        desk.let.set()
        assert await first
        assert await asyncio.gather(*waiting) == [True] * 4 + [False] * 2

    desk = Desk(tmp_path, most_waiting=4)
    asyncio.run(test())
    desk.close()
    assert [finding.text for finding in desk.logs.findings()] == ["2 records before it could not be written"]


def test_a_batch_that_finds_the_disk_full_is_lost_and_told(tmp_path: Path) -> None:
    async def test() -> None:
        desk.logs.disk.room_bytes = 1000
        assert not any(await asyncio.gather(*desk.add(*range(5))))
        assert desk.trail.lost_records == 5
        desk.logs.disk.room_bytes = None
        assert all(await asyncio.gather(*desk.add(5, 6)))

    desk = Desk(tmp_path)
    asyncio.run(test())
    desk.close()
    assert desk.logs.kinds() == [Kind.START, Kind.LOSS, None, None, Kind.STOP]


def test_whether_there_is_room_is_looked_at_by_whoever_has_the_trail(tmp_path: Path) -> None:
    async def test() -> None:
        await desk.be_slow_once()
        desk.logs.disk.room_bytes = 10
        assert desk.batches.ready, "nobody has looked since"
        await desk.batches.tend()
        assert not desk.batches.ready
        desk.logs.disk.room_bytes = None
        await desk.batches.tend()
        assert desk.batches.ready

    desk = Desk(tmp_path, keeps_room=True)
    asyncio.run(test())
    desk.close()
