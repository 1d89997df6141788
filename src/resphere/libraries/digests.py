"""The digests of what comes, made as it comes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable

from resphere.contract.generated.content_library_item import File
from resphere.inventory.content.items import ALGORITHMS

Algorithm = File.ChecksumAlgorithm
ALWAYS = (Algorithm.SHA1, Algorithm.SHA256)
"""The first is what vCenter shows, the second tells contents apart."""


PIECE_BYTES = 1024 * 1024
AT_ONCE_BYTES = 64 * 1024
"""What is not larger is not worth a thread: it takes some ten microseconds."""


class Digests:
    """Those of ``always``, and further ones that somebody asks for."""

    def __init__(self, more: Iterable[Algorithm], always: Iterable[Algorithm] = ALWAYS) -> None:
        self._made = {
            algorithm: hashlib.new(ALGORITHMS[algorithm], usedforsecurity=False)
            for algorithm in dict.fromkeys((*always, *more))
        }

        self._under_way: asyncio.Future[None] | None = None

    async def take(self, piece: bytes) -> None:
        """Take a piece in; a thread may be at it yet when this returns."""
        await self._taken()
        if len(piece) <= AT_ONCE_BYTES:
            self.update(piece)
        else:
            self._under_way = asyncio.get_running_loop().run_in_executor(None, self.update, piece)

    async def all_taken(self) -> dict[Algorithm, str]:
        """Each of all that :meth:`take` was given, in hexadecimal digits."""
        await self._taken()
        return self.result()

    async def _taken(self) -> None:
        if self._under_way is not None:
            await self._under_way
            self._under_way = None

    def update(self, piece: bytes) -> None:
        """Take a piece in at once."""
        for made in self._made.values():
            made.update(piece)

    def result(self) -> dict[Algorithm, str]:
        """Each in hexadecimal digits."""
        return {algorithm: made.hexdigest() for algorithm, made in self._made.items()}


async def gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces in larger ones, of about :data:`PIECE_BYTES`: few of them cross to threads."""
    some: list[bytes] = []
    size = 0
    async for piece in pieces:
        some.append(piece)
        size += len(piece)
        if size >= PIECE_BYTES:
            yield b"".join(some)
            some, size = [], 0
    if some:
        yield b"".join(some)
