"""Copies of stores: what is in them, and what a place is before, while and after one takes it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from resphere.store.base import Entry, StoreError, StoreMissing, Transaction, Write
from resphere.store.copies import Copy, Extent, Placing
from resphere.store.engines import copying, engine_of, open_store, placing, sizes
from tests.store.conftest import place_of
from tests.store.contract import NewUrl, bodies, put, run, transaction

EXTENT = Extent(collections=("files",), keys=("secrets",))
WRITERS = 4
OTHERS = 1_000


@asynccontextmanager
async def copied(url: str, tmp_path: Path) -> AsyncIterator[Copy]:
    """A copy of the store."""
    folder = tmp_path / "copying"
    folder.mkdir()
    async with copying(url, folder, EXTENT) as copy:
        yield copy


def kept_apart(copy: Copy, tmp_path: Path) -> Path:
    """A folder with the files of a copy, which outlives it; nobody else may read them, as out of an archive."""
    folder = tmp_path / "kept"
    for each in copy.files:
        (folder / each.name).parent.mkdir(exist_ok=True, parents=True)
        (folder / each.name).touch(mode=0o600)
        (folder / each.name).write_bytes(each.path.read_bytes())
    return folder


def fill(room: Placing, files: Path) -> None:
    """Hand the files of a copy over."""
    shutil.copytree(files, room.folder, dirs_exist_ok=True)


async def place(
    files: Path, url: str, *, replace: bool = False, sequence: int = 0, without: tuple[str, ...] = ()
) -> None:
    """Put a copy in a place."""
    async with placing(url, EXTENT, replace=replace) as room:
        fill(room, files)
        await room.begin()
        await room.finish(sequence, without)


def test_a_copy_has_documents_claims_counters_keys_and_contents(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        url, other = new_url(), new_url_beside(new_url(), tmp_path / "other")
        store = await open_store(url)
        liveness = await store.liveness("1-a")
        contents = await store.contents("files", liveness)
        async with contents.write() as writing:
            await writing.write(b"large")
            await writing.finish()
        key = await store.keys.get("secrets", 32)
        await store.commit(transaction(put("1", b"one", claims=("name/one",)), put("2", writing.name.encode())))
        await store.reserve("ids", 7)
        async with copied(url, tmp_path) as copy:
            assert copy.epoch == store.epoch
            assert await copy.document("vm", "3") is None
            found = await copy.document("vm", "1")
            assert found is not None
            assert (found.body, found.revision) == (b"one", copy.sequence)
            await place(kept_apart(copy, tmp_path), other)
        await liveness.release()
        await store.close()

        restored = await open_store(other, make=False)
        assert restored.epoch == copy.epoch
        assert bodies(await restored.load()) == {"1": b"one", "2": writing.name.encode()}
        assert [claim.claim for claim in await restored.claims()] == ["name/one"]
        assert await restored.reserve("ids", 1) == range(8, 9)
        assert await restored.keys.get("secrets", 32) == key
        liveness = await restored.liveness("2-b")
        again = await restored.contents("files", liveness)
        assert await again.read(writing.name) == b"large"
        # Whoever made it is dead here, so that it goes when nothing names it.
        assert await again.left_behind() == [writing.name]
        await liveness.release()
        await restored.close()

    run(scenario())


def new_url_beside(url: str, folder: Path) -> str:
    """A further place of the same engine, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    return place_of(engine_of(url))(folder, 0)


@pytest.mark.parametrize("where", ["copy", "place"])
def test_the_journal_is_left_out_but_for_its_latest_entry(new_url: NewUrl, tmp_path: Path, where: str) -> None:
    async def scenario() -> None:
        url, other = new_url(), new_url_beside(new_url(), tmp_path / "other")
        store = await open_store(url)
        for number in range(1, 6):
            entry = Entry(at=number, body=b"entry %d" % number)
            await store.commit(msgspec.structs.replace(transaction(put("1", b"%d" % number)), entries=(entry,)))
        before = await sizes(url, EXTENT)
        assert before.journal > 0
        assert before.rest > 0
        async with copied(url, tmp_path) as copy:
            if where == "copy":
                await copy.forget_journal()
            files = kept_apart(copy, tmp_path)
        async with placing(other, EXTENT, replace=False) as room:
            fill(room, files)
            await room.begin()
            await room.finish(0, (), journal=where == "copy")
        assert (await store.journal(0, 10)).first == 1
        await store.close()

        restored = await open_store(other, make=False)
        journal = await restored.journal(0, 10)
        assert journal.entries == ((5, b"entry 5"),)
        entry = Entry(at=6, body=b"entry 6")
        await restored.commit(msgspec.structs.replace(transaction(put("1", b"6")), entries=(entry,)))
        assert (await restored.journal(5, 10)).entries == ((6, b"entry 6"),)
        assert bodies(await restored.load()) == {"1": b"6"}
        await restored.close()

    run(scenario())


def test_numbers_go_on_above_all_that_were_given(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        url = new_url()
        store = await open_store(url)
        first = await store.commit(transaction(put("1", b"as backed up")))
        async with copied(url, tmp_path) as copy:
            last = await store.commit(transaction(put("1", b"later")))
            await store.close()
            kept = kept_apart(copy, tmp_path)
        await place(kept, url, replace=True, sequence=last + 100)
        store = await open_store(url)
        snapshot = await store.load()
        assert bodies(snapshot) == {"1": b"as backed up"}
        assert snapshot.sequence == last + 100
        assert not (await store.changes_since(first)).complete
        assert not (await store.changes_since(last)).complete
        written = await store.commit(transaction(put("1", b"new", expected=first)))
        assert written == last + 101
        changes = await store.changes_since(last + 100)
        assert [change.body for change in changes.changes] == [b"new"]
        await store.close()

    run(scenario())


def test_kinds_that_shall_not_come_back(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        url = new_url()
        store = await open_store(url)
        session = Write("session", "s", b"{}", claims=("session/s",))
        await store.commit(transaction(session, put("1", b"", claims=("name/1",))))
        await store.close()
        async with copied(url, tmp_path) as copy:
            kept = kept_apart(copy, tmp_path)
        await place(kept, url, replace=True, without=("session",))
        store = await open_store(url)
        assert bodies(await store.load()) == {"1": b""}
        assert [claim.claim for claim in await store.claims()] == ["name/1"]
        await store.close()

    run(scenario())


def test_what_was_acknowledged_before_is_in_it_and_every_content_that_is_named(new_url: NewUrl, tmp_path: Path) -> None:
    """Writers make contents, name them, and delete those of before, while copies are made one after another. So many
    others are there that holding them takes longer than all of that."""

    async def scenario() -> None:
        url = new_url()
        store = await open_store(url)
        other = await store.liveness("0-a")
        others = await store.contents("files", other)
        for _ in range(OTHERS):
            async with others.write() as unnamed:
                await unnamed.finish()
        liveness = await store.liveness("1-a")
        contents = await store.contents("files", liveness)
        acknowledged = [0] * WRITERS
        stopped, moved = asyncio.Event(), asyncio.Event()

        async def write(writer: int) -> None:
            before: str | None = None
            while not stopped.is_set():
                async with contents.write() as writing:
                    await writing.write(b"%d" % (acknowledged[writer] + 1))
                    await writing.finish()
                await store.commit(transaction(put(str(writer), writing.name.encode())))
                acknowledged[writer] += 1
                moved.set()
                if before is not None:
                    contents.delete(before)
                before = writing.name

        writers = [asyncio.create_task(write(writer)) for writer in range(WRITERS)]
        try:
            for number in range(10):
                folder = tmp_path / f"copy-{number}"
                folder.mkdir()
                sure = tuple(acknowledged)
                async with copying(url, folder, EXTENT) as copy:
                    files = {each.name: each.path for each in copy.files}
                    for writer, count in enumerate(sure):
                        document = await copy.document("vm", str(writer))
                        assert (document is not None) or count == 0
                        if document is not None:
                            assert int(files[f"files/{document.body.decode()}"].read_bytes()) >= count
                moved.clear()
                await moved.wait()
        finally:
            stopped.set()
            await asyncio.gather(*writers)
        # What was held for the copies has gone, and only what is named is there.
        named = set(bodies(await store.load()).values())
        await liveness.release()
        assert {name.encode() for name in await contents.left_behind()} == named
        await other.release()
        await store.close()

    run(scenario())


def test_what_is_held_for_a_copy_is_not_left_behind(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_store(new_url())
        liveness = await store.liveness("1-a")
        contents = await store.contents("files", liveness)
        async with contents.write() as writing:
            await writing.finish()
        async with copied(new_url(), tmp_path) as copy:
            (held,) = [each for each in copy.files if each.name == f"files/{writing.name}"]
            # Whoever sweeps knows what was committed.
            await store.changes_since(0)
            assert await contents.left_behind() == []
            assert held.path.exists()
        assert not held.path.exists()
        await liveness.release()
        await store.close()

    run(scenario())


def test_a_copy_of_nothing(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(StoreMissing, match="there is no store"):
            async with copied(new_url(), tmp_path):
                pass

    run(scenario())


def test_a_place_that_is_taken(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        url = new_url()
        store = await open_store(url)
        await store.commit(transaction(put("1", b"kept")))
        with pytest.raises(StoreError, match="is in use"):
            async with placing(url, EXTENT, replace=True):
                pass
        await store.close()
        with pytest.raises(StoreError, match="is there already; --replace"):
            async with placing(url, EXTENT, replace=False):
                pass
        store = await open_store(url, make=False)
        assert bodies(await store.load()) == {"1": b"kept"}
        await store.close()

    run(scenario())


def test_nobody_opens_a_place_meanwhile(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        url = new_url()
        store = await open_store(url)
        await store.close()
        async with placing(url, EXTENT, replace=True):
            with pytest.raises(StoreError, match="under way"):
                await open_store(url)
            with pytest.raises(StoreError, match="in use"):
                async with placing(url, EXTENT, replace=True):
                    pass
        # It was not begun, so that all is as before.
        store = await open_store(url)
        await store.close()

    run(scenario())


def test_no_copy_changes_nothing(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        url = new_url()
        store = await open_store(url)
        await store.commit(transaction(put("1", b"kept")))
        await store.close()

        async def empty(room: Placing) -> None:
            await room.begin()

        async def damaged(room: Placing) -> None:
            async with copied(url_of_another, tmp_path) as copy:
                fill(room, kept_apart(copy, tmp_path))
            for file in room.folder.iterdir():
                whole = file.read_bytes()
                file.write_bytes(whole[: len(whole) // 2])
            await room.begin()

        url_of_another = new_url_beside(url, tmp_path / "another")
        another = await open_store(url_of_another)
        await another.commit(Transaction(tuple(put(str(number), b"x" * 1000) for number in range(100))))
        await another.close()
        for attempt in (empty, damaged):
            with pytest.raises(StoreError, match="cannot restore"):
                async with placing(url, EXTENT, replace=True) as room:
                    await attempt(room)
            store = await open_store(url, make=False)
            assert bodies(await store.load()) == {"1": b"kept"}
            await store.close()

    run(scenario())


def test_a_place_that_was_given_up_opens_for_nobody_but_the_next_copy(new_url: NewUrl, tmp_path: Path) -> None:
    async def scenario() -> None:
        url = new_url()
        store = await open_store(url)
        await store.commit(transaction(put("1", b"kept")))
        await store.close()
        async with copied(url, tmp_path) as copy:
            kept = kept_apart(copy, tmp_path)

        async def breaking_off() -> None:
            async with placing(url, EXTENT, replace=True) as room:
                fill(room, kept)
                await room.begin()
                raise RuntimeError("in between")

        with pytest.raises(RuntimeError, match="in between"):
            await breaking_off()
        for make in (True, False):
            with pytest.raises(StoreError, match="was not finished; run resphere restore again"):
                await open_store(url, make=make)
        with pytest.raises(StoreError, match="--replace"):
            async with placing(url, EXTENT, replace=False):
                pass
        await place(kept, url, replace=True)
        store = await open_store(url, make=False)
        assert bodies(await store.load()) == {"1": b"kept"}
        await store.close()

    run(scenario())
