"""Large contents as objects in a bucket."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from resphere.store.base import ContentsUnreachable, Look, StoreError, blindly
from resphere.store.buckets.bucket import Bucket
from resphere.store.buckets.jobs import Line
from resphere.store.buckets.reading import ReadingObject
from resphere.store.buckets.writing import WritingObject
from resphere.store.contents import UNFINISHED, is_finished, maker_of

log = logging.getLogger(__name__)

MIB = 1024 * 1024
LEAST_PART_BYTES = 8 * MIB
MOST_PARTS = 10_000
"""Of one upload, in the S3 API. All but the last are of one size: Cloudflare's R2 asks for that."""
LISTING_SECONDS = 300.0
"""How often it is looked for what dead processes have left: services charge for lists."""
TRANSFERS, DELETIONS = 16, 2
"""Calls at once."""


class BucketContents:
    """A :class:`~resphere.store.base.Contents`: objects in a part of a bucket, which all workers of a server share.

    They have the names that files in a folder would have. Small ones are written at once, all others in parts, of which
    nobody sees anything before the last; meanwhile a further, empty object says by its name that there are parts, so
    that they are found however their maker ends.

    ``owner``, ``is_alive``: see :class:`~resphere.store.contents.FolderContents`. ``clock`` tells seconds.
    """

    def __init__(
        self,
        bucket: Bucket,
        owner: str,
        is_alive: Callable[[str], bool],
        clock: Callable[[], float],
        part_bytes: int = LEAST_PART_BYTES,
    ) -> None:
        self.bucket = bucket
        self._owner = owner
        self._is_alive = is_alive
        self._clock = clock
        self._part_bytes = part_bytes
        self._numbers = itertools.count(1)
        self._transfers = ThreadPoolExecutor(TRANSFERS, "bucket")
        self._deletions = ThreadPoolExecutor(DELETIONS, "bucket-deletions")
        self.undeleted: set[str] = set()
        """What is to be deleted as soon as the bucket can be reached."""
        self._listing_due: float | None = None
        self._closed = False

    def write(self, look: Look = blindly) -> WritingObject:
        name = f"{self._owner}.{next(self._numbers)}"
        return WritingObject(self.bucket, Line(self._transfers), name, self._part_bytes, self._delete, look)

    async def open(self, name: str, first_byte: int = 0, size_bytes: int | None = None) -> ReadingObject:
        reading = ReadingObject(self.bucket, Line(self._transfers), name, first_byte, size_bytes)
        await reading.begin()
        return reading

    async def read(self, name: str) -> bytes:
        reading = await self.open(name)
        try:
            return b"".join([piece async for piece in reading])
        finally:
            await reading.close()

    async def place(self, name: str, path: Path) -> None:
        reading = await self.open(name)
        try:
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            unfinished = path.with_name(path.name + UNFINISHED)
            file = await asyncio.to_thread(unfinished.open, "wb")
            with file:
                async for piece in reading:
                    await asyncio.to_thread(file.write, piece)
            unfinished.replace(path)
        finally:
            await reading.close()

    async def settle(self, names: Collection[str]) -> None:
        """They are durable."""

    def delete(self, name: str) -> None:
        if not self._closed:
            self._deletions.submit(self._delete, name)

    async def left_behind(self) -> list[str]:
        """See :meth:`Contents.left_behind`; asked again before :data:`LISTING_SECONDS` have passed, it says nothing.

        What could not be deleted is tried again.
        """
        undeleted, self.undeleted = self.undeleted, set()
        for name in sorted(undeleted):
            self.delete(name)
        now = self._clock()
        if self._listing_due is not None and now < self._listing_due:
            return []
        try:
            names = await Line(self._transfers).do(self.bucket.names)
        except ContentsUnreachable as error:
            # What is swept besides does not wait until there is a way.
            log.warning("what may be left behind is looked for later: %s", error)
            return []
        self._listing_due = now + LISTING_SECONDS
        makers = {name: maker_of(name) for name in sorted(names)}
        dead = {maker for maker in set(makers.values()) if maker and not self._is_alive(maker)}
        return [name for name, maker in makers.items() if maker in dead]

    async def sizes(self) -> dict[str, int]:
        names = await Line(self._transfers).do(self.bucket.names)
        return {name: size for name, size in names.items() if is_finished(name)}

    def close(self) -> None:
        """Begin nothing more. What was to be deleted, and is not yet, whoever comes next finds."""
        self._closed = True
        for threads in (self._transfers, self._deletions):
            threads.shutdown(wait=False, cancel_futures=True)

    def _delete(self, name: str) -> None:
        """Delete an object, or what was uploaded of one that was not finished."""
        try:
            if name.endswith(UNFINISHED):
                self.bucket.abort_uploads(name.removesuffix(UNFINISHED))
            self.bucket.delete(name)
        except StoreError as error:
            log.warning("%s is not deleted yet: %s", name, error)
            self.undeleted.add(name)


def part_bytes_for(most_bytes: int) -> int:
    """How large the parts of contents are of which the largest has ``most_bytes``."""
    least = -(-most_bytes // MOST_PARTS)
    return max(LEAST_PART_BYTES, -(-least // MIB) * MIB)
