"""How a shell's text is taken apart: words with their quotes and variables, and the operators between.

Nothing is replaced here: a variable has its value when its command runs.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

SPACES = " \t"
OPERATORS = (
    "<<<", "&>>", "<<-", "&&", "||", ";;", "|&", "&>", ">>", ">&", ">|", "<<", "<&", "<>", "<(", ">(", ";", "|", "&",
    "\n", ">", "<", "(", ")",
)  # fmt: skip
REDIRECTIONS = frozenset({">", ">>", "<", ">&"})
SEPARATORS = frozenset({"&&", "||", ";", "|", "&", "\n"})
_ENDS_WORD = frozenset(" \t\n;|&<>()")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACES = re.compile(r"\{[^{}]*(,|\.\.)[^{}]*\}")


class SyntaxFault(Exception):
    """A text that is no shell's, or one that the simulated shell does not know."""


def unsupported(what: str) -> SyntaxFault:
    """What real shells can do and this one cannot."""
    return SyntaxFault(f"the simulated guest's shell does not support {what}")


class Piece(msgspec.Struct, frozen=True):
    """A part of a word: text as it stands, or where ``variable`` the name of one."""

    text: str
    quoted: bool = False
    variable: bool = False


class Word(msgspec.Struct, frozen=True):
    """A word: its parts in their order."""

    pieces: tuple[Piece, ...]

    @property
    def plain(self) -> str | None:
        """Its text where nothing in it is quoted or a variable."""
        if any(piece.quoted or piece.variable for piece in self.pieces):
            return None
        return "".join(piece.text for piece in self.pieces)


class Operator(msgspec.Struct, frozen=True):
    """What stands between words; ``stream`` is the number before a redirection."""

    text: str
    stream: int | None = None


Token: TypeAlias = Word | Operator


class Lexer:
    """The tokens of a text, one after the other. Its methods raise :class:`SyntaxFault`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ahead: Token | None = None

    def peek(self) -> Token | None:
        """The next token, which stays the next; ``None`` at the end."""
        if self._ahead is None:
            self._ahead = self._token()
        return self._ahead

    def next(self) -> Token | None:
        """The next token; ``None`` at the end."""
        token, self._ahead = self.peek(), None
        return token

    def _token(self) -> Token | None:
        text = self._text
        while self._at < len(text):
            if text[self._at] in SPACES:
                self._at += 1
            elif text.startswith("\\\n", self._at):
                self._at += 2
            elif text[self._at] == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            else:
                return self._operator() or self._word()
        return None

    def _operator(self, stream: int | None = None) -> Operator | None:
        for operator in OPERATORS:
            if self._text.startswith(operator, self._at):
                if operator not in REDIRECTIONS and operator not in SEPARATORS:
                    raise unsupported(f"'{operator}'")
                self._at += len(operator)
                return Operator(operator, stream)
        return None

    def _word(self) -> Token:
        pieces: list[Piece] = []
        while self._at < len(self._text) and (character := self._text[self._at]) not in _ENDS_WORD:
            if character == "'":
                pieces.append(Piece(self._single(), quoted=True))
            elif character == '"':
                pieces += self._double()
            elif character == "\\":
                escaped = self._text[self._at + 1 : self._at + 2]
                if escaped != "\n":
                    pieces.append(Piece(escaped or "\\", quoted=True))
                self._at += 2
            elif character == "$":
                pieces.append(self._variable(quoted=False))
            elif character == "`":
                raise unsupported("substitutions")
            else:
                pieces.append(Piece(self._plain()))
        word = Word(tuple(pieces))
        plain = word.plain
        if plain is not None and plain.isdecimal() and self._text[self._at : self._at + 1] in ("<", ">"):
            operator = self._operator(int(plain)) if len(plain) == 1 else None
            if operator is None:
                raise unsupported(f"the stream {plain}")
            return operator
        if _BRACES.search("".join("\0" if piece.quoted or piece.variable else piece.text for piece in pieces)):
            raise unsupported("lists in braces")
        return word

    def _plain(self) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _ENDS_WORD | {"'", '"', "\\", "$", "`"}:
            self._at += 1
        return self._text[start : self._at]

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise SyntaxFault("unterminated quoted string")
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        return text

    def _double(self) -> list[Piece]:
        pieces: list[Piece] = []
        self._at += 1
        start = self._at
        while self._at < len(self._text):
            character = self._text[self._at]
            if character not in '"\\$`':
                self._at += 1
                continue
            if start < self._at:
                pieces.append(Piece(self._text[start : self._at], quoted=True))
            if character == '"':
                self._at += 1
                # An empty string in quotes is a word, too.
                return pieces or [Piece("", quoted=True)]
            if character == "`":
                raise unsupported("substitutions")
            if character == "$":
                pieces.append(self._variable(quoted=True))
                start = self._at
                continue
            escaped = self._text[self._at + 1 : self._at + 2]
            # Before any other character the backslash itself is meant.
            start = self._at + (2 if escaped == "\n" else 1 if escaped and escaped in '"\\$`' else 0)
            self._at += 2
        raise SyntaxFault("unterminated quoted string")

    def _variable(self, *, quoted: bool) -> Piece:
        """What begins with a ``$``, which alone is itself."""
        text, at = self._text, self._at + 1
        following = text[at : at + 1]
        if following == "(" or (following in ("'", '"') and following and not quoted):
            raise unsupported(f"'${following}'")
        if following == "{":
            end = text.find("}", at)
            name = text[at + 1 : end] if end > 0 else ""
            if not (_NAME.fullmatch(name) or name.isdecimal() or (len(name) == 1 and name in "?#@*$")):
                raise unsupported(f"'${{{name}}}'")
            self._at = end + 1
            return Piece(name, quoted, variable=True)
        found = _NAME.match(text, at)
        if found is None and not (following and following in "?#@*$0123456789"):
            if following and following in "!-_[":
                raise unsupported(f"'${following}'")
            self._at = at
            return Piece("$", quoted)
        name = found[0] if found is not None else following
        self._at = at + len(name)
        return Piece(name, quoted, variable=True)
