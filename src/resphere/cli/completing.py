"""What may stand at the end of a command line that somebody is typing."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from resphere.cli.arguments import Parser

Words = Callable[[str], Iterator[str]]


class Typed:
    """A command line as far as it is typed: the command, the flag whose value comes next, the words behind it."""

    def __init__(self, top: Parser, words: Sequence[str]) -> None:
        self.command = top
        self.flag: argparse.Action | None = None
        self.words: list[str] = []
        self.only_words = False
        for word in words:
            self._take(word)

    def _take(self, word: str) -> None:
        if self.flag is not None:
            self.flag = None
        elif word == "--":
            self.only_words = True
        elif word.startswith("-") and not self.only_words:
            name, equals, _ = word.partition("=")
            action = self.command._option_string_actions.get(name)
            self.flag = action if action is not None and action.nargs != 0 and not equals else None
        elif word in self.command.commands:
            self.command = self.command.commands[word]
        else:
            self.words.append(word)

    def next_word(self) -> argparse.Action | None:
        """The argument that the next word is for."""
        places = [action for action in self.command._actions if not action.option_strings]
        if not places:
            return None
        last = places[-1]
        position = len(self.words)
        return places[position] if position < len(places) else last if last.nargs in ("*", "+") else None


def candidates(top: Parser, words: Sequence[str], begun: str, of_kind: Words) -> list[str]:
    """What may stand where ``begun`` is, behind ``words``; ``of_kind`` are the words of a kind."""
    typed = Typed(top, words)
    if typed.flag is not None:
        found: list[str] = list(values(typed.command, typed.flag, of_kind))
    elif begun.startswith("-") and not typed.only_words:
        found = [name for name in typed.command._option_string_actions if name.startswith("--")]
    elif typed.command.commands:
        found = list(typed.command.commands)
    else:
        action = typed.next_word()
        found = [] if action is None else list(values(typed.command, action, of_kind))
    return sorted({word for word in found if word.startswith(begun)})


def values(command: Parser, action: argparse.Action, of_kind: Words) -> Iterator[str]:
    """What an argument may be."""
    kind = command.completions.get(action.dest)
    if isinstance(kind, tuple):
        yield from kind
    elif kind is not None:
        yield from of_kind(kind)
    elif action.choices is not None:
        yield from map(str, action.choices)
