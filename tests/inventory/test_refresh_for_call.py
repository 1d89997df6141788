"""One question to the store may serve several calls, but never one that came after the question."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Thread

from resphere.inventory.replica import Replica
from tests.inventory.worlds import Item, put, run


def commit_elsewhere(path: Path, item: Item) -> None:
    """Commit from another thread's loop, and return only when it is durable: this loop does not turn meanwhile."""

    async def commit(replica: Replica) -> None:
        await replica.change(put(item))

    thread = Thread(target=run, args=(commit, path))
    thread.start()
    thread.join()


def test_a_call_sees_what_was_acknowledged_before_it_came(tmp_path: Path) -> None:
    path = tmp_path / "store"

    async def test(replica: Replica) -> None:
        loop = asyncio.get_running_loop()
        seen: list[int] = []
        done = loop.create_future()

        def call() -> None:
            replica.refresh_for_call()
            seen.append(replica.count(Item))

        def client() -> None:
            commit_elsewhere(path, Item(id=f"item-{len(seen)}", name=f"n{len(seen)}"))
            loop.call_soon_threadsafe(call)

        for step in (call, client, call, client):
            loop.call_soon(step)
        loop.call_soon(loop.call_soon, loop.call_soon, done.set_result, None)
        await done
        # The third call came after both commits were acknowledged, the second one before the first commit.
        assert seen[0] == 0
        assert seen[-2:] == [2, 2]

    run(test, path)


def test_calls_that_wait_together_ask_once(tmp_path: Path) -> None:
    path = tmp_path / "store"

    async def test(replica: Replica) -> None:
        replica.refresh_for_call()
        commit_elsewhere(path, Item(id="item-1", name="a"))
        replica.refresh_for_call()
        assert replica.count(Item) == 0
        replica.refresh()
        assert replica.count(Item) == 1

    run(test, path)


def test_the_next_turn_asks_again(tmp_path: Path) -> None:
    path = tmp_path / "store"

    async def test(replica: Replica) -> None:
        replica.refresh_for_call()
        commit_elsewhere(path, Item(id="item-1", name="a"))
        await asyncio.sleep(0)
        replica.refresh_for_call()
        assert replica.count(Item) == 1

    run(test, path)
