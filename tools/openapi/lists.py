"""The options of lists as OpenAPI describes them: once for all, and referred to by each list."""

from __future__ import annotations

from typing import Any

from resphere.contract.model import AnyOperation
from resphere.queries.lists import listing_of
from resphere.queries.options import FULL, MOST_SKIPPED, MOST_TOP
from resphere.queries.tokens import MOST_CHARACTERS


def text(words: str, example: str) -> tuple[str, dict[str, Any]]:
    """An option that is text."""
    return words, {"type": "string", "maxLength": MOST_CHARACTERS, "examples": [example]}


def number(words: str, least: int, most: int) -> tuple[str, dict[str, Any]]:
    """An option that is a whole number."""
    return words, {"type": "integer", "minimum": least, "maximum": most}


def choice(words: str) -> tuple[str, dict[str, Any]]:
    """An option that is true or false."""
    return words, {"type": "boolean"}


WORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "$filter": text("Only the items that this condition of OData is true of.", "name eq 'web-001'"),
    "$orderby": text("The fields that the items are in order of, each with desc where it descends.", "name desc"),
    "$select": text("The fields that are told of each item, and no others.", "name"),
    "$top": number("How many items a page has at most; the header Link leads to the next one.", 1, MOST_TOP),
    "$skip": number("How many items are passed over.", 0, MOST_SKIPPED),
    "$count": choice("Whether the header Resphere-Count says how many items match."),
    "$skiptoken": text("Where to go on: what the page before has as Resphere-Cursor.", "WzEsInZtLTEiXQ"),
    FULL: choice("Whether each item is what get of the service answers; fields and order go by that then."),
}


def options() -> dict[str, dict[str, Any]]:
    """The parameters, by the names that lists refer to them by."""
    return {
        component(name): {"name": name, "in": "query", "required": False, "description": words, "schema": schema}
        for name, (words, schema) in WORDS.items()
    }


def component(name: str) -> str:
    """The name of an option among the components."""
    return f"list.{name.removeprefix('$')}"


def headers() -> dict[str, dict[str, Any]]:
    """What replies say of a list beside it."""
    return {
        "Resphere-Count": {"description": "How many items match, with $count", "schema": {"type": "integer"}},
        "Resphere-Cursor": {"description": "The $skiptoken of the next page", "schema": {"type": "string"}},
        "Link": {"description": "The address of the next page, as rel=next", "schema": {"type": "string"}},
    }


def options_of(operation: AnyOperation) -> tuple[str, ...]:
    """The components of the options that an operation takes; none where it is no list."""
    listing = listing_of(operation)
    if listing is None:
        return ()
    return tuple(component(name) for name in WORDS if name != FULL or listing.getter is not None)
