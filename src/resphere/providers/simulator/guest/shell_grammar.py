"""The grammar of the simulated shells: lists of pipelines of simple commands with redirections.

No loops, conditions, functions or substitutions: a line that needs one is refused with what is not supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from resphere.providers.simulator.guest.shell_words import (
    REDIRECTIONS,
    Lexer,
    Operator,
    Piece,
    SyntaxFault,
    Word,
    unsupported,
)

KEYWORDS = frozenset(
    {"if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "select", "function",
     "time", "coproc", "{", "}", "[["}
)  # fmt: skip
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=|\+=|\[)")
_STREAMS = frozenset({0, 1, 2})


class Redirection(msgspec.Struct, frozen=True):
    """Where a stream goes: ``target`` is a path, or with ``>&`` another stream's number."""

    stream: int
    operator: str
    target: Word


class Command(msgspec.Struct, frozen=True):
    """A simple command: variables that it sets, its words, its redirections."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]


class Pipeline(msgspec.Struct, frozen=True):
    """Commands, each with the output of the one before as its input."""

    commands: tuple[Command, ...]
    negated: bool


class Chain(msgspec.Struct, frozen=True):
    """Pipelines, each with the ``&&`` or ``||`` before it; the first has ``;``."""

    pipelines: tuple[tuple[str, Pipeline], ...]
    background: bool


def lines(text: str) -> Iterator[tuple[Chain, ...]]:
    """The lines of a text, each once it is asked for: what stands before a fault runs, as in real shells.

    :raises SyntaxFault: a line is none, or none that is supported.
    """
    lexer = Lexer(text)
    while (token := lexer.peek()) is not None:
        if _is(token, "\n"):
            lexer.next()
            continue
        yield tuple(_line(lexer))


def _line(lexer: Lexer) -> Iterator[Chain]:
    while True:
        pipelines = tuple(_pipelines(lexer))
        separator = lexer.next()
        yield Chain(pipelines, background=_is(separator, "&"))
        if separator is None or _is(separator, "\n"):
            return
        if (following := lexer.peek()) is None or _is(following, "\n"):
            lexer.next()
            return


def _pipelines(lexer: Lexer) -> Iterator[tuple[str, Pipeline]]:
    connector = ";"
    while True:
        yield connector, _pipeline(lexer)
        token = lexer.peek()
        if not (isinstance(token, Operator) and token.text in ("&&", "||")):
            return
        connector = token.text
        _pass_operator(lexer)


def _pipeline(lexer: Lexer) -> Pipeline:
    negated = False
    while isinstance(token := lexer.peek(), Word) and token.plain == "!":
        lexer.next()
        negated = not negated
    commands = [_command(lexer)]
    while _is(lexer.peek(), "|"):
        _pass_operator(lexer)
        commands.append(_command(lexer))
    return Pipeline(tuple(commands), negated)


def _pass_operator(lexer: Lexer) -> None:
    """Go over an operator that has its right side on the same line or on a later one."""
    lexer.next()
    while _is(lexer.peek(), "\n"):
        lexer.next()


def _command(lexer: Lexer) -> Command:
    assignments: list[tuple[str, Word]] = []
    words: list[Word] = []
    redirections: list[Redirection] = []
    while (token := lexer.peek()) is not None:
        if isinstance(token, Operator):
            if token.text not in REDIRECTIONS:
                break
            lexer.next()
            redirections.append(_redirection(token, lexer.next()))
            continue
        lexer.next()
        assignment = None if words else assignment_in(token)
        if assignment is not None:
            assignments.append(assignment)
            continue
        if not words and token.plain in KEYWORDS:
            raise unsupported(f"'{token.plain}'")
        words.append(token)
    if not (assignments or words or redirections):
        raise SyntaxFault("unexpected end" if token is None else f"'{token.text}' is unexpected")
    return Command(tuple(assignments), tuple(words), tuple(redirections))


def _redirection(operator: Operator, target: Word | Operator | None) -> Redirection:
    if not isinstance(target, Word):
        raise SyntaxFault(f"nothing after '{operator.text}'")
    stream = operator.stream if operator.stream is not None else 0 if operator.text == "<" else 1
    if stream not in _STREAMS or (operator.text == "<") != (stream == 0):
        raise unsupported(f"redirecting the stream {stream} with '{operator.text}'")
    if operator.text == ">&" and target.plain not in ("1", "2"):
        raise unsupported("'>&' with anything but 1 or 2")
    return Redirection(stream, operator.text, target)


def assignment_in(word: Word) -> tuple[str, Word] | None:
    """The variable that a word sets, and to what, if it sets one."""
    if not word.pieces or word.pieces[0].quoted or word.pieces[0].variable:
        return None
    first = word.pieces[0].text
    found = _ASSIGNMENT.match(first)
    if found is None:
        return None
    name = found[1]
    if found[2] != "=":
        # With a bracket it may be a pattern, but then one of a program that nobody has.
        raise unsupported(f"'{found[0]}'")
    if name == "IFS":
        raise unsupported("another IFS")
    return name, Word((Piece(first[found.end() :]), *word.pieces[1:]))


def _is(token: Word | Operator | None, text: str) -> bool:
    return isinstance(token, Operator) and token.text == text
