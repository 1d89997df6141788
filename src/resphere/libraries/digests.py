"""The digests of what comes, made as it comes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable

from resphere.contract.generated.content_library_item import File
from resphere.inventory.content.items import ALGORITHMS

Algorithm = File.ChecksumAlgorithm
ALWAYS = (Algorithm.SHA256,)
"""It tells contents apart. Each further one costs an upload as much of its speed again."""


GATHERED_BYTES = 2 * 1024 * 1024
"""So much is given to a thread at a time."""
AT_ONCE_BYTES = 64 * 1024
"""What is not larger is not worth a thread: it takes some ten microseconds."""


class Digests:
    """Those of ``always``, and further ones that somebody asks for."""

    def __init__(self, more: Iterable[Algorithm], always: Iterable[Algorithm] = ALWAYS) -> None:
        self._made = {
            algorithm: hashlib.new(ALGORITHMS[algorithm], usedforsecurity=False)
            for algorithm in dict.fromkeys((*always, *more))
        }

        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._under_way: asyncio.Future[None] | None = None

    async def take(self, piece: bytes) -> None:
        """Take a piece in; it may not have been looked at yet when this returns."""
        self._gathered.append(piece)
        self._gathered_bytes += len(piece)
        if self._gathered_bytes >= GATHERED_BYTES:
            await self._taken()
            self._under_way = asyncio.get_running_loop().run_in_executor(None, self._take_all, self._let_go())

    async def all_taken(self) -> dict[Algorithm, str]:
        """Each of all that :meth:`take` was given, in hexadecimal digits."""
        await self._taken()
        size, rest = self._gathered_bytes, self._let_go()
        if size <= AT_ONCE_BYTES:
            self._take_all(rest)
        else:
            await asyncio.to_thread(self._take_all, rest)
        return self.result()

    async def _taken(self) -> None:
        if self._under_way is not None:
            await self._under_way
            self._under_way = None

    def _let_go(self) -> list[bytes]:
        gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
        return gathered

    def _take_all(self, pieces: list[bytes]) -> None:
        # Joined, though that copies: for each piece a thread would let go of the interpreter and wait for it again.
        self.update(b"".join(pieces))

    def update(self, piece: bytes) -> None:
        """Take a piece in at once."""
        for made in self._made.values():
            made.update(piece)

    def result(self) -> dict[Algorithm, str]:
        """Each in hexadecimal digits."""
        return {algorithm: made.hexdigest() for algorithm, made in self._made.items()}
