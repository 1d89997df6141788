"""Has changes of the same object within this worker follow each other, instead of failing each other's commits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from resphere.replica.edit import Draft, Key


class Contention:
    """What this worker is committing, and who waits for it."""

    def __init__(self) -> None:
        self.drafts: dict[Key, Draft | None] = {}
        """What is being written and may be applied at any moment."""
        self._commits: dict[Key, asyncio.Future[None]] = {}
        self._lines: dict[Key, Line] = {}

    def busy(self, keys: Collection[Key]) -> Key | None:
        """One of ``keys`` that is being written, if any is."""
        if self._commits.keys().isdisjoint(keys):
            return None
        return next(key for key in keys if key in self._commits)

    def committing(self, drafts: Mapping[Key, Draft | None], others: Iterable[Key] = ()) -> Committing:
        """Say that ``drafts`` and ``others``, none of them :meth:`busy`, are being written: as long as the context
        lasts."""
        return Committing(self.drafts, self._commits, drafts, (*drafts, *others))

    def place(self) -> Waiter:
        """A place in a line, to be taken when needed and given up at the end of the context."""
        return Waiter(self._commits, self._lines)


class Committing:
    """One commit under way."""

    def __init__(
        self,
        all_drafts: dict[Key, Draft | None],
        commits: dict[Key, asyncio.Future[None]],
        own: Mapping[Key, Draft | None],
        keys: tuple[Key, ...],
    ) -> None:
        self._all_drafts = all_drafts
        self._commits = commits
        self._own = own
        self._keys = keys
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __enter__(self) -> None:
        self._all_drafts.update(self._own)
        self._commits.update(dict.fromkeys(self._keys, self._over))

    def __exit__(self, *_: object) -> None:
        for key in self._own:
            del self._all_drafts[key]
        for key in self._keys:
            del self._commits[key]
        self._over.set_result(None)


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

    def __enter__(self) -> Waiter:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

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
