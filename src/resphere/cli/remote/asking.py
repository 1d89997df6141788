"""Questions to whoever sits at the terminal, and what is told there of work in progress."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.names import Target
from resphere.cli.remote.output import printable

MOST_NAMED = 10


def confirm(what: str, targets: Sequence[Target], *, yes: bool) -> None:
    """Have somebody say that it may be done.

    :raises Ended: they say no, or nobody is there to ask.
    """
    if yes:
        return
    named = ", ".join(printable(target.label) for target in targets[:MOST_NAMED])
    more = f" and {len(targets) - MOST_NAMED} more" if len(targets) > MOST_NAMED else ""
    if not sys.stdin.isatty():
        raise Ended(f"{what}: {named}{more}: nobody is there to confirm that; --yes does", Exit.CALLED_WRONGLY)
    print(f"{what}: {named}{more}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Ended("nothing was done", Exit.DECLINED)


def secret(what: str) -> str:
    """A secret that somebody types unseen, or the first line of standard input.

    :raises Ended: there is none.
    """
    found = getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise Ended(f"{what}: none was given; standard input has it, or a terminal asks for it", Exit.CALLED_WRONGLY)
    return found


class Bars:
    """Bars on standard error, one for each piece of work; nothing where that is no terminal."""

    def __init__(self, progress: Progress, *, shown: bool) -> None:
        self._progress = progress
        self._shown = shown

    def add(self, label: str) -> TaskID | None:
        """A further bar."""
        return self._progress.add_task(printable(label), total=None, note="") if self._shown else None

    def update(self, bar: TaskID | None, completed: int, total: int, note: str = "") -> None:
        """How far it is."""
        if bar is not None:
            self._progress.update(bar, completed=completed, total=total, note=printable(note))

    def end(self, bar: TaskID | None) -> None:
        """It is over."""
        if bar is not None:
            self._progress.update(bar, completed=100, total=100, note="")


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars while work is in progress."""
    console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        disable=not console.is_terminal,
    )
    with progress:
        yield Bars(progress, shown=console.is_terminal)
