"""How a shell's command line is taken apart: words with their quotes and variables, and the operators between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

OPERATORS = ("&&", "||", ">>", "2>&1", "2>>", "2>", "1>>", "1>", ">", "<", ";", "|", "&", "\n")
SPACES = " \t\r"


class Word(msgspec.Struct, frozen=True):
    """A word of a command line, without its quotes."""

    text: str
    quoted: bool = False


class Operator(msgspec.Struct, frozen=True):
    """What stands between words."""

    text: str


class SyntaxFault(Exception):
    """A line that is none."""


def split(line: str, variables: Mapping[str, str]) -> Iterator[Word | Operator]:
    """The words and operators of a line for ``sh``, each with its variables as they are when it is reached.

    :raises SyntaxFault: a quote is not closed.
    """
    return _Splitter(line, variables).tokens()


class _Splitter:
    def __init__(self, line: str, variables: Mapping[str, str]) -> None:
        self._line = line
        self._variables = variables
        self._at = 0

    def tokens(self) -> Iterator[Word | Operator]:
        line = self._line
        while self._at < len(line):
            if line[self._at] in SPACES:
                self._at += 1
            elif line[self._at] == "#":
                end = line.find("\n", self._at)
                self._at = len(line) if end < 0 else end
            elif (operator := self._operator()) is not None:
                yield Operator(operator)
            else:
                yield self._word()

    def _operator(self) -> str | None:
        for operator in OPERATORS:
            if self._line.startswith(operator, self._at):
                self._at += len(operator)
                return operator
        return None

    def _word(self) -> Word:
        pieces: list[str] = []
        quoted = False
        while self._at < len(self._line):
            character = self._line[self._at]
            if character in SPACES or character in ";|&<>\n":
                break
            if character == "'":
                quoted = True
                pieces.append(self._single())
            elif character == '"':
                quoted = True
                pieces.append(self._double())
            elif character == "\\" and self._at + 1 < len(self._line):
                pieces.append(self._line[self._at + 1])
                self._at += 2
            elif character == "$":
                pieces.append(self._variable())
            else:
                pieces.append(character)
                self._at += 1
        return Word("".join(pieces), quoted)

    def _single(self) -> str:
        end = self._line.find("'", self._at + 1)
        if end < 0:
            raise SyntaxFault("unterminated quoted string")
        text = self._line[self._at + 1 : end]
        self._at = end + 1
        return text

    def _double(self) -> str:
        pieces: list[str] = []
        self._at += 1
        while self._at < len(self._line):
            character = self._line[self._at]
            if character == '"':
                self._at += 1
                return "".join(pieces)
            if character == "\\" and self._line[self._at + 1 : self._at + 2] in ('"', "\\", "$", "`"):
                pieces.append(self._line[self._at + 1])
                self._at += 2
            elif character == "$":
                pieces.append(self._variable())
            else:
                pieces.append(character)
                self._at += 1
        raise SyntaxFault("unterminated quoted string")

    def _variable(self) -> str:
        """What ``$NAME`` or ``${NAME}`` stands for; a lone ``$`` is itself."""
        rest = self._line[self._at + 1 :]
        if rest.startswith("{") and "}" in rest:
            name = rest[1 : rest.index("}")]
            self._at += len(name) + 3
            return self._variables.get(name, "")
        if rest.startswith("?"):
            self._at += 2
            return self._variables.get("?", "0")
        name = ""
        for character in rest:
            if not (character.isalnum() or character == "_"):
                break
            name += character
        self._at += 1 + len(name)
        return self._variables.get(name, "") if name else "$"
