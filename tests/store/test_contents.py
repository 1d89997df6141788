"""FolderContents beside the store: whole or not there, and nothing is left of what was not finished."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from resphere.store.base import ContentMissing, Reading
from resphere.store.contents import BUFFERED_BYTES, READ_BYTES, FolderContents, maker_of


def contents(folder: Path, owner: str = "worker") -> FolderContents:
    return FolderContents(folder / "contents", owner, lambda name: name == owner)


async def written(store: FolderContents, *pieces: bytes) -> str:
    """The name of a new content."""
    async with store.write() as writing:
        for piece in pieces:
            await writing.write(piece)
        await writing.finish()
    assert writing.size_bytes == sum(map(len, pieces))
    return writing.name


async def all_of(reading: Reading) -> list[bytes]:
    try:
        return [piece async for piece in reading]
    finally:
        await reading.close()


def names(store: FolderContents) -> list[str]:
    return sorted(file.name for file in store.folder.iterdir())


@pytest.mark.parametrize("size", [0, 1, READ_BYTES, BUFFERED_BYTES - 1, BUFFERED_BYTES + READ_BYTES + 1])
def test_what_is_written_is_read_in_pieces(tmp_path: Path, size: int) -> None:
    store, data = contents(tmp_path), bytes(range(256)) * (size // 256) + bytes(size % 256)
    name = asyncio.run(written(store, data[: size // 3], b"", data[size // 3 :]))
    reading = asyncio.run(store.open(name))
    assert reading.size_bytes == size
    pieces = asyncio.run(all_of(reading))
    assert b"".join(pieces) == data == asyncio.run(store.read(name))
    assert all(0 < len(piece) <= READ_BYTES for piece in pieces)


@pytest.mark.parametrize(
    ("first_byte", "size_bytes"),
    [
        (0, None),
        (0, 0),
        (0, 1),
        (5, None),
        (5, READ_BYTES + 7),
        (READ_BYTES, 10**9),
        (2 * READ_BYTES, 1),
        (10**9, None),
    ],
)
def test_a_part_is_read(tmp_path: Path, first_byte: int, size_bytes: int | None) -> None:
    store, data = contents(tmp_path), bytes(range(256)) * (2 * READ_BYTES // 256)
    name = asyncio.run(written(store, data))
    part = data[first_byte:] if size_bytes is None else data[first_byte : first_byte + size_bytes]
    reading = asyncio.run(store.open(name, first_byte, size_bytes))
    assert reading.size_bytes == len(part)
    assert b"".join(asyncio.run(all_of(reading))) == part


def test_nobody_else_reads_the_folder(tmp_path: Path) -> None:
    assert contents(tmp_path).folder.stat().st_mode & 0o077 == 0


def test_each_has_a_name_of_its_own(tmp_path: Path) -> None:
    store = contents(tmp_path)
    first, second = (asyncio.run(written(store, b"same")) for _ in range(2))
    assert first != second
    store.delete(first)
    store.delete(first)
    assert asyncio.run(store.read(second)) == b"same"


def test_what_is_not_finished_is_not_there(tmp_path: Path) -> None:
    store = contents(tmp_path)

    async def breaks_off() -> None:
        async with store.write() as writing:
            await writing.write(bytes(BUFFERED_BYTES))
            assert names(store) == [f"{writing.name}.part"]
            with pytest.raises(ContentMissing):
                await store.open(writing.name)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(breaks_off())
    assert names(store) == []


def test_what_is_not_there(tmp_path: Path) -> None:
    store = contents(tmp_path)
    for read in (store.open, store.read):
        with pytest.raises(ContentMissing):
            asyncio.run(read("worker.1"))


def test_an_opened_one_outlives_its_deletion(tmp_path: Path) -> None:
    store = contents(tmp_path)
    name = asyncio.run(written(store, b"x" * (READ_BYTES + 1)))
    reading = asyncio.run(store.open(name))
    store.delete(name)
    assert names(store) == []
    assert [len(piece) for piece in asyncio.run(all_of(reading))] == [READ_BYTES, 1]


def test_whose_worker_lives_is_not_left_behind(tmp_path: Path) -> None:
    store, dead = contents(tmp_path), contents(tmp_path, "dead")
    asyncio.run(written(store, b"mine"))
    left = asyncio.run(written(dead, b"left"))
    for name in ("worker.2.part", "dead.2.part", "no worker's"):
        (store.folder / name).write_bytes(b"")
    assert asyncio.run(store.left_behind()) == [left, "dead.2.part"]


@pytest.mark.parametrize(("name", "maker"), [("12-ab.7", "12-ab"), ("12-ab.7.part", "12-ab"), ("notes", "")])
def test_names_tell_their_makers(name: str, maker: str) -> None:
    assert maker_of(name) == maker
