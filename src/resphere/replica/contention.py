"""Has changes of the same object within this worker follow each other, instead of failing each other's commits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from resphere.replica.edit import Draft, Key


class Contention:
    """What this worker is committing, and who waits for it."""

    def __init__(self) -> None:
        self.drafts: dict[Key, Draft | None] = {}
        """What is being written and may be applied at any moment."""
        self._commits: dict[Key, asyncio.Future[None]] = {}
        self._lines: dict[Key, Line] = {}

    def busy(self, keys: Iterable[Key]) -> Key | None:
        """One of ``keys`` that is being written, if any is."""
        return next((key for key in keys if key in self._commits), None)

    @contextmanager
    def committing(self, drafts: Mapping[Key, Draft | None]) -> Iterator[None]:
        """Say that ``drafts``, none of them :meth:`busy`, are being written."""
        commit = asyncio.get_running_loop().create_future()
        self.drafts.update(drafts)
        self._commits.update(dict.fromkeys(drafts, commit))
        try:
            yield
        finally:
            for key in drafts:
                del self.drafts[key], self._commits[key]
            commit.set_result(None)

    @contextmanager
    def place(self) -> Iterator[Waiter]:
        """A place in a line, to be taken when needed and given up in the end."""
        place = Waiter(self._commits, self._lines)
        try:
            yield place
        finally:
            place.leave()


class Line:
    """Those who wait to change one object, and the one whose turn it is."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.members = 0


class Waiter:
    """One change's place in the line for at most one object.

    Whoever is first in a line waits for commits only, which wait for nobody: so no two can wait for each other.
    """

    def __init__(self, commits: Mapping[Key, asyncio.Future[None]], lines: dict[Key, Line]) -> None:
        self._commits = commits
        self._lines = lines
        self._key: Key | None = None

    async def wait(self, key: Key) -> None:
        """Wait for the turn to change ``key``: in line at first, then for the commit that is under way."""
        if self._key is None:
            self._key = key
            line = self._lines.setdefault(key, Line())
            line.members += 1
            try:
                await line.turn.acquire()
            except BaseException:
                self._quit(line)
                raise
        elif (commit := self._commits.get(key)) is not None:
            await asyncio.wait([commit])

    def leave(self) -> None:
        """Let the next in line go on."""
        if self._key is not None:
            line = self._lines[self._key]
            line.turn.release()
            self._quit(line)

    def _quit(self, line: Line) -> None:
        line.members -= 1
        if not line.members and self._key is not None:
            del self._lines[self._key]
        self._key = None
