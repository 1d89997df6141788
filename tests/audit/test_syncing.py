"""Records are on the disk when that is said, and calls that wait at the same time wait for one writing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from resphere.audit.chain import Place
from resphere.audit.syncing import Syncing
from tests.audit.trails import Logs, write


class Slow:
    """A trail whose records come to the disk when the test lets them."""

    def __init__(self, logs: Logs) -> None:
        self.trail = logs.trail()
        self.begun = 0
        self.asked = asyncio.Event()
        self.let = threading.Semaphore(0)
        self.failure: OSError | None = None

    @property
    def place(self) -> Place:
        return self.trail.place

    def sync(self) -> Callable[[], None]:
        work = self.trail.sync()
        self.begun += 1
        self.asked.set()

        def wait_and_work() -> None:
            assert self.let.acquire(timeout=60)
            work()
            if self.failure is not None:
                raise self.failure

        return wait_and_work


@pytest.fixture
def slow(tmp_path: Path) -> Slow:
    return Slow(Logs(tmp_path))


def test_those_who_wait_together_wait_for_one_writing(slow: Slow) -> None:
    async def calls() -> None:
        syncing = Syncing(slow)
        write(slow.trail, range(1))
        first = asyncio.ensure_future(syncing.settled())
        await slow.asked.wait()
        later = []
        for _ in range(5):
            write(slow.trail, range(1))
            later.append(asyncio.ensure_future(syncing.settled()))
        await asyncio.sleep(0)
        assert slow.begun == 1
        slow.let.release()
        await first
        slow.let.release()
        await asyncio.gather(*later)
        assert slow.begun == 2
        await syncing.settled()
        assert slow.begun == 2, "nothing was written since"

    asyncio.run(calls())
    slow.trail.close()


def test_a_disk_that_fails_is_told_to_all_who_wait(slow: Slow) -> None:
    async def calls() -> None:
        syncing = Syncing(slow)
        slow.failure = OSError("broken")
        write(slow.trail, range(1))
        waiting = [asyncio.ensure_future(syncing.settled()) for _ in range(3)]
        await asyncio.sleep(0)
        slow.let.release()
        assert [str(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == ["broken"] * 3
        slow.failure = None
        slow.let.release()
        await syncing.settled()

    asyncio.run(calls())
    slow.trail.close()
