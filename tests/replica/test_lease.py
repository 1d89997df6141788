"""Leases among workers that live, die, fail and stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from resphere.replica.edit import Edit
from resphere.replica.lease import LEASES, Lease, Leases
from resphere.replica.replica import Replica
from resphere.store.base import StoreError, Transaction
from tests.replica.worlds import Scripted, opened, store_in

SOON = 0.01
NEVER = 3600.0
"""Longer than any test: what happens all the same was not waited for."""


class Sign:
    """A worker's liveness, as those see it who share ``alive``."""

    def __init__(self, name: str, alive: set[str]) -> None:
        self._name = name
        self._alive = alive
        self.looks: asyncio.Queue[str] = asyncio.Queue()
        alive.add(name)

    @property
    def name(self) -> str:
        return self._name

    def is_alive(self, name: str) -> bool:
        self.looks.put_nowait(name)
        return name in self._alive

    async def release(self) -> None:
        self._alive.discard(self._name)


class Worker:
    """One that wants the lease ``x``, and what it does with it."""

    def __init__(self, replica: Replica, name: str, alive: set[str], look: float = SOON, retry: float = SOON) -> None:
        self.name = name
        self.replica = replica
        self.begun = 0
        self.beginnings: asyncio.Queue[int] = asyncio.Queue()
        self.works = asyncio.Event()
        self.idle = asyncio.Event()
        self.fails = False
        self.ends = False
        self.sign = Sign(name, alive)
        self.may_end = asyncio.Event()
        self.may_end.set()
        leases = Leases(replica, self.sign, look_seconds=look, follow_seconds=SOON, retry_seconds=retry)
        self.task = asyncio.create_task(leases.hold("x", self.work))

    async def work(self) -> None:
        self.begun += 1
        self.beginnings.put_nowait(self.begun)
        self.idle.clear()
        self.works.set()
        try:
            if self.fails:
                raise LookupError("the work fails")
            if not self.ends:
                await asyncio.Event().wait()
        finally:
            await self.may_end.wait()
            self.works.clear()
            self.idle.set()

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def holder(self) -> str | None:
        await self.replica.refresh()
        lease = self.replica.get(Lease, "x")
        return lease.holder if lease is not None else None


@asynccontextmanager
async def workers(path: Path, count: int, **patience: float) -> AsyncIterator[tuple[list[Worker], set[str]]]:
    """So many workers, each with a replica of its own, and the names of those alive."""
    alive: set[str] = set()
    async with (
        opened(path, tables=(LEASES,)) as one,
        opened(path, tables=(LEASES,)) as two,
        opened(path, tables=(LEASES,)) as three,
    ):
        all_of_them = [
            Worker(replica, f"worker-{n}", alive, **patience) for n, replica in enumerate((one, two, three)[:count])
        ]
        try:
            yield all_of_them, alive
        finally:
            for each in all_of_them:
                await each.stop()


def among(path: Path, count: int, test: Callable[[list[Worker], set[str]], Awaitable[None]], **patience: float) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30), workers(path, count, **patience) as (them, alive):
            await test(them, alive)

    asyncio.run(whole())


async def leader_of(them: list[Worker]) -> Worker:
    """The one that comes to work."""
    waiting = {asyncio.create_task(each.works.wait()): each for each in them}
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return waiting[done.pop()]


def test_one_of_many_works(tmp_path: Path) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        leader = await leader_of(them)
        await asyncio.sleep(10 * SOON)  # the others look again and again, and leave it alone
        assert [each.works.is_set() for each in them].count(True) == 1
        assert sum(each.begun for each in them) == 1
        assert {await each.holder() for each in them} == {leader.name}

    among(tmp_path / "store", 3, test)


def test_where_the_holder_dies_another_takes_over(tmp_path: Path) -> None:
    async def test(them: list[Worker], alive: set[str]) -> None:
        leader = await leader_of(them)
        alive.discard(leader.name)
        others = [each for each in them if each is not leader]
        next_one = await leader_of(others)
        # It was not dead after all: it hears who has the lease now, and stops.
        await leader.idle.wait()
        assert {await each.holder() for each in them} == {next_one.name}
        await leader.stop()
        assert {await each.holder() for each in them} == {next_one.name}

    among(tmp_path / "store", 3, test)


def test_an_orderly_stop_gives_it_back_at_once(tmp_path: Path) -> None:
    async def test(them: list[Worker], alive: set[str]) -> None:
        leader = await leader_of(them)
        await leader.stop()
        assert not leader.works.is_set()
        assert leader.name in alive
        (other,) = (each for each in them if each is not leader)
        assert await leader_of([other]) is other
        await other.stop()
        assert await leader.holder() is None

    among(tmp_path / "store", 2, test)


@pytest.mark.parametrize("turns", range(4))
def test_who_is_stopped_as_the_lease_becomes_free_ends(tmp_path: Path, turns: int) -> None:
    """All workers of a server stop at once: each hears that the one before has given the lease back."""

    async def test(them: list[Worker], _: set[str]) -> None:
        leader = await leader_of(them)
        (other,) = (each for each in them if each is not leader)
        await other.sign.looks.get()
        await leader.stop()
        await other.replica.refresh()
        for _turn in range(turns):
            await asyncio.sleep(0)
        other.task.cancel()
        ended, _others = await asyncio.wait((other.task,), timeout=10)
        assert ended

    among(tmp_path / "store", 2, test, look=NEVER)


def test_work_that_fails_is_begun_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        (only,) = them
        only.fails = True
        assert [await only.beginnings.get() for _ in range(3)] == [1, 2, 3]
        only.fails = False
        await only.works.wait()

    with caplog.at_level(logging.ERROR):
        among(tmp_path / "store", 1, test)
    assert "the work fails" in caplog.text


def test_where_it_fails_others_have_their_turn(tmp_path: Path) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        them[0].fails = True
        await them[1].works.wait()
        await them[1].stop()
        begun = them[0].begun
        them[0].fails = False
        await them[0].works.wait()
        assert them[0].begun > begun

    among(tmp_path / "store", 2, test)


def test_work_that_ends_keeps_the_lease(tmp_path: Path) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        for each in them:
            each.ends = True
        await asyncio.wait(
            [asyncio.create_task(each.idle.wait()) for each in them], return_when=asyncio.FIRST_COMPLETED
        )
        await asyncio.sleep(10 * SOON)  # nobody begins again meanwhile
        assert sum(each.begun for each in them) == 1
        for each in them:
            each.idle.set()

    among(tmp_path / "store", 2, test)


def test_the_holder_hears_of_what_others_do(tmp_path: Path) -> None:
    """What it works on comes from any worker, and nobody may ask it for anything for hours."""

    async def test(them: list[Worker], _: set[str]) -> None:
        leader = await leader_of(them)
        (other,) = (each for each in them if each is not leader)
        heard = asyncio.Event()
        leader.replica.subscribe(Lease, lambda _, new: heard.set() if new and new.id == "y" else None)
        await other.replica.change(lambda edit: edit.put(Lease(id="y")))
        await heard.wait()

    among(tmp_path / "store", 2, test)


def test_a_store_that_fails_does_not_keep_a_worker_from_stopping(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def whole() -> None:
        broken = False

        async def before(_: Transaction) -> None:
            if broken:
                raise StoreError("the disk is full")

        store = Scripted(await store_in(tmp_path / "store"), before)
        replica = Replica(store, (LEASES,))
        await replica.load()
        worker = Worker(replica, "worker", set())
        await worker.works.wait()
        broken = True
        await worker.stop()
        assert worker.task.cancelled()
        assert not worker.works.is_set()
        await store.close()

    with caplog.at_level(logging.ERROR):
        asyncio.run(whole())
    assert "could not be given back" in caplog.text


def test_a_store_that_fails_is_tried_again(tmp_path: Path) -> None:
    async def whole() -> None:
        attempts = 0

        async def before(_: Transaction) -> None:
            nonlocal attempts
            attempts += 1
            if attempts < 4:
                raise StoreError("the disk is full")

        store = Scripted(await store_in(tmp_path / "store"), before)
        replica = Replica(store, (LEASES,))
        await replica.load()
        worker = Worker(replica, "worker", set())
        await worker.works.wait()
        assert attempts == 4
        await worker.stop()
        await store.close()

    asyncio.run(whole())


def test_who_is_stopped_while_taking_it_gives_it_back(tmp_path: Path) -> None:
    async def whole() -> None:
        committing, go_on = asyncio.Event(), asyncio.Event()

        async def before(_: Transaction) -> None:
            committing.set()
            await go_on.wait()

        store = Scripted(await store_in(tmp_path / "store"), before)
        replica = Replica(store, (LEASES,))
        await replica.load()
        worker = Worker(replica, "worker", set())
        await committing.wait()
        worker.task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with suppress(asyncio.CancelledError):
            await worker.task
        assert store.commits == 2
        assert await worker.holder() is None
        assert worker.begun == 0
        await store.close()

    asyncio.run(whole())


def test_a_lease_that_is_given_back_is_heard_of_and_not_looked_for(tmp_path: Path) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        leader = await leader_of(them)
        (other,) = (each for each in them if each is not leader)
        assert await other.sign.looks.get() == leader.name
        await leader.stop()
        await other.replica.refresh()
        await other.works.wait()

    among(tmp_path / "store", 2, test, look=NEVER)


def test_who_hears_of_another_holder_looks_once(tmp_path: Path) -> None:
    async def test(them: list[Worker], alive: set[str]) -> None:
        (only,) = them
        await only.works.wait()
        for number in range(4):
            alive.add(f"another-{number}")
            await only.replica.change(partial(Edit.put, obj=Lease(id="x", holder=f"another-{number}")))
            assert await only.sign.looks.get() == f"another-{number}"
            for _turn in range(100):
                await asyncio.sleep(0)
            assert only.sign.looks.empty()
        assert not only.works.is_set()

    among(tmp_path / "store", 1, test, look=NEVER)


def test_work_that_fails_is_left_alone_for_a_while(tmp_path: Path) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        (only,) = them
        given_back = asyncio.Event()
        only.replica.subscribe(Lease, lambda _, new: given_back.set() if new and new.holder is None else None)
        only.fails = True
        await given_back.wait()
        for number in range(10):
            # Each takes as long as it would take to get the lease again.
            await only.replica.change(partial(Edit.put, obj=Lease(id=f"y-{number}")))
        assert only.begun == 1

    among(tmp_path / "store", 1, test, retry=NEVER)


def test_the_lease_is_given_back_when_the_work_has_ended(tmp_path: Path) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        leader = await leader_of(them)
        (other,) = (each for each in them if each is not leader)
        leader.may_end.clear()
        leader.task.cancel()
        await asyncio.sleep(10 * SOON)  # the other looks again and again
        assert not other.works.is_set()
        assert await other.holder() == leader.name
        leader.may_end.set()
        await other.works.wait()
        assert not leader.works.is_set()

    among(tmp_path / "store", 2, test)


def test_who_comes_to_hold_it_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(them: list[Worker], _: set[str]) -> None:
        leader = await leader_of(them)
        assert [each.message for each in caplog.records] == [f"worker {leader.name} holds the lease x"]

    with caplog.at_level(logging.INFO, "resphere.replica.lease"):
        among(tmp_path / "store", 2, test)
