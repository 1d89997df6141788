"""What backups are made of, and restored from: the server's doing, which knows its store and its files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

import msgspec

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage
from resphere.recovery.layout import Metadata
from resphere.recovery.record import RestoreJob
from resphere.recovery.sealed import Sink

COMMON, SEAT = "common", "seat"
"""The parts of a backup, by vCenter's names: what a server is and has, and the events that it has told."""
PARTS = (COMMON, SEAT)


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What made an archive: the release of resphere, the engine of the store, the form of its documents, and the
    provider whose they are."""

    made_by: str
    engine: str
    form: int
    provider: str


class ArchiveFailure(Exception):
    """This server cannot make an archive, or restore one; ``message`` says why to whoever asked for it."""

    def __init__(self, why: LocalizableMessage) -> None:
        super().__init__(why.default_message)
        self.message = why


class Taken(Protocol):
    """All that a server keeps, as of one moment, for as long as the block lasts that it was made for."""

    @property
    def description(self) -> Description:
        """What made it."""

    @property
    def size_bytes(self) -> int:
        """About how much :meth:`write` writes."""

    def write(self, sink: Sink) -> None:
        """Write the archive. Blocks, and raises what the sink does.

        :raises ArchiveFailure: a file cannot be read.
        """


class Archives(Protocol):
    """Makes archives of a running server, and puts one in its place."""

    def taking(self, parts: Collection[str], job: str) -> AbstractAsyncContextManager[Taken]:
        """What is kept now, of the ``parts``; the archive names the ``job`` that it is made by.

        :raises ArchiveFailure: it cannot be had.
        """

    async def sizes(self) -> Mapping[str, int]:
        """About how many bytes each of the parts has."""

    async def refusal(self, metadata: Metadata | None = None) -> LocalizableMessage | None:
        """Why this server is none to restore into, or not what ``metadata`` describes; ``None`` where it may be."""

    def receiving(self) -> AbstractContextManager[Sink]:
        """Take an archive in, a plain one. Blocks; what was taken in before is gone.

        :raises ArchiveFailure: there is no room for it.
        """

    async def check(self, parts: Collection[str]) -> None:
        """See that what was taken in is whole, and that this server could start on it.

        :raises ArchiveFailure: says why not.
        """

    async def commit(self, job: RestoreJob) -> None:
        """Have it take the place of what is here: from now on that happens, whoever is killed.

        :raises ArchiveFailure: it cannot; all stays as it is.
        """

    async def discard(self) -> None:
        """Delete what was taken in, unless it is committed."""


def out_of_order(why: str) -> ArchiveFailure:
    """Of this server's own disk or store; the log has more."""
    return ArchiveFailure(message("resphere.recovery.own", "This server cannot do it: {0}.", why))
