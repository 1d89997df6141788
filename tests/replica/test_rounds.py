"""Rounds of work that many ask for."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest

from resphere.replica.rounds import Rounds


class Work:
    """Rounds that end when they are told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.gates: list[asyncio.Future[None]] = []
        self.rounds = Rounds(self.work)

    async def work(self) -> None:
        assert self.begun == len(self.gates) == self.ended, "two at once"
        self.begun += 1
        self.gates.append(asyncio.get_running_loop().create_future())
        try:
            await self.gates[-1]
        finally:
            self.ended += 1

    def join(self) -> asyncio.Task[int]:
        """A caller; its result is the number of rounds that had ended when its own did."""

        async def caller() -> int:
            await self.rounds.join()
            return self.ended

        return asyncio.create_task(caller())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def with_work(test: Callable[[Work], Awaitable[None]]) -> None:
    async def whole() -> None:
        await test(Work())

    asyncio.run(whole())


def test_who_comes_while_one_is_under_way_shares_the_next() -> None:
    async def test(work: Work) -> None:
        first = work.join()
        await settle()
        later = [work.join() for _ in range(5)]
        await settle()
        assert work.begun == 1
        work.gates[0].set_result(None)
        assert await first == 1
        await settle()
        assert work.begun == 2
        assert not any(each.done() for each in later)
        last = work.join()
        await settle()
        work.gates[1].set_result(None)
        assert await asyncio.gather(*later) == [2] * 5
        await settle()
        work.gates[2].set_result(None)
        assert await last == 3
        await settle()
        assert work.begun == 3

    with_work(test)


def test_what_need_not_wait_is_done_at_once() -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    joined = Rounds(work).join()
    with pytest.raises(StopIteration):
        joined.send(None)
    assert done == [1]


def test_a_failure_is_told_to_those_whose_round_it_was() -> None:
    async def test(work: Work) -> None:
        first = work.join()
        await settle()
        second, third = work.join(), work.join()
        await settle()
        work.gates[0].set_exception(LookupError("one"))
        with pytest.raises(LookupError, match="one"):
            await first
        await settle()
        fourth = work.join()
        await settle()
        work.gates[1].set_exception(LookupError("two"))
        for each in (second, third):
            with pytest.raises(LookupError, match="two"):
                await each
        await settle()
        work.gates[2].set_result(None)
        assert await fourth == 3

    with_work(test)


@pytest.mark.parametrize("canceled", [0, 1, 2])
def test_a_canceled_caller_leaves_the_others_their_rounds(canceled: int) -> None:
    async def test(work: Work) -> None:
        callers = [work.join()]
        await settle()
        callers += [work.join(), work.join()]
        await settle()
        callers[canceled].cancel()
        await settle()
        if canceled != 0:
            assert work.begun == 1
            work.gates[0].set_result(None)
        await settle()
        work.gates[1].set_result(None)
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [
            n == canceled for n in range(3)
        ]
        last = work.join()
        await settle()
        work.gates[2].set_result(None)
        assert await last == 3

    with_work(test)


def test_a_failure_that_nobody_waits_for_any_more_is_no_defect() -> None:
    async def test(work: Work) -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        first = work.join()
        await settle()
        second = work.join()
        await settle()
        second.cancel()
        work.gates[0].set_result(None)
        await first
        await settle()
        work.gates[1].set_exception(LookupError)
        await settle()
        assert await work_again(work) == 3
        work.gates.clear()
        gc.collect()  # a failure is complained of once nothing holds it
        assert complaints == []

    async def work_again(work: Work) -> int:
        joined = work.join()
        await settle()
        work.gates[2].set_result(None)
        return await joined

    with_work(test)


def test_a_round_that_is_canceled_is_canceled_for_all_and_the_next_begins() -> None:
    """As at the end of a loop, which cancels every task."""

    async def test(work: Work) -> None:
        first = work.join()
        await settle()
        callers = [work.join(), work.join()]
        await settle()
        known = asyncio.all_tasks()
        work.gates[0].set_result(None)
        await first
        await settle()
        (serving,) = asyncio.all_tasks() - known
        last = work.join()
        await settle()
        serving.cancel()
        await settle()
        assert serving.cancelled()
        assert all(each.cancelled() for each in callers)
        work.gates[2].set_result(None)
        assert await last == 3

    with_work(test)
