"""``cmd.exe`` of a simulated Windows guest: its own commands on the guest's files, joined by ``&``, ``&&``, ``||``."""

from __future__ import annotations

import re

from resphere.contract.errors import VapiError
from resphere.providers.simulator.guest.programs import PROGRAMS, Context

_JOINED = re.compile(r"(\&\&|\|\||\&)")
_REDIRECTION = re.compile(r'(2?)(>>|>)\s*("[^"]*"|&1|\S+)')
_VARIABLE = re.compile(r"%(\w+)%")
_WORD = re.compile(r'"([^"]*)"|(\S+)')

LONGEST_LINE = 8191
"""Of ``cmd.exe``; what is beyond is lost, as there."""

ALIASES = {
    "md": "mkdir",
    "rd": "rmdir",
    "del": "rm",
    "erase": "rm",
    "copy": "cp",
    "move": "mv",
    "type": "cat",
    "dir": "ls",
}


def run_cmd(context: Context, line: str) -> int:
    """Run what stands behind ``cmd.exe /c``; returns the error level."""
    status, connector = 0, "&"
    for piece in _JOINED.split(_outer_quotes_off(line)[:LONGEST_LINE]):
        if piece in ("&", "&&", "||"):
            connector = piece
            continue
        if not piece.strip() or (connector == "&&" and status) or (connector == "||" and not status):
            continue
        try:
            status = _run(context, piece.strip())
        except VapiError as error:
            status = context.complain("cmd", error)
        if context.exited is not None:
            return context.exited
    return status


def _outer_quotes_off(line: str) -> str:
    text = line.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') % 2 == 0 else text


def _run(context: Context, command: str) -> int:
    context.count_command()
    variables = {name.lower(): value for name, value in context.variables.items()}
    command = _VARIABLE.sub(lambda found: variables.get(found[1].lower(), found[0]), command)
    redirections = _REDIRECTION.findall(command)
    words = _words(_REDIRECTION.sub("", command))
    outer, outer_errors = context.output, context.errors
    context.output, context.errors = b"", b""
    status = _run_words(context, words, _REDIRECTION.sub("", command)) if words else 0
    for stream, mode, place in redirections:
        if place == "&1":
            context.output, context.errors = context.output + context.errors, b""
            continue
        path = context.absolute(place.strip('"'))
        data = context.errors if stream else context.output
        if place.lower() != "nul":
            _, node = context.tree.lookup(path)
            before = context.tree.read(node) if mode == ">>" and node is not None else b""
            context.tree.write(path, before + data.replace(b"\n", b"\r\n"))
        if stream:
            context.errors = b""
        else:
            context.output = b""
    context.output, context.errors = outer + context.output, outer_errors + context.errors
    return status


def _words(text: str) -> list[str]:
    return [found[1] if found[1] is not None else found[2] for found in _WORD.finditer(text)]


def _run_words(context: Context, words: list[str], command: str) -> int:
    name = words[0].lower().rpartition("\\")[2].removesuffix(".exe")
    arguments = words[1:]
    if name == "echo":
        context.say(command.strip()[len(words[0]) :].strip())
        return 0
    if name == "rem":
        return 0
    if name == "cmd":
        return run_cmd(context, command.partition("/c")[2] or command.partition("/C")[2])
    if name == "timeout":
        numbers = [word for word in arguments if word.isdecimal()]
        return PROGRAMS["sleep"](context, numbers[-1:], b"")
    plain = [word for word in arguments if not re.fullmatch(r"/\w(:\S+)?", word)]
    switches = {word.lower() for word in arguments} - {word.lower() for word in plain}
    if name in ("rd", "rmdir") and "/s" in switches:
        return PROGRAMS["rm"](context, ["-r", *plain], b"")
    if name in ("md", "mkdir"):
        return _make_directory(context, plain)
    if name == "exit":
        return PROGRAMS["exit"](context, plain, b"")
    program = PROGRAMS.get(ALIASES.get(name, name)) if name in KNOWN else None
    if program is None:
        context.errors += f"'{words[0]}' is not recognized as an internal or external command.\n".encode()
        return 9009
    return program(context, plain, b"")


def _make_directory(context: Context, paths: list[str]) -> int:
    """``md`` makes what is missing above too, and refuses what is there."""
    status = 0
    for path in paths:
        try:
            context.tree.make_directory(context.absolute(path), True)
        except VapiError as error:
            status = context.complain("md", error)
    return status


KNOWN = frozenset({*ALIASES, "mkdir", "rmdir", "cd", "hostname", "whoami"})
