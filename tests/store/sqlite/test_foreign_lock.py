"""Another program has the database locked: writers wait, and nobody else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.store.sqlite.store import SqliteStore
from tests.replica.worlds import WORLD, Item, put

TURNS = 100


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """As a backup or a database browser has it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_reads_and_the_event_loop_go_on(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "resphere.db"
        store = SqliteStore.open(path)
        replica = Replica(store, WORLD)
        await replica.load()
        await replica.change(put(Item(id="item-1", name="a")))

        def make(edit: Edit) -> str:
            id = edit.new_id("item-")
            edit.put(Item(id=id, name=id))
            return id

        with locked(path):
            making = [asyncio.create_task(replica.change(make)) for _ in range(3)]
            fresh = Replica(store, WORLD)
            await fresh.load()
            for _ in range(TURNS):
                await asyncio.sleep(0.001)  # the loop turns, and the writer's thread is at the lock by now
                await replica.refresh()
                await fresh.refresh()
            assert replica.get(Item, "item-1") == fresh.get(Item, "item-1") is not None
            assert not any(each.done() for each in making)
        made = await asyncio.gather(*making)
        assert len(set(made)) == 3
        assert replica.all(Item).keys() == {"item-1", *made}
        await store.close()

    asyncio.run(test())
