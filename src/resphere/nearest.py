"""The name that somebody meant who wrote another one, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LEAST_LIKENESS = 0.6
"""Of 1: two letters that changed places in a short name must be found, and words of which half is another are none."""


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The known name that is most like the given one, in any case of letters; ``None`` where none is.

    The dashes that flags begin with make no likeness.
    """
    by_letters = {letters(name): name for name in known}
    found = difflib.get_close_matches(letters(given), by_letters, 1, LEAST_LIKENESS)
    return by_letters[found[0]] if found else None


def letters(name: str) -> str:
    """What is compared of a name."""
    return name.lstrip("-").casefold()


def meant(given: str, known: Iterable[str]) -> str:
    """``; did you mean --port?``, and nothing where no known name is like the given one."""
    name = nearest(given, known)
    return "" if name is None else f"; did you mean {name}?"
