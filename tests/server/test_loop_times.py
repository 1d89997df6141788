"""The measure of :mod:`tests.support.loop_times`: work of callbacks counts, waiting and other threads do not."""

from __future__ import annotations

import asyncio
import time

from tests.support.loop_times import TimedLoop

WORK_SECONDS = 0.05


def work() -> None:
    """Keep a processor busy for so long."""
    end = time.thread_time() + WORK_SECONDS
    while time.thread_time() < end:
        pass


async def in_two_steps() -> None:
    work()
    await asyncio.sleep(0)
    work()


async def in_the_loop() -> None:
    asyncio.get_running_loop().call_later(0, work)
    await asyncio.sleep(0.001)


async def beside_the_loop() -> None:
    await asyncio.to_thread(work)
    await asyncio.sleep(WORK_SECONDS)


def test_the_longest_callback_is_told() -> None:
    for scenario in (in_two_steps, in_the_loop):
        loop = TimedLoop()
        with asyncio.Runner(loop_factory=lambda loop=loop: loop) as runner:  # type: ignore[misc]
            runner.run(scenario())
        assert WORK_SECONDS <= loop.longest_seconds < 2 * WORK_SECONDS


def test_other_threads_and_waiting_are_not_counted() -> None:
    loop = TimedLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(beside_the_loop())
    assert loop.longest_seconds < WORK_SECONDS
