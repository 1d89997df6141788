"""The options of a list as they came, and what they mean for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from resphere.contract.model import AnyOperation
from resphere.nearest import meant
from resphere.queries import nodes
from resphere.queries.compiling import Filter, Root, compiled_filter, conjuncts
from resphere.queries.cursors import Cursor, cursor_of, list_key
from resphere.queries.fields import ATTRIBUTES, Shape, fields_of, shape_of
from resphere.queries.grammar import filter_of, orders_of, paths_of
from resphere.queries.lists import Listing, listing_of
from resphere.queries.ordering import Sort, sorts_of
from resphere.queries.refusals import bad_option, too_much
from resphere.queries.selecting import Select, select_of
from resphere.queries.shapes import full_item

FULL = "full"
NAMES = ("$filter", "$select", "$orderby", "$top", "$skip", "$count", "$skiptoken", FULL)
MOST_TOP = 10_000
"""Items of one page."""
MOST_FULL = 1000
"""Of a page that has all of each; more come as further pages, or as a stream."""
MOST_SKIPPED = 10_000_000
LINES = "application/x-ndjson"
"""What lists are sent as one item a line."""

Given = Mapping[str, list[str]]


class Query(msgspec.Struct, frozen=True):
    """What is asked of a list.

    ``filter`` and ``sorts`` are over its own items, ``full_filter`` and ``full_sorts`` over those that have all that
    ``get`` tells of each. ``orderby`` is the text of the sorts, ``of`` what cursors know the list by.
    """

    listing: Listing
    of: int
    orderby: str = ""
    filter: Filter | None = None
    full_filter: Filter | None = None
    sorts: tuple[Sort, ...] = ()
    full_sorts: tuple[Sort, ...] = ()
    select: Select | None = None
    top: int | None = None
    skip: int = 0
    count: bool = False
    cursor: Cursor | None = None
    full: bool = False
    streamed: bool = False

    @property
    def is_paged(self) -> bool:
        """Whether a part of the list is asked for."""
        return self.top is not None or self.skip > 0 or self.cursor is not None

    @property
    def depends_on_more(self) -> bool:
        """Whether the answer follows from more than the list: tags, attributes, the clock, what ``get`` answers."""
        filters = [each for each in (self.filter, self.full_filter) if each is not None]
        selects = self.select is not None and self.select.attributes is not None
        if self.full or self.streamed or selects or any(each.uses_attributes for each in self.sorts):
            return True
        return any(each.uses_tags or each.uses_now for each in filters)

    @property
    def item(self) -> Any:
        """The type of the items that are told."""
        if self.select is not None:
            return self.select.item
        return full_item(self.listing) if self.full else self.listing.item


def is_option(name: str) -> bool:
    """Whether a key of a query is an option of a list, or was to be one."""
    return name.startswith("$") or name == FULL


def understood(operation: AnyOperation, given: Given, streamed: bool = False) -> Query:
    """What the options of a list mean.

    :raises InvalidArgument: naming the option, and the character where that helps.
    """
    unknown = next((name for name in given if name not in NAMES), None)
    if unknown is not None:
        raise bad_option(unknown, f"is no option of a list{meant(unknown, NAMES) or '.'} There are: {', '.join(NAMES)}")
    repeated = next((name for name, values in given.items() if len(values) > 1), None)
    if repeated is not None:
        raise bad_option(repeated, "may be given only once")
    values = {name: value for name, (value,) in given.items()}
    full = flag(values, FULL)
    meaning = meaning_of(
        operation, values.get("$filter", ""), values.get("$orderby", ""), values.get("$select", ""), full
    )
    skip, cursor = whole(values, "$skip", MOST_SKIPPED) or 0, values.get("$skiptoken")
    if cursor is not None and skip:
        raise bad_option("$skip", "does not go with $skiptoken, which says where to go on")
    top = whole(values, "$top", MOST_FULL if full and not streamed else MOST_TOP)
    if top == 0 and "$count" not in values:
        raise bad_option("$top", "0 asks for nothing: give a number from 1, or $count=true too")
    return msgspec.structs.replace(
        meaning,
        top=MOST_FULL if top is None and full and not streamed else top,
        skip=skip,
        count=flag(values, "$count"),
        cursor=None if cursor is None else cursor_of(cursor, meaning.of),
        streamed=streamed,
    )


def flag(values: Mapping[str, str], name: str) -> bool:
    """An option that is true or false, and false where it is not given."""
    value = values.get(name, "false")
    if value not in ("true", "false"):
        raise bad_option(name, f"is true or false, not {value!r}")
    return value == "true"


def whole(values: Mapping[str, str], name: str, most: int) -> int | None:
    """An option that is a whole number from 0."""
    value = values.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isdecimal() or len(value) > len(str(MOST_SKIPPED)):
        raise bad_option(name, f"is a whole number from 0, not {value[:40]!r}")
    if int(value) > most:
        raise too_much(name, f"may be {most} at most, not {value}")
    return int(value)


@lru_cache(maxsize=512)
def meaning_of(operation: AnyOperation, filter: str, orderby: str, select: str, full: bool) -> Query:
    """What these options mean: clients ask for the same again and again. Each text is bounded, and so is what is kept.

    :raises InvalidArgument: naming the option and the character.
    """
    listing = listing_of(operation)
    if listing is None:
        raise LookupError(f"{operation.id} answers no list")
    if full and listing.getter is None:
        raise bad_option(FULL, f"there is no operation that has all of one item of {operation.id}")
    root, whole_root = listing.root, full_root(listing) if full else listing.root
    made = Query(listing, list_key(operation.id, filter, orderby, str(full)), orderby, full=full)
    own, more = divided(filter_of(filter), listing, full) if filter else (None, None)
    sorts: tuple[Sort, ...] = sorts_of(orders_of(orderby), whole_root) if orderby else ()
    return msgspec.structs.replace(
        made,
        filter=None if own is None else compiled_filter(own, root),
        full_filter=None if more is None else compiled_filter(more, whole_root),
        sorts=() if full else sorts,
        full_sorts=sorts if full else (),
        select=select_of(paths_of(select), whole_root) if select else None,
    )


def full_root(listing: Listing) -> Root:
    """The items that have all that ``get`` answers, for filters."""
    item, tagged = full_item(listing), listing.root.tagged_by
    if tagged is not None and not listing.is_map:
        names = {field.encode_name: field.name for field in msgspec.structs.fields(shape_of(item).cls)}
        tagged = f"x.{names[wire_name(listing)]}"
    return msgspec.structs.replace(listing.root, item=item, tagged_by=tagged)


def wire_name(listing: Listing) -> str:
    """The name of the field that tells the items apart."""
    fields = {field.name: field.encode_name for field in msgspec.structs.fields(shape_of(listing.item).cls)}
    return fields[listing.identity or ""]


def divided(
    condition: nodes.Condition, listing: Listing, full: bool
) -> tuple[nodes.Condition | None, nodes.Condition | None]:
    """A filter's part that can be asked of the list's own items, and the rest, that needs all of each.

    Both must hold. A field that has one name and type in both has one value in both.
    """
    if not full:
        return condition, None
    own: list[nodes.Condition] = []
    more: list[nodes.Condition] = []
    shared = shared_names(listing)
    for part in conjuncts(condition):
        (own if names_in(part) <= shared else more).append(part)
    return both(own), both(more)


def both(parts: list[nodes.Condition]) -> nodes.Condition | None:
    """All of the conditions, ``None`` for none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else nodes.Joined("and", tuple(parts))


def shared_names(listing: Listing) -> frozenset[str]:
    """The fields that a list's items have in common with what ``get`` answers of them."""
    shape, full = shape_of(listing.item), shape_of(full_item(listing))
    if listing.is_plain:
        return frozenset()
    mine, others = fields_of(shape.cls), fields_of(full.cls)
    same = {name for name, field in mine.items() if name in others and alike(others[name].shape, field.shape)}
    return frozenset((*same, "key", "tags", ATTRIBUTES))


def alike(one: Shape, other: Shape) -> bool:
    """Whether two fields have values of one type."""
    return one.kind is other.kind and one.cls is other.cls and one.member is other.member


def names_in(condition: nodes.Condition) -> frozenset[str]:
    """The first names of all paths, those of variables among them."""
    match condition:
        case nodes.Joined(_, parts):
            return frozenset().union(*map(names_in, parts))
        case nodes.Not(inner):
            return names_in(inner)
        case nodes.Quantified(path, _, variable, inner, _):
            inside = frozenset() if inner is None else names_in(inner) - {variable}
            return inside | {path.names[0]}
        case nodes.Compare(_, left, right, _):
            return frozenset(each.names[0] for each in (left, right) if isinstance(each, nodes.Path))
        case nodes.Within(path, _, _) | nodes.Search(_, path, _, _) | nodes.Holds(path, _):
            return frozenset((path.names[0],))
    raise TypeError(f"{condition} is no condition")
