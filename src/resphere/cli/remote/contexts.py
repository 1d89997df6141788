"""Contexts: the servers that somebody works with, each under a name, in a file of theirs.

What opens a server is not in it: that is in ``secrets``.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from resphere.cli.exits import Ended, Exit
from resphere.nearest import meant

FILE = "contexts.json"
PRIVATE = 0o600


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """A server and who one is there. ``ca_file``: the certificates that vouch for it; unset: the system's. ``keyring``:
    what opens it is in the system's keyring, and not in a file."""

    server: str
    user: str | None = None
    ca_file: str | None = None
    insecure: bool = False
    keyring: bool = False


class Contexts(msgspec.Struct, frozen=True, kw_only=True):
    """All contexts; ``current`` is the one that commands mean which name none."""

    current: str | None = None
    contexts: dict[str, Context] = {}

    def named(self, name: str) -> Context:
        """The context of that name.

        :raises Ended: there is none.
        """
        if name not in self.contexts:
            raise Ended(f"there is no context {name}{meant(name, self.contexts)}", Exit.UNREACHABLE)
        return self.contexts[name]

    def with_context(self, name: str, context: Context) -> Contexts:
        """With another context, or that one anew; it becomes the current one."""
        return Contexts(current=name, contexts={**self.contexts, name: context})

    def without(self, name: str) -> Contexts:
        """Without that context."""
        left = {other: context for other, context in self.contexts.items() if other != name}
        return Contexts(current=None if self.current == name else self.current, contexts=left)


def folder() -> Path:
    """Where contexts are kept: ``$XDG_CONFIG_HOME/resphere``, else ``~/.config/resphere``."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "resphere"


def read_contexts() -> Contexts:
    """The contexts of whoever runs the command.

    :raises Ended: the file is not one of contexts.
    """
    path = folder() / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Contexts)
    except FileNotFoundError:
        return Contexts()
    except msgspec.DecodeError as error:
        raise Ended(f"{path} is not a file of contexts: {error}") from error


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else changes contexts or their secrets meanwhile."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_contexts(contexts: Contexts) -> None:
    """Keep them, in place of those that are there."""
    write_private(folder() / FILE, msgspec.json.format(msgspec.json.encode(contexts), indent=2) + b"\n")


def write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else may read, at once and whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        temporary = Path(file.name)  # which is made with mode 0600
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(PRIVATE)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
