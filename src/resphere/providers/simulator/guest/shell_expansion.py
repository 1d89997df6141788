"""What the words of a simulated shell's command stand for: variables, homes, file names."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence

from resphere.contract.errors import VapiError
from resphere.providers.simulator.guest.context import Context
from resphere.providers.simulator.guest.shell_words import Piece, Word, unsupported
from resphere.providers.simulator.guest.tree import DIRECTORY

_BLANK = re.compile(r"[ \t\n]+")

Field = list[tuple[str, bool]]
"""A word in the making: pieces of text, each with whether it was quoted."""


class UnsetVariable(Exception):
    """A variable has no value, and the shell is to end then (``set -u``)."""


def expand(context: Context, words: Sequence[Word]) -> list[str]:
    """The words of a command, each as none, one or many."""
    return [text for word in words for field in _fields(context, word) for text in _names(context, field)]


def value_of(context: Context, word: Word) -> str:
    """What is assigned: neither taken apart at blanks nor taken for a pattern."""
    return "".join(_value(context, piece) if piece.variable else piece.text for piece in _with_home(context, word))


def _value(context: Context, piece: Piece) -> str:
    scope, name = context.scope, piece.text
    if name == "?":
        return str(scope.status)
    if name == "#":
        return str(max(len(scope.arguments) - 1, 0))
    if name == "$":
        return "4100"
    if name in ("@", "*"):
        return " ".join(scope.arguments[1:])
    if name.isdecimal():
        position = int(name) if len(name) < 10 else len(scope.arguments)
        known = position < len(scope.arguments)
        value = scope.arguments[position] if known else ""
    else:
        known = name in scope.variables
        value = scope.variables.get(name, "")
    if not known and "u" in scope.options:
        raise UnsetVariable(name)
    return value


def _with_home(context: Context, word: Word) -> Iterator[Piece]:
    """The pieces of a word, with the home in place of a ``~`` at its beginning."""
    for position, piece in enumerate(word.pieces):
        if position == 0 and piece.text.startswith("~") and not (piece.quoted or piece.variable):
            name, slash, rest = piece.text[1:].partition("/")
            if not slash and len(word.pieces) > 1:
                yield piece
                continue
            if name:
                raise unsupported(f"'{piece.text}'")
            yield Piece(context.scope.variables.get("HOME", "/root"), quoted=True)
            yield Piece(slash + rest)
        else:
            yield piece


def _fields(context: Context, word: Word) -> Iterator[Field]:
    field: Field | None = None
    for piece in _with_home(context, word):
        if not piece.variable:
            if piece.text or piece.quoted:
                field = [*(field or []), (piece.text, piece.quoted)]
        elif piece.quoted and piece.text == "@":
            # "$@" is each argument as a word of its own.
            for position, argument in enumerate(context.scope.arguments[1:]):
                if position and field is not None:
                    yield field
                    field = None
                field = [*(field or []), (argument, True)]
        elif piece.quoted:
            field = [*(field or []), (_value(context, piece), True)]
        else:
            # What is not quoted is taken apart at blanks.
            parts = _BLANK.split(_value(context, piece))
            for position, part in enumerate(parts):
                if position and field is not None:
                    yield field
                    field = None
                if part:
                    field = [*(field or []), (part, False)]
    if field is not None:
        yield field


def _names(context: Context, field: Field) -> list[str]:
    """The files that a pattern names, in the order of their names; the text itself where there is none."""
    text = "".join(part for part, _ in field)
    if not any(set(part) & set("*?[") for part, quoted in field if not quoted):
        return [text]
    pattern = "".join(re.sub(r"([*?[])", r"[\1]", part) if quoted else part for part, quoted in field)
    places = ["/"] if text.startswith("/") else [""]
    for component in _components(pattern):
        places = [name for place in places for name in _matching(context, place, component)]
    return sorted(places) or [text]


def _components(pattern: str) -> list[str]:
    return [component for component in pattern.split("/") if component]


def _matching(context: Context, place: str, component: str) -> list[str]:
    """The paths in a directory, given as it was written, whose names match a part of a pattern."""
    plain = re.sub(r"\[([*?[])\]", r"\1", component)
    try:
        if not set(component) & set("*?["):
            context.tree.find(context.absolute(_joined(place, component)), link=True)
            return [_joined(place, component)]
        parts, node = context.tree.find(context.absolute(place or "."))
    except VapiError:
        return []
    if node.type is not DIRECTORY:
        return []
    matches = re.compile(fnmatch.translate(component.replace("[^", "[!"))).match
    names = [entry.name for _, entry in context.tree.children(parts)]
    context.count_paths(len(names))
    hidden = plain.startswith(".")
    return [_joined(place, name) for name in names if matches(name) and (hidden or not name.startswith("."))]


def _joined(place: str, name: str) -> str:
    return f"{place}{name}" if not place or place.endswith("/") else f"{place}/{name}"
