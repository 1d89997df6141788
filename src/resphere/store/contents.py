"""Contents that are too large for documents: files in a folder, each written once and then only read or deleted.

A content is durable under its name before any document names it, so that no document ever names what is not there. One
that no document names is either still in the making, which its maker knows, or was left behind by a worker that died.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from resphere.store.base import StoreError

READ_BYTES = 256 * 1024
BUFFERED_BYTES = 1024 * 1024
UNFINISHED = ".part"


class ContentMissing(StoreError):
    """There is no content of that name (any more)."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(f"{folder / name} is missing")


class Contents:
    """The contents in ``folder``, which all workers of a server share.

    ``owner`` names this worker, and no other ever; the names of its contents begin with that. ``is_alive`` tells
    whether the worker of a name still runs.
    """

    def __init__(self, folder: Path, owner: str, is_alive: Callable[[str], bool]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._owner = owner
        self._is_alive = is_alive
        self._numbers = itertools.count(1)

    def write(self) -> Writing:
        """Begin a new content."""
        return Writing(self.folder, f"{self._owner}.{next(self._numbers)}")

    def open(self, name: str) -> Reading:
        """Begin to read a content; from now on it can be read to its end, even when it is deleted meanwhile.

        :raises ContentMissing: there is none.
        """
        try:
            file = (self.folder / name).open("rb")
        except FileNotFoundError:
            raise ContentMissing(name, self.folder) from None
        return Reading(file, os.fstat(file.fileno()).st_size)

    def read(self, name: str) -> bytes:
        """All of a content that is known to be small.

        :raises ContentMissing: there is none.
        """
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise ContentMissing(name, self.folder) from None

    def delete(self, name: str) -> None:
        """Delete a content; none is fine."""
        (self.folder / name).unlink(missing_ok=True)

    def left_behind(self) -> list[str]:
        """Files that nobody writes: finished contents of workers that died, and what they had not finished."""
        makers = {file.name: maker_of(file.name) for file in sorted(self.folder.iterdir())}
        dead = {maker for maker in set(makers.values()) if maker and not self._is_alive(maker)}
        return [name for name, maker in makers.items() if maker in dead]


def maker_of(name: str) -> str:
    """Which worker made the content or unfinished content of that name."""
    return name.removesuffix(UNFINISHED).rpartition(".")[0]


class Writing:
    """A content in the making: ``async with`` it; what was not finished at the end of that is deleted."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.size_bytes = 0
        self._folder = folder
        self._unfinished = folder / (name + UNFINISHED)
        self._file: BinaryIO | None = None
        self._buffer: list[bytes] = []
        self._buffered_bytes = 0

    async def __aenter__(self) -> Writing:
        # Unbuffered: pieces are gathered here, so that few of them cross to a thread.
        self._file = await asyncio.to_thread(self._unfinished.open, "xb", buffering=0)
        return self

    async def write(self, piece: bytes) -> None:
        """Add to it.

        :raises OSError: the disk is full or broken.
        """
        self._buffer.append(piece)
        self._buffered_bytes += len(piece)
        self.size_bytes += len(piece)
        if self._buffered_bytes >= BUFFERED_BYTES:
            await self._flush()

    async def finish(self) -> None:
        """Make it durable under its name.

        :raises OSError: the disk is full or broken.
        """
        await self._flush()
        await asyncio.to_thread(self._finish)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            self._unfinished.unlink(missing_ok=True)

    async def _flush(self) -> None:
        pieces, self._buffer, self._buffered_bytes = self._buffer, [], 0
        if pieces:
            await asyncio.to_thread(self._write, b"".join(pieces))

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _finish(self) -> None:
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._file.close()
        self._unfinished.rename(self._folder / self.name)
        self._file = None
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Reading(msgspec.Struct, frozen=True):
    """An opened content, to be read once, piece by piece. Whoever has it closes it."""

    file: BinaryIO
    size_bytes: int

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces; each is read when it is asked for."""
        while piece := await asyncio.to_thread(self.file.read, READ_BYTES):
            yield piece

    async def close(self) -> None:
        """Let go of the file."""
        self.file.close()
