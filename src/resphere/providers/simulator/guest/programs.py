"""The programs of a simulated POSIX guest. They act on its files, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from resphere.contract.errors import NotFound, VapiError
from resphere.providers.simulator.guest.faults import not_a_file, too_large
from resphere.providers.simulator.guest.tree import DIRECTORY, SYMLINK, Tree

MOST_COMMANDS = 1000
LONGEST_SLEEP_SECONDS = 7 * 24 * 3600.0
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class TooManyCommands(Exception):
    """A process runs more commands than it may."""


class Context:
    """What a program runs in: files, variables, a directory. ``slept_seconds`` is how long it will have slept."""

    def __init__(self, tree: Tree, variables: dict[str, str], directory: str, user: str, host_name: str) -> None:
        self.tree = tree
        self.variables = variables
        self.directory = directory
        self.user = user
        self.host_name = host_name
        self.output = b""
        self.errors = b""
        self.slept_seconds = 0.0
        self.exited: int | None = None
        self._commands = 0

    @property
    def now(self) -> datetime:
        """The moment at which it started."""
        return self.tree.now

    def absolute(self, path: str) -> str:
        """``path`` from the directory that it runs in."""
        style = self.tree.style
        return path if style.is_absolute(path) else f"{self.directory}{style.separator}{path}"

    def write(self, data: bytes) -> None:
        """Write to the output, which is no longer than a program may make it."""
        if len(self.output) + len(data) > self.tree.limits.program_bytes:
            raise too_large("(output)", self.tree.limits.program_bytes)
        self.output += data

    def say(self, text: str) -> None:
        """Write a line."""
        self.write(f"{text}\n".encode("utf-8", "surrogateescape"))

    def count_command(self) -> None:
        """Count a command.

        :raises TooManyCommands: there were more than one process may run: others wait for the server.
        """
        self._commands += 1
        if self._commands > MOST_COMMANDS:
            raise TooManyCommands

    def complain(self, name: str, error: VapiError | str) -> int:
        """Write why something failed; returns the status of that."""
        self.errors += f"{name}: {error}\n".encode("utf-8", "surrogateescape")
        return 1


Program: TypeAlias = Callable[[Context, list[str], bytes], int]


def flags_of(arguments: list[str]) -> tuple[set[str], list[str]]:
    """The letters of short flags, long flags, and the other arguments."""
    flags: set[str] = set()
    others: list[str] = []
    for position, argument in enumerate(arguments):
        if argument == "--":
            return flags, [*others, *arguments[position + 1 :]]
        if argument.startswith("--"):
            flags.add(argument)
        elif argument.startswith("-") and len(argument) > 1:
            flags |= set(argument[1:])
        else:
            others.append(argument)
    return flags, others


def each(context: Context, name: str, paths: list[str], act: Callable[[str], None]) -> int:
    """Do ``act`` on each path; 1 where one failed or there is none."""
    if not paths:
        return context.complain(name, "missing operand")
    status = 0
    for path in paths:
        try:
            act(context.absolute(path))
        except VapiError as error:
            status = context.complain(name, error)
    return status


def echo(context: Context, arguments: list[str], given: bytes) -> int:
    """Write the arguments."""
    if arguments[:1] == ["-n"]:
        context.write(" ".join(arguments[1:]).encode("utf-8", "surrogateescape"))
    else:
        context.say(" ".join(arguments))
    return 0


def cat(context: Context, arguments: list[str], given: bytes) -> int:
    """Write files, or what is given where none is named."""

    def act(path: str) -> None:
        context.write(context.tree.read(context.tree.file(path)[1]))

    _, paths = flags_of(arguments)
    if not paths:
        context.write(given)
        return 0
    return each(context, "cat", paths, act)


def ls(context: Context, arguments: list[str], given: bytes) -> int:
    """Write the names in directories; with ``-l`` the permissions and sizes too."""
    flags, paths = flags_of(arguments)

    def act(path: str) -> None:
        parts, node = context.tree.find(path, link="l" in flags)
        shown = list(context.tree.children(parts)) if node.type is DIRECTORY and "d" not in flags else [(parts, node)]
        for _, entry in shown:
            if entry.name.startswith(".") and "a" not in flags and len(shown) > 1:
                continue
            letter = {DIRECTORY: "d", SYMLINK: "l"}.get(entry.type, "-")
            context.say(f"{letter}{entry.permissions} {entry.size} {entry.name}" if "l" in flags else entry.name)

    return each(context, "ls", paths or ["."], act)


def touch(context: Context, arguments: list[str], given: bytes) -> int:
    """Make files, or give them the present time."""
    return each(context, "touch", flags_of(arguments)[1], context.tree.touch)


def mkdir(context: Context, arguments: list[str], given: bytes) -> int:
    """Make directories."""
    flags, paths = flags_of(arguments)
    parents = bool(flags & {"p", "--parents"})

    def act(path: str) -> None:
        if parents:
            try:
                context.tree.directory(path)
            except NotFound:
                context.tree.make_directory(path, True)
        else:
            context.tree.make_directory(path, False)

    return each(context, "mkdir", paths, act)


def rm(context: Context, arguments: list[str], given: bytes) -> int:
    """Delete files, with ``-r`` directories too."""
    flags, paths = flags_of(arguments)
    recursive, force = bool(flags & {"r", "R", "--recursive"}), bool(flags & {"f", "--force"})

    def act(path: str) -> None:
        _, node = context.tree.lookup(path, link=True)
        if node is None and force:
            return
        if node is not None and node.type is DIRECTORY and recursive:
            context.tree.delete_directory(path, True)
        else:
            context.tree.delete_file(path)

    if not paths and force:
        return 0
    return each(context, "rm", paths, act)


def rmdir(context: Context, arguments: list[str], given: bytes) -> int:
    """Delete empty directories."""
    return each(context, "rmdir", flags_of(arguments)[1], lambda path: context.tree.delete_directory(path, False))


def _into(context: Context, source: str, target: str) -> str:
    """``target``, or where it is a directory the place in it that has ``source``'s name."""
    _, node = context.tree.lookup(target)
    if node is not None and node.type is DIRECTORY:
        return f"{target}{context.tree.style.separator}{context.tree.find(source, link=True)[1].name}"
    return target


def cp(context: Context, arguments: list[str], given: bytes) -> int:
    """Copy files."""
    _, paths = flags_of(arguments)
    if len(paths) < 2:
        return context.complain("cp", "missing operand")
    target = context.absolute(paths[-1])

    def act(path: str) -> None:
        _, node = context.tree.file(path)
        context.tree.copy(node, _into(context, path, target))

    return each(context, "cp", paths[:-1], act)


def mv(context: Context, arguments: list[str], given: bytes) -> int:
    """Move files and directories."""
    _, paths = flags_of(arguments)
    if len(paths) < 2:
        return context.complain("mv", "missing operand")
    target = context.absolute(paths[-1])

    def act(path: str) -> None:
        _, node = context.tree.find(path, link=True)
        there = _into(context, path, target)
        if node.type is DIRECTORY:
            context.tree.move_directory(path, there)
        else:
            context.tree.move_file(path, there, True)

    return each(context, "mv", paths[:-1], act)


def chmod(context: Context, arguments: list[str], given: bytes) -> int:
    """Give files other permissions, in octal or as ``+x``."""
    if len(arguments) < 2:
        return context.complain("chmod", "missing operand")
    mode = arguments[0]

    def act(path: str) -> None:
        _, node = context.tree.find(path)
        if mode.endswith("+x"):
            permissions = f"{int(node.permissions, 8) | 0o111:04o}"
        elif mode and set(mode) <= set("01234567") and len(mode) <= 4:
            permissions = mode.zfill(4)
        else:
            raise not_a_file(f"invalid mode {mode}")
        context.tree.change(path, permissions=permissions)

    return each(context, "chmod", arguments[1:], act)


def sleep(context: Context, arguments: list[str], given: bytes) -> int:
    """Take so long: seconds, or with a unit."""
    try:
        seconds = sum(
            float(word[:-1]) * UNITS[word[-1]] if word[-1:] in UNITS else float(word) for word in arguments or [""]
        )
    except ValueError:
        return context.complain("sleep", "invalid time interval")
    if not 0 <= seconds <= LONGEST_SLEEP_SECONDS:
        return context.complain("sleep", "invalid time interval")
    context.slept_seconds += seconds
    return 0


def cd(context: Context, arguments: list[str], given: bytes) -> int:
    """Go on in another directory."""
    wanted = arguments[0] if arguments else context.variables.get("HOME", "/")
    try:
        context.directory = context.tree.style.write(context.tree.directory(context.absolute(wanted)))
    except VapiError as error:
        return context.complain("cd", error)
    return 0


def leave(context: Context, arguments: list[str], given: bytes) -> int:
    """End the script or line."""
    word = arguments[0] if arguments else context.variables.get("?", "0")
    context.exited = int(word) & 0xFF if word.isdecimal() and len(word) < 10 else 2
    return context.exited


def env(context: Context, arguments: list[str], given: bytes) -> int:
    """Write the environment."""
    for name, value in sorted(context.variables.items()):
        if name.isidentifier():
            context.say(f"{name}={value}")
    return 0


def printenv(context: Context, arguments: list[str], given: bytes) -> int:
    """Write variables of the environment."""
    if not arguments:
        return env(context, arguments, given)
    status = 0
    for name in arguments:
        if name in context.variables:
            context.say(context.variables[name])
        else:
            status = 1
    return status


def hostname(context: Context, arguments: list[str], given: bytes) -> int:
    """Write the guest's name."""
    context.say(context.host_name if "-f" in arguments else context.host_name.partition(".")[0])
    return 0


def say(text: Callable[[Context], str]) -> Program:
    """A program that writes one line."""

    def program(context: Context, arguments: list[str], given: bytes) -> int:
        context.say(text(context))
        return 0

    return program


PROGRAMS: dict[str, Program] = {
    ":": lambda context, arguments, given: 0,
    "cat": cat,
    "cd": cd,
    "chmod": chmod,
    "cp": cp,
    "date": say(lambda context: f"{context.now:%a %b %d %H:%M:%S UTC %Y}"),
    "echo": echo,
    "env": env,
    "exit": leave,
    "false": lambda context, arguments, given: 1,
    "hostname": hostname,
    "ls": ls,
    "mkdir": mkdir,
    "mv": mv,
    "printenv": printenv,
    "pwd": say(lambda context: context.directory),
    "rm": rm,
    "rmdir": rmdir,
    "sleep": sleep,
    "touch": touch,
    "true": lambda context, arguments, given: 0,
    "uname": say(lambda context: "Linux"),
    "whoami": say(lambda context: context.user),
}
