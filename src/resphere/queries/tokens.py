"""The words of OData's expressions, each with the character that it begins with. One pass, linear in the text."""

from __future__ import annotations

import re

import msgspec

from resphere.queries.refusals import misread, too_much

MOST_CHARACTERS = 4096
"""Of one option."""
MOST_DEPTH = 16
"""Brackets within brackets."""

WORDS = re.compile(
    r"""(?P<space>[ \t]+)
    | (?P<duration>duration'[^']*')
    | (?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>'(?:[^']|'')*')
    | (?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:]+(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<sign>[(),/:])""",
    re.VERBOSE | re.ASCII,
)


class Token(msgspec.Struct, frozen=True):
    """One word. ``kind`` is the group of :data:`WORDS` that it is; of a sign the sign itself."""

    kind: str
    text: str
    at: int


def tokens(option: str, text: str) -> list[Token]:
    """The words of the text.

    :raises InvalidArgument: it is too long or too deep, or has a character that belongs to no word.
    """
    if len(text) > MOST_CHARACTERS:
        raise too_much(option, f"may have {MOST_CHARACTERS} characters at most, not {len(text)}")
    found: list[Token] = []
    place = depth = 0
    while place < len(text):
        word = WORDS.match(text, place)
        if word is None:
            raise misread(option, place + 1, described(text, place))
        kind = str(word.lastgroup)
        if kind == "sign":
            kind = word[0]
            depth += (kind == "(") - (kind == ")")
            if depth > MOST_DEPTH:
                raise too_much(option, f"may have {MOST_DEPTH} brackets within each other at most")
        if kind != "space":
            found.append(Token(kind, word[0], place + 1))
        place = word.end()
    return found


def described(text: str, place: int) -> str:
    """What is wrong with the character."""
    if text[place] == "'":
        return "the text that begins here has no end: write ' at its end, and '' for one within it"
    if text[place] == '"':
        return "text is written in single quotes: 'web'"
    return f"{text[place]!r} means nothing here"
