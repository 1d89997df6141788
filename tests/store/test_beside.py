"""What every engine has beside documents: signs of life, large contents, keys."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

import resphere
from resphere.store.base import ContentMissing, Reading
from resphere.store.engines import DEFAULT, is_served
from tests.store import alive
from tests.store.contract import NewUrl, OpenStore, run


async def all_of(reading: Reading) -> bytes:
    try:
        return b"".join([piece async for piece in reading])
    finally:
        await reading.close()


class TestLiveness:
    def test_who_lives_is_seen_by_all(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                first, second = await one.liveness("1-a"), await other.liveness("2-b")
                assert (first.name, second.name) == ("1-a", "2-b")
                # Who has read what is committed knows of whoever was there before that.
                await one.changes_since(0)
                for liveness in (first, second):
                    assert liveness.is_alive("1-a")
                    assert liveness.is_alive("2-b")
                    assert not liveness.is_alive("3-c")
                await first.release()
                assert not first.is_alive("1-a")
                await other.changes_since(0)
                assert not second.is_alive("1-a")
                assert second.is_alive("2-b")
                await first.release()
                await second.release()

        run(scenario())


def test_a_killed_process_is_dead_and_has_left_things_behind(new_url: NewUrl, open_store: OpenStore) -> None:
    async def scenario() -> None:
        source = str(Path(resphere.__file__).parent.parent)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            alive.__file__,
            new_url(),
            "killed",
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": source},
        )
        assert process.stdout is not None
        finished = (await process.stdout.readline()).decode().strip()
        async with open_store() as store:
            liveness = await store.liveness("own")
            contents = await store.contents("large", liveness)
            assert liveness.is_alive("killed")
            assert await contents.left_behind() == []
            process.kill()
            await process.wait()
            while liveness.is_alive("killed"):  # noqa: ASYNC110 - a death is looked for, and may be noticed late
                await asyncio.sleep(0.01)
            left = await contents.left_behind()
            assert finished in left
            assert await contents.read(finished) == b"finished"
            for name in left:
                contents.delete(name)
            assert await contents.left_behind() == []
            await liveness.release()

    run(scenario())


def test_whether_another_server_has_it(engine: str, new_url: NewUrl, open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            assert not await is_served(new_url())
            liveness = await store.liveness("1-a")
            assert await is_served(new_url()) == (engine != DEFAULT)
            await liveness.release()
            assert not await is_served(new_url())

    run(scenario())


class TestContents:
    def test_what_one_writes_others_read(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                first, second = await one.liveness("1-a"), await other.liveness("2-b")
                mine, yours = await one.contents("large", first), await other.contents("large", second)
                async with mine.write() as writing:
                    for _ in range(100):
                        await writing.write(b"0123456789" * 1_000)
                    await writing.finish()
                assert writing.size_bytes == 1_000_000
                assert await yours.read(writing.name) == b"0123456789" * 100_000
                reading = await yours.open(writing.name)
                assert reading.size_bytes == 1_000_000
                mine.delete(writing.name)
                assert await all_of(reading) == b"0123456789" * 100_000
                with pytest.raises(ContentMissing):
                    await yours.open(writing.name)
                await first.release()
                await second.release()

        run(scenario())

    def test_collections_are_apart(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                liveness = await store.liveness("1-a")
                one, other = await store.contents("one", liveness), await store.contents("other", liveness)
                async with one.write() as writing:
                    await writing.finish()
                assert await one.read(writing.name) == b""
                with pytest.raises(ContentMissing):
                    await other.read(writing.name)
                await liveness.release()

        run(scenario())


class TestKeys:
    def test_a_key_is_made_once(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                keys = await asyncio.gather(*(store.keys.get("x", 32) for store in (one, other) * 4))
                assert len(set(keys)) == 1
                assert len(keys[0]) == 32
                assert await one.keys.get("y", 16) != keys[0][:16]

        run(scenario())
