"""Lists of roles, privileges and permissions, page by page, in the lexicographical order of their ids.

A marker holds the filter and the last id that was shown: nobody keeps a place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.model import Struct
from resphere.services.checks.paging import state_of, token

F = TypeVar("F", bound=Struct)
V = TypeVar("V")

DEFAULT_PAGE_SIZE = 200
LARGEST_PAGE_SIZE = 1000


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Behind the id ``after``, among those that fit ``filter``, which is JSON."""

    after: str
    filter: msgspec.Raw = msgspec.Raw(b"null")


async def page(
    items: Mapping[str, V],
    filter: F | None,
    cls: type[F],
    fitting: Callable[[F], Awaitable[Callable[[V], bool]]],
    marker: str | None,
    size: int | None,
) -> tuple[list[tuple[str, V]], str | None]:
    """The next items that fit the filter, or that of the marker where none is given, and the marker of what follows.

    :raises InvalidArgument: the marker is none of ours, or a page of nothing was asked for.
    """
    limit = DEFAULT_PAGE_SIZE if size is None else min(size, LARGEST_PAGE_SIZE)
    if limit < 1:
        raise InvalidArgument(
            message("resphere.authorization.invalid_page_size", "iterate.page_size: must be at least 1.")
        )
    after = ""
    if marker:
        after, kept = read_marker(marker, cls)
        filter = kept if filter is None else filter
    fits = await fitting(filter) if filter is not None else always
    shown: list[tuple[str, V]] = []
    for id in sorted(items):
        if id <= after or not fits(items[id]):
            continue
        if len(shown) == limit:
            return shown, write_marker(shown[-1][0], filter)
        shown.append((id, items[id]))
    return shown, None


def always(_: object) -> bool:
    """Whatever it is."""
    return True


def write_marker(after: str, filter: Struct | None) -> str:
    """The marker of a place."""
    place = Place(after, msgspec.Raw(msgspec.json.encode(filter)))
    return token(place)


def read_marker(marker: str, cls: type[F]) -> tuple[str, F | None]:
    """What a marker holds.

    :raises InvalidArgument: it is none of ours.
    """
    try:
        place = state_of(marker, Place)
        return place.after, msgspec.json.decode(place.filter, type=cls | None)
    except ValueError as error:
        raise InvalidArgument(
            message("resphere.authorization.unknown_marker", "iterate.marker: '{0}' is of no earlier page.", marker)
        ) from error
