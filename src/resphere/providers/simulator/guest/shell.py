"""The shells of a simulated guest: they run what administrators' tools send, as ``sh`` and ``bash`` do.

What they do not support they say on their error output, and end with status 2: a script never seems to have succeeded
because a part of it was passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from resphere.contract.errors import VapiError
from resphere.providers.simulator.guest.builtins import BUILTINS, UNSUPPORTED_BUILTINS, set_options
from resphere.providers.simulator.guest.context import Context, Scope, Stream
from resphere.providers.simulator.guest.faults import not_a_file
from resphere.providers.simulator.guest.programs import PROGRAMS, refused
from resphere.providers.simulator.guest.shell_expansion import UnsetVariable, expand, value_of
from resphere.providers.simulator.guest.shell_grammar import Chain, Command, Pipeline, Redirection, assignment_in, lines
from resphere.providers.simulator.guest.shell_words import SyntaxFault
from resphere.providers.simulator.guest.tree import DIRECTORY

DEPTH = 8
SHELLS = frozenset({"sh", "bash"})
SYSTEM_FOLDERS = (("usr", "bin"), ("usr", "sbin"))
SYNTAX_FAULT, NOT_EXECUTABLE, NOT_FOUND = 2, 126, 127
_SHEBANG = re.compile(r"#![ \t]*(\S+)(?:[ \t]+(\S.*?))?[ \t]*$")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def run_text(context: Context, text: str, depth: int = 0) -> int:
    """Run a shell's text, line by line; returns the status of its last command, or what it exits with."""
    if depth > DEPTH:
        return context.complain("sh", "too deeply nested", SYNTAX_FAULT)
    try:
        for line in lines(text):
            for chain in line:
                _run_chain(context, chain, depth)
                if context.scope.exited is not None:
                    return context.scope.exited
    except SyntaxFault as fault:
        # What follows would be taken for something else.
        context.scope.exited = context.complain("sh", f"syntax error: {fault}", SYNTAX_FAULT)
        return SYNTAX_FAULT
    return context.scope.status


def _run_chain(context: Context, chain: Chain, depth: int) -> None:
    if chain.background:
        _in_background(context, lambda: _run_pipelines(context, chain, depth))
    else:
        _run_pipelines(context, chain, depth)


def _in_background(context: Context, run: Callable[[], None]) -> None:
    began = context.slept_seconds
    outer, outer_input = context.scope, context.streams[0]
    context.scope, context.streams[0] = outer.child(), Stream()
    try:
        run()
    finally:
        context.scope, context.streams[0] = outer, outer_input
    context.background_seconds = max(context.background_seconds, context.slept_seconds)
    context.slept_seconds = began
    context.scope.status = 0


def _run_pipelines(context: Context, chain: Chain, depth: int) -> None:
    scope = context.scope
    for position, (connector, pipeline) in enumerate(chain.pipelines):
        if (connector == "&&" and scope.status != 0) or (connector == "||" and scope.status == 0):
            continue
        status = _run_pipeline(context, pipeline, depth)
        scope.status = int(not status) if pipeline.negated else status
        last = position == len(chain.pipelines) - 1
        if status and last and not pipeline.negated and "e" in scope.options and scope.exited is None:
            scope.exited = status
        if scope.exited is not None:
            return


def _run_pipeline(context: Context, pipeline: Pipeline, depth: int) -> int:
    if len(pipeline.commands) == 1:
        return _run_command(context, pipeline.commands[0], depth)
    # Each command is a process of its own: it changes nothing of the shell, and all of them run at once.
    outer, outer_input, outer_output = context.scope, context.streams[0], context.streams[1]
    began = ended = context.slept_seconds
    statuses: list[int] = []
    try:
        for command in pipeline.commands:
            last = len(statuses) == len(pipeline.commands) - 1
            context.scope, context.slept_seconds = outer.child(), began
            context.streams[1] = output = outer_output if last else Stream()
            status = _run_command(context, command, depth)
            statuses.append(status if context.scope.exited is None else context.scope.exited)
            ended = max(ended, context.slept_seconds)
            context.streams[0] = output
    finally:
        context.scope, context.slept_seconds = outer, ended
        context.streams[0], context.streams[1] = outer_input, outer_output
    failed = [status for status in statuses if status]
    return failed[-1] if failed and "pipefail" in outer.options else statuses[-1]


def _run_command(context: Context, command: Command, depth: int) -> int:
    context.count_command()
    outer = dict(context.streams)
    files: list[tuple[str, bool, Stream]] = []
    try:
        words = _words(context, command)
        for redirection in command.redirections:
            _redirect(context, redirection, files)
        assigned = {name: value_of(context, word) for name, word in command.assignments}
        if "x" in context.scope.options:
            context.complain("+", " ".join([*(f"{name}={value}" for name, value in assigned.items()), *words]))
        status = _run_words(context, words, assigned, depth)
        for path, added, stream in files:
            _put(context, path, added, stream.take())
    except VapiError as error:
        status = context.complain("sh", error)
    except UnsetVariable as unset:
        context.scope.exited = status = context.complain("sh", f"{unset}: unbound variable")
    finally:
        context.streams = outer
    return status


def _words(context: Context, command: Command) -> list[str]:
    """The words of a command as they are when it runs; what ``export`` sets is one word, whatever is in it."""
    if not command.words or command.words[0].plain != "export":
        return expand(context, command.words)
    words: list[str] = []
    for word in command.words:
        assignment = assignment_in(word)
        words += (
            expand(context, [word]) if assignment is None else [f"{assignment[0]}={value_of(context, assignment[1])}"]
        )
    return words


def _redirect(context: Context, redirection: Redirection, files: list[tuple[str, bool, Stream]]) -> None:
    """Have a stream go where it is to go. A file is there and empty from now on."""
    targets = expand(context, [redirection.target])
    if len(targets) != 1:
        raise refused("ambiguous redirect", " ".join(targets))
    target, operator, streams = targets[0], redirection.operator, context.streams
    if operator == ">&":
        streams[redirection.stream] = streams[int(target)]
    elif target == "/dev/null":
        streams[redirection.stream] = Stream(kept=False)
    elif operator == "<":
        _, node = context.tree.find(context.absolute(target))
        if node.type is DIRECTORY:
            streams[0] = Stream(unreadable=not_a_file(target))
            return
        context.count_bytes(node.size)
        streams[0] = Stream(context.tree.read(node))
    else:
        path, added = context.absolute(target), operator == ">>"
        if not added or context.tree.lookup(path)[1] is None:
            context.tree.write(path, b"")
        context.tree.file(path)
        streams[redirection.stream] = stream = Stream()
        files.append((path, added, stream))


def _put(context: Context, path: str, added: bool, data: bytes) -> None:
    """Write what a command has written into a file, which may be gone by now."""
    _, node = context.tree.lookup(path)
    if node is None or not data:
        return
    before = context.tree.read(node) if added else b""
    context.count_bytes(len(before) + len(data))
    context.tree.write(path, before + data)


def _run_words(context: Context, words: list[str], assigned: dict[str, str], depth: int) -> int:
    scope = context.scope
    if not words:
        scope.variables |= assigned
        return 0
    name, arguments = words[0], words[1:]
    if name in UNSUPPORTED_BUILTINS:
        scope.exited = context.complain("sh", f"the simulated guest's shell does not support '{name}'", SYNTAX_FAULT)
        return SYNTAX_FAULT
    before = {key: scope.variables.get(key) for key in assigned}
    exported = set(scope.exported)
    # What stands before a command is set for that command only.
    scope.variables |= assigned
    scope.exported |= set(assigned)
    try:
        return _run_named(context, name, arguments, depth)
    finally:
        if assigned:
            kept = {key: value for key, value in before.items() if value is not None}
            rest = {key: value for key, value in scope.variables.items() if key not in assigned}
            scope.variables, scope.exported = rest | kept, exported


def _run_named(context: Context, name: str, arguments: list[str], depth: int) -> int:
    if "/" not in name:
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return builtin(context, arguments)
    path = _path_of(context, name)
    if path is None:
        return context.complain("sh", f"{name}: command not found", NOT_FOUND)
    return run_file(context, path, name, arguments, depth)


def _path_of(context: Context, name: str) -> str | None:
    """Where the program of that name is, if it is anywhere."""
    if "/" in name:
        return context.absolute(name)
    for directory in context.scope.variables.get("PATH", "/usr/bin:/bin").split(":"):
        path = f"{directory}/{name}" if directory.startswith("/") else context.absolute(f"{directory or '.'}/{name}")
        try:
            _, node = context.tree.lookup(path)
        except VapiError:
            continue
        if node is not None and node.type is not DIRECTORY:
            return path
    return None


def run_file(context: Context, path: str, name: str, arguments: list[str], depth: int = 0) -> int:
    """Run the program or script at ``path``, which was called ``name``."""
    try:
        parts, node = context.tree.find(path)
    except VapiError:
        return context.complain("sh", f"{name}: No such file or directory", NOT_FOUND)
    if node.type is DIRECTORY:
        return context.complain("sh", f"{name}: Is a directory", NOT_EXECUTABLE)
    if not int(node.permissions, 8) & 0o111:
        return context.complain("sh", f"{name}: Permission denied", NOT_EXECUTABLE)
    if node.size:
        return _run_script_file(context, path, [name, *arguments], depth)
    program = parts[-1]
    if program in SHELLS:
        return _run_shell(context, name, arguments, depth)
    if program == "env" and arguments:
        return _run_env(context, arguments, depth)
    if program in PROGRAMS:
        return PROGRAMS[program](context, arguments)
    if parts[:2] not in SYSTEM_FOLDERS:
        # A script with nothing in it.
        return 0
    return context.complain("sh", f"{name}: the simulated guest does not know this program", NOT_EXECUTABLE)


def _run_script_file(context: Context, path: str, words: list[str], depth: int) -> int:
    """A file that is executed: by the shell that its first line names."""
    text = _text_of(context, path)
    found = _SHEBANG.match(text.partition("\n")[0])
    if found is None:
        return _run_child(context, text, words, set(), depth)
    interpreter, *option = [found[1], *([found[2]] if found[2] else [])]
    name = interpreter.rpartition("/")[2]
    if name == "env" and option:
        name, *option = option[0].split()
    if name not in SHELLS:
        why = f"{words[0]}: the simulated guest has no interpreter {interpreter}"
        return context.complain("sh", why, NOT_EXECUTABLE)
    return _run_shell(context, words[0], [*option, path, *words[1:]], depth)


def _run_shell(context: Context, name: str, arguments: list[str], depth: int) -> int:
    """``sh`` with its arguments: options, then ``-c`` and a text, or a script; else its input is the script."""
    options: set[str] = set()
    rest = list(arguments)
    command = False
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "--"):
        option = rest.pop(0)
        wanted = [rest.pop(0)] if option == "-o" and rest else [letter for letter in option[1:] if letter not in "cl"]
        command = command or ("c" in option[1:] and option != "-o")
        if not set_options(options, wanted):
            return context.complain(name, f"the simulated guest's shell does not support '{option}'", SYNTAX_FAULT)
    if rest and rest[0] in ("-", "--"):
        rest.pop(0)
    if command:
        if not rest:
            return context.complain(name, "-c: option requires an argument", SYNTAX_FAULT)
        return _run_child(context, rest[0], rest[1:] or [name], options, depth)
    if not rest:
        return _run_child(context, context.read().decode("utf-8", "replace"), [name], options, depth)
    try:
        path = context.absolute(rest[0])
        _, node = context.tree.find(path)
    except VapiError:
        return context.complain(name, f"{rest[0]}: No such file or directory", NOT_FOUND)
    if node.type is DIRECTORY:
        return context.complain(name, f"{rest[0]}: Is a directory", NOT_EXECUTABLE)
    return _run_child(context, _text_of(context, path), rest, options, depth)


def _run_env(context: Context, arguments: list[str], depth: int) -> int:
    """``env`` with a command: variables for it, then its name and arguments."""
    rest = list(arguments)
    assigned: dict[str, str] = {}
    while rest and _ASSIGNMENT.match(rest[0]):
        name, _, value = rest.pop(0).partition("=")
        assigned[name] = value
    if rest and rest[0].startswith("-"):
        return context.complain("env", f"the simulated guest does not support '{rest[0]}'", 125)
    outer, scope = context.scope, context.scope.program([])
    scope.variables |= assigned
    scope.exported |= set(assigned)
    context.scope = scope
    try:
        if not rest:
            return PROGRAMS["env"](context, [])
        path = _path_of(context, rest[0])
        if path is None:
            return context.complain("env", f"'{rest[0]}': No such file or directory", NOT_FOUND)
        return run_file(context, path, rest[0], rest[1:], depth)
    finally:
        context.scope = outer


def _run_child(context: Context, text: str, words: list[str], options: set[str], depth: int) -> int:
    """Run a text in a shell of its own, which has ``words``: its name and its arguments."""
    outer: Scope = context.scope
    context.scope = msgspec.structs.replace(outer.program(words), options=options)
    try:
        return run_text(context, text, depth + 1)
    finally:
        context.scope = outer


def _text_of(context: Context, path: str) -> str:
    data = context.tree.read(context.tree.file(path)[1])
    context.count_bytes(len(data))
    return data.decode("utf-8", "replace")
