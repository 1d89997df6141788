"""The feed of a worker: when it looks, and whose standing it takes for another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from resphere.events import feed as feed_module
from resphere.events.event import ENCODER, Deed, Event, Kind, Subject
from resphere.events.feed import HANDED_OUT_AT_ONCE, Feed
from resphere.store.base import Entry, Store, Transaction
from resphere.store.engines import default_url, open_store
from tests.replica.worlds import Behind
from tests.store.contract import put


class Silent(Behind):
    """A store that never says that anybody has committed."""

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


class Counting(Behind):
    """Counts how often the journal is read."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.readings = 0

    async def journal(self, after: int, most: int) -> Any:
        self.readings += 1
        return await super().journal(after, most)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


async def shown() -> None:
    """Nothing is to be shown."""


def entry(kind: Kind = Kind.INVENTORY, deed: Deed = Deed.CREATED, owner: str | None = None) -> Entry:
    event = Event(time=0, type="any", kind=kind, deed=deed, object=Subject("Any", "any"), owner=owner)
    return Entry(0, ENCODER.encode(event))


async def commit(store: Store, *entries: Entry) -> None:
    await store.commit(Transaction((put("any"),), entries=entries or (entry(),)))


def test_what_the_store_has_failed_to_tell_is_found_all_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_store(default_url(tmp_path))
        feed = Feed(Silent(store), shown)
        with feed.listening():
            waiting = asyncio.ensure_future(feed.wait(0, 50))
            await asyncio.sleep(0)
            await commit(store)
            assert await waiting
        await feed.close()
        await store.close()

    run(scenario())


def test_nothing_is_read_while_nobody_commits_or_nobody_listens(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_store(default_url(tmp_path))
        counting = Counting(store)
        feed = Feed(counting, shown)
        await commit(store)
        assert counting.readings == 0
        with feed.listening():
            assert await feed.wait(0, 50)
            read = counting.readings
            assert not await feed.wait(1, 1.0)
            assert counting.readings == read
        await feed.close()
        await store.close()

    run(scenario())


def test_many_events_are_followed_in_order_and_without_a_gap(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_store(default_url(tmp_path))
        feed = Feed(store, shown)
        count = 3 * HANDED_OUT_AT_ONCE
        numbers: list[int] = []

        async def follow() -> None:
            async for part in feed.follow(0):
                numbers.extend(each.number for each in part.events)
                if len(numbers) == count:
                    return

        following = asyncio.ensure_future(follow())
        await commit(store, *[entry() for _ in range(HANDED_OUT_AT_ONCE)])
        for _ in range(HANDED_OUT_AT_ONCE):
            await commit(store, entry(), entry())
        await following
        assert numbers == list(range(1, count + 1))
        await feed.close()
        await store.close()

    run(scenario())


def test_whose_standing_may_be_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "MOST_NOTED", 5)

    async def scenario() -> None:
        store = await open_store(default_url(tmp_path))
        feed = Feed(store, shown)

        async def changed(*entries: Entry) -> list[str]:
            before = {user: feed.standing_of(user) for user in ("ann@vsphere.local", "bob@vsphere.local")}
            await commit(store, *entries)
            assert await feed.wait((await feed.latest()) - 1, 50)
            return [user for user in before if feed.standing_of(user) != before[user]]

        with feed.listening():
            assert await changed(entry()) == []
            assert await changed(entry(Kind.SESSION, Deed.CREATED, "Ann@vsphere.local")) == []
            assert await changed(entry(Kind.SESSION, Deed.DELETED, "Eve@vsphere.local")) == []
            assert await changed(entry(Kind.SESSION, Deed.DELETED, "Ann@vsphere.local")) == ["ann@vsphere.local"]
            assert len(await changed(entry(Kind.ACCESS))) == 2
            await changed(*[entry(Kind.SESSION, Deed.DELETED, f"{number}@x") for number in range(10)])
            assert len(await changed(entry())) == 2  # what is known of so many is let go
        await feed.close()
        await store.close()

    run(scenario())


def test_the_latest_event_of_before_a_moment_is_found(tmp_path: Path) -> None:
    times = [10, 10, 20, 30, 30, 30, 50]

    def entry(at: int) -> Entry:
        told = Event(time=at, type="t", kind=Kind.TASK, deed=Deed.CREATED, object=Subject("Test", "t-1"))
        return Entry(at, ENCODER.encode(told))

    async def scenario() -> None:
        store = await open_store(default_url(tmp_path))
        feed = Feed(store, shown)
        assert await feed.latest_before(10) == 0
        for at in times:
            await store.commit(Transaction((), entries=(entry(at),)))
        for moment in range(60):
            assert await feed.latest_before(moment) == sum(at < moment for at in times)
        assert await store.trim_journal(20, 2**40, 100) == 2
        assert [await feed.latest_before(moment) for moment in (0, 20, 21, 51)] == [2, 2, 3, 7]
        await feed.close()
        await store.close()

    run(scenario())
