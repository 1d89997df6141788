"""The programs of a simulated POSIX guest. They act on its files, and on nothing else.

An option that they do not have they refuse: a program never ends with 0 without having done what it was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from resphere.contract.errors import InvalidArgument, NotFound, VapiError, message
from resphere.inventory.guest import GuestNode
from resphere.providers.simulator.guest.context import Context
from resphere.providers.simulator.guest.tree import DIRECTORY, SYMLINK

LONGEST_SLEEP_SECONDS = 7 * 24 * 3600.0
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MISUSED = 2

_MODE = re.compile(r"([ugoa]*)([+=-])([rwxX]*)")
_DATE = re.compile(r"%([YmdHMSFTsjyeabAB%])")

Program: TypeAlias = Callable[[Context, list[str]], int]


def reject(context: Context, name: str, what: str, status: int = 1) -> int:
    """Say that a program is asked for what its simulation does not do; returns ``status``."""
    return context.complain(name, f"the simulated guest does not support '{what}'", status)


class UnknownOption(Exception):
    """A program has no such option here."""


def flags_of(arguments: list[str], known: str, long: str = "") -> tuple[set[str], list[str]]:
    """The letters of flags, and the other arguments.

    ``known``: the letters of the program's flags; ``long``: names that mean one of them, such as ``parents:p``.

    :raises UnknownOption: there is another.
    """
    names = dict(pair.split(":") for pair in long.split())
    flags: set[str] = set()
    others: list[str] = []
    for position, argument in enumerate(arguments):
        if argument == "--":
            return flags, [*others, *arguments[position + 1 :]]
        if argument.startswith("--"):
            letters = names.get(argument[2:], "-")
        else:
            letters = argument[1:] if argument.startswith("-") and len(argument) > 1 else ""
            if not letters:
                others.append(argument)
        if not set(letters) <= set(known):
            raise UnknownOption(argument)
        flags |= set(letters)
    return flags, others


def with_flags(
    name: str, known: str, act: Callable[[Context, set[str], list[str]], int], long: str = "", misused: int = 1
) -> Program:
    """A program that takes the flags that it knows, and refuses others."""

    def program(context: Context, arguments: list[str]) -> int:
        try:
            flags, others = flags_of(arguments, known, long)
        except UnknownOption as option:
            return reject(context, name, str(option), misused)
        return act(context, flags, others)

    return program


def each(context: Context, name: str, paths: list[str], act: Callable[[str], None]) -> int:
    """Do ``act`` on each path; 1 where it fails for one or there is none."""
    if not paths:
        return context.complain(name, "missing operand")
    status = 0
    for path in paths:
        try:
            act(context.absolute(path))
        except VapiError as error:
            status = context.complain(name, error)
    return status


def refused(why: str, path: str) -> InvalidArgument:
    """What a program does not do with a path."""
    return InvalidArgument(message("resphere.vm.guest.program", "{0}: {1}.", path, why))


def echo(context: Context, arguments: list[str]) -> int:
    """Write the arguments."""
    words, newline = list(arguments), "\n"
    while words and re.fullmatch(r"-[neE]+", words[0]):
        option = words.pop(0)
        if "e" in option:
            return reject(context, "echo", option)
        newline = "" if "n" in option else newline
    context.write(f"{' '.join(words)}{newline}".encode("utf-8", "surrogateescape"))
    return 0


def cat(context: Context, flags: set[str], paths: list[str]) -> int:
    """Write files, or the input where none is named."""

    def act(path: str) -> None:
        context.write(context.tree.read(context.tree.file(path)[1]))

    status = 0
    for path in paths or ["-"]:
        if path != "-":
            status |= each(context, "cat", [path], act)
            continue
        try:
            context.write(context.read())
        except VapiError as error:
            status = context.complain("cat", error)
    return status


def ls(context: Context, flags: set[str], paths: list[str]) -> int:
    """Write the names in directories; with ``-l`` the permissions and sizes too."""
    files: list[tuple[str, GuestNode]] = []
    directories: list[tuple[str, list[tuple[str, GuestNode]]]] = []

    def look(path: str, shown: str) -> None:
        parts, node = context.tree.find(path, link="l" in flags)
        if node.type is not DIRECTORY or "d" in flags:
            files.append((shown, node))
            return
        entries = [(entry.name, entry) for _, entry in context.tree.children(parts)]
        context.count_paths(len(entries))
        dots = [(".", node), ("..", node)] if "a" in flags else []
        hidden = bool(flags & {"a", "A"})
        directories.append((shown, [*dots, *(e for e in entries if hidden or not e[0].startswith("."))]))

    def write(name: str, node: GuestNode) -> None:
        letter = {DIRECTORY: "d", SYMLINK: "l"}.get(node.type, "-")
        context.say(f"{letter}{node.permissions} {node.size} {name}" if "l" in flags else name)

    status = 0
    for path in paths or ["."]:
        try:
            look(context.absolute(path), path)
        except VapiError as error:
            status = context.complain("ls", error, MISUSED)
    for name, node in sorted(files, key=lambda file: file[0]):
        write(name, node)
    for position, (name, entries) in enumerate(sorted(directories, key=lambda directory: directory[0])):
        if position or files:
            context.say("")
        if len(paths) > 1:
            context.say(f"{name}:")
        for entry, node in entries:
            write(entry, node)
    return status


def touch(context: Context, flags: set[str], paths: list[str]) -> int:
    """Make files, or give them the present time."""

    def act(path: str) -> None:
        if "c" not in flags or context.tree.lookup(path)[1] is not None:
            context.tree.touch(path)

    return each(context, "touch", paths, act)


def mkdir(context: Context, flags: set[str], paths: list[str]) -> int:
    """Make directories."""

    def act(path: str) -> None:
        if "p" in flags:
            try:
                context.tree.directory(path)
            except NotFound:
                context.tree.make_directory(path, True)
        else:
            context.tree.make_directory(path, False)

    return each(context, "mkdir", paths, act)


def rm(context: Context, flags: set[str], paths: list[str]) -> int:
    """Delete files, with ``-r`` directories too."""
    recursive, force = bool(flags & {"r", "R"}), "f" in flags

    def act(path: str) -> None:
        try:
            _, node = context.tree.find(path, link=True)
        except VapiError:
            if force:
                return
            raise
        if node.type is DIRECTORY and recursive:
            context.count_paths(context.tree.count_below(path))
            context.tree.delete_directory(path, True)
        else:
            context.tree.delete_file(path)

    wanted = [path for path in paths if path or not force]
    if not wanted and force:
        return 0
    return each(context, "rm", wanted, act)


def rmdir(context: Context, flags: set[str], paths: list[str]) -> int:
    """Delete empty directories."""
    return each(context, "rmdir", paths, lambda path: context.tree.delete_directory(path, False))


def _into(context: Context, source: str, target: str) -> str:
    """``target``, or where it is a directory the place in it that has ``source``'s name."""
    _, node = context.tree.lookup(target)
    if node is not None and node.type is DIRECTORY:
        return f"{target}{context.tree.style.separator}{context.tree.find(source, link=True)[1].name}"
    return target


def _targets(context: Context, name: str, paths: list[str], act: Callable[[str, str], None]) -> int:
    """Do ``act`` with each path but the last, and where it goes: to the last path, or into it."""
    if len(paths) < 2:
        return context.complain(name, "missing operand")
    try:
        target = context.absolute(paths[-1])
        _, node = context.tree.lookup(target)
    except VapiError as error:
        return context.complain(name, error)
    if len(paths) > 2 and (node is None or node.type is not DIRECTORY):
        return context.complain(name, f"target '{paths[-1]}' is not a directory")

    def act_on(path: str) -> None:
        context.tree.find(path, link=True)
        there = _into(context, path, target)
        if context.tree.lookup(path, link=True)[0] == context.tree.lookup(there, link=True)[0]:
            raise refused(f"is the same as {there}", path)
        act(path, there)

    return each(context, name, paths[:-1], act_on)


def cp(context: Context, flags: set[str], paths: list[str]) -> int:
    """Copy files, with ``-r`` directories too."""

    def copy(path: str, there: str) -> None:
        parts, node = context.tree.find(path)
        if node.type is not DIRECTORY:
            context.tree.copy(node, there)
            return
        if not flags & {"r", "R"}:
            raise refused("is a directory", path)
        to, above = context.tree.lookup(there)
        if to[: len(parts)] == parts:
            raise refused(f"cannot be copied into itself, {there}", path)
        if above is None:
            context.tree.make_directory(there, False)
        context.tree.directory(there)
        for child, _ in list(context.tree.children(parts)):
            context.count_paths(1)
            copy(context.tree.style.write(child), context.tree.style.write((*to, child[-1])))

    return _targets(context, "cp", paths, copy)


def mv(context: Context, flags: set[str], paths: list[str]) -> int:
    """Move files and directories."""

    def move(path: str, there: str) -> None:
        _, node = context.tree.find(path, link=True)
        _, old = context.tree.lookup(there, link=True)
        if node.type is not DIRECTORY:
            context.tree.move_file(path, there, True)
            return
        if old is not None and old.type is DIRECTORY:
            # An empty directory gives way.
            context.tree.delete_directory(there, False)
        context.count_paths(context.tree.count_below(path))
        context.tree.move_directory(path, there)

    return _targets(context, "mv", paths, move)


def chmod(context: Context, arguments: list[str]) -> int:
    """Give files other permissions, in octal or as ``u+x,g-w``."""
    if len(arguments) < 2:
        return context.complain("chmod", "missing operand")
    mode = arguments[0]
    octal = bool(re.fullmatch(r"[0-7]{1,4}", mode))
    if not octal and not all(_MODE.fullmatch(part) for part in mode.split(",")):
        return reject(context, "chmod", mode)

    def act(path: str) -> None:
        _, node = context.tree.find(path)
        permissions = mode.zfill(4) if octal else _changed(node, mode)
        context.tree.change(path, permissions=permissions)

    return each(context, "chmod", arguments[1:], act)


def _changed(node: GuestNode, mode: str) -> str:
    """The permissions of a file after a symbolic change."""
    bits = int(node.permissions, 8)
    for part in mode.split(","):
        who, sign, letters = _MODE.fullmatch(part).groups()  # type: ignore[union-attr]
        executable = node.type is DIRECTORY or bits & 0o111
        digit = sum({"r": 4, "w": 2, "x": 1, "X": 1 if executable else 0}[letter] for letter in set(letters))
        shifts = {"u": 6, "g": 3, "o": 0}
        chosen = [shifts[each] for each in (who.replace("a", "ugo") or "ugo")]
        # Without a letter for whom, the umask's bits stay as they are.
        unmasked = 0o777 if who else 0o755
        given = sum({digit << shift for shift in chosen}) & unmasked
        if sign == "+":
            bits |= given
        elif sign == "-":
            bits &= ~given
        else:
            bits = bits & ~(sum({7 << shift for shift in chosen})) | given
    return f"{bits:04o}"


def sleep(context: Context, arguments: list[str]) -> int:
    """Take so long: seconds, or with a unit."""
    seconds = 0.0
    for word in arguments or [""]:
        found = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([smhd]?)", word)
        if found is None:
            return context.complain("sleep", f"invalid time interval '{word}'")
        seconds += float(found[1]) * UNITS[found[2] or "s"]
    if seconds > LONGEST_SLEEP_SECONDS:
        return context.complain("sleep", f"the simulated guest sleeps {LONGEST_SLEEP_SECONDS:.0f} seconds at most")
    context.slept_seconds += seconds
    return 0


def env(context: Context, arguments: list[str]) -> int:
    """Write the environment."""
    if arguments:
        return reject(context, "env", arguments[0], 125)
    scope = context.scope
    for name in sorted(scope.exported & set(scope.variables)):
        context.say(f"{name}={scope.variables[name]}")
    return 0


def printenv(context: Context, arguments: list[str]) -> int:
    """Write variables of the environment."""
    if not arguments:
        return env(context, arguments)
    if arguments[0].startswith("-"):
        return reject(context, "printenv", arguments[0], MISUSED)
    scope = context.scope
    status = 0
    for name in arguments:
        if name in scope.exported and name in scope.variables:
            context.say(scope.variables[name])
        else:
            status = 1
    return status


def hostname(context: Context, flags: set[str], others: list[str]) -> int:
    """Write the guest's name."""
    if others:
        return reject(context, "hostname", others[0])
    context.say(context.host_name if "f" in flags else context.host_name.partition(".")[0])
    return 0


def date(context: Context, flags: set[str], others: list[str]) -> int:
    """Write the time, by a format such as ``+%Y-%m-%d`` if one is given."""
    if not others:
        context.say(f"{context.now:%a %b %d %H:%M:%S UTC %Y}")
        return 0
    text = others[0]
    if len(others) > 1 or not text.startswith("+") or "%" in _DATE.sub("", text):
        return reject(context, "date", text)
    now = context.now
    context.say(
        _DATE.sub(lambda found: str(int(now.timestamp())) if found[1] == "s" else f"{now:{found[0]}}", text[1:])
    )
    return 0


def ask_tools(context: Context, request: str) -> int:
    """Write what Tools hand out: ``info-get`` and a name."""
    command, _, name = request.strip().partition(" ")
    if command != "info-get" or not name.strip():
        return reject(context, "vmtoolsd", request)
    value = context.told.get(name.strip())
    if value is None:
        return context.complain("vmtoolsd", "No value found")
    context.say(value)
    return 0


def vmtoolsd(context: Context, arguments: list[str]) -> int:
    """Ask Tools by ``--cmd``; as a service it runs already."""
    match arguments:
        case ["--cmd", request]:
            return ask_tools(context, request)
        case [only] if only.startswith("--cmd="):
            return ask_tools(context, only.removeprefix("--cmd="))
        case _:
            return reject(context, "vmtoolsd", " ".join(arguments))


def vmware_rpctool(context: Context, arguments: list[str]) -> int:
    """Ask Tools, in one argument or several."""
    return ask_tools(context, " ".join(arguments))


def one_line(text: Callable[[Context], str]) -> Callable[[Context, set[str], list[str]], int]:
    """What a program does that writes one line, whatever else it is given."""

    def act(context: Context, flags: set[str], others: list[str]) -> int:
        context.say(text(context))
        return 0

    return act


def alone(name: str, act: Callable[[Context, set[str], list[str]], int], known: str) -> Program:
    """A program that takes no arguments but flags."""

    def checked(context: Context, flags: set[str], others: list[str]) -> int:
        return context.complain(name, f"extra operand '{others[0]}'") if others else act(context, flags, others)

    return with_flags(name, known, checked)


PROGRAMS: dict[str, Program] = {
    "cat": with_flags("cat", "u", cat),
    "chmod": chmod,
    "cp": with_flags("cp", "frRp", cp, "force:f recursive:r"),
    "date": with_flags("date", "u", date, "utc:u"),
    "echo": echo,
    "env": env,
    "false": lambda context, arguments: 1,
    "hostname": with_flags("hostname", "sf", hostname, "fqdn:f short:s"),
    "ls": with_flags("ls", "laAd1", ls, "all:a almost-all:A directory:d", misused=MISUSED),
    "mkdir": with_flags("mkdir", "p", mkdir, "parents:p"),
    "mv": with_flags("mv", "f", mv, "force:f"),
    "printenv": printenv,
    "pwd": with_flags("pwd", "LP", one_line(lambda context: context.scope.directory)),
    "rm": with_flags("rm", "rRf", rm, "recursive:r force:f"),
    "rmdir": with_flags("rmdir", "", rmdir),
    "sleep": sleep,
    "touch": with_flags("touch", "c", touch, "no-create:c"),
    "true": lambda context, arguments: 0,
    "vmtoolsd": vmtoolsd,
    "vmware-rpctool": vmware_rpctool,
    "uname": alone("uname", one_line(lambda context: "Linux"), "s"),
    "whoami": alone("whoami", one_line(lambda context: context.user), ""),
}
