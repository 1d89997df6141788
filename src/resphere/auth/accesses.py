"""When sessions and tokens were used last: known at once here, and written down now and then for all workers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

import msgspec

from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Stored

T = TypeVar("T", bound=Stored)

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
"""How many are written in one transaction."""


class Field(msgspec.Struct, Generic[T], frozen=True):
    """Where documents of a class keep their last access."""

    cls: type[T]
    read: Callable[[T], datetime | None]
    write: Callable[[T, datetime], T]


class Accesses(Generic[T]):
    """The last accesses to documents of a class. They are written ``write_after`` the last time that was done."""

    def __init__(self, replica: Replica, field: Field[T], write_after: timedelta) -> None:
        self._replica = replica
        self._field = field
        self.write_after = write_after
        self._last: dict[str, datetime] = {}
        self._due: dict[str, datetime] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, document: T, moment: datetime) -> None:
        """The document is used."""
        self._last[document.id] = moment
        written = self._field.read(document)
        # A moment ahead of the clock was written before the clock went back.
        if written is None or not timedelta() <= moment - written < self.write_after:
            self._due[document.id] = moment
            if self._writing is None:
                self._writing = asyncio.get_running_loop().create_task(self._write())

    def last(self, document: T) -> datetime | None:
        """The latest access that this worker knows of."""
        written, known = self._field.read(document), self._last.get(document.id)
        if written is None or known is None:
            return known or written
        return max(written, known)

    def forget(self, ids: Iterable[str]) -> None:
        """These are no more."""
        for id in ids:
            self._last.pop(id, None)

    def forget_missing(self) -> None:
        """Forget those that another worker has deleted."""
        self.forget([id for id in self._last if self._replica.get(self._field.cls, id) is None])

    async def finish(self) -> None:
        """Wait for what is being written."""
        while self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            while self._due:
                taken = {id: self._due.pop(id) for id in list(islice(self._due, MOST_AT_ONCE))}
                await self._replica.change(partial(self._put, taken))
        except Exception:
            # They go on; at worst they are taken for idle earlier. The cause must be seen.
            log.exception("could not write down when sessions and tokens were used")
        finally:
            self._writing = None

    def _put(self, taken: dict[str, datetime], edit: Edit) -> None:
        for id, moment in taken.items():
            document = edit.get(self._field.cls, id)
            if document is None:
                continue
            written = self._field.read(document)
            if written is None or written < moment or written - moment >= self.write_after:
                edit.put(self._field.write(document, moment))
