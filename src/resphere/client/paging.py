"""Lists page by page where the server is resphere, and whole where it is a vCenter, which has no pages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec

from resphere.client.calls import Calls
from resphere.client.errors import NotOffered
from resphere.client.forms import Pairs, form_of
from resphere.client.options import Options
from resphere.client.steps import Flow
from resphere.contract.model import AnyOperation, Struct

CURSOR_HEADER = "resphere-cursor"


class Listing(msgspec.Struct, frozen=True):
    """What of a list is wanted: those that ``filter`` is true of, in the order of ``order_by``, ``limit`` of them at
    most after ``skip`` others, ``page_size`` at a time."""

    filter: str | None = None
    order_by: str | None = None
    skip: int = 0
    limit: int | None = None
    page_size: int = 1000

    @property
    def options(self) -> Pairs:
        """The options of all pages."""
        given = (("$filter", self.filter), ("$orderby", self.order_by))
        return tuple((name, text) for name, text in given if text is not None)


class Place(msgspec.Struct, frozen=True):
    """Where a list goes on: after ``before`` items that were taken, at the ``cursor`` that the page before told."""

    before: int = 0
    cursor: str | None = None


START: Place | None = Place()


class Page(msgspec.Struct, frozen=True):
    """Some items, those of a map with their keys, and where the next ones are; ``None``: there are none."""

    items: tuple[Any, ...]
    next: Place | None


def page(
    calls: Calls, operation: AnyOperation, value: Struct, listing: Listing, place: Place, options: Options
) -> Flow[Page]:
    """The page at a place.

    :raises NotOffered: something of the list is wanted that the server has not.
    """
    if listing.limit is not None and listing.limit <= place.before:
        return Page((), None)
    if not (yield from calls.is_resphere(options)):
        if listing.options:
            raise NotOffered("The server lists all or nothing: a filter or an order of the list is resphere's.")
        everything = yield from calls.call(operation, value, options)
        end = None if listing.limit is None else listing.skip + listing.limit
        return Page(tuple(itertools.islice(items_of(everything), listing.skip, end)), None)
    form = form_of(operation, value)
    asked = (*options.query, *listing.options, *options_at(listing, place))
    response = yield from calls.answered(form, value, msgspec.structs.replace(options, query=asked))
    items = tuple(items_of(form.result(response)))
    taken, cursor = place.before + len(items), response.headers.get(CURSOR_HEADER)
    is_last = cursor is None or (listing.limit is not None and taken >= listing.limit)
    return Page(items, None if is_last else Place(taken, cursor))


def options_at(listing: Listing, place: Place) -> Pairs:
    """The options of the page at a place."""
    size = listing.page_size if listing.limit is None else min(listing.page_size, listing.limit - place.before)
    if place.cursor is not None:
        return ("$top", str(size)), ("$skiptoken", place.cursor)
    return (("$top", str(size)), *((("$skip", str(listing.skip)),) if listing.skip else ()))


def items_of(result: Any) -> Iterator[Any]:
    """The items of a list; of a map, pairs of key and value."""
    return iter(result.items() if isinstance(result, dict) else result)
