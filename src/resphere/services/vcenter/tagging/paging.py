"""Lists that are read page by page, without anybody keeping a place in them.

A marker holds the filter and names the last document that was shown. Unfiltered pages go along the shelves of the
kind's index (see :mod:`resphere.inventory.tagging`), so that a page costs what it holds; what is created or deleted
between two pages moves nothing else from one to another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TypeVar

import msgspec

from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.model import LocalizableMessage
from resphere.inventory.tagging import SHELVES, Attachment, Category, Tag, shelf_of
from resphere.replica.table import Reading
from resphere.services.checks.paging import state_of, token

D = TypeVar("D", Category, Tag, Attachment)
Named = TypeVar("Named", Category, Tag)

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 1000


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A place in a list: behind the document ``after``, among those with one of ``names`` (``None``: among all)."""

    after: str
    names: tuple[str, ...] | None = None


class InvalidMarker(ValueError):
    """The marker is none of ours."""


def write_marker(place: Position) -> str:
    """The marker of a place."""
    return token(place)


def read_marker(marker: str) -> Position:
    """The place that a marker stands for.

    :raises InvalidMarker: it is none of ours.
    """
    try:
        return state_of(marker, Position)
    except ValueError as error:
        raise InvalidMarker(marker) from error


def unknown_marker(marker: str | None) -> LocalizableMessage:
    """What is said of a marker that is none of ours."""
    return message("resphere.tagging.unknown_marker", "iterate.marker: '{0}' is of no earlier page.", marker)


def all_after(inventory: Reading, cls: type[D], after: str) -> Iterator[D]:
    """All documents of the kind behind the id ``after`` (empty: from the beginning)."""
    first = int(shelf_of(after)) if after else 0
    for shelf in range(first, SHELVES):
        found = inventory.by(cls, "shelf", str(shelf))
        for id in sorted(found):
            if not after or shelf > first or id > after:
                yield found[id]


def named_after(inventory: Reading, cls: type[Named], names: Collection[str], after: str) -> Iterator[Named]:
    """The documents with one of ``names`` behind the id ``after``."""
    found = {id: document for name in set(names) for id, document in inventory.by(cls, "name", name).items()}
    return (found[id] for id in sorted(found) if id > after)


def cut(documents: Iterator[D], size: int, names: tuple[str, ...] | None = None) -> tuple[list[D], str | None]:
    """The next ``size`` documents, and the marker of what follows; ``None`` where nothing does."""
    shown = list(islice(documents, size))
    more = bool(shown) and next(documents, None) is not None
    return shown, write_marker(Position(shown[-1].id, names)) if more else None


def page(
    inventory: Reading, cls: type[Named], names: Collection[str] | None, marker: str | None, size: int | None
) -> tuple[list[Named], str | None]:
    """A page of categories or tags, all or with one of ``names``, and the marker of the next.

    :raises InvalidArgument: a marker and a filter, or a page of nothing, were asked for.
    :raises NotFound: the marker is none of ours.
    """
    limit = DEFAULT_PAGE_SIZE if size is None else min(size, LARGEST_PAGE_SIZE)
    if limit < 1:
        raise InvalidArgument(message("resphere.tagging.invalid_page_size", "iterate.page_size: must be at least 1."))
    if marker and names is not None:
        raise InvalidArgument(
            message("resphere.tagging.marker_with_filter", "iterate.marker: cannot be given together with a filter.")
        )
    try:
        place = read_marker(marker) if marker else Position("", None if names is None else tuple(sorted(names)))
    except InvalidMarker:
        raise NotFound(unknown_marker(marker)) from None
    if place.names is None:
        return cut(all_after(inventory, cls, place.after), limit)
    return cut(named_after(inventory, cls, place.names, place.after), limit, place.names)
