"""When this vCenter came to be."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.replica.table import Table

ONLY = "installation"
"""The id of the one there is."""


class FirstStart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an empty store was filled with: the settings that say so, by name, as text.

    ``inventory_sha256`` is of the file's content (hexadecimal), where it was an inventory file.
    """

    settings: dict[str, str]
    inventory_sha256: str | None = None


class LibraryStorage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The storage on which the contents of libraries lie, by its URL; ``endpoint`` is that of the service."""

    url: str
    endpoint: str | None = None
    region: str | None = None


class Installation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The first start on a data directory (aware, in UTC), or the first of a release that notes it.

    ``provider`` is the name of the one whose inventory it is. ``first_start`` is ``None`` where an earlier release
    has filled the store. ``library_storage`` is ``None`` where the contents of libraries lie beside the store.
    """

    kind: ClassVar[str] = "installation"

    id: str = ONLY
    time: datetime
    provider: str = "simulator"
    first_start: FirstStart | None = None
    library_storage: LibraryStorage | None = None


INSTALLATION = Table(cls=Installation)
