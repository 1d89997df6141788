"""An object that is read."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from botocore.exceptions import BotoCoreError

from resphere.store.base import ContentsUnreachable
from resphere.store.buckets.bucket import Bucket, Found
from resphere.store.buckets.jobs import Line

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
TRIES = 3
"""So often a piece is asked for where connections break off."""


class ReadingObject:
    """A :class:`~resphere.store.base.Reading`: one request for all of it, and another for the rest where a connection
    breaks off, as services do when a slow reader takes nothing for long."""

    def __init__(self, bucket: Bucket, line: Line, name: str, first_byte: int, size_bytes: int | None) -> None:
        self.size_bytes = 0
        self._bucket = bucket
        self._line = line
        self._name = name
        self._next_byte = first_byte
        self._most_bytes = size_bytes
        self._left = 0
        self._tag: str | None = None
        self._found: Found | None = None

    async def begin(self) -> None:
        """Ask for it.

        :raises ContentMissing: there is none.
        :raises ContentsUnreachable: that cannot be told.
        """
        await self._line.do(self._begin)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._left:
            yield await self._line.do(self._read)

    async def close(self) -> None:
        self._line.put(self._let_go)

    def _begin(self) -> None:
        if self._most_bytes == 0:
            self._bucket.size_bytes(self._name)
            return
        last = None if self._most_bytes is None else self._next_byte + self._most_bytes - 1
        self._found = self._bucket.get(self._name, self._next_byte, last)
        if self._found is not None:
            self.size_bytes = self._left = self._found.size_bytes
            self._tag = self._found.tag

    def _read(self) -> bytes:
        for attempt in range(1, TRIES + 1):
            try:
                piece = self._body().body.read(min(self._left, READ_BYTES))
                if not piece:
                    raise self._bucket.failed(EOFError(f"{self._name} ends {self._left} bytes early"))
            except (BotoCoreError, ContentsUnreachable) as error:
                self._let_go()
                if attempt == TRIES:
                    raise self._bucket.failed(error) if isinstance(error, BotoCoreError) else error from None
                log.info("%s is asked for again from byte %d on: %s", self._name, self._next_byte, error)
            else:
                self._next_byte += len(piece)
                self._left -= len(piece)
                return piece
        raise AssertionError("the last attempt returns or raises")

    def _body(self) -> Found:
        if self._found is None:
            last = self._next_byte + self._left - 1
            self._found = self._bucket.get(self._name, self._next_byte, last, self._tag)
            if self._found is None:
                raise self._bucket.failed(EOFError(f"{self._name} ends {self._left} bytes early"))
        return self._found

    def _let_go(self) -> None:
        found, self._found = self._found, None
        if found is not None:
            found.body.close()
