"""Archives (``.ova``): a tar of a package, taken apart while it comes, of which no file is ever held as a whole.

The standard library reads the headers (``tarfile.TarInfo``); what is around them it reads only from files that block.
"""

from __future__ import annotations

import tarfile
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec

from resphere.ovf.issues import BadPackage, Category, issue, short
from resphere.ovf.reading import is_file_name

BLOCK = tarfile.BLOCKSIZE
MOST_EXTENSION_BYTES = 64 * 1024
"""Of a long name, or of the records of a pax header."""
MOST_TRAILING_BYTES = 1024 * 1024
"""What may follow the end: tar fills its last record, of 10 KB or more."""
MOST_EXTENSIONS = 4
"""How many headers may describe one member."""


class ArchiveLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive may have; sizes in bytes."""

    most_members: int = 1000
    most_bytes: int = 64 << 40


USUAL = ArchiveLimits()


class Member:
    """A file of the archive. What is not taken of it is passed over when the next one is asked for."""

    def __init__(self, name: str, size: int, source: _Source) -> None:
        self.name = name
        self.size = size
        self._source = source
        self._left = size

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The content, in pieces as they come.

        :raises BadPackage: the archive ends before.
        """
        while self._left:
            piece = await self._source.take(self._left)
            self._left -= len(piece)
            yield piece

    async def finish(self) -> None:
        """Pass over the rest, and over what fills the last block."""
        async for _ in self.pieces():
            pass
        await self._source.read(-self.size % BLOCK)


class _Source:
    """Bytes from a stream, as many as are asked for."""

    def __init__(self, stream: AsyncIterator[bytes], file: str) -> None:
        self._stream = stream
        self._piece = memoryview(b"")
        self._file = file

    async def more(self) -> bool:
        """Whether there is another byte."""
        while not self._piece:
            piece = await anext(self._stream, None)
            if piece is None:
                return False
            self._piece = memoryview(piece)
        return True

    async def take(self, most: int) -> bytes:
        """At least one byte, and at most so many."""
        if not await self.more():
            raise refused(self._file, "it ends in the middle")
        taken, self._piece = bytes(self._piece[:most]), self._piece[most:]
        return taken

    async def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        pieces: list[bytes] = []
        while size:
            pieces.append(await self.take(size))
            size -= len(pieces[-1])
        return b"".join(pieces)


class Archive:
    """An archive as it comes.

    ``complaints`` is what is odd about it and was tolerated, as vCenter does: a descriptor that is not the first file,
    no end.
    """

    def __init__(self, stream: AsyncIterator[bytes], file: str, limits: ArchiveLimits = USUAL) -> None:
        self.file = file
        self.complaints: list[str] = []
        self._limits = limits
        self._source = _Source(stream, file)
        self._names: list[str] = []
        self._bytes = 0

    async def members(self) -> AsyncGenerator[Member, None]:
        """The files, one after the other.

        :raises BadPackage: it is no tar, is cut off, holds anything but files beside each other, has more than its
            limits, one name twice, or not exactly one descriptor.
        """
        while (header := await self._header()) is not None:
            member = self._member(*header)
            yield member
            await member.finish()
        self._require_descriptor()
        await self._pass_trailing()

    async def _header(self) -> tuple[str, int] | None:
        """Name and size of the next file, ``None`` at the end."""
        name: str | None = None
        size: int | None = None
        for _ in range(MOST_EXTENSIONS + 1):
            if not await self._source.more():
                if name is not None or not self._names:
                    raise refused(self.file, "it ends in the middle")
                self.complaints.append("It has no end.")
                return None
            header = await self._source.read(BLOCK)
            try:
                info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
            except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
                if name is not None:
                    raise refused(self.file, "it ends in the middle") from None
                return None
            except tarfile.HeaderError:
                raise refused(self.file, "it is no tar, or damaged") from None
            if info.size < 0:
                raise refused(self.file, "it is no tar, or damaged")
            match info.type:
                case tarfile.REGTYPE | tarfile.AREGTYPE | tarfile.CONTTYPE:
                    return (name or info.name, info.size if size is None else size)
                case tarfile.GNUTYPE_LONGNAME:
                    name = (await self._extension(info.size)).rstrip(b"\0").decode("utf-8", "surrogateescape")
                case tarfile.XHDTYPE | tarfile.SOLARIS_XHDTYPE:
                    records = _records(self.file, await self._extension(info.size))
                    name = records.get("path", name)
                    size = _size(self.file, records, size)
                case tarfile.XGLTYPE:
                    await self._extension(info.size)
                case _:
                    raise refused(self.file, f"{short(info.name)} is not a file")
        raise refused(self.file, "it has too many headers for one file")

    async def _extension(self, size: int) -> bytes:
        if size > MOST_EXTENSION_BYTES:
            raise refused(self.file, f"it has a header of more than {MOST_EXTENSION_BYTES} bytes")
        content = await self._source.read(size)
        await self._source.read(-size % BLOCK)
        return content

    def _member(self, name: str, size: int) -> Member:
        name = name.removeprefix("./")
        if not is_file_name(name):
            raise refused(self.file, f"{short(name)!r} is no name of a file beside the others")
        if name in self._names:
            raise refused(self.file, f"{short(name)} is there more than once")
        self._names.append(name)
        self._bytes += size
        if len(self._names) > self._limits.most_members:
            raise refused(self.file, f"it has more than {self._limits.most_members} files")
        if self._bytes > self._limits.most_bytes:
            raise refused(self.file, f"its files are larger than {self._limits.most_bytes} bytes")
        return Member(name, size, self._source)

    def _require_descriptor(self) -> None:
        descriptors = [name for name in self._names if is_descriptor(name)]
        if len(descriptors) != 1:
            raise refused(self.file, f"it has {len(descriptors)} descriptors (.ovf), not one")
        if self._names[0] != descriptors[0]:
            self.complaints.append("The descriptor is not the first file.")

    async def _pass_trailing(self) -> None:
        passed = 0
        while await self._source.more():
            passed += len(await self._source.take(MOST_TRAILING_BYTES))
            if passed > MOST_TRAILING_BYTES:
                raise refused(self.file, f"more than {MOST_TRAILING_BYTES} bytes follow its end")


def is_descriptor(name: str) -> bool:
    """Whether a file is the descriptor of a package."""
    return name.casefold().endswith(".ovf")


def _records(file: str, content: bytes) -> dict[str, str]:
    """The records of a pax header: ``30 path=disk.vmdk`` and a line feed, the number being the record's length."""
    records: dict[str, str] = {}
    while content:
        digits, space, _ = content[:20].partition(b" ")
        length = int(digits) if digits.isdigit() and space else 0
        record = content[len(digits) + 1 : length]
        keyword, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or length > len(content):
            raise refused(file, "it has a header that cannot be read")
        if keyword.startswith(b"GNU.sparse"):
            raise refused(file, "it has a sparse file")
        records[keyword.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
        content = content[length:]
    return records


def _size(file: str, records: dict[str, str], size: int | None) -> int | None:
    text = records.get("size")
    if text is None:
        return size
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise refused(file, "it has a header that cannot be read")
    return int(text)


def refused(file: str, reason: str) -> BadPackage:
    """The refusal of an archive."""
    return BadPackage(
        [issue(Category.VALIDATION_ERROR, file, (0, 0), "archive", "The archive cannot be used: {0}.", reason)]
    )
