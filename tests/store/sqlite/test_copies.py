"""Copies of SQLite files: of other schemas, and of what is none."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from resphere.store.base import StoreError
from resphere.store.copies import Extent
from resphere.store.engines import copying, default_url, open_store, placing
from resphere.store.sqlite.copies import DATABASE
from tests.store.contract import bodies, put, transaction
from tests.store.sqlite.earlier import WITHOUT_NOTES

EXTENT = Extent(collections=(), keys=())


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def new(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


async def made(folder: Path) -> str:
    """The URL of a store with a document."""
    store = await open_store(default_url(folder))
    await store.commit(transaction(put("1", b"kept")))
    await store.close()
    return default_url(folder)


async def copied(url: str, folder: Path) -> bytes:
    """The database of a copy."""
    async with copying(url, folder, EXTENT) as copy:
        (file,) = copy.files
        return file.path.read_bytes()


async def placed(url: str, database: bytes) -> None:
    """Put a database in a place."""
    async with placing(url, EXTENT, replace=True) as room:
        (room.folder / DATABASE).write_bytes(database)
        await room.begin()
        await room.finish(0, ())


def test_an_earlier_schema_is_copied_as_it_is_and_brought_up_when_it_is_opened(tmp_path: Path) -> None:
    async def scenario() -> None:
        url = await made(new(tmp_path / "first"))
        path = tmp_path / "first" / "resphere.db"
        execute(path, "DROP TABLE takings", "DROP TABLE journal", *WITHOUT_NOTES, "PRAGMA user_version = 1")
        async with copying(url, tmp_path, EXTENT) as copy:
            assert copy.schema == 1
            database = copy.files[0].path.read_bytes()
        other = default_url(tmp_path / "second")
        await placed(other, database)
        with pytest.raises(StoreError, match="earlier release; resphere serve"):
            await open_store(other, make=False)
        store = await open_store(other)
        assert bodies(await store.load()) == {"1": b"kept"}
        await store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("PRAGMA user_version = 5", "the database in the backup was made by a newer resphere: it has schema 5"),
        ("PRAGMA application_id = 7", "the database in the backup is a database, but not one of resphere"),
    ],
)
def test_what_cannot_be_used_takes_nobodys_place(tmp_path: Path, statement: str, message: str) -> None:
    async def scenario() -> None:
        url = await made(new(tmp_path / "first"))
        database = await copied(url, new(tmp_path / "copying"))
        (tmp_path / "other.db").write_bytes(database)
        execute(tmp_path / "other.db", statement)
        with pytest.raises(StoreError, match=message):
            await placed(url, (tmp_path / "other.db").read_bytes())
        store = await open_store(url, make=False)
        assert bodies(await store.load()) == {"1": b"kept"}
        await store.close()

    asyncio.run(scenario())


def test_nothing_lies_beside_a_copy_that_was_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        url = await made(new(tmp_path / "first"))
        folder = new(tmp_path / "copying")
        async with copying(url, folder, EXTENT) as copy:
            assert await copy.document("vm", "1") is not None
            assert [file.name for file in folder.iterdir()] == [DATABASE]

    asyncio.run(scenario())
