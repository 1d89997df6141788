"""States of the inventory that were kept, to be put back later."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.inventory.content.items import LibraryFile
from resphere.inventory.contents import CONTENT
from resphere.replica.table import Table

GUEST_FILE = "guest_file"
"""The index by the large contents of files in guests."""


class SavedState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A state; its name is its ``id``.

    Its documents lie in ``file``, sealed under ``key`` in so many ``pieces``, and are of the ``form`` of documents of
    that number. ``contents`` and ``guest_files`` are the large contents that they name, which stay as long as the state
    does. ``counts`` has how many documents there are of each kind. Times are aware, in UTC.
    """

    kind: ClassVar[str] = "saved_state"

    id: str
    description: str = ""
    created_time: datetime
    form: int
    key: str
    pieces: int
    file: LibraryFile
    contents: tuple[str, ...] = ()
    guest_files: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    restorations: int = 0
    restored_time: datetime | None = None
    written: int = 0
    """How many documents were written, and ``deleted``, when it was restored last."""
    deleted: int = 0


SAVED_STATES = Table(
    cls=SavedState,
    indexes={
        CONTENT: lambda state: (state.file.content, *state.contents),
        GUEST_FILE: lambda state: state.guest_files,
    },
    revises=False,
    restores=True,
)
