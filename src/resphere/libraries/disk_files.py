"""Files of disks as a package has them: whole where they came in pieces or compressed, and as large as the disk is by
now."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

from resphere.inventory.content.items import LibraryFile
from resphere.inventory.contents import DiskContent
from resphere.libraries.files import LibraryFiles
from resphere.ovf.vmdk import HEAD_BYTES
from resphere.ovf.vmdk_growth import END_BYTES, Growth, grown, read_sparse

_SLACK_BYTES = 16 << 20
_PIECE_BYTES = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


class _NoFile(Exception):
    """What is compressed is no file of a disk, or not compressed."""


async def whole(files: LibraryFiles, name: str, content: DiskContent) -> LibraryFile | None:
    """The file of a disk whose content came in pieces or compressed, stored as one under that name; ``None`` where it
    cannot be unpacked, or would be larger than any file of such a disk.

    :raises NotFound: its bytes are no more.
    :raises UnableToAllocateResource: there is no room.
    """
    parts = [files.of_disk(name, part) for part in content.parts]
    joined = _joined(files, parts)
    # Besides what the disk holds a file has tables, and headers of grains that do not become smaller.
    most_bytes = content.capacity + content.capacity // 100 + _SLACK_BYTES
    async with aclosing(joined), aclosing(_unpacked(joined, most_bytes) if content.compression else joined) as pieces:
        try:
            return await files.keep(name, pieces)
        except (zlib.error, _NoFile):
            return None


async def _joined(files: LibraryFiles, parts: list[LibraryFile]) -> AsyncGenerator[bytes, None]:
    for part in parts:
        async with files.opened(part) as stream:
            async for piece in stream:
                yield piece


async def _unpacked(pieces: AsyncGenerator[bytes, None], most_bytes: int) -> AsyncGenerator[bytes, None]:
    """What is in a gzip stream, of any number of members."""
    size, unpacking = 0, zlib.decompressobj(_GZIP)
    async for piece in pieces:
        left = piece
        while left:
            if unpacking.eof:
                left = left.lstrip(b"\0")  # which may fill up what follows a member
                if not left:
                    break
                unpacking = zlib.decompressobj(_GZIP)
            made = await asyncio.to_thread(unpacking.decompress, left, _PIECE_BYTES)
            left = unpacking.unused_data if unpacking.eof else unpacking.unconsumed_tail
            size += len(made)
            if size > most_bytes:
                raise _NoFile
            if made:
                yield made
    if not unpacking.eof:
        raise _NoFile


async def enlarged(files: LibraryFiles, file: LibraryFile, capacity: int) -> LibraryFile | None:
    """The file of a disk that has ``capacity`` bytes by now, stored; ``None`` where it cannot be told so.

    :raises NotFound: its bytes are no more.
    :raises UnableToAllocateResource: there is no room.
    """
    size = file.size_bytes
    if size < END_BYTES:
        return None
    head = await _read(files, file, 0, min(HEAD_BYTES, size))
    sparse = read_sparse(head, await _read(files, file, size - END_BYTES, END_BYTES), size)
    if sparse is None:
        return None
    directory = await _read(files, file, *sparse.directory)
    growth = await asyncio.to_thread(grown, sparse, directory, capacity)
    if growth is None:
        return None
    async with aclosing(_pieces(files, file, growth)) as pieces:
        return await files.keep(file.name, pieces)


async def _pieces(files: LibraryFiles, file: LibraryFile, growth: Growth) -> AsyncGenerator[bytes, None]:
    yield growth.head
    stream = await files.open_content(file, len(growth.head), growth.until - len(growth.head))
    try:
        async for piece in stream:
            yield piece
    finally:
        await stream.close()
    yield growth.tail


async def _read(files: LibraryFiles, file: LibraryFile, first: int, size: int) -> bytes:
    stream = await files.open_content(file, first, size)
    try:
        return b"".join([piece async for piece in stream])
    finally:
        await stream.close()
