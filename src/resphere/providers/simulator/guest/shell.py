"""The shells of a simulated guest: lists of simple commands with redirections, as administrators' tools send them.

No loops, conditions, pipes of substance or substitutions: a line that needs one ends with status 2, as a line that is
none does in any shell.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resphere.contract.errors import VapiError
from resphere.providers.simulator.guest.programs import PROGRAMS, Context
from resphere.providers.simulator.guest.shell_words import Operator, SyntaxFault, Word, split

KEYWORDS = frozenset({"if", "for", "while", "until", "case", "function", "{", "(", "[["})
MOST_ERROR_BYTES = 1024 * 1024
DEPTH = 8


class Redirections(msgspec.Struct):
    """Where a command's output goes: a path, and whether it is added to what is there."""

    output: tuple[str, bool] | None = None
    errors: tuple[str, bool] | None = None
    joined: bool = False
    input: str | None = None


def run_line(context: Context, line: str, depth: int = 0) -> int:
    """Run a command line; returns the status of its last command. What no redirection takes is in the context."""
    if depth > DEPTH:
        context.errors += b"sh: too deeply nested\n"
        return 2
    status, connector = 0, ";"
    tokens = split(line, context.variables)
    while context.exited is None:
        try:
            command, following = _next_command(tokens)
        except SyntaxFault as fault:
            context.errors += f"sh: syntax error: {fault}\n".encode()
            return 2
        skipped = (connector == "&&" and status != 0) or (connector == "||" and status == 0)
        if command and not skipped:
            status = _run_command(context, command, depth, piped=connector == "|")
            context.variables["?"] = str(status)
        if following is None:
            return status
        connector = following
    return context.exited


def _next_command(tokens: Iterator[Word | Operator]) -> tuple[list[Word | Operator], str | None]:
    """The tokens up to the next operator between commands, and that; ``None`` at the end."""
    command: list[Word | Operator] = []
    for token in tokens:
        if _separates(token):
            return command, token.text
        command.append(token)
    return command, None


def _separates(token: Word | Operator) -> bool:
    return isinstance(token, Operator) and token.text in (";", "&&", "||", "|", "&", "\n")


def _run_command(context: Context, tokens: list[Word | Operator], depth: int, piped: bool) -> int:
    context.count_command()
    outer_output, outer_errors = context.output, context.errors
    given = outer_output if piped else b""
    context.output, context.errors = b"", b""
    try:
        words, redirections = _taken_apart(tokens)
        if redirections.input is not None:
            given = context.tree.read(context.tree.file(context.absolute(redirections.input))[1])
        status = _run_words(context, words, given, depth)
        output, errors = _redirected(context, redirections)
    except SyntaxFault as fault:
        # What follows would be taken for commands.
        context.exited = 2
        status, output, errors = 2, b"", f"sh: syntax error: {fault}\n".encode()
    except VapiError as error:
        status, output, errors = 1, b"", f"sh: {error}\n".encode()
    # What nobody has redirected is not kept: it need not be whole.
    context.output = ((b"" if piped else outer_output) + output)[: context.tree.limits.file_bytes]
    context.errors = (outer_errors + errors)[:MOST_ERROR_BYTES]
    return status


def _taken_apart(tokens: list[Word | Operator]) -> tuple[list[str], Redirections]:
    words: list[str] = []
    redirections = Redirections()
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if isinstance(token, Word):
            if not words and not token.quoted and token.text in KEYWORDS:
                raise SyntaxFault(f"the simulated guest's shell does not know '{token.text}'")
            words.append(token.text)
        elif token.text == "2>&1":
            redirections.joined = True
        else:
            if not rest or not isinstance(rest[0], Word):
                raise SyntaxFault(f"nothing after '{token.text}'")
            place = rest.pop(0).text
            if token.text == "<":
                redirections.input = place
            elif token.text.startswith("2"):
                redirections.errors = (place, token.text == "2>>")
            else:
                redirections.output = (place, token.text.endswith(">>"))
    return words, redirections


def _run_words(context: Context, words: list[str], given: bytes, depth: int) -> int:
    while words and "=" in words[0] and words[0].partition("=")[0].isidentifier():
        name, _, value = words.pop(0).partition("=")
        context.variables[name] = value
    if not words:
        return 0
    name, arguments = words[0], words[1:]
    if name in ("sh", "bash", "/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash"):
        return _run_shell(context, arguments, depth)
    program = PROGRAMS.get(name.rpartition("/")[2])
    if "/" in name:
        _, node = context.tree.lookup(context.absolute(name))
        if node is None:
            context.errors += f"sh: {name}: not found\n".encode()
            return 127
        if node.data:
            return run_script(context, context.absolute(name), arguments, depth)
    if program is None:
        context.errors += f"sh: {name}: not found\n".encode()
        return 127
    return program(context, arguments, given)


def _run_shell(context: Context, arguments: list[str], depth: int) -> int:
    while arguments and arguments[0].startswith("-") and arguments[0] != "-c" and "c" not in arguments[0]:
        arguments = arguments[1:]
    if not arguments:
        return 0
    if arguments[0].startswith("-"):
        status = run_line(context, arguments[1], depth + 1) if len(arguments) > 1 else 2
        context.exited = None
        return status
    return run_script(context, context.absolute(arguments[0]), arguments[1:], depth)


def run_script(context: Context, path: str, arguments: list[str], depth: int = 0) -> int:
    """Run a file of commands."""
    text = context.tree.read(context.tree.file(path)[1]).decode("utf-8", "replace").replace("\r\n", "\n")
    context.variables |= {str(number): value for number, value in enumerate([path, *arguments])}
    # Line by line, so that each sees what those before have set.
    status = 0
    for line in text.split("\n"):
        status = run_line(context, line, depth + 1)
        if context.exited is not None:
            break
    exited, context.exited = context.exited, None
    return status if exited is None else exited


def _redirected(context: Context, redirections: Redirections) -> tuple[bytes, bytes]:
    """Write what goes into files; returns what does not."""
    output, errors = context.output, context.errors
    if redirections.joined:
        output, errors = output + errors, b""
    if redirections.output is not None:
        _put(context, redirections.output, output)
        output = b""
    if redirections.errors is not None:
        _put(context, redirections.errors, errors)
        errors = b""
    return output, errors


def _put(context: Context, place: tuple[str, bool], data: bytes) -> None:
    path, added = context.absolute(place[0]), place[1]
    if path == "/dev/null":
        return
    _, node = context.tree.lookup(path)
    before = context.tree.read(node) if added and node is not None else b""
    context.tree.write(path, before + data)
