"""What a replica shows before it is loaded, and what it asks the store for when nothing is new."""

from __future__ import annotations

import asyncio
from pathlib import Path

from resphere.replica.replica import Replica
from resphere.store.base import Changes, Store
from tests.replica.worlds import WORLD, Behind, Item, put, run, store_in


class Counting(Behind):
    """Counts how often it is asked what has changed."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.readings = 0

    async def changes_since(self, sequence: int) -> Changes:
        self.readings += 1
        return await super().changes_since(sequence)


def test_nothing_is_shown_before_it_is_loaded(tmp_path: Path) -> None:
    async def test() -> None:
        store = await store_in(tmp_path / "store")
        replica = Replica(store, WORLD)
        assert (replica.get(Item, "item-1"), replica.count(Item)) == (None, 0)
        assert (replica.sequence, replica.revision) == (0, 0)
        await store.close()

    asyncio.run(test())


def test_where_nothing_is_new_nothing_is_read(tmp_path: Path) -> None:
    async def test() -> None:
        store = Counting(await store_in(tmp_path / "store"))
        replica = Replica(store, WORLD)
        await replica.load()
        await replica.refresh()
        assert store.readings == 0
        await replica.change(put(Item(id="item-1", name="one")))
        readings = store.readings
        await replica.refresh()
        await replica.refresh()
        assert store.readings == readings == 1
        await store.close()

    asyncio.run(test())


def test_numbers_of_others_are_passed_over(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.pass_over(["item-5000", "note-70"])
        new = await replica.change(lambda edit: edit.new_id("item-"))
        assert int(new.removeprefix("item-")) > 5000

    run(test, tmp_path / "store")
