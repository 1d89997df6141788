"""How options of lists are refused: which one, at which character, what would do."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.errors import InvalidArgument, message
from resphere.nearest import meant

MOST_NAMED = 30
"""Fields or values that one message lists."""


def misread(option: str, at: int, words: str) -> InvalidArgument:
    """The text means nothing."""
    return InvalidArgument(message("resphere.lists.syntax", "{0}, character {1}: {2}", option, at, words))


def no_such_field(option: str, at: int, name: str, place: str, known: Iterable[str]) -> InvalidArgument:
    """There is no such field; ``place`` is what it was looked for in."""
    names = sorted(known)
    return InvalidArgument(
        message(
            "resphere.lists.no_field",
            "{0}, character {1}: {2} has no field {3}{4} Its fields: {5}.",
            option,
            at,
            place,
            name,
            meant(name, names) or ".",
            listed(names),
        )
    )


def unfit(option: str, at: int, words: str) -> InvalidArgument:
    """A value or operator that does not fit the field."""
    return InvalidArgument(message("resphere.lists.type", "{0}, character {1}: {2}", option, at, words))


def too_much(option: str, words: str) -> InvalidArgument:
    """More than one request may ask for."""
    return InvalidArgument(message("resphere.lists.too_much", "{0}: {1}", option, words))


def bad_option(option: str, words: str) -> InvalidArgument:
    """An option whose value is wrong as a whole."""
    return InvalidArgument(message("resphere.lists.option", "{0}: {1}", option, words))


def listed(names: Iterable[str]) -> str:
    """Names with commas between them, not too many."""
    known = list(names)
    more = len(known) - MOST_NAMED
    return ", ".join(known[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
