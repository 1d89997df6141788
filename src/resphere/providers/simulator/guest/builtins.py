"""What the simulated shells do themselves, and not by a program: their variables, their options, their directory."""

from __future__ import annotations

import re
from collections.abc import Iterable

from resphere.contract.errors import VapiError
from resphere.providers.simulator.guest.context import Context
from resphere.providers.simulator.guest.programs import PROGRAMS, Program, reject

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "pipefail": "pipefail"}
MISUSED = 2

UNSUPPORTED_BUILTINS = frozenset(
    {".", "[", "alias", "bg", "bind", "break", "builtin", "caller", "command", "compgen", "continue", "declare", "dirs",
     "eval", "exec", "fc", "fg", "getopts", "hash", "help", "history", "jobs", "kill", "let", "local", "logout",
     "mapfile", "popd", "printf", "pushd", "read", "readarray", "readonly", "return", "shopt", "source", "test",
     "times", "trap", "type", "typeset", "ulimit", "umask", "unalias"}
)  # fmt: skip
"""Those that a script may rely on, and that are not here: it ends where it comes to one."""


def set_options(options: set[str], wanted: Iterable[str], *, off: bool = False) -> bool:
    """Switch options by their letters or names; whether all are known."""
    for each in wanted:
        letter = OPTIONS.get(each, each)
        if letter not in OPTIONS.values():
            return False
        if off:
            options.discard(letter)
        else:
            options.add(letter)
    return True


def set_(context: Context, arguments: list[str]) -> int:
    """Switch options, and give the script other arguments."""
    scope, rest = context.scope, list(arguments)
    if not rest:
        return _unsupported(context, "'set' without arguments")
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1:
        option = rest.pop(0)
        if option == "--":
            scope.arguments = [*scope.arguments[:1], *rest]
            return 0
        letters = [*option[1:]]
        wanted = [letter for letter in letters if letter != "o"]
        if "o" in letters:
            wanted.append(rest.pop(0) if rest else "o")
        if not set_options(scope.options, wanted, off=option.startswith("+")):
            return _unsupported(context, f"'set {option}'")
    if rest:
        scope.arguments = [*scope.arguments[:1], *rest]
    return 0


def export(context: Context, arguments: list[str]) -> int:
    """Have programs see variables."""
    status = 0
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if argument.startswith("-"):
            return _unsupported(context, f"'export {argument}'")
        if not _NAME.match(name):
            status = context.complain("export", f"'{argument}': not a valid identifier")
            continue
        context.scope.exported.add(name)
        if sign:
            context.scope.variables[name] = value
    return status if arguments else _unsupported(context, "'export' without arguments")


def unset(context: Context, arguments: list[str]) -> int:
    """Take variables away."""
    for name in arguments:
        if name.startswith("-"):
            return _unsupported(context, f"'unset {name}'")
        context.scope.variables.pop(name, None)
        context.scope.exported.discard(name)
    return 0


def shift(context: Context, arguments: list[str]) -> int:
    """Take the script's first arguments away."""
    scope = context.scope
    count = arguments[0] if arguments else "1"
    if not count.isdecimal() or len(count) > 9:
        return context.complain("shift", f"{count}: numeric argument required")
    if int(count) > max(len(scope.arguments) - 1, 0):
        return 1
    scope.arguments = [*scope.arguments[:1], *scope.arguments[1 + int(count) :]]
    return 0


def cd(context: Context, arguments: list[str]) -> int:
    """Go on in another directory."""
    if len(arguments) > 1:
        return context.complain("cd", "too many arguments")
    wanted = arguments[0] if arguments else context.scope.variables.get("HOME", "/")
    if wanted.startswith("-"):
        return _unsupported(context, f"'cd {wanted}'")
    if not wanted:
        return 0
    try:
        context.scope.directory = context.tree.style.write(context.tree.directory(context.absolute(wanted)))
    except VapiError as error:
        return context.complain("cd", error)
    return 0


def leave(context: Context, arguments: list[str]) -> int:
    """End the script."""
    word = arguments[0] if arguments else str(context.scope.status)
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", word):
        context.scope.exited = context.complain("exit", f"{word}: numeric argument required", MISUSED)
        return MISUSED
    if len(arguments) > 1:
        return context.complain("exit", "too many arguments")
    context.scope.exited = int(word) & 0xFF
    return context.scope.exited


def wait(context: Context, arguments: list[str]) -> int:
    """Go on once all that runs in the background has ended."""
    if arguments:
        return reject(context, "wait", arguments[0], 127)
    context.slept_seconds = max(context.slept_seconds, context.background_seconds)
    return 0


def _unsupported(context: Context, what: str) -> int:
    """What would change how the rest of the script runs: it ends here."""
    context.scope.exited = context.complain("sh", f"the simulated guest's shell does not support {what}", MISUSED)
    return MISUSED


BUILTINS: dict[str, Program] = {
    ":": lambda context, arguments: 0,
    "cd": cd,
    "echo": PROGRAMS["echo"],
    "exit": leave,
    "export": export,
    "false": PROGRAMS["false"],
    "pwd": PROGRAMS["pwd"],
    "set": set_,
    "shift": shift,
    "true": PROGRAMS["true"],
    "unset": unset,
    "wait": wait,
}
