"""Who listens to a store is told when somebody has committed, with any engine."""

from __future__ import annotations

import asyncio

from tests.store.contract import OpenStore, put, run, transaction


def test_all_who_listen_are_told_of_whosever_commit(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as one, open_store() as other:
            own, others, late = asyncio.Event(), asyncio.Event(), asyncio.Event()
            ends = [one.listen(own.set), other.listen(others.set)]
            await one.commit(transaction(put("1")))
            await asyncio.wait_for(asyncio.gather(own.wait(), others.wait()), 60)
            ends.append(one.listen(late.set))
            await other.commit(transaction(put("2")))
            await asyncio.wait_for(late.wait(), 60)
            for end in ends:
                end()

    run(scenario())


def test_what_was_committed_is_seen_by_who_is_told(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as one, open_store() as other:
            rung = asyncio.Event()
            end = other.listen(rung.set)
            version = other.version()
            await one.commit(transaction(put("1")))
            await asyncio.wait_for(rung.wait(), 60)
            assert version is None or other.version() != version
            end()

    run(scenario())


def test_nobody_is_told_who_listens_no_more(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as one, open_store() as other:
            heard: list[str] = []
            rung = asyncio.Event()
            one.listen(lambda: heard.append("one"))()
            end = other.listen(rung.set)
            await one.commit(transaction(put("1")))
            await asyncio.wait_for(rung.wait(), 60)
            assert heard == []
            end()

    run(scenario())
