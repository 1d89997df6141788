"""A replica of a store that has to be waited for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from resphere.replica.edit import Edit
from resphere.replica.numbers import NUMBERS_READY, NUMBERS_TAKEN
from resphere.replica.replica import Replica
from resphere.store.base import Changes, Store, StoreError
from tests.replica.worlds import WORLD, Item, Waiting, add, check_indexes, contents, opened, put, store_in


class Gated(Waiting):
    """A store whose readings are under way until they are let go on."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, random.Random(1))
        self.open = asyncio.Event()
        self.open.set()

    async def changes_since(self, sequence: int) -> Changes:
        changes = await super().changes_since(sequence)
        await self.open.wait()
        return changes


@asynccontextmanager
async def gated(path: Path) -> AsyncIterator[tuple[Replica, Gated]]:
    """A loaded replica of a gated store."""
    store = Gated(await store_in(path))
    replica = Replica(store, WORLD, random.Random(1))
    await replica.load()
    try:
        yield replica, store
    finally:
        await store.close()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_all_who_wait_at_one_moment_are_served_by_one_reading(tmp_path: Path) -> None:
    async def test() -> None:
        async with gated(tmp_path / "store") as (replica, store), opened(tmp_path / "store") as other:
            store.open.clear()
            first = asyncio.create_task(replica.refresh())
            await settle()
            await other.change(put(Item(id="item-1", name="a")))
            later = [asyncio.create_task(replica.refresh()) for _ in range(50)]
            await settle()
            assert store.readings == 1
            store.open.set()
            await first
            # What was under way may have looked before: it does not count for those who came after.
            await asyncio.gather(*later)
            assert replica.get(Item, "item-1")
            assert store.readings == 2

    asyncio.run(test())


def test_nothing_is_heard_twice_or_out_of_order(tmp_path: Path) -> None:
    async def test() -> None:
        async with gated(tmp_path / "store") as (replica, _), opened(tmp_path / "store") as other:
            heard: list[int] = []
            replica.subscribe(Item, lambda _, new: heard.append(new.value if new else -1))
            await other.change(put(Item(id="item-1", name="a")))

            async def look() -> None:
                for _ in range(30):
                    before = replica.sequence
                    await replica.refresh()
                    assert replica.sequence >= before

            await asyncio.gather(*(look() for _ in range(8)), *(r.change(add("item-1")) for r in (other, replica) * 20))
            await replica.refresh()
            assert heard == sorted(set(heard))
            assert heard[-1] == 40
            check_indexes(replica, WORLD)
            await other.refresh()
            assert contents(replica) == contents(other)

    asyncio.run(test())


def test_what_is_read_stays_until_the_next_await(tmp_path: Path) -> None:
    async def test() -> None:
        async with gated(tmp_path / "store") as (replica, _), opened(tmp_path / "store") as other:
            await other.change(put(Item(id="item-1", name="a"), Item(id="item-2", name="b")))

            def both(edit: Edit) -> None:
                add("item-1")(edit)
                add("item-2")(edit)

            async def look() -> None:
                for _ in range(50):
                    await replica.refresh()
                    values = {item.value for item in replica.all(Item).values()}
                    assert len(values) == 1, "half a change is shown"

            await asyncio.gather(*(look() for _ in range(4)), *(other.change(both) for _ in range(20)))

    asyncio.run(test())


def test_who_is_canceled_takes_nobody_along(tmp_path: Path) -> None:
    async def test() -> None:
        async with gated(tmp_path / "store") as (replica, store), opened(tmp_path / "store") as other:
            await other.change(put(Item(id="item-1", name="a")))
            store.open.clear()
            waiting = [asyncio.create_task(replica.refresh()) for _ in range(3)]
            await settle()
            waiting[0].cancel()
            waiting[1].cancel()
            await settle()
            store.open.set()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [
                asyncio.CancelledError,
                asyncio.CancelledError,
                type(None),
            ]
            assert replica.get(Item, "item-1")

    asyncio.run(test())


def test_a_store_that_cannot_be_read_is_asked_again(tmp_path: Path) -> None:
    async def test() -> None:
        class Failing(Gated):
            fails = True

            async def changes_since(self, sequence: int) -> Changes:
                changes = await super().changes_since(sequence)
                if self.fails:
                    raise StoreError("the line is dead")
                return changes

        async with opened(tmp_path / "store") as other:
            store = Failing(await store_in(tmp_path / "store"))
            replica = Replica(store, WORLD)
            await replica.load()
            await other.change(put(Item(id="item-1", name="a")))
            outcomes = await asyncio.gather(*(replica.refresh() for _ in range(3)), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [StoreError] * 3
            store.fails = False
            await replica.refresh()
            assert replica.get(Item, "item-1")
            await store.close()

    asyncio.run(test())


def test_a_load_and_refreshes_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with gated(tmp_path / "store") as (replica, _), opened(tmp_path / "store") as other:
            heard: dict[str, Item] = {}

            def hear(old: Item | None, new: Item | None) -> None:
                assert heard.get((old or new).id) == old  # type: ignore[union-attr]
                if new is not None:
                    heard[new.id] = new

            replica.subscribe(Item, hear)
            for number in range(10):
                await asyncio.gather(
                    replica.refresh(),
                    other.change(put(Item(id=f"item-{number}", name=str(number)))),
                    replica.load(),
                    replica.refresh(),
                    replica.change(put(Item(id="own", name=f"own-{number}"))),
                )
            await replica.refresh()
            assert heard == dict(replica.all(Item))
            await other.refresh()
            assert contents(other) == contents(replica)

    asyncio.run(test())


def test_changes_at_once_get_different_numbers(tmp_path: Path) -> None:
    """However many they need, and though others use up what was there."""

    async def test() -> None:
        async with gated(tmp_path / "store") as (replica, _):

            def many(count: int) -> Callable[[Edit], list[str]]:
                def plan(edit: Edit) -> list[str]:
                    return [edit.new_id("vm-") for _ in range(count)]

                return plan

            counts = [1, NUMBERS_READY, NUMBERS_TAKEN, 3 * NUMBERS_TAKEN, 1, 10 * NUMBERS_TAKEN, 2, 0]
            taken = await asyncio.gather(*(replica.change(many(count)) for count in counts))
            assert [len(ids) for ids in taken] == counts
            everything = [id for ids in taken for id in ids]
            assert len(set(everything)) == len(everything)

    asyncio.run(test())


def test_a_plan_runs_again_when_there_are_numbers_for_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with gated(tmp_path / "store") as (replica, _):
            runs = 0

            def plan(edit: Edit) -> str:
                nonlocal runs
                runs += 1
                id = edit.new_id("item-")
                edit.put(Item(id=id, name=id))
                return id

            first = await replica.change(plan)
            assert runs == 2
            # From then on some are ready.
            made = [await replica.change(plan) for _ in range(2 * NUMBERS_TAKEN)]
            assert runs == 2 + len(made)
            assert replica.all(Item).keys() == {first, *made}

    asyncio.run(test())


def test_numbers_that_cannot_be_taken_fail_the_change(tmp_path: Path) -> None:
    async def test() -> None:
        class Failing(Gated):
            async def reserve(self, counter: str, count: int) -> range:
                raise StoreError("the disk is full")

        store = Failing(await store_in(tmp_path / "store"))
        replica = Replica(store, WORLD)
        for _ in range(2):
            with pytest.raises(StoreError, match="full"):
                await replica.change(lambda edit: edit.new_id("vm-"))
        await replica.change(put(Item(id="item-1", name="a")))
        await store.close()

    asyncio.run(test())
