"""Connections that are lost, and a database that restarts: nothing is lost, nothing is there twice, nobody is told."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from resphere.store.base import Store, StoreError
from resphere.store.engines import open_store
from resphere.store.postgresql.place import place_of
from tests.store.conftest import opener
from tests.store.contract import put, run, transaction
from tests.store.postgresql import stopped
from tests.store.postgresql.database import Database, database
from tests.store.postgresql.place import new_url, url_in

ROOT = Path(__file__).parents[3]

CALLERS = 8
CUTS = 25

CUT_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'resphere'"


class Counting:
    """Callers who count up a document of each, and know what they were told."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.acknowledged = [0] * CALLERS
        self.moved = asyncio.Event()
        self.stopped = False

    async def count(self, caller: int) -> None:
        revision = 0
        while not self.stopped:
            number = self.acknowledged[caller] + 1
            # Were it stored twice, the second time would be refused.
            revision = await self._store.commit(transaction(put(str(caller), b"%d" % number, expected=revision)))
            self.acknowledged[caller] = number
            self.moved.set()

    async def move(self) -> None:
        """Wait until somebody has been answered again."""
        self.moved.clear()
        await asyncio.wait_for(self.moved.wait(), 60)


async def disturbed(store: Store, disturb: Callable[[], Awaitable[object]], times: int) -> None:
    counting = Counting(store)
    callers = [asyncio.create_task(counting.count(caller)) for caller in range(CALLERS)]
    chance = random.Random(7)
    try:
        for _ in range(times):
            await counting.move()
            await asyncio.sleep(chance.random() * 0.01)
            await disturb()
            await counting.move()
    finally:
        counting.stopped = True
        await asyncio.gather(*callers)
    bodies = {document.id: int(document.body) for document in (await store.load()).documents}
    assert bodies == dict(zip(map(str, range(CALLERS)), counting.acknowledged, strict=True))


def test_connections_that_are_cut_again_and_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        url = new_url(tmp_path, 0)
        cutter = await asyncpg.connect(place_of(url.partition(":")[2]).dsn)
        async with opener(url)() as store:
            await disturbed(store, lambda: cutter.execute(CUT_ALL), CUTS)
        await cutter.close()

    run(scenario())


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_database_that_restarts(tmp_path: Path, how: str) -> None:
    async def scenario(own: Database) -> None:
        async with opener(url_in(own, tmp_path))() as store:
            heard = asyncio.Event()
            end = store.listen(heard.set)
            await disturbed(store, lambda: asyncio.to_thread(own.restart, how), 2)
            # Who listens does so again.
            heard.clear()
            await store.commit(transaction(put("news")))
            await asyncio.wait_for(heard.wait(), 60)
            end()

    with database() as own:
        run(scenario(own))


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(StoreError, match=r"cannot open the store at 127\.0\.0\.1:1/none"):
            await open_store(f"postgresql://127.0.0.1:1/none?folder={tmp_path}")

    run(scenario())


def test_who_was_stopped_for_too_long_writes_no_more(tmp_path: Path) -> None:
    url = new_url(tmp_path, 0)
    with subprocess.Popen(
        [sys.executable, "-m", stopped.__name__, url, "1-a"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        to, back = process.stdin, process.stdout

        def ask(word: str) -> str:
            to.write(f"{word}\n")
            return back.readline().strip()

        async def scenario() -> None:
            async with opener(url)() as other:
                liveness = await other.liveness("2-b")
                assert liveness.is_alive("1-a")
                os.kill(process.pid, signal.SIGSTOP)
                while liveness.is_alive("1-a"):  # noqa: ASYNC110 - a death is looked for, and noticed late
                    await asyncio.sleep(0.05)
                os.kill(process.pid, signal.SIGCONT)
                assert "others have taken its place" in await asyncio.to_thread(ask, "late")
                assert [document.id for document in (await other.load()).documents] == ["first"]
                await liveness.release()

        assert back.readline() == "alive\n"
        assert int(ask("first")) > 0
        run(scenario())
        to.close()
        assert process.wait() == 0
