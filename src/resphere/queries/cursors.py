"""Where a list goes on: what ``$skiptoken`` holds, opaque to clients.

Without ``$orderby`` a list goes on behind an identifier, which never changes: nothing that is there all the time comes
twice, or not at all. With it the order of the first page is kept (:class:`Orders`), and later pages go on in that,
whatever was renamed meanwhile. Items that nothing tells apart are counted.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Protocol

import msgspec

from resphere.queries.ordering import Column
from resphere.queries.refusals import bad_option

OPTION = "$skiptoken"


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """``of`` is the list that the cursor belongs to. It goes on behind the identifier ``after``, or at the place ``at``
    of the kept ``order``, or of the list itself."""

    of: int
    after: str | None = None
    order: str | None = None
    at: int = 0


class Orders(Protocol):
    """Orders of identifiers that are kept for a while, in all workers, under what they hold."""

    async def keep(self, identifiers: Sequence[str], columns: Sequence[Column]) -> str:
        """Keep the identifiers in the order of these columns; returns its name."""

    async def find(self, name: str) -> Sequence[str] | None:
        """The order of that name, ``None`` where it is kept no more."""


def list_key(*parts: str) -> int:
    """What a list is known by: its operation and the options that make its order and contents."""
    return zlib.crc32("\n".join(parts).encode("utf-8", "surrogateescape"))


def token(cursor: Cursor) -> str:
    """The cursor as text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def cursor_of(text: str, of: int) -> Cursor:
    """The cursor that a text is.

    :raises InvalidArgument: it is none, or one of another list.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        found = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=Cursor)
    except ValueError:
        raise bad_option(OPTION, "must be the text that a former page gave as its next") from None
    if found.of != of or found.at < 0:
        raise bad_option(OPTION, "belongs to another list: go on with the options that the first page was asked with")
    return found


def gone() -> Exception:
    """The refusal of a cursor whose order is kept no more."""
    return bad_option(OPTION, "the order of its first page is kept no more; begin again without it")
