"""Whoever waits for changes notices those that they mean, as long as they do."""

from __future__ import annotations

from pathlib import Path

from resphere.replica.noticing import noticing
from resphere.replica.replica import Replica
from tests.replica.worlds import Item, Note, put, run


def test_a_change_of_each_class_is_noticed_and_of_no_other_one(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        with noticing(replica, Item) as items, noticing(replica, Item, Note) as either:
            await replica.change(put(Note(id="note-1")))
            assert (items.is_set(), either.is_set()) == (False, True)
            either.clear()
            await replica.change(put(Item(id="item-1", name="a")))
            assert items.is_set()
            assert either.is_set()
            items.clear()
        await replica.change(put(Item(id="item-2", name="b")))
        assert not items.is_set(), "the context is over"

    run(test, tmp_path / "store")
