"""An object in the making."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from resphere.store.base import Judge, Look, as_it_is
from resphere.store.buckets.bucket import Bucket
from resphere.store.buckets.jobs import Line, ended
from resphere.store.contents import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef


class WritingObject:
    """A :class:`~resphere.store.base.Writing`: one part is on its way while the next is gathered.

    ``delete`` deletes an object, or what there is of an unfinished one, and fails of nothing; it may wait.
    """

    def __init__(
        self, bucket: Bucket, line: Line, name: str, part_bytes: int, delete: Callable[[str], None], look: Look
    ) -> None:
        self.name = name
        self.size_bytes = 0
        self._bucket = bucket
        self._line = line
        self._part_bytes = part_bytes
        self._delete = delete
        self._look = look
        self._part = bytearray()
        self._sending: Future[None] | None = None
        self._upload: str | None = None
        self._parts: list[CompletedPartTypeDef] = []
        self._begun = False
        self._finished = False

    async def __aenter__(self) -> WritingObject:
        return self

    async def write(self, piece: bytes) -> None:
        """See :meth:`Writing.write`.

        :raises ContentsUnreachable: it cannot be sent.
        """
        self.size_bytes += len(piece)
        rest = memoryview(piece)
        while rest:
            room = self._part_bytes - len(self._part)
            self._part += rest[:room]
            rest = rest[room:]
            if len(self._part) == self._part_bytes:
                await self._send()

    async def finish(self, *, settled: bool = True, check: Judge = as_it_is) -> None:
        """See :meth:`Writing.finish`; it is durable in any case.

        :raises ContentsUnreachable: it cannot be sent.
        """
        self._begun = True
        await self._sent()
        await self._line.do(partial(self._end, check))
        self._finished = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._begun and not self._finished:
            # Behind what is under way, and whether that tells of its success or not.
            self._line.put(self._give_up)

    async def _send(self) -> None:
        part, self._part = self._part, bytearray()
        self._begun = True
        await self._sent()
        self._sending = self._line.put(partial(self._send_part, part))

    async def _sent(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            await ended(sending)

    def _send_part(self, part: bytearray) -> None:
        self._look(part)
        self._upload_part(part)

    def _upload_part(self, part: bytearray) -> None:
        if self._upload is None:
            # Whoever finds this looks for what was uploaded, also where no answer to the next call came.
            self._bucket.put(self.name + UNFINISHED, b"")
            self._upload = self._bucket.begin_upload(self.name)
        number = len(self._parts) + 1
        self._parts.append(self._bucket.upload_part(self.name, self._upload, number, part))

    def _end(self, check: Judge) -> None:
        self._look(self._part)
        check()
        if self._upload is None:
            self._bucket.put(self.name, self._part)
            return
        if self._part:
            self._upload_part(self._part)
        self._bucket.end_upload(self.name, self._upload, self._parts, self.size_bytes)
        self._delete(self.name + UNFINISHED)

    def _give_up(self) -> None:
        self._delete(self.name + UNFINISHED)
        self._delete(self.name)
