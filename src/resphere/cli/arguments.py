"""Reads arguments, and answers wrong ones with what was wrong and what was meant, not with the usage of everything."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NoReturn

from resphere.nearest import meant

CALLED_WRONGLY = 2
MOST_SHOWN = 20
"""Of more names, the nearest alone is told."""


class Parser(argparse.ArgumentParser):
    """A command's arguments. Commands below it refuse what they do not know themselves, each with its own names.

    ``command`` is what was called, such as ``resphere user add``. A command that changes something, or hands it out,
    names the arguments to record, first the object that it is about: ``set_defaults(recorded=("name", "role"))``.

    No flag may be abbreviated: ``--admin-password``, which is none of the flags, would mean ``--admin-password-file``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self.set_defaults(command=self.prog, recorded=None)
        self._commands: argparse._SubParsersAction[Any] | None = None
        self.completions: dict[str, str | tuple[str, ...]] = {}
        """What completes an argument, by its place in the result: words, or a kind of them, such as a noun."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As the standard library's, but for the second part: nothing is left over."""
        given = sys.argv[1:] if args is None else list(args)
        if self._commands is not None:
            for text in takewhile(lambda text: text.startswith("-"), given):
                if text not in self._option_string_actions:
                    self.refuse_unknown(text)
        found, unknown = super().parse_known_args(given, namespace)
        for text in unknown:
            self.refuse_unknown(text)
        return found, []

    @property
    def commands(self) -> dict[str, Parser]:
        """The commands below this one, by name."""
        return dict(self._commands.choices) if self._commands is not None else {}

    def add_subparsers(self, **options: Any) -> argparse._SubParsersAction[Any]:
        """As the standard library's."""
        self._commands = super().add_subparsers(**options)
        return self._commands

    def refuse_unknown(self, text: str) -> NoReturn:
        """Refuse an argument that is none of this command's."""
        name = text.partition("=")[0]
        if not name.startswith("-"):
            self.error(f"there is no argument {name}")
        for below in self._commands.choices.values() if self._commands is not None else ():
            if name in below._option_string_actions:
                self.error(f"{name} stands behind the command: {below.prog} {name}")
        self.error(f"there is no flag {name}{meant(name, self._option_string_actions)}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = [str(choice) for choice in action.choices]
            shown = f", there are {', '.join(names)}" if len(names) <= MOST_SHOWN else ""
            raise argparse.ArgumentError(action, f"there is no {value}{shown}{meant(str(value), names)}")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        self.exit(CALLED_WRONGLY, f"{self.prog}: {message}\n{self.prog} --help says what there is\n")
