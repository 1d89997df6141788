"""The reference of all commands, as a page and as a manual page: both of the parser that reads them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

import msgspec

from resphere import __version__
from resphere.cli.arguments import Parser
from resphere.cli.exits import Exit
from resphere.cli.main import parser
from resphere.cli.remote.chosen import VARIABLES
from resphere.cli.table import COMMANDS

AS_SERVE = ("serve", "run", "doctor")
"""Commands with a flag for each setting, which has a page of its own."""
COMMON = ("--context", "--server", "--user", "--ca-file", "--insecure", "--timeout", "--output")
"""Flags that all commands have which speak to a server, told once."""
MADE = "<!-- Made by `make docs`; do not edit. -->\n"


class Argument(msgspec.Struct, frozen=True):
    """A word or a flag as it is written, and what it means."""

    written: str
    meaning: str


class Entry(msgspec.Struct, frozen=True):
    """A command that does something."""

    name: str
    words: tuple[Argument, ...]
    flags: tuple[Argument, ...]
    description: str

    @property
    def usage(self) -> str:
        """How it is called."""
        return " ".join((self.name, *(word.written for word in self.words), *(("[FLAGS]",) if self.flags else ())))


def entries(of: Parser) -> Iterator[Entry]:
    """The commands that do something, each once, in the order of help."""
    if of.commands:
        seen: set[str] = set()
        for below in of.commands.values():
            if below.prog not in seen:
                seen.add(below.prog)
                yield from entries(below)
        return
    first = of.prog.split()[1]
    words = [Argument(word(each), meaning(each)) for each in of._actions if not each.option_strings]
    flags = [] if first in AS_SERVE else [Argument(written(each), meaning(each)) for each in told(of)]
    yield Entry(of.prog, tuple(words), tuple(flags), " ".join((of.description or "").split()))


def told(of: Parser) -> list[argparse.Action]:
    """The flags of a command that others do not have."""
    speaks = any("--server" in each.option_strings for each in of._actions)
    left = {"--help", *(COMMON if speaks else ())}
    return [each for each in of._actions if each.option_strings and not left & {*each.option_strings}]


def word(action: argparse.Action) -> str:
    """A word as it is written."""
    name = str(action.metavar or action.dest.upper())
    return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ...", "...": f"{name} ..."}.get(
        str(action.nargs), name
    )


def written(action: argparse.Action) -> str:
    """A flag as it is written, with what it takes."""
    names = ", ".join(action.option_strings)
    if action.nargs == 0:
        return names
    value = str(action.metavar or action.dest.upper())
    return f"{names} {value}" if action.nargs is None else f"{names} [{value} ...]"


def meaning(action: argparse.Action) -> str:
    """What it means."""
    text = (action.help or "").replace("%%", "%")
    return text.replace("%(default)s", str(action.default))


# --- the page --------------------------------------------------------------------------------------------------------


def commands_page(top: Parser) -> Iterator[str]:
    """Every command with its words and flags."""
    yield f"{MADE}# All commands\n\n"
    yield (
        "By task: [the command line](commands.md). Each command says the same with `--help`. What speaks to a server\n"
        "has these flags besides:\n\n"
    )
    yield from argument_rows(common(top))
    for title, group in groupby(COMMANDS, key=lambda name: COMMANDS[name].group):
        yield f"\n## {title.partition(' (')[0]}\n"
        for name in group:
            for entry in entries(top.commands[name]):
                yield f"\n### {entry.name}\n\n`{entry.usage}`\n\n{escaped(entry.description)}\n"
                if name in AS_SERVE:
                    yield "\nIts flags are [the settings](settings.md).\n"
                rows = (*(each for each in entry.words if each.meaning), *entry.flags)
                if rows:
                    yield "\n"
                    yield from argument_rows(rows)


def common(top: Parser) -> list[Argument]:
    """The flags that all commands have which speak to a server."""
    listing = top.commands["vm"].commands["ls"]
    return [Argument(written(each), meaning(each)) for each in listing._actions if {*COMMON} & {*each.option_strings}]


def argument_rows(arguments: Sequence[Argument]) -> Iterator[str]:
    """Arguments as a table."""
    yield "| Argument | Meaning |\n| --- | --- |\n"
    yield from (f"| `{escaped(each.written)}` | {escaped(each.meaning)} |\n" for each in arguments)


def escaped(text: str) -> str:
    """Text for a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def exits_table() -> Iterator[str]:
    """The statuses that commands end with."""
    yield "| Status | Meaning |\n| ---: | --- |\n"
    yield from (f"| {each.value} | {each.meaning} |\n" for each in Exit)


# --- the manual page -------------------------------------------------------------------------------------------------


def manual_page(top: Parser) -> Iterator[str]:
    """The same for ``man resphere``."""
    yield f'.\\" Made by "make docs"; do not edit.\n.TH RESPHERE 1 "" "resphere {__version__}" "User Commands"\n'
    yield ".SH NAME\nresphere \\- the vSphere REST API, on anything: a server, and a command line for any vSphere\n"
    yield ".SH SYNOPSIS\n.B resphere\n.I COMMAND\n[\\fIARGUMENT\\fR ...]\n"
    yield ".SH DESCRIPTION\nSpeaks to servers with VMware vSphere's REST API (release 7.0 U2 and later), and is one.\n"
    yield "Objects are named by name, path (/Datacenter/vm/folder/name), id, and where many are meant by glob.\n"
    yield ".SH COMMON FLAGS\nAll commands that speak to a server have:\n"
    yield from roff_arguments(common(top))
    yield ".SH COMMANDS\n"
    for title, group in groupby(COMMANDS, key=lambda name: COMMANDS[name].group):
        yield f".SS {roff(title)}\n"
        for name in group:
            for entry in entries(top.commands[name]):
                yield f".TP\n.B {roff(entry.usage)}\n{roff(entry.description)}\n"
                if name in AS_SERVE:
                    yield f".B {roff(entry.name)} \\-\\-help\nlists the settings.\n"
                if entry.flags:
                    yield ".RS\n"
                    yield from roff_arguments(entry.flags)
                    yield ".RE\n"
    yield ".SH EXIT STATUS\n"
    yield from (f".TP\n.B {each.value}\n{roff(each.meaning)}\n" for each in Exit)
    yield ".SH ENVIRONMENT\n"
    yield from (f".TP\n.B {name}\n{roff(text.replace('`', ''))}\n" for name, text in VARIABLES)
    yield ".TP\n.B NO_COLOR\nno colors, where it is set to anything\n"
    yield ".SH FILES\n.TP\n.I ~/.config/resphere/contexts.json\nthe servers you work with\n"
    yield ".TP\n.I ~/.config/resphere/secrets.json\nwhat opens them, where no keyring does; mode 0600\n"
    yield ".SH SEE ALSO\n.BR curl (1),\n.BR jq (1)\n"


def roff_arguments(arguments: Sequence[Argument]) -> Iterator[str]:
    """Arguments as a list."""
    yield from (f".TP\n.B {roff(each.written)}\n{roff(each.meaning)}\n" for each in arguments)


def roff(text: str) -> str:
    """Text for the formatter: nothing of it is an order."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


@cache
def command_pages() -> dict[str, str]:
    """File name in ``docs/`` -> text."""
    top = parser()
    return {
        "commands-reference.md": "".join(commands_page(top)),
        "../src/resphere/cli/resphere.1": "".join(manual_page(top)),
    }
