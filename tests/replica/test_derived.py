"""Ledgers beside the documents, and values kept with their objects."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import chain
from pathlib import Path

import pytest

from resphere.replica.derived import PART, Derived, PerObject, listing
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from tests.replica.worlds import Item, add, put, run


def test_a_value_is_made_once_for_each_object(tmp_path: Path) -> None:
    made: list[str] = []

    def make(item: Item) -> str:
        made.append(item.id)
        return f"{item.name}={item.value}"

    texts = listing(Item, lambda item: item.value >= 0, make)

    async def test(one: Replica, other: Replica) -> None:
        values = one.derived(texts)
        await other.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(3))))
        await one.refresh()
        for _ in range(2):
            assert values.of(one.all(Item).values()) == ("0=0", "1=0", "2=0")
        assert made == ["item-0", "item-1", "item-2"]
        await other.change(add("item-1"))
        await one.refresh()
        assert values.of(one.all(Item).values()) == ("0=0", "1=1", "2=0")
        assert made[3:] == ["item-1"]
        await other.change(lambda edit: edit.delete(Item, "item-0"))
        assert len(values) == 3
        await one.refresh()
        assert len(values) == 2
        assert values.of(one.all(Item).values()) == ("1=1", "2=0")
        found = one.get(Item, "item-2")
        assert found is not None
        assert values.of([found]) == ("2=0",)
        assert len(made) == 4

    run(test, tmp_path / "store", 2, derived=(texts,))


def test_all_values_follow_every_change(tmp_path: Path) -> None:
    """Also that of what is shown or not."""
    shown = listing(Item, lambda item: item.value >= 0, lambda item: (item.id, item.value))
    steps = [
        add("item-1"),
        add("item-0", -1),
        add("item-2", 5),
        put(Item(id="item-9", name="9")),
        add("item-0", 1),
        add("item-9", -1),
        lambda edit: edit.delete(Item, "item-9"),
        put(Item(id="item-9", name="9", value=-1)),
        lambda edit: edit.delete(Item, "item-1"),
        put(Item(id="item-1", name="1")),
    ]

    async def test(one: Replica, other: Replica) -> None:
        await other.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(3))))
        for replica in (one, other):
            await replica.refresh()
            assert replica.derived(shown).parts(replica.all(Item)) == ((("item-0", 0), ("item-1", 0), ("item-2", 0)),)
        for step in steps:
            await other.change(step)
            await one.refresh()
            for replica in (one, other):
                table = replica.all(Item)
                parts = replica.derived(shown).parts(table)
                values = tuple(chain.from_iterable(parts))
                assert values == tuple((item.id, item.value) for item in table.values() if item.value >= 0)
                again = replica.derived(shown).parts(table)
                assert [id(part) for part in again] == [id(part) for part in parts]

    run(test, tmp_path / "store", 2, derived=(shown,))


def test_parts_hold_what_is_shown_and_none_is_empty(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shown = listing(Item, lambda item: item.value >= 0, lambda item: item.id)

    async def test(replica: Replica) -> None:
        def parts() -> list[int]:
            return [len(part) for part in replica.derived(shown).parts(replica.all(Item))]

        everything = [Item(id=f"item-{n}", name=str(n)) for n in range(3 * PART)]
        await replica.change(put(*everything, Item(id="item-hidden", name="hidden", value=-1)))
        assert parts() == [PART] * 3
        await replica.change(partial(delete, "item-hidden"))
        for item in everything[PART : 2 * PART]:
            await replica.change(partial(delete, item.id))
        assert parts() == [PART] * 2
        # What fails while it follows a change is told there, and nowhere else.
        assert not caplog.records

    run(test, tmp_path / "store", derived=(shown,))


def delete(id: str, edit: Edit) -> None:
    edit.delete(Item, id)


def test_parts_without_a_change_stay_the_same(tmp_path: Path) -> None:
    numbers = listing(Item, lambda item: True, lambda item: (item.id, item.value))

    async def test(replica: Replica) -> None:
        async def now() -> tuple[tuple[tuple[str, int], ...], ...]:
            parts = replica.derived(numbers).parts(replica.all(Item))
            assert tuple(chain.from_iterable(parts)) == tuple((i.id, i.value) for i in replica.all(Item).values())
            return parts

        await replica.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(4 * PART))))
        before = await now()
        assert [len(part) for part in before] == [PART] * 4
        for step, anew in (
            (add(f"item-{PART + 7}"), {1}),
            (lambda edit: edit.delete(Item, "item-3"), {0}),
            (put(Item(id="item-9999", name="new")), {4}),
            (put(Item(id="item-9998", name="newer")), {4}),
        ):
            await replica.change(step)
            after = await now()
            assert {n for n, part in enumerate(after) if n >= len(before) or part is not before[n]} == anew
            before = after
        for n in range(4 * PART):
            if n % 64 and n != 3:
                await replica.change(partial(delete, f"item-{n}"))
        assert len(await now()) <= 2

    run(test, tmp_path / "store", derived=(numbers,))


def test_it_never_gives_another_objects_value() -> None:
    values: PerObject[Item, str] = PerObject(lambda item: item.name)
    assert values.of([Item(id="item-1", name="a")]) == ("a",)
    assert values.of([Item(id="item-1", name="b")]) == ("b",)
    assert values.of([]) == ()


class Sums:
    """The values of items by their parent."""

    def __init__(self) -> None:
        self.by_parent: Counter[str] = Counter()

    def changed(self, old: Item | None, new: Item | None) -> None:
        if old is not None:
            self.by_parent[old.parent] -= old.value
        if new is not None:
            self.by_parent[new.parent] += new.value


SUMS = Derived(Sums, {Item: Sums.changed})


def test_a_ledger_begins_with_what_there_is_and_hears_every_change_in_each_replica(tmp_path: Path) -> None:
    async def fill(replica: Replica) -> None:
        await replica.change(put(Item(id="item-1", name="a", value=3), Item(id="item-2", name="b", value=4)))
        assert replica.derived(SUMS).by_parent["top"] == 7

    async def test(one: Replica, other: Replica) -> None:
        assert one.derived(SUMS) is not other.derived(SUMS)
        assert one.derived(SUMS).by_parent["top"] == 7
        await other.change(add("item-1", 10))
        await other.change(lambda edit: edit.delete(Item, "item-2"))
        assert other.derived(SUMS).by_parent["top"] == 13
        assert one.derived(SUMS).by_parent["top"] == 7
        await one.refresh()
        assert one.derived(SUMS).by_parent["top"] == 13

    run(fill, tmp_path / "store", derived=(SUMS,))
    run(test, tmp_path / "store", 2, derived=(SUMS,))


def test_a_ledger_stays_true_where_the_replica_has_to_load_anew(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        await other.change(put(*(Item(id=f"item-{n}", name=str(n), value=n) for n in range(5))))
        await one.refresh()
        for _ in range(20):
            await other.change(add("item-4"))
        await other.change(lambda edit: edit.delete(Item, "item-1"))
        await one.load()
        assert one.derived(SUMS).by_parent["top"] == other.derived(SUMS).by_parent["top"] == 29

    run(test, tmp_path / "store", 2, derived=(SUMS,))


def test_a_replica_keeps_what_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        with pytest.raises(KeyError):
            replica.derived(SUMS)

    run(test, tmp_path / "store")
