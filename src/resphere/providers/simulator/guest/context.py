"""What a program of a simulated guest runs in: files, streams, a shell's state, and how much work it may make."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from resphere.contract.errors import UnableToAllocateResource, VapiError, message
from resphere.providers.simulator.guest.faults import file_not_found, too_large
from resphere.providers.simulator.guest.tree import Tree

MOST_COMMANDS = 1000
MOST_PATHS = 2000
"""Files and directories that one process works on."""

MOST_BYTES = 32 * 1024 * 1024
"""What one process reads and writes in all."""


class TooMuchWork(Exception):
    """A process would work longer than others may wait for the server."""


class Stream:
    """Bytes that a command reads or writes; those that nobody will read are not kept.

    ``unreadable``: why it cannot be read, as a directory cannot.
    """

    def __init__(self, data: bytes = b"", *, kept: bool = True, unreadable: VapiError | None = None) -> None:
        self._data = bytearray(data)
        self._kept = kept
        self._unreadable = unreadable

    def write(self, data: bytes, most_bytes: int) -> None:
        """Add to it.

        :raises InvalidArgument: it would be longer than ``most_bytes``.
        """
        if not self._kept:
            return
        if len(self._data) + len(data) > most_bytes:
            raise too_large("(output)", most_bytes)
        self._data += data

    def take(self) -> bytes:
        """All that is in it, which is read thereby."""
        if self._unreadable is not None:
            raise self._unreadable
        data = bytes(self._data)
        self._data.clear()
        return data


class Scope(msgspec.Struct, kw_only=True):
    """What one shell changes for itself and its children, and not for its parent.

    ``exported``: the variables that programs see; ``options``: ``e``, ``u``, ``x``, ``pipefail``; ``left``: of
    ``cmd.exe``, whether it ended as a whole, and not only a batch file.
    """

    variables: dict[str, str]
    exported: set[str]
    directory: str
    arguments: list[str] = []
    options: set[str] = set()
    status: int = 0
    exited: int | None = None
    left: bool = False

    def child(self) -> Scope:
        """The same once more, for a part of the same script that changes nothing outside."""
        return msgspec.structs.replace(
            self,
            variables=dict(self.variables),
            exported=set(self.exported),
            arguments=list(self.arguments),
            options=set(self.options),
        )

    def program(self, arguments: list[str]) -> Scope:
        """What another program starts with: the exported variables, and its name and arguments."""
        return Scope(
            variables={name: self.variables[name] for name in self.exported if name in self.variables},
            exported=set(self.exported),
            directory=self.directory,
            arguments=arguments,
        )


class Context:
    """What a program runs in. ``slept_seconds`` is how long it will have slept.

    ``streams`` are its input (0), output (1) and errors (2). ``told`` is what Tools hand out, by name.
    """

    def __init__(
        self,
        tree: Tree,
        variables: dict[str, str],
        directory: str,
        user: str,
        host_name: str,
        told: Mapping[str, str] | None = None,
    ) -> None:
        self.tree = tree
        self.scope = Scope(variables=variables, exported=set(variables), directory=directory)
        self.user = user
        self.host_name = host_name
        self.told = told or {}
        self.streams = {0: Stream(), 1: Stream(kept=False), 2: Stream(kept=False)}
        self.slept_seconds = 0.0
        self.background_seconds = 0.0
        self._commands = 0
        self._paths = 0
        self._bytes = 0

    @property
    def now(self) -> datetime:
        """The moment at which it started."""
        return self.tree.now

    def absolute(self, path: str) -> str:
        """``path`` from the directory that it runs in. Counts as work.

        :raises NotFound: it is empty.
        :raises TooMuchWork: the process has worked on too many.
        """
        if not path:
            raise file_not_found(path)
        self.count_paths(1)
        style = self.tree.style
        return path if style.is_absolute(path) else f"{self.scope.directory}{style.separator}{path}"

    def read(self) -> bytes:
        """The input, as far as it has not been read."""
        return self.streams[0].take()

    def write(self, data: bytes, stream: int = 1) -> None:
        """Write to the output, which is no longer than a program may make it."""
        self.count_bytes(len(data))
        self.streams[stream].write(data, self.tree.limits.program_bytes)

    def say(self, text: str) -> None:
        """Write a line."""
        self.write(f"{text}\n".encode("utf-8", "surrogateescape"))

    def complain(self, name: str, error: VapiError | str, status: int = 1) -> int:
        """Write why something failed; returns the status of that."""
        self.streams[2].write(f"{name}: {error}\n".encode("utf-8", "surrogateescape"), self.tree.limits.program_bytes)
        return status

    def count_command(self) -> None:
        """Count a command.

        :raises TooMuchWork: there were more than one process may run: others wait for the server.
        """
        self._commands += 1
        if self._commands > MOST_COMMANDS:
            raise TooMuchWork(f"a simulated process runs {MOST_COMMANDS} commands at most")

    def count_paths(self, count: int) -> None:
        """Count files and directories that are worked on.

        :raises TooMuchWork: there were more than one process may work on.
        """
        self._paths += count
        if self._paths > MOST_PATHS:
            raise TooMuchWork(f"a simulated process works on {MOST_PATHS} files at most")

    def count_bytes(self, count: int) -> None:
        """Count bytes that are read or written.

        :raises UnableToAllocateResource: there were more than one process may move.
        """
        self._bytes += count
        if self._bytes > MOST_BYTES:
            raise UnableToAllocateResource(
                message(
                    "resphere.vm.guest.process_bytes",
                    "A simulated process reads and writes {0} bytes at most.",
                    MOST_BYTES,
                )
            )
