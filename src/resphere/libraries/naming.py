"""Which documents name contents of libraries: a content stays as long as one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from resphere.inventory.contents import CONTENT
from resphere.inventory.wiring import WIRING
from resphere.replica.replica import Replica
from resphere.replica.table import Stored, Table

NAMING: tuple[Table[Any], ...] = tuple(table for table in WIRING.tables if CONTENT in table.indexes)
"""The tables of those documents: items and their sessions, disks of machines and of snapshots, files on datastores,
and work under way."""


def is_named(inventory: Replica, name: str) -> bool:
    """Whether any document names the content."""
    return any(inventory.by(table.cls, CONTENT, name) for table in NAMING)


def on_letting_go(inventory: Replica, hear: Callable[[str], None]) -> None:
    """Have ``hear`` told of each content that a document names no more.

    Whoever lets go of the last name, every worker hears of it. Nobody can take it up again: who comes to name a content
    writes a document that has named it, or relies on one.
    """
    for table in NAMING:
        inventory.subscribe(table.cls, partial(_tell, table.indexes[CONTENT], hear))


def _tell(
    names: Callable[[Any], Iterable[str]], hear: Callable[[str], None], old: Stored | None, new: Stored | None
) -> None:
    before = () if old is None else tuple(names(old))
    after = () if new is None or not before else tuple(names(new))
    if before != after:
        for name in set(before).difference(after):
            hear(name)
