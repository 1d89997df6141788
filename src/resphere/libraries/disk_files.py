"""Files of disks that were made larger since these were made of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from resphere.inventory.content.items import LibraryFile
from resphere.libraries.files import LibraryFiles
from resphere.ovf.vmdk import HEAD_BYTES
from resphere.ovf.vmdk_growth import END_BYTES, Growth, grown, read_sparse


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
