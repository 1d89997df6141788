"""Copies of whole stores: how an engine makes one while others write, and how it puts one in a place.

A copy is a handful of files with names of the engine's own choice; who makes an archive of them knows no more.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import msgspec

from resphere.store.base import Document


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to a store besides its documents: ``collections`` of contents, and ``keys``, by their names."""

    collections: tuple[str, ...]
    keys: tuple[str, ...]


class CopiedFile(msgspec.Struct, frozen=True):
    """One file of a copy: its ``name``, with ``/`` between folders, and the ``path`` that it can be read at."""

    name: str
    path: Path


class Copy(Protocol):
    """A store as of one moment, for as long as the block lasts that it was made for."""

    @property
    def schema(self) -> int:
        """The number of the engine's own schema."""

    @property
    def epoch(self) -> str:
        """See :attr:`resphere.store.base.Store.epoch`."""

    @property
    def sequence(self) -> int:
        """The last transaction that is in it."""

    @property
    def files(self) -> tuple[CopiedFile, ...]:
        """All that is needed to put it in a place."""

    async def document(self, kind: str, id: str) -> Document | None:
        """A document of it."""

    async def forget_journal(self) -> None:
        """Leave the journal out of it, but for the latest entry: numbers go on from there."""


class Sizes(msgspec.Struct, frozen=True):
    """How much a store takes, in bytes: its journal, and all else."""

    journal: int
    rest: int


class Placing(Protocol):
    """A copy that is to be put in a place. Until :meth:`begin` what was there stays; nobody can open it meanwhile."""

    @property
    def replaces(self) -> bool:
        """Whether there is a store, or what a copy that was not finished has left."""

    @property
    def folder(self) -> Path:
        """Where the copy's files go, by their names."""

    async def begin(self) -> None:
        """See that what is in the folder can take the place, and give up what is there: nobody can open it any more.

        :raises StoreError: it is no copy, is damaged, or of a newer schema; what was there stays.
        """

    async def finish(self, sequence: int, without: Collection[str], *, journal: bool = True) -> None:
        """Have it take the place, without the documents of the kinds ``without``, and without the ``journal`` but for
        its latest entry.

        It goes on from ``sequence`` at least: what was committed after the copy was made had smaller numbers, and none
        is given twice.

        :raises StoreError: it cannot.
        """
