"""Reading a replica, and changes through one that nobody disturbs."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.replica.edit import Edit
from resphere.replica.errors import ConcurrentChange
from resphere.replica.numbers import NUMBERS_TAKEN
from resphere.replica.replica import Replica
from resphere.replica.table import Table
from resphere.store.base import StoreError, Transaction, Write
from tests.replica.worlds import (
    ITEMS,
    WORLD,
    Item,
    Note,
    Scripted,
    add,
    check_indexes,
    contents,
    opened,
    put,
    run,
    store_in,
)


def test_an_empty_replica(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        assert replica.sequence == replica.revision == 0
        assert replica.get(Item, "item-1") is None
        assert replica.all(Item) == replica.by(Item, "name", "a") == {}
        assert replica.count(Item) == replica.revision_of(Item, "item-1") == 0
        assert replica.epoch

    run(test, tmp_path / "store")


def test_a_change_is_shown_when_it_returns(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        item = Item(id="item-1", name="a", tags=("x", "y", "x"))
        await replica.change(put(item))
        assert replica.get(Item, "item-1") is item
        assert replica.sequence == replica.revision == replica.revision_of(Item, "item-1") == 1
        assert replica.by(Item, "name", "a") == replica.by(Item, "tag", "x") == {"item-1": item}
        assert await replica.change(add("item-1", 5)) == 5
        assert replica.revision_of(Item, "item-1") == 2
        await replica.change(lambda edit: edit.delete(Item, "item-1"))
        assert replica.get(Item, "item-1") is None
        assert replica.revision == 3
        check_indexes(replica, WORLD)

    run(test, tmp_path / "store")


def test_another_replica_sees_it_after_refresh(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        await one.change(put(Item(id="item-1", name="a"), Note(id="n")))
        assert other.count(Item) == 0
        await other.refresh()
        assert contents(other) == contents(one)
        assert (other.sequence, other.revision, other.epoch) == (one.sequence, one.revision, one.epoch)

    run(test, tmp_path / "store", 2)


def test_reading_needs_a_table(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        with pytest.raises(KeyError):
            replica.get(Note, "n")
        with pytest.raises(KeyError):
            replica.by(Item, "colour", "red")

    run(test, tmp_path / "store", tables=(ITEMS,))


def test_documents_without_a_table_only_move_the_sequence(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path / "store") as one, opened(tmp_path / "store", tables=(ITEMS,)) as other:
            await one.change(put(Note(id="n")))
            await other.refresh()
            assert (other.sequence, other.revision) == (1, 0)
            await other.load()
            assert other.sequence == 1

    asyncio.run(test())


def test_only_tables_that_revise_raise_the_revision(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        await one.change(put(Item(id="item-1", name="a")))
        await one.change(put(Note(id="n")))
        await other.refresh()
        for replica in (one, other):
            assert (replica.sequence, replica.revision) == (2, 1)

    run(test, tmp_path / "store", 2)


def test_a_loaded_replica_has_no_revision_of_an_earlier_state(tmp_path: Path) -> None:
    async def test(one: Replica) -> None:
        await one.change(put(Item(id="item-1", name="a")))
        await one.change(put(Item(id="item-2", name="b")))
        with_both = one.revision
        await one.change(lambda edit: edit.delete(Item, "item-1"))
        async with opened(tmp_path / "store") as fresh:
            assert fresh.revision > with_both

    run(test, tmp_path / "store")


def test_loaded_objects_come_in_numeric_order(tmp_path: Path) -> None:
    async def test(one: Replica) -> None:
        ids = ["item-1049", "item-99", "other", "item-100"]
        await one.change(put(*(Item(id=id, name=id) for id in ids)))
        await one.load()
        assert list(one.all(Item)) == ["other", "item-99", "item-100", "item-1049"]
        assert list(one.by(Item, "parent", "top")) == list(one.all(Item))

    run(test, tmp_path / "store")


@pytest.fixture
def collecting(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether garbage is collected during the test."""
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("collecting", [True, False], indirect=True)
def test_no_garbage_is_collected_during_a_load_and_as_before_after_it(tmp_path: Path, collecting: bool) -> None:
    collected: list[bool] = []

    def keys(item: Item) -> tuple[str, ...]:
        collected.append(gc.isenabled())
        return ()

    async def test(replica: Replica) -> None:
        await replica.change(put(Item(id="item-1", name="a")))
        collected.clear()
        await replica.load()
        assert collected == [False]
        assert gc.isenabled() is collecting

    run(test, tmp_path / "store", tables=(Table(cls=Item, indexes={"key": keys}),))


def test_views_cannot_be_written(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(Item(id="item-1", name="a"), Item(id="item-2", name="b")))
        for view in (replica.all(Item), replica.by(Item, "name", "a"), replica.by(Item, "parent", "top")):
            with pytest.raises(TypeError):
                view["item-3"] = Item(id="item-3", name="c")  # type: ignore[index]

    run(test, tmp_path / "store")


def test_a_plan_that_raises_changes_nothing(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        def plan(edit: Edit) -> None:
            edit.put(Item(id="item-1", name="a"))
            raise LookupError("no")

        with pytest.raises(LookupError, match="no"):
            await replica.change(plan)
        await replica.load()
        assert replica.count(Item) == replica.sequence == 0

    run(test, tmp_path / "store")


def test_an_edit_reads_its_own_writes(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(Item(id="item-1", name="a")))
        new = Item(id="item-2", name="b")

        def plan(edit: Edit) -> None:
            assert edit.get(Item, "item-2") is None
            edit.put(new)
            assert edit.get(Item, "item-2") is new
            edit.delete(Item, "item-1")
            assert edit.get(Item, "item-1") is None
            assert replica.get(Item, "item-1") is not None
            with pytest.raises(KeyError):
                edit.delete(Item, "item-1")

        await replica.change(plan)
        assert list(replica.all(Item)) == ["item-2"]

    run(test, tmp_path / "store")


def test_what_comes_and_goes_in_one_edit_never_was(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        def plan(edit: Edit) -> None:
            edit.put(Item(id="item-1", name="a"))
            edit.delete(Item, "item-1")

        await replica.change(plan)
        assert replica.sequence == 0

    run(test, tmp_path / "store")


def test_an_equal_object_is_not_written(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(Item(id="item-1", name="a")))
        await replica.change(put(Item(id="item-1", name="a")))
        assert replica.sequence == 1

        def back_again(edit: Edit) -> None:
            add("item-1")(edit)
            add("item-1", -1)(edit)

        await replica.change(back_again)
        assert replica.sequence == 1

    run(test, tmp_path / "store")


def test_a_name_moves_on_within_one_edit(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        one, two = Item(id="item-1", name="a"), Item(id="item-2", name="b")
        await replica.change(put(one, two))
        swapped = msgspec.structs.replace(one, name="b"), msgspec.structs.replace(two, name="a")
        await replica.change(put(*swapped))
        assert list(replica.by(Item, "name", "a")) == ["item-2"]
        await replica.change(lambda edit: edit.delete(Item, "item-2"))
        await replica.change(put(Item(id="item-3", name="a")))

    run(test, tmp_path / "store")


def test_vacant_refuses_a_prefix_with_claims(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        child = Item(id="item-2", name="b", parent="item-1")
        await replica.change(put(Item(id="item-1", name="a"), child))

        def plan(edit: Edit) -> None:
            edit.delete(Item, "item-1")
            edit.vacant("name/item-1/")

        with pytest.raises(ConcurrentChange) as refused:
            await replica.change(plan)
        assert refused.value.subject == "name/item-1/"
        await replica.change(lambda edit: edit.delete(Item, "item-2"))
        await replica.change(plan)
        assert replica.count(Item) == 0

    run(test, tmp_path / "store")


def test_relying_on_what_is_out_of_date_fails_at_once(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        old = Item(id="item-1", name="a")
        await replica.change(put(old))
        await replica.change(add("item-1"))
        runs = 0

        def plan(edit: Edit) -> None:
            nonlocal runs
            runs += 1
            edit.rely_on(old)

        with pytest.raises(ConcurrentChange, match="item/item-1"):
            await replica.change(plan)
        assert runs == 1

    run(test, tmp_path / "store")


def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        def take(edit: Edit) -> list[str]:
            return [edit.new_id("vm-") for _ in range(NUMBERS_TAKEN)] + [edit.new_id("group-v")]

        assert await one.change(lambda edit: [edit.new_id("vm-"), edit.new_id("vm-")]) == ["vm-1001", "vm-1002"]
        taken = [["vm-1001", "vm-1002"], *[await replica.change(take) for replica in (one, other, one, other)]]
        assert taken[1][-1].startswith("group-v")
        numbers = [id.strip("vmgroup-") for ids in taken for id in ids]
        assert len(set(numbers)) == len(numbers)

    async def later(replica: Replica) -> str:
        return await replica.change(lambda edit: edit.new_id("vm-"))

    run(test, tmp_path / "store", 2)
    assert int(run(later, tmp_path / "store").removeprefix("vm-")) > 1001 + 4 * NUMBERS_TAKEN


def test_subscribers_hear_of_every_change(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        heard: list[tuple[Item | None, Item | None]] = []
        end = other.subscribe(Item, lambda old, new: heard.append((old, new)))
        one.subscribe(Note, lambda old, new: pytest.fail("no note was changed"))
        item = Item(id="item-1", name="a")
        await one.change(put(item))
        assert heard == []
        await other.refresh()
        assert heard == [(None, item)]
        changed = msgspec.structs.replace(item, value=1)
        await other.change(add("item-1"))
        await one.change(lambda edit: edit.delete(Item, "item-1"))
        await other.refresh()
        assert heard[1:] == [(item, changed), (changed, None)]
        end()
        await other.change(put(item))
        assert len(heard) == 3

    run(test, tmp_path / "store", 2)


def test_a_transaction_is_there_as_a_whole_before_subscribers_hear(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        counts: list[int] = []
        replica.subscribe(Item, lambda old, new: counts.append(replica.count(Item)))
        await replica.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(3))))
        assert counts == [3, 3, 3]

    run(test, tmp_path / "store")


def test_a_subscriber_that_fails_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(replica: Replica) -> None:
        heard: list[object] = []

        def fail(old: Item | None, new: Item | None) -> None:
            raise ValueError("mine")

        replica.subscribe(Item, fail)
        replica.subscribe(Item, lambda old, new: heard.append(new))
        await replica.change(put(Item(id="item-1", name="a")))
        assert len(heard) == 1

    with caplog.at_level(logging.ERROR):
        run(test, tmp_path / "store")
    assert "mine" in caplog.text


def test_a_subscriber_may_begin_a_refresh(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        heard: list[tuple[int, int]] = []
        begun: list[asyncio.Task[None]] = []

        def hear(old: Item | None, new: Item | None) -> None:
            assert new is not None
            begun.append(asyncio.get_running_loop().create_task(other.refresh()))
            heard.append((new.value, other.sequence))

        other.subscribe(Item, hear)
        await one.change(put(Item(id="item-1", name="a")))
        await other.refresh()
        await one.change(add("item-1"))
        await other.refresh()
        await asyncio.gather(*begun)
        assert heard == [(0, 1), (1, 2)]

    run(test, tmp_path / "store", 2)


def test_where_the_log_was_cut_all_is_loaded_anew(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        heard: dict[str, Item] = {}

        def hear(old: Item | None, new: Item | None) -> None:
            assert heard.get((old or new).id) == old  # type: ignore[union-attr]
            if new is not None:
                heard[new.id] = new
            elif old is not None:
                del heard[old.id]

        other.subscribe(Item, hear)
        await one.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(4))))
        await other.refresh()
        await one.change(lambda edit: edit.delete(Item, "item-0"))
        for _ in range(50):
            await one.change(add("item-1"))
        await one.change(put(Item(id="item-9", name="new")))
        await other.refresh()
        assert contents(other) == contents(one)
        assert heard == dict(other.all(Item))
        assert other.revision >= one.revision

    run(test, tmp_path / "store", 2, log_rows_kept=10)


def test_a_broken_document_leaves_the_last_whole_state(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(Item(id="item-1", name="a")))
        store = await store_in(tmp_path / "store")
        writes = (Write("item", "item-2", b'{"id":"item-2","name":"b"}'), Write("item", "item-3", b'{"id":7}'))
        await store.commit(Transaction(writes))
        await store.close()
        for _ in range(2):
            with pytest.raises(StoreError, match="item/item-3"):
                await replica.refresh()
            assert list(replica.all(Item)) == ["item-1"]
        with pytest.raises(StoreError, match="item/item-3"):
            await replica.load()
        assert list(replica.all(Item)) == ["item-1"]

    run(test, tmp_path / "store")


def test_a_document_must_hold_its_own_object(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        store = await store_in(tmp_path / "store")
        await store.commit(Transaction((Write("item", "item-2", b'{"id":"item-3","name":"b"}'),)))
        await store.close()
        with pytest.raises(StoreError, match="item-3"):
            await replica.refresh()

    run(test, tmp_path / "store")


def test_refresh_loads_at_first_and_then_never(tmp_path: Path) -> None:
    async def test() -> None:
        async def at_once(_: Transaction) -> None:
            return

        store = Scripted(await store_in(tmp_path / "store"), at_once)
        replica = Replica(store, WORLD)
        await replica.change(put(Item(id="item-1", name="a")))
        await replica.change(add("item-1"))
        assert store.loads == 1
        await store.close()

    asyncio.run(test())
