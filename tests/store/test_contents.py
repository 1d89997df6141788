"""Contents beside the store or in a bucket: whole or not there, and nothing is left of what was not finished."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from resphere.store import blocks as blocks_module
from resphere.store import contents as contents_module
from resphere.store.base import ContentMissing, Contents, Reading
from resphere.store.buckets.bucket import Bucket
from resphere.store.buckets.contents import BucketContents
from resphere.store.contents import BUFFERED_BYTES, LARGE_BYTES, READ_BYTES, FolderContents, maker_of
from tests.support.buckets import CREDENTIALS, Service, bucket_at
from tests.support.server import wait_until

PART_BYTES = 5 * 1024 * 1024
"""The least that services take."""


class Place(Protocol):
    """Where contents of several workers lie."""

    def contents(self, owner: str) -> Contents:
        """Those of a worker, which knows of no other that is alive."""

    def names(self) -> list[str]:
        """What is there, whoever wrote it."""

    def put(self, name: str) -> None:
        """Have something be there."""


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def contents(self, owner: str) -> Contents:
        return FolderContents(self.path, owner, lambda name: name == owner)

    def names(self) -> list[str]:
        return sorted(file.name for file in self.path.iterdir())

    def put(self, name: str) -> None:
        (self.path / name).write_bytes(b"")


class InBucket:
    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def contents(self, owner: str) -> Contents:
        return BucketContents(self.bucket, owner, lambda name: name == owner, lambda: 0, PART_BYTES)

    def names(self) -> list[str]:
        return sorted(self.bucket.names())

    def put(self, name: str) -> None:
        self.bucket.put(name, b"")


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "folder":
        return Folder(tmp_path / "contents")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    service: Service = request.getfixturevalue("s3_service")
    return InBucket(bucket_at(service.endpoint, service.new_bucket()))


def are(place: Place, names: list[str]) -> Callable[[], bool]:
    """Whether that is there, as it soon is: buckets delete while nobody waits."""
    return lambda: place.names() == names


async def written(contents: Contents, *pieces: bytes) -> str:
    """The name of a new content."""
    async with contents.write() as writing:
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


@pytest.mark.parametrize(
    "size", [0, 1, READ_BYTES, BUFFERED_BYTES - 1, BUFFERED_BYTES + READ_BYTES + 1, PART_BYTES, 2 * PART_BYTES + 1]
)
def test_what_is_written_is_read_in_pieces(place: Place, size: int) -> None:
    data = bytes(range(251)) * (size // 251) + bytes(size % 251)

    async def scenario() -> None:
        contents = place.contents("worker")
        name = await written(contents, data[: size // 3], b"", data[size // 3 :])
        reading = await contents.open(name)
        assert reading.size_bytes == size
        pieces = await all_of(reading)
        assert b"".join(pieces) == data == await contents.read(name)
        assert all(0 < len(piece) <= READ_BYTES for piece in pieces)
        wait_until(are(place, [name]), "the end of what only parts needed")

    asyncio.run(scenario())


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
def test_a_part_is_read(place: Place, first_byte: int, size_bytes: int | None) -> None:
    data = bytes(range(256)) * (2 * READ_BYTES // 256)
    part = data[first_byte:] if size_bytes is None else data[first_byte : first_byte + size_bytes]

    async def scenario() -> None:
        contents = place.contents("worker")
        name = await written(contents, data)
        reading = await contents.open(name, first_byte, size_bytes)
        assert reading.size_bytes == len(part)
        assert b"".join(await all_of(reading)) == part

    asyncio.run(scenario())


def test_nobody_else_reads_the_folder(tmp_path: Path) -> None:
    Folder(tmp_path / "contents").contents("worker")
    assert (tmp_path / "contents").stat().st_mode & 0o077 == 0


def test_each_has_a_name_of_its_own(place: Place) -> None:
    async def scenario() -> None:
        contents = place.contents("worker")
        first, second = [await written(contents, b"same") for _ in range(2)]
        assert first != second
        contents.delete(first)
        contents.delete(first)
        wait_until(are(place, [second]), "the deletion")
        assert await contents.read(second) == b"same"

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [BUFFERED_BYTES, PART_BYTES + 1])
def test_what_is_not_finished_is_not_there(place: Place, size: int) -> None:
    async def breaks_off(contents: Contents) -> None:
        async with contents.write() as writing:
            await writing.write(bytes(size))
            if size > PART_BYTES:
                wait_until(are(place, [f"{writing.name}.part"]), "the first part")
            with pytest.raises(ContentMissing):
                await contents.open(writing.name)
            raise ConnectionError

    async def scenario() -> None:
        with pytest.raises(ConnectionError):
            await breaks_off(place.contents("worker"))
        wait_until(are(place, []), "the end of what was not finished")

    asyncio.run(scenario())


def test_what_is_not_there(place: Place) -> None:
    async def scenario() -> None:
        contents = place.contents("worker")
        for size in (None, 0, 1):
            with pytest.raises(ContentMissing):
                await contents.open("worker.1", 0, size)
        with pytest.raises(ContentMissing):
            await contents.read("worker.1")

    asyncio.run(scenario())


def test_an_opened_one_outlives_its_deletion(place: Place) -> None:
    async def scenario() -> None:
        contents = place.contents("worker")
        name = await written(contents, b"x" * (READ_BYTES + 1))
        reading = await contents.open(name)
        contents.delete(name)
        wait_until(are(place, []), "the deletion")
        assert [len(piece) for piece in await all_of(reading)] == [READ_BYTES, 1]

    asyncio.run(scenario())


def test_whose_worker_lives_is_not_left_behind(place: Place) -> None:
    async def scenario() -> None:
        contents = place.contents("worker")
        await written(contents, b"mine")
        left = await written(place.contents("dead"), b"left")
        for name in ("worker.2.part", "dead.2.part", "no-worker's"):
            place.put(name)
        assert await contents.left_behind() == [left, "dead.2.part"]

    asyncio.run(scenario())


@pytest.mark.parametrize(("name", "maker"), [("12-ab.7", "12-ab"), ("12-ab.7.part", "12-ab"), ("notes", "")])
def test_names_tell_their_makers(name: str, maker: str) -> None:
    assert maker_of(name) == maker


def test_a_large_content_that_is_deleted_can_be_read_to_its_end(tmp_path: Path) -> None:
    async def deleted_while_read() -> int:
        folder = Folder(tmp_path)
        store = folder.contents("worker")
        name = await written(store, *[bytes(BUFFERED_BYTES)] * (LARGE_BYTES // BUFFERED_BYTES + 1))
        reading = await store.open(name)
        store.delete(name)
        assert folder.names() == []
        store.delete(name)
        return sum(map(len, await all_of(reading)))

    assert asyncio.run(deleted_while_read()) == LARGE_BYTES + BUFFERED_BYTES


def test_who_is_cancelled_closes_no_file_that_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, going_on, written_bytes = threading.Event(), threading.Event(), []

    def slow(descriptor: int, data: memoryview) -> int:
        begun.set()
        going_on.wait(60)
        written_bytes.append(write(descriptor, data))
        return written_bytes[-1]

    async def cancelled_meanwhile() -> None:
        folder = Folder(tmp_path)
        store = folder.contents("worker")
        writer = asyncio.create_task(written(store, bytes(BUFFERED_BYTES)))
        await asyncio.to_thread(begun.wait, 60)
        writer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writer
        assert folder.names() == []
        going_on.set()

    write = os.write
    monkeypatch.setattr(os, "write", slow)
    asyncio.run(cancelled_meanwhile())
    assert sum(written_bytes) == BUFFERED_BYTES


@pytest.mark.skipif(contents_module.WILL_BE_READ is None, reason="this system takes no such advice")
def test_what_will_be_sent_is_fetched_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, first, size, __: told.append((first, first + size)))

    async def scenario() -> None:
        store = Folder(tmp_path).contents("worker")
        large = await written(store, *[bytes(BUFFERED_BYTES)] * 6)
        await all_of(await store.open(large, 5))
        ahead = contents_module.AHEAD_BYTES
        assert told == [(5, 5 + 2 * ahead), (5 + 2 * ahead, 5 + 3 * ahead), (5 + 3 * ahead, 5 + 4 * ahead)]
        told.clear()
        await all_of(await store.open(large, 5, READ_BYTES))
        assert told == []

    asyncio.run(scenario())


@pytest.mark.parametrize("joined_bytes", [contents_module.JOINED_BYTES, 0])
def test_pieces_that_are_written_in_part_are_written_to_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, joined_bytes: int
) -> None:
    writev = os.writev

    def few(file: int, pieces: list[memoryview]) -> int:
        return writev(file, [pieces[0][:5]])

    pieces = [b"", *(str(number).encode() * 3 for number in range(1000))]
    monkeypatch.setattr(os, "writev", few)
    monkeypatch.setattr(contents_module, "JOINED_BYTES", joined_bytes)

    async def scenario() -> bytes:
        store = Folder(tmp_path).contents("worker")
        return await store.read(await written(store, *pieces))

    assert asyncio.run(scenario()) == b"".join(pieces)


def test_what_is_large_goes_to_the_disk_while_more_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "DIRECTLY", 0)
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 1)
    monkeypatch.setattr(contents_module, "BUFFERED_BYTES", 1)
    monkeypatch.setattr(contents_module, "SYNCED_BYTES", 2)
    synced: list[Path] = []
    begun = threading.Event()

    def sync(path: Path) -> None:
        synced.append(path)
        begun.set()

    monkeypatch.setattr(contents_module, "_sync_ahead", sync)

    async def scenario() -> bytes:
        store = Folder(tmp_path).contents("worker")
        async with store.write() as writing:
            for piece in (b"a", b"b", b"c", b"d"):
                await writing.write(piece)
            assert await asyncio.to_thread(begun.wait, 60)
            await writing.finish()
        return await store.read(writing.name)

    assert asyncio.run(scenario()) == b"abcd"
    assert set(synced) == {tmp_path / "worker.1.part"}


@pytest.mark.parametrize("sizes", [(), (1, 2), (BUFFERED_BYTES, 1), (PART_BYTES - 1, BUFFERED_BYTES, PART_BYTES)])
def test_all_that_is_written_is_looked_at_before_it_is_checked(place: Place, sizes: tuple[int, ...]) -> None:
    seen = bytearray()
    pieces = [bytes([number + 1]) * size for number, size in enumerate(sizes)]

    def refuse() -> None:
        assert bytes(seen) == b"".join(pieces)
        raise ValueError("other bytes than were announced")

    async def scenario() -> None:
        async def refused(contents: Contents) -> None:
            async with contents.write(seen.extend) as writing:
                for piece in pieces:
                    await writing.write(piece)
                await writing.finish(check=refuse)

        with pytest.raises(ValueError, match="announced"):
            await refused(place.contents("worker"))
        wait_until(are(place, []), "the end of what was refused")

    asyncio.run(scenario())


@pytest.mark.parametrize("count", [1, 10])
def test_contents_that_are_settled_together(place: Place, count: int) -> None:
    async def scenario() -> None:
        contents = place.contents("worker")
        names = []
        for number in range(count):
            async with contents.write() as writing:
                await writing.write(str(number).encode())
                await writing.finish(settled=False)
            names.append(writing.name)
        await contents.settle(names)
        assert [await contents.read(name) for name in names] == [str(number).encode() for number in range(count)]

    asyncio.run(scenario())


def test_a_content_at_another_place(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "deep" / "file"

    async def scenario() -> None:
        contents = place.contents("worker")
        name = await written(contents, b"x" * PART_BYTES, b"y")
        for _ in range(2):
            await contents.place(name, path)
        contents.delete(name)
        with pytest.raises(ContentMissing):
            await contents.place("worker.99", path.with_name("other"))

    asyncio.run(scenario())
    assert path.read_bytes() == b"x" * PART_BYTES + b"y"
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_what_was_deleted_is_not_settled(tmp_path: Path) -> None:
    contents = Folder(tmp_path).contents("worker")
    with pytest.raises(ContentMissing):
        asyncio.run(contents.settle(["worker.1"]))


def test_what_is_gone_is_not_synced(tmp_path: Path) -> None:
    contents_module._sync_ahead(tmp_path / "gone")


@pytest.mark.parametrize("step", ["_open", "_finish"])
def test_who_is_cancelled_while_a_thread_opens_or_finishes_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    begun, going_on = threading.Event(), threading.Event()
    folder = Folder(tmp_path)
    does = getattr(contents_module.WritingFile, step)

    def slow(writing: contents_module.WritingFile, *args: object) -> None:
        begun.set()
        going_on.wait(60)
        does(writing, *args)

    async def cancelled_meanwhile() -> None:
        writer = asyncio.create_task(written(folder.contents("worker"), b"content"))
        await asyncio.to_thread(begun.wait, 60)
        writer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writer
        going_on.set()

    monkeypatch.setattr(contents_module.WritingFile, step, slow)
    asyncio.run(cancelled_meanwhile())
    assert folder.names() == []


def test_what_comes_while_something_is_written(tmp_path: Path) -> None:
    pieces = [bytes([n]) * (BUFFERED_BYTES // 3) for n in range(20)]
    store = Folder(tmp_path).contents("worker")
    name = asyncio.run(written(store, *pieces))
    assert asyncio.run(store.read(name)) == b"".join(pieces)
