"""``cmd.exe`` of a simulated Windows guest: its own commands on the guest's files, joined by ``&``, ``&&``, ``||``.

What it does not support it says on its error output, and ends with 1. ``scope.status`` is its error level, which some
commands leave as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from resphere.contract.errors import VapiError
from resphere.providers.simulator.guest.context import Context, Stream
from resphere.providers.simulator.guest.programs import PROGRAMS

_TOKEN = re.compile(
    r'"[^"]*(?:"|\Z)|&&|\|\||(?<![^\s&|])[0-9]>>?(?:&[0-9])?|>>?(?:&[0-9])?|[&|<^]|[^"&|<>^0-9]+|.', re.DOTALL
)
_REDIRECTION = re.compile(r"([0-9]?)(>>|>)(?:&([0-9]))?\Z")
_VARIABLE = re.compile(r"%%|%([0-9*])|%(~)|%([^%\r\n]+)%|%")
_WORD = re.compile(r'(?:"[^"]*(?:"|\Z)|[^\s"])+')

LONGEST_LINE = 8191
UNKNOWN_COMMAND = 9009
DEPTH = 8

ALIASES = {
    "md": "mkdir",
    "chdir": "cd",
    "del": "rm",
    "erase": "rm",
    "copy": "cp",
    "move": "mv",
    "type": "cat",
    "dir": "ls",
}
SWITCHES = {
    "del": {"/q", "/f"},
    "erase": {"/q", "/f"},
    "copy": {"/y", "/b", "/v"},
    "move": {"/y"},
    "dir": {"/b"},
    "cd": {"/d"},
    "chdir": {"/d"},
    "rd": {"/s", "/q"},
    "rmdir": {"/s", "/q"},
    "timeout": {"/t", "/nobreak"},
}
"""What each command takes; of what stands in neither table there is none."""

OTHERS = {"timeout": "sleep", "vmtoolsd": "vmtoolsd"}
"""Those that take their arguments as programs of POSIX do."""
KNOWN = frozenset({*ALIASES, "mkdir", "cd", "hostname", "whoami"})
UNSUPPORTED = frozenset(
    {"assoc", "choice", "color", "date", "find", "findstr", "for", "ftype", "goto", "if", "mklink", "path", "pause",
     "popd", "powershell", "prompt", "pushd", "ren", "rename", "robocopy", "shift", "start", "time", "ver", "vol",
     "xcopy"}
)  # fmt: skip
"""Commands of Windows that a script may rely on: it ends where it comes to one."""


def run_cmd_exe(context: Context, arguments: str) -> int:
    """Run ``cmd.exe`` with its arguments: what stands behind ``/c``, or nothing."""
    found = re.match(r"\s*((?:/[a-z](?::\w+)?\s*)*?)/[ck](?=\W|\Z|\w)(.*)\Z", arguments, re.IGNORECASE | re.DOTALL)
    if found is None:
        return _unsupported(context, "cmd.exe without /c") if arguments.strip() else 0
    return run_line(context, _outer_quotes_off(found[2]))


def run_line(context: Context, line: str, *, batch: tuple[str, ...] = (), depth: int = 0) -> int:
    """Run a line; returns the error level that it leaves.

    ``batch``: where it stands in a batch file, that file's path and arguments.
    """
    if depth > DEPTH:
        return context.complain("cmd", "too deeply nested")
    scope = context.scope
    if len(line) > LONGEST_LINE:
        scope.status = context.complain("cmd", "The input line is too long.")
        return scope.status
    expanded = _expanded(context, line, batch)
    if expanded is None:
        return _unsupported(context, "%~")
    commands = _commands(expanded)
    if commands is None:
        return _unsupported(context, "pipes, '<', '^' and blocks")
    result = 0
    for connector, tokens in commands:
        if (connector == "&&" and result) or (connector == "||" and not result):
            continue
        result = _run(context, tokens, batch, depth)
        if scope.exited is not None:
            scope.status = scope.exited
            break
    return scope.status


def run_batch(context: Context, path: str, arguments: list[str], depth: int = 0) -> int:
    """Run a batch file; returns the error level at its end."""
    data = context.tree.read(context.tree.file(context.absolute(path))[1])
    context.count_bytes(len(data))
    for line in data.decode("utf-8", "replace").splitlines():
        text = line.strip()
        # A label, or a remark written as one.
        if not text.startswith(":"):
            run_line(context, text, batch=(path, *arguments), depth=depth + 1)
        if context.scope.exited is not None:
            break
    return context.scope.status


def words_of(text: str) -> list[str]:
    """The words of a line, without their quotes."""
    return [found[0].replace('"', "") for found in _WORD.finditer(text)]


def _outer_quotes_off(line: str) -> str:
    text = line.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') % 2 == 0 else text


def _expanded(context: Context, line: str, batch: tuple[str, ...]) -> str | None:
    """The line with the values of its variables; ``None`` where it has a ``%~``."""
    variables = {name.lower(): value for name, value in context.scope.variables.items()}
    variables["errorlevel"] = str(context.scope.status)
    unknown: list[str] = []

    def value(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%" if batch else "%%"
        if found[1] and batch:
            if found[1] == "*":
                return " ".join(batch[1:])
            return batch[int(found[1])] if int(found[1]) < len(batch) else ""
        if found[2] and batch:
            unknown.append(found[0])
        if found[3]:
            return variables.get(found[3].lower(), "" if batch else found[0])
        return found[0]

    expanded = _VARIABLE.sub(value, line)
    return None if unknown else expanded


def _commands(line: str) -> list[tuple[str, list[str]]] | None:
    """The commands of a line as tokens, each with what joins it to the one before; ``None`` where it is more than
    that."""
    commands: list[tuple[str, list[str]]] = []
    connector, tokens = "&", list[str]()
    for token in _TOKEN.findall(line):
        if token in ("|", "<", "^"):
            return None
        if token in ("&", "&&", "||"):
            commands.append((connector, tokens))
            connector, tokens = token, []
        else:
            tokens.append(token)
    commands.append((connector, tokens))
    if any("".join(tokens).lstrip(" \t@").startswith("(") for _, tokens in commands):
        return None
    return [(connector, tokens) for connector, tokens in commands if "".join(tokens).strip()]


def _run(context: Context, tokens: list[str], batch: tuple[str, ...], depth: int) -> int:
    """Run one command; returns what ``&&`` and ``||`` go by."""
    context.count_command()
    outer = dict(context.streams)
    files: list[tuple[str, bool, Stream]] = []
    try:
        command = _redirected(context, tokens, files)
        result = _run_words(context, words_of(command), command, batch, depth) if command else 0
        for path, added, stream in files:
            _put(context, path, added, stream.take())
    except VapiError as error:
        result = context.scope.status = context.complain("cmd", error)
    finally:
        context.streams = outer
    return result


def _redirected(context: Context, tokens: list[str], files: list[tuple[str, bool, Stream]]) -> str:
    """The command without its redirections, which are made."""
    texts = iter(tokens)
    command: list[str] = []
    for token in texts:
        found = _REDIRECTION.match(token)
        if found is None:
            command.append(token)
            continue
        stream = int(found[1] or "1")
        if found[3]:
            context.streams[stream] = context.streams[int(found[3])] if found[3] in "12" else Stream(kept=False)
            continue
        place, rest = _place(texts)
        command.append(rest)
        if place.lower() == "nul":
            context.streams[stream] = Stream(kept=False)
            continue
        path, added = context.absolute(place), found[2] == ">>"
        if not added or context.tree.lookup(path)[1] is None:
            context.tree.write(path, b"")
        context.tree.file(path)
        context.streams[stream] = output = Stream()
        files.append((path, added, output))
    return "".join(command).strip().removeprefix("@").strip()


def _place(tokens: Iterator[str]) -> tuple[str, str]:
    """The path that a redirection goes to, and what follows it."""
    text = ""
    for token in tokens:
        text += token
        found = _WORD.match(text.lstrip())
        # A word that fills the text may go on in the next token.
        if found is not None and found.end() < len(text.lstrip()):
            break
    text = text.lstrip()
    found = _WORD.match(text)
    return (found[0].replace('"', ""), text[found.end() :]) if found is not None else ("", text)


def _put(context: Context, path: str, added: bool, data: bytes) -> None:
    _, node = context.tree.lookup(path)
    if node is None or not data:
        return
    before = context.tree.read(node) if added else b""
    context.count_bytes(len(before) + len(data))
    context.tree.write(path, before + data.replace(b"\n", b"\r\n"))


def _run_words(context: Context, words: list[str], command: str, batch: tuple[str, ...], depth: int) -> int:
    scope = context.scope
    name = words[0].lower().rpartition("\\")[2].removesuffix(".exe")
    rest = command[len(command.split(maxsplit=1)[0]) :].strip()
    if re.match(r"echo[.:(,;/]", name):
        context.say(command[5:])
        return 0
    if name == "echo":
        if rest.lower() not in ("", "on", "off"):
            context.say(rest)
        return 0
    if name in ("rem", "title", "cls", "endlocal") or (name == "setlocal" and not rest):
        return 0
    if name == "set":
        return _set(context, rest)
    if name in UNSUPPORTED or name == "setlocal" or (name == "call" and rest.startswith(":")):
        return _unsupported(context, words[0])
    if name == "exit":
        return _exit(context, words[1:])
    if name in ("rd", "rmdir"):
        result = _remove_directory(context, words[1:])
        scope.status = result or scope.status
        return result
    scope.status = _run_other(context, name, words, command, batch, depth)
    return scope.status


def _run_other(context: Context, name: str, words: list[str], command: str, batch: tuple[str, ...], depth: int) -> int:
    """A command that sets the error level whatever comes of it."""
    if name == "cmd":
        outer, context.scope = context.scope, context.scope.child()
        try:
            return run_cmd_exe(context, command.partition(" ")[2])
        finally:
            context.scope = outer
    called = name == "call"
    if called:
        words = words[1:]
    script = _batch_file(context, words[0]) if words else None
    if script is not None:
        return _call(context, script, words[1:], depth, returns=called or not batch)
    if called:
        return context.complain("cmd", f"'{' '.join(words[:1])}' is not recognized as a batch program.")
    switches = {word.lower() for word in words[1:] if re.fullmatch(r"/\w\S*", word)}
    plain = [word for word in words[1:] if word.lower() not in switches]
    if name in KNOWN or name in OTHERS:
        unknown = sorted(switches - SWITCHES.get(name, set()))
        if unknown:
            return context.complain(name, f"the simulated guest does not support '{unknown[0]}'")
    if name in OTHERS:
        return PROGRAMS[OTHERS[name]](context, plain)
    if name in ("md", "mkdir"):
        return _make_directory(context, plain)
    if name in ("cd", "chdir"):
        return _change_directory(context, plain)
    if name not in KNOWN:
        return context.complain(
            "cmd", f"'{words[0]}' is not recognized as an internal or external command.", UNKNOWN_COMMAND
        )
    if name in ("copy", "move") and len(plain) == 1:
        plain.append(context.scope.directory)
    # No path begins with what programs of POSIX take for a flag.
    return PROGRAMS[ALIASES.get(name, name)](context, ["--", *plain] if plain else [])


def _batch_file(context: Context, word: str) -> str | None:
    """The path of the batch file that a command names, with or without its ending, if it names one."""
    for ending in ("", ".bat", ".cmd"):
        name = f"{word}{ending}"
        if not name.lower().endswith((".bat", ".cmd")):
            continue
        for directory in ("", *(context.scope.variables.get("Path", "").split(";"))):
            path = f"{directory}\\{name}" if directory else name
            try:
                context.tree.file(context.absolute(path))
            except VapiError:
                continue
            return path
    return None


def _call(context: Context, path: str, arguments: list[str], depth: int, *, returns: bool) -> int:
    """Run a batch file from a line. One that calls another without ``call`` ends with it."""
    if depth > DEPTH:
        return context.complain("cmd", "too deeply nested")
    status = run_batch(context, path, arguments, depth + 1)
    if not context.scope.left:
        context.scope.exited = None if returns else status
    return status


def _set(context: Context, rest: str) -> int:
    text = rest.removeprefix('"').removesuffix('"') if rest.startswith('"') else rest
    name, sign, value = text.partition("=")
    if not sign or not name or name.startswith("/"):
        return _unsupported(context, f"set {rest}".strip())
    variables = context.scope.variables
    known = next((each for each in variables if each.lower() == name.lower()), name)
    if value:
        variables[known] = value
    else:
        variables.pop(known, None)
    return 0


def _exit(context: Context, arguments: list[str]) -> int:
    """Leave the batch file with ``/b``, or else ``cmd.exe``."""
    plain = [word for word in arguments if word.lower() != "/b"]
    word = plain[0] if plain else str(context.scope.status)
    code = int(word) if re.fullmatch(r"[+-]?[0-9]{1,9}", word) else 0
    context.scope.exited = code
    context.scope.left = len(plain) == len(arguments)
    return code


def _remove_directory(context: Context, arguments: list[str]) -> int:
    switches = {word.lower() for word in arguments if re.fullmatch(r"/\w\S*", word)}
    plain = [word for word in arguments if word.lower() not in switches]
    unknown = sorted(switches - SWITCHES["rd"])
    if unknown:
        return context.complain("rd", f"the simulated guest does not support '{unknown[0]}'")
    if "/s" not in switches:
        return PROGRAMS["rmdir"](context, ["--", *plain])
    return PROGRAMS["rm"](context, ["-r", "--", *plain])


def _make_directory(context: Context, paths: list[str]) -> int:
    """``md`` makes what is missing above too, and refuses what is there."""
    status = 0 if paths else context.complain("md", "The syntax of the command is incorrect.")
    for path in paths:
        try:
            context.tree.make_directory(context.absolute(path), True)
        except VapiError as error:
            status = context.complain("md", error)
    return status


def _change_directory(context: Context, paths: list[str]) -> int:
    """``cd`` writes where it is, or goes on in another directory."""
    scope = context.scope
    if not paths:
        context.say(scope.directory)
        return 0
    try:
        scope.directory = context.tree.style.write(context.tree.directory(context.absolute(" ".join(paths))))
    except VapiError as error:
        return context.complain("cd", error)
    return 0


def _unsupported(context: Context, what: str) -> int:
    """What would change how the rest runs: it ends here."""
    context.scope.exited = context.scope.status = context.complain(
        "cmd", f"the simulated guest's cmd.exe does not support {what}"
    )
    context.scope.left = True
    return context.scope.status
