"""Large contents as files in a folder."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Semaphore
from types import TracebackType
from typing import BinaryIO

import msgspec

from resphere.store.base import ContentMissing, Judge, Look, NoRoom, as_it_is, blindly
from resphere.store.blocks import Blocks
from resphere.store.files import sync_file_system, sync_folder

READ_BYTES = 256 * 1024
AHEAD_BYTES = 16 * READ_BYTES
"""So much is fetched from the disk while as much before it is sent; systems that are told nothing fetch less than is
read at a time."""
WILL_BE_READ: int | None = getattr(os, "POSIX_FADV_WILLNEED", None)
BUFFERED_BYTES = 2 * 1024 * 1024
SYNCED_BYTES = 32 * 1024 * 1024
"""After so much more was written it is made durable meanwhile, so that little is left of that to the end."""
JOINED_BYTES = 512 * 1024
"""What is smaller is joined for a thread, though that copies: each piece that a digest takes has it let go of the
interpreter, and wait for it again."""
WAITING_THREADS = 3
"""So many wait for the disk at a time, half of those of a small machine; what others write goes by the memory."""
MANY = 8
"""When so many are settled, all that is to be written goes to the disk at once before each is asked for."""
LARGE_BYTES = 16 * 1024 * 1024
"""What is larger takes file systems too long to free: a quarter of a second for a GiB that is in memory."""
UNFINISHED = ".part"
HOLDING = "copy-"
"""What the names of those begin with who hold contents and make none."""
UNLINKED = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})
"""Why a file has no second name there: another file system, or one without such."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderContents:
    """A :class:`~resphere.store.base.Contents`: files in ``folder``, which all workers of a server share.

    ``owner`` names this worker, and no other ever; the names of its contents begin with that. ``is_alive`` tells
    whether the worker of a name still runs.
    """

    def __init__(self, folder: Path, owner: str, is_alive: Callable[[str], bool]) -> None:
        """:raises OSError: the folder cannot be made."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._owner = owner
        self._is_alive = is_alive
        self._numbers = itertools.count(1)
        self._ahead = SyncAhead()

    def write(self, look: Look = blindly) -> WritingFile:
        return WritingFile(self.folder, f"{self._owner}.{next(self._numbers)}", self._ahead, look)

    async def open(self, name: str, first_byte: int = 0, size_bytes: int | None = None) -> ReadingFile:
        return await asyncio.to_thread(self._open, name, first_byte, size_bytes)

    async def read(self, name: str) -> bytes:
        return await asyncio.to_thread(self._read, name)

    async def settle(self, names: Collection[str]) -> None:
        with fullness_told(self.folder):
            await asyncio.to_thread(self._settle, tuple(names))

    async def place(self, name: str, path: Path) -> None:
        await asyncio.to_thread(self._place, name, path)

    def delete(self, name: str) -> None:
        path = self.folder / name
        with suppress(FileNotFoundError):
            large = path.open("rb") if path.stat().st_size > LARGE_BYTES else None
            path.unlink()
            if large is not None:
                # It has no name any more, and is freed when the last who has it open lets go of it: in a thread.
                asyncio.get_running_loop().run_in_executor(None, large.close)

    async def left_behind(self) -> list[str]:
        return await asyncio.to_thread(self._left_behind)

    async def sizes(self) -> dict[str, int]:
        return await asyncio.to_thread(self._sizes)

    @contextmanager
    def held(self) -> Iterator[dict[str, Path]]:
        """Every finished content, with a further path of its own that stays until the end of this when it is deleted.

        Whoever is killed before leaves these behind as contents that no document names. Who holds is called
        :data:`HOLDING` and something.

        :raises OSError: no such path can be made.
        """
        held: dict[str, Path] = {}
        try:
            for file in sorted(self.folder.iterdir()):
                if file.name.endswith(UNFINISHED) or file.name.startswith(HOLDING):
                    continue
                path = self.folder / f"{self._owner}.{next(self._numbers)}"
                with suppress(FileNotFoundError):  # which was deleted just now
                    os.link(file, path)
                    held[file.name] = path
            yield held
        finally:
            for path in held.values():
                path.unlink(missing_ok=True)

    def _place(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with self._missing_told(name):
            try:
                os.link(self.folder / name, path)
            except OSError as error:
                if error.errno not in UNLINKED:
                    raise
                shutil.copyfile(self.folder / name, path)

    def _settle(self, names: Collection[str]) -> None:
        if len(names) >= MANY:
            sync_file_system(self.folder)
        for name in names:
            with self._missing_told(name):
                sync_folder(self.folder / name)  # which does for a file, too
        sync_folder(self.folder)

    def _open(self, name: str, first_byte: int, size_bytes: int | None) -> ReadingFile:
        with self._missing_told(name):
            file = (self.folder / name).open("rb")
            first = file.seek(first_byte)
            left = max(0, os.fstat(file.fileno()).st_size - first)
            return ReadingFile(file, left if size_bytes is None else min(left, size_bytes))

    def _read(self, name: str) -> bytes:
        with self._missing_told(name):
            return (self.folder / name).read_bytes()

    @contextmanager
    def _missing_told(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise ContentMissing(f"{self.folder / name} is missing") from None

    def _sizes(self) -> dict[str, int]:
        sizes = {}
        for file in self.folder.iterdir():
            if is_finished(file.name):
                with suppress(FileNotFoundError):  # which was deleted just now
                    sizes[file.name] = file.stat().st_size
        return sizes

    def _left_behind(self) -> list[str]:
        makers = {file.name: maker_of(file.name) for file in sorted(self.folder.iterdir())}
        dead = {maker for maker in set(makers.values()) if maker and not self._is_alive(maker)}
        return [name for name, maker in makers.items() if maker in dead]


@contextmanager
def fullness_told(path: Path) -> Iterator[None]:
    """:raises NoRoom: what is written at a path does not fit."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoRoom(f"{path} cannot grow: {error.strerror}") from error


def is_finished(name: str) -> bool:
    """Whether what has that name is a content, whole, and not a further name of one."""
    return bool(maker_of(name)) and not name.endswith(UNFINISHED) and not name.startswith(HOLDING)


def maker_of(name: str) -> str:
    """Which worker made the content or unfinished content of that name."""
    return name.removesuffix(UNFINISHED).rpartition(".")[0]


class SyncAhead:
    """Has what was written of large files go to the disk while more of them comes: one at a time, for what a disk is
    slow to take shall not keep all threads. ``turns``: of those that write past the memory of the system."""

    def __init__(self) -> None:
        self.turns = Semaphore(WAITING_THREADS)
        self._under_way: asyncio.Future[None] | None = None

    def begin(self, path: Path) -> bool:
        """Have a thread see to a file, unless another one is seen to."""
        if self._under_way is not None and not self._under_way.done():
            return False
        self._under_way = asyncio.get_running_loop().run_in_executor(None, _sync_ahead, path)
        return True


class WritingFile:
    """A :class:`~resphere.store.base.Writing`. The thread that writes is the one that looks: two would wait for the
    interpreter twice as often."""

    def __init__(self, folder: Path, name: str, ahead: SyncAhead, look: Look) -> None:
        self.name = name
        self.size_bytes = 0
        self._ahead = ahead
        self._look = look
        self._folder = folder
        self._unfinished = folder / (name + UNFINISHED)
        self._file: BinaryIO | None = None
        self._blocks: Blocks | None = None
        self._buffer: list[bytes] = []
        self._buffered_bytes = 0
        self._under_way: asyncio.Future[None] | None = None
        """What a thread does, such as to write while more comes."""
        self._synced_bytes = 0
        self._is_whole = False

    async def __aenter__(self) -> WritingFile:
        self._begin(self._open)
        try:
            await self._done()
        except BaseException:
            self._give_up()
            raise
        return self

    async def write(self, piece: bytes) -> None:
        """See :meth:`Writing.write`.

        :raises OSError: the disk is broken.
        """
        self._buffer.append(piece)
        self._buffered_bytes += len(piece)
        self.size_bytes += len(piece)
        if self._buffered_bytes >= BUFFERED_BYTES:
            await self._done()
            self._sync_ahead()
            self._begin_to_write()

    async def finish(self, *, settled: bool = True, check: Judge = as_it_is) -> None:
        """See :meth:`Writing.finish`.

        :raises OSError: the disk is broken.
        """
        await self._done()
        self._begin(partial(self._finish, self._let_go(), settled, check))
        await self._done()
        self._is_whole = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_whole:
            self._give_up()

    def _give_up(self) -> None:
        """Leave nothing, once no thread is at work any more: who closed the file before would have that write to
        whatever is opened next."""
        self._unfinished.unlink(missing_ok=True)
        if self._under_way is None:
            self._remove()
        else:
            self._under_way.add_done_callback(self._remove)

    def _remove(self, done: asyncio.Future[None] | None = None) -> None:
        if done is not None and not done.cancelled():
            done.exception()  # nobody asks for it any more
        if self._file is not None:
            self._file.close()
        for path in (self._unfinished, self._folder / self.name):
            path.unlink(missing_ok=True)

    def _begin(self, work: Callable[[], None]) -> None:
        """Have a thread do something."""
        self._under_way = asyncio.get_running_loop().run_in_executor(None, work)

    def _begin_to_write(self) -> None:
        """Have a thread write what is gathered."""
        if self._file is not None:
            if self._blocks is None:
                self._blocks = Blocks(self._file.fileno(), self._look, self._ahead.turns)
            self._begin(partial(self._blocks.write, self._let_go()))

    def _take(self, file: BinaryIO, pieces: list[bytes]) -> None:
        if any(len(piece) < JOINED_BYTES for piece in pieces):
            pieces = [b"".join(pieces)]
        for piece in pieces:
            self._look(piece)
        _write_all(file, pieces)

    def _let_go(self) -> list[bytes]:
        pieces, self._buffer, self._buffered_bytes = self._buffer, [], 0
        return pieces

    def _sync_ahead(self) -> None:
        """Have what was written go to the disk already, where it is much that did not at once."""
        in_memory = 0 if self._blocks is None else self._blocks.size_in_memory_bytes
        if in_memory - self._synced_bytes >= SYNCED_BYTES and self._ahead.begin(self._unfinished):
            self._synced_bytes = in_memory

    async def _done(self) -> None:
        """Wait until what is under way is done."""
        if self._under_way is not None:
            with fullness_told(self._unfinished):
                await asyncio.shield(self._under_way)
            self._under_way = None

    def _open(self) -> None:
        # Unbuffered: pieces are gathered here, so that few of them cross to a thread.
        self._file = self._unfinished.open("xb", buffering=0)

    def _finish(self, rest: list[bytes], settled: bool, check: Judge) -> None:
        assert self._file is not None
        if self._blocks is None:
            self._take(self._file, rest)
        else:
            self._blocks.write(rest)
            self._blocks.finish()
        check()
        if settled:
            os.fsync(self._file.fileno())
        self._file.close()
        self._unfinished.rename(self._folder / self.name)
        self._file = None
        if settled:
            sync_folder(self._folder)


def _sync_ahead(path: Path) -> None:
    # By a description of its own: whoever finishes the file is to be told all errors of it once more.
    with suppress(OSError), path.open("rb") as file:
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, pieces: list[bytes]) -> None:
    rest = [memoryview(piece) for piece in pieces if piece]
    while rest:
        written = os.writev(file.fileno(), rest)
        whole = 0
        while whole < len(rest) and written >= len(rest[whole]):
            written -= len(rest[whole])
            whole += 1
        del rest[:whole]
        if rest:
            rest[0] = rest[0][written:]


class ReadingFile(msgspec.Struct, frozen=True):
    """A :class:`~resphere.store.base.Reading`."""

    file: BinaryIO
    size_bytes: int

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self.size_bytes
        while left and (piece := await asyncio.to_thread(self._read, left)):
            left -= len(piece)
            yield piece

    def _read(self, left: int) -> bytes:
        position = self.size_bytes - left
        if WILL_BE_READ is not None and left > READ_BYTES and position % AHEAD_BYTES == 0:
            # At first twice as much, afterwards what follows on that.
            first, size = (AHEAD_BYTES, AHEAD_BYTES) if position else (0, 2 * AHEAD_BYTES)
            os.posix_fadvise(self.file.fileno(), self.file.tell() + first, size, WILL_BE_READ)
        return self.file.read(min(left, READ_BYTES))

    async def close(self) -> None:
        self.file.close()
