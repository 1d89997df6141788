from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.limits.turns import Full, NoRoom, Turns
from tests.support.examples import examples


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await test()

    asyncio.run(whole())


async def settle() -> None:
    """Until all that can go on has."""
    for _ in range(5):
        await asyncio.sleep(0)


def turns(per_party: int = 2, total: int = 3, waiting_per_party: int = 100, waiting: int = 1000) -> Turns:
    return Turns(per_party=per_party, total=total, waiting_per_party=waiting_per_party, waiting=waiting)


class Line:
    """Who got a turn, in that order."""

    def __init__(self, of: Turns) -> None:
        self.turns = of
        self.got: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, *parties: str) -> None:
        for party in parties:
            self.tasks.append(asyncio.get_running_loop().create_task(self._enter(party)))
            await settle()

    async def _enter(self, party: str) -> None:
        await self.turns.enter(party.rstrip("0123456789"))
        self.got.append(party)

    async def leave(self, party: str) -> None:
        self.turns.leave(party)
        await settle()


def test_one_party_has_no_more_turns_than_it_may() -> None:
    async def test() -> None:
        line = Line(turns())
        await line.come("a1", "a2", "a3", "b1")
        assert line.got == ["a1", "a2", "b1"]
        await line.leave("b")
        assert line.got == ["a1", "a2", "b1"]
        await line.leave("a")
        assert line.got == ["a1", "a2", "b1", "a3"]

    run(test)


def test_a_flood_waits_behind_itself() -> None:
    """A hundred of one party wait; whoever comes then waits for one turn, not for a hundred."""

    async def test() -> None:
        line = Line(turns(per_party=3, total=3))
        await line.come(*(f"a{number}" for number in range(100)), "b1", "c1", "b2")
        assert line.got == ["a0", "a1", "a2"]
        for party in "aaaab":
            await line.leave(party)
        assert line.got[3:] == ["a3", "b1", "c1", "a4", "b2"]

    run(test)


def test_nobody_overtakes_others_of_the_same_party() -> None:
    async def test() -> None:
        of = turns(per_party=1, total=2)
        line = Line(of)
        await line.come("a1", "a2")
        assert not of.entered("a")
        await line.leave("a")
        assert line.got == ["a1", "a2"]

    run(test)


def test_who_leaves_the_queue_leaves_no_trace() -> None:
    async def test() -> None:
        of = turns(per_party=1, total=1)
        line = Line(of)
        await line.come("a1", "a2", "b1", "a3")
        line.tasks[1].cancel()
        line.tasks[2].cancel()
        await settle()
        assert of.waiting == 1
        await line.leave("a")
        assert line.got == ["a1", "a3"]
        await line.leave("a")
        assert (of.had, of.waiting) == (0, 0)

    run(test)


@pytest.mark.parametrize("cancel_first", [True, False])
def test_a_turn_that_comes_at_the_moment_of_giving_up_goes_to_the_next(cancel_first: bool) -> None:
    async def test() -> None:
        of = turns(per_party=1, total=1)
        line = Line(of)
        await line.come("a1", "b1", "c1")
        # Both before anybody goes on.
        if cancel_first:
            line.tasks[1].cancel()
            of.leave("a")
        else:
            of.leave("a")
            line.tasks[1].cancel()
        await settle()
        assert line.tasks[1].cancelled()
        assert line.got == ["a1", "c1"]
        assert (of.had, of.waiting) == (1, 0)

    run(test)


def test_queues_are_bounded() -> None:
    async def test() -> None:
        of = turns(per_party=1, total=1, waiting_per_party=2, waiting=3)
        line = Line(of)
        await line.come("a1", "a2", "a3")
        with pytest.raises(NoRoom) as refusal:
            await of.enter("a")
        assert refusal.value.full is Full.PARTY
        await line.come("b1")
        with pytest.raises(NoRoom) as refusal:
            await of.enter("c")
        assert refusal.value.full is Full.ALL
        await line.leave("a")
        await line.come("c1")
        assert of.waiting == 3
        for task in line.tasks:
            task.cancel()
        await settle()
        assert of.waiting == 0

    run(test)


def test_where_nobody_may_wait_nobody_does() -> None:
    async def test() -> None:
        of = turns(per_party=1, total=1, waiting_per_party=0, waiting=0)
        await of.enter("a")
        with pytest.raises(NoRoom):
            await of.enter("b")
        of.leave("a")
        await of.enter("b")

    run(test)


@settings(max_examples=examples(200))
@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from(["come", "leave", "cancel"]), st.sampled_from("abc")), max_size=60),
)
def test_turns_are_never_lost_nor_made_up(per_party: int, total: int, events: list[tuple[str, str]]) -> None:
    async def test() -> None:
        of = turns(per_party, total, waiting_per_party=5, waiting=8)
        tasks: dict[str, list[asyncio.Task[None]]] = {party: [] for party in "abc"}
        for event, party in events:
            if event == "come":
                tasks[party].append(asyncio.get_running_loop().create_task(of.enter(party)))
            elif event == "leave" and of.of(party):
                of.leave(party)
            elif event == "cancel" and tasks[party]:
                tasks[party][-1].cancel()
            await settle()
            having = Counter({each: of.of(each) for each in "abc"})
            assert of.had == having.total() <= total
            assert max(having.values()) <= per_party
            waiting = {each for each in "abc" if any(not task.done() for task in tasks[each])}
            assert of.waiting == sum(not task.done() for each in tasks.values() for task in each)
            # Nobody waits for a turn that could be had.
            assert of.had == total or all(having[each] == per_party for each in waiting)
        for task in (task for each in tasks.values() for task in each):
            task.cancel()
        await asyncio.gather(*(task for each in tasks.values() for task in each), return_exceptions=True)

    run(test)
