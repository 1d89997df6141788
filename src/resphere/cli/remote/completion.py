"""``resphere completion``: scripts for shells, which ask this program what may come next."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TypeAlias

from resphere.cli.arguments import Parser
from resphere.cli.completing import candidates
from resphere.cli.remote.calling import OPERATIONS
from resphere.cli.remote.chosen import CONTEXTS
from resphere.cli.remote.connection import connected
from resphere.cli.remote.contexts import read_contexts
from resphere.cli.remote.failing import FAILURES
from resphere.cli.remote.operations import VMWARE, all_ids
from resphere.cli.remote.output import printable
from resphere.cli.remote.resources import NOUNS
from resphere.cli.remote.rows import at, listed

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
LONGEST_SECONDS = 3.0
"""Nobody waits longer for names."""
SCRIPTS = {
    "bash": """\
# resphere completion bash > ~/.local/share/bash-completion/completions/resphere
_resphere() {
    local found
    mapfile -t found < <(resphere completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
    COMPREPLY=()
    local word
    for word in "${found[@]}"; do COMPREPLY+=("$(printf '%q' "$word")"); done
}
complete -o default -F _resphere resphere
""",
    "zsh": """\
#compdef resphere
# resphere completion zsh > ~/.zfunc/_resphere, where fpath has ~/.zfunc
_resphere() {
    local -a found
    found=("${(@f)$(resphere completion words -- "${(@)words[2,CURRENT]}" 2> /dev/null)}")
    if [[ -n "${found[1]}" ]]; then compadd -a found; else _files; fi
}
if [[ "$funcstack[1]" = _resphere ]]; then _resphere "$@"; else compdef _resphere resphere; fi
""",
    "fish": """\
# resphere completion fish > ~/.config/fish/completions/resphere.fish
complete -c resphere -a '(resphere completion words -- (commandline -opc)[2..] (commandline -ct) 2> /dev/null)'
""",
}


def add(commands: Commands) -> None:
    """The command of this module."""
    top = commands.add_parser(
        "completion",
        help="completion for bash, zsh and fish",
        description="Print a script by which a shell completes commands, flags, values, and names of objects: "
        "source <(resphere completion bash)",
    )
    verbs: Commands = top.add_subparsers(required=True, metavar="SHELL")
    for shell in SCRIPTS:
        made = verbs.add_parser(shell, help=f"the script for {shell}", description=f"Print the script for {shell}.")
        made.set_defaults(run=script, shell=shell)
    asked = verbs.add_parser(
        "words", help="what may come next, for those scripts", description="Print what may come next, a word a line."
    )
    asked.add_argument("words", nargs=argparse.REMAINDER, metavar="WORD", help="what is typed, the last one begun")
    asked.set_defaults(run=words)


def script(options: argparse.Namespace) -> int:
    """Print a script."""
    sys.stdout.write(SCRIPTS[options.shell])
    return 0


def words(options: argparse.Namespace) -> int:
    """Print what may come next."""
    typed: Sequence[str] = options.words[1:] if options.words[:1] == ["--"] else options.words
    *behind, begun = typed or [""]
    line = importlib.import_module("resphere.cli.main")  # which loads this module
    top: Parser = line.parser(line.called(behind), behind)

    def of_kind(kind: str) -> Iterator[str]:
        if kind == CONTEXTS:
            yield from read_contexts().contexts
        elif kind == OPERATIONS:
            yield from (id for id in all_ids() if begun.startswith(VMWARE) or not id.startswith(VMWARE))
            yield from (id.removeprefix(VMWARE) for id in all_ids())
        elif kind in NOUNS:
            with suppress(*FAILURES):  # there are no names then, and no room to say why
                yield from names(kind, behind)

    for word in candidates(top, behind, begun, of_kind):
        print(word)
    return 0


def names(kind: str, behind: Sequence[str]) -> Iterator[str]:
    """The names of a noun at the server that is meant so far."""
    noun = NOUNS[kind]
    if noun.parent is not None:
        return
    options = argparse.Namespace(context=None, server=None, as_user=None, ca_file=None, insecure=None)
    for flag, name in pairwise(behind):
        if flag == "--context":
            options.context = name
    options.timeout_seconds = LONGEST_SECONDS
    with connected(options) as connection:
        for row in listed(connection, noun, {}):
            yield printable(str(at(row, noun.label)))
