"""Changes that meet: in one worker, and between workers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from resphere.replica.contention import Contention
from resphere.replica.edit import Edit
from resphere.replica.errors import ConcurrentChange
from resphere.replica.replica import ATTEMPTS, Replica
from resphere.store.base import StoreError, Transaction
from tests.replica.worlds import WORLD, Item, Scripted, add, check_indexes, contents, opened, put, run, store_in


class NameTaken(Exception):
    """What a service would raise."""


def create(id: str, name: str, replica: Replica) -> Callable[[Edit], str]:
    """A plan that makes an item, if there is none of its name."""

    def plan(edit: Edit) -> str:
        if replica.by(Item, "name", name):
            raise NameTaken(name)
        edit.put(Item(id=id, name=name))
        return id

    return plan


def value_of(replica: Replica, id: str) -> int:
    item = replica.get(Item, id)
    assert item is not None
    return item.value


async def disturbed(path: Path, before: Callable[[Transaction], Awaitable[None]]) -> tuple[Replica, Scripted]:
    """A replica at whose commits ``before`` comes first."""
    store = Scripted(await store_in(path), before)
    replica = Replica(store, WORLD, random.Random(1))
    await replica.load()
    return replica, store


def test_two_replicas_lose_no_update(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        await one.change(put(Item(id="item-1", name="a")))
        await asyncio.gather(*(replica.change(add("item-1")) for replica in (one, other) for _ in range(20)))
        for replica in (one, other):
            await replica.refresh()
            assert value_of(replica, "item-1") == 40

    run(test, tmp_path / "store", 2)


def test_changes_of_one_object_in_one_worker_do_not_fail_each_other(tmp_path: Path) -> None:
    async def test() -> None:
        async def at_once(_: Transaction) -> None:
            return

        replica, store = await disturbed(tmp_path / "store", at_once)
        await replica.change(
            put(Item(id="item-1", name="a"), *(Item(id=f"item-{n}", name=str(n)) for n in range(2, 9)))
        )
        many = ATTEMPTS * 10

        def also(id: str) -> Callable[[Edit], int]:
            def plan(edit: Edit) -> int:
                add(id)(edit)
                return add("item-1")(edit)

            return plan

        values = await asyncio.gather(*(replica.change(also(f"item-{2 + n % 7}")) for n in range(many)))
        assert sorted(values) == list(range(1, many + 1))
        assert store.commits == many + 1
        await store.close()

    asyncio.run(test())


def test_relying_on_an_object_that_is_being_changed_waits(tmp_path: Path) -> None:
    async def test() -> None:
        async def at_once(_: Transaction) -> None:
            return

        replica, store = await disturbed(tmp_path / "store", at_once)
        await replica.change(put(Item(id="item-1", name="a"), Item(id="item-2", name="b")))

        def copy(edit: Edit) -> int:
            source = edit.get(Item, "item-1")
            target = edit.get(Item, "item-2")
            assert source is not None
            assert target is not None
            edit.rely_on(source)
            edit.put(msgspec.structs.replace(target, value=source.value + 10))
            return source.value + 10

        _, copied = await asyncio.gather(replica.change(add("item-1")), replica.change(copy))
        assert copied == value_of(replica, "item-2") == 11
        assert store.commits == 3
        await store.close()

    asyncio.run(test())


def test_crosswise_changes_do_not_wait_for_each_other_forever(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        await one.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(3))))

        def both(first: int, second: int) -> Callable[[Edit], None]:
            def plan(edit: Edit) -> None:
                add(f"item-{first}")(edit)
                add(f"item-{second}")(edit)

            return plan

        pairs = [(0, 1), (1, 0), (1, 2), (2, 0), (0, 2), (2, 1)]
        await asyncio.gather(*(one.change(both(*pairs[n % 6])) for n in range(60)))
        await other.refresh()
        assert sum(item.value for item in other.all(Item).values()) == 120

    run(test, tmp_path / "store", 2)


def test_a_plan_runs_again_on_what_others_did(tmp_path: Path) -> None:
    async def test(other: Replica) -> None:
        await other.change(put(Item(id="item-1", name="a")))

        async def once(_: Transaction) -> None:
            if store.commits == 1:
                await other.change(add("item-1", 10))

        replica, store = await disturbed(tmp_path / "store", once)
        assert await replica.change(add("item-1")) == 11
        assert store.commits == 2
        await store.close()

    run(test, tmp_path / "store")


def test_relying_holds_until_the_commit(tmp_path: Path) -> None:
    async def test(other: Replica) -> None:
        await other.change(put(Item(id="item-1", name="a")))

        async def once(_: Transaction) -> None:
            if store.commits == 1:
                await other.change(lambda edit: edit.delete(Item, "item-1"))

        replica, store = await disturbed(tmp_path / "store", once)

        def child(edit: Edit) -> None:
            parent = edit.get(Item, "item-1")
            if parent is None:
                raise LookupError("the parent is gone")
            edit.rely_on(parent)
            edit.put(Item(id="item-2", name="b", parent="item-1"))

        with pytest.raises(LookupError):
            await replica.change(child)
        assert replica.count(Item) == 0
        await store.close()

    run(test, tmp_path / "store")


def test_of_two_that_take_one_name_exactly_one_gets_it(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        outcomes = await asyncio.gather(
            *(
                replica.change(create(f"item-{n}-{index}", f"name-{n}", replica))
                for n in range(10)
                for index, replica in enumerate((one, other, one))
            ),
            return_exceptions=True,
        )
        for n in range(10):
            three = outcomes[3 * n : 3 * n + 3]
            assert sum(isinstance(outcome, str) for outcome in three) == 1
            assert sum(isinstance(outcome, NameTaken) for outcome in three) == 2
        await one.refresh()
        await other.refresh()
        assert contents(one) == contents(other)
        assert one.count(Item) == 10

    run(test, tmp_path / "store", 2)


def test_who_is_always_second_is_told_so(tmp_path: Path) -> None:
    async def test(other: Replica) -> None:
        await other.change(put(Item(id="item-1", name="a")))

        async def always(_: Transaction) -> None:
            await other.change(add("item-1"))

        replica, store = await disturbed(tmp_path / "store", always)
        with pytest.raises(ConcurrentChange, match="item/item-1") as refused:
            await replica.change(add("item-1"))
        assert refused.value.subject == "item/item-1"
        assert store.commits == ATTEMPTS
        await replica.refresh()
        assert value_of(replica, "item-1") == ATTEMPTS
        await store.close()

    run(test, tmp_path / "store")


def test_a_name_that_stays_taken_is_not_tried_forever(tmp_path: Path) -> None:
    async def test() -> None:
        async def at_once(_: Transaction) -> None:
            return

        replica, store = await disturbed(tmp_path / "store", at_once)
        await replica.change(put(Item(id="item-1", name="a")))
        with pytest.raises(ConcurrentChange, match="name/top/a"):
            await replica.change(put(Item(id="item-2", name="a")))
        assert store.commits == 3
        await store.close()

    asyncio.run(test())


def test_own_changes_that_were_seen_before_their_commit_returned(tmp_path: Path) -> None:
    async def test(other: Replica) -> None:
        class Late(Scripted):
            """A store whose acknowledgements come after others' changes."""

            async def commit(self, transaction: Transaction) -> int:
                sequence = await super().commit(transaction)
                await replica.refresh()
                if transaction.writes[0].id == "item-1":
                    await other.change(add("item-1", 100))
                return sequence

        async def at_once(_: Transaction) -> None:
            return

        store = Late(await store_in(tmp_path / "store"), at_once)
        replica = Replica(store, WORLD)
        await replica.load()
        item = Item(id="item-1", name="a")
        await replica.change(put(item))
        assert replica.get(Item, "item-1") is item
        await replica.refresh()
        assert value_of(replica, "item-1") == 100
        kept = Item(id="item-2", name="b")
        await replica.change(put(kept))
        assert replica.get(Item, "item-2") is kept
        await other.refresh()
        assert contents(replica) == contents(other)
        check_indexes(replica, WORLD)
        await store.close()

    run(test, tmp_path / "store")


def test_a_cancelled_change_lets_the_next_go_on(tmp_path: Path) -> None:
    async def test() -> None:
        gate = asyncio.Event()

        async def wait(_: Transaction) -> None:
            await gate.wait()

        replica, store = await disturbed(tmp_path / "store", wait)
        tasks = [asyncio.create_task(replica.change(put(Item(id="item-1", name=str(n))))) for n in range(4)]
        for _ in range(5):
            await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[2].cancel()
        gate.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in done] == [
            asyncio.CancelledError,
            type(None),
            asyncio.CancelledError,
            type(None),
        ]
        assert replica.by(Item, "name", "3")
        assert not replica._contention.drafts
        assert not replica._contention._lines
        await store.close()

    asyncio.run(test())


def test_a_failing_store_leaves_nothing_behind(tmp_path: Path) -> None:
    async def test() -> None:
        async def fail(_: Transaction) -> None:
            if store.commits < 3:
                raise StoreError("the disk is full")

        replica, store = await disturbed(tmp_path / "store", fail)
        outcomes = await asyncio.gather(
            *(replica.change(put(Item(id="item-1", name=str(n)))) for n in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError, type(None)]
        assert list(replica.by(Item, "name", "2")) == ["item-1"]
        await store.close()

    asyncio.run(test())


def test_lines_are_first_come_first_served() -> None:
    async def test() -> None:
        contention, order = Contention(), []

        async def visit(n: int) -> None:
            with contention.place() as place:
                await place.wait(("item", "a"))
                order.append(n)
                await asyncio.sleep(0)

        await asyncio.gather(*(visit(n) for n in range(10)))
        assert order == list(range(10))
        assert not contention._lines

    asyncio.run(test())


def test_many_objects_change_in_parallel(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path / "store") as one, opened(tmp_path / "store") as other:
            await one.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(50))))
            await asyncio.gather(
                *(replica.change(add(f"item-{n}")) for n in range(50) for replica in (one, other) for _ in range(2))
            )
            await one.refresh()
            await other.refresh()
            assert {item.value for item in one.all(Item).values()} == {4}
            assert contents(one) == contents(other)

    asyncio.run(test())
