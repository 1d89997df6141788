"""``resphere``: the command line. It loads what the command that was called needs, and no more: what speaks to a server
loads nothing of ours that serves."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from resphere import __version__
from resphere.cli.arguments import Parser
from resphere.cli.exits import Exit
from resphere.cli.table import COMMANDS, Command

HERE = "resphere.cli."
EPILOG = "`resphere COMMAND --help` says what a command takes; docs/commands.md tells all by task."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status, one of :class:`~resphere.cli.exits.Exit`."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = parser(called(given), given).parse_args(given)
        runner = importlib.import_module(HERE + COMMANDS[options.command.split()[1]].runner)
        status: int = runner.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # As `resphere coverage | head` has it. What is still to be written would complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.NOBODY_READS
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("resphere."):
            raise
        print(f"resphere: {error.name} is not installed; pip install 'resphere[server]' has all of it", file=sys.stderr)
        return Exit.FAILED
    return int(status)


def called(arguments: Sequence[str]) -> set[str]:
    """The commands that are called, or may be: those that stand behind a flag, too, which will be refused."""
    names = {alias: name for name, command in COMMANDS.items() for alias in (name, *command.aliases)}
    first = arguments[:1] if arguments and not arguments[0].startswith("-") else arguments
    return {names[text] for text in first if text in names}


def parser(whole: Collection[str] | None = None, words: Collection[str] | None = None) -> Parser:
    """The command line, with all of the commands of ``whole`` and no more than the names of others, and of nouns all of
    the verbs that ``words`` has; ``None``: with all of all."""
    top = TopParser(prog="resphere", description="The vSphere REST API, on anything: its server, and its command line.")
    top.add_argument("--version", action="version", version=f"resphere {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    loaded = {command.module for name, command in COMMANDS.items() if whole is None or name in whole}
    for name, command in COMMANDS.items():
        if command.module in loaded and (command.noun is None or whole is None or name in whole):
            add(commands, name, command, words)
        else:
            commands.add_parser(name, aliases=command.aliases, help=command.help)
    return top


def add(commands: argparse._SubParsersAction[Any], name: str, command: Command, words: Collection[str] | None) -> None:
    """Add a command by its module, unless that has added it with another one already."""
    if name in commands.choices:
        return
    module = importlib.import_module(HERE + command.module)
    if command.noun is None:
        module.add(commands)
    else:
        module.add_noun(commands, command.noun, words)


class TopParser(Parser):
    """All commands, in groups."""

    def format_help(self) -> str:
        """The commands by what they are about."""
        lines = [f"usage: {self.prog} COMMAND ...", "", str(self.description)]
        width = max(map(len, COMMANDS)) + 2
        for title, group in groupby(COMMANDS.items(), key=lambda item: item[1].group):
            lines += ["", f"{title}:"]
            lines += [f"  {name.ljust(width)}{command.help}" for name, command in group]
        lines += ["", "options:", "  -h, --help     show this", "  --version      show the version", "", EPILOG]
        return "\n".join(lines) + "\n"
