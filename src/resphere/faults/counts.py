"""How often rules have matched and acted, counted by all workers in a file that they have mapped: exact whoever is
killed, and after a restart.

A call that no rule is for costs nothing here, and the file is made by the first one that a rule is for.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

WORDS = 3
MARK, MATCHED, ACTED = range(WORDS)
WORD_BYTES = 8
SLOTS = 1024
"""More than there may be rules: those of rules that are gone are taken by new ones when none is free."""
SIZE_BYTES = SLOTS * WORDS * WORD_BYTES


class Count(msgspec.Struct, frozen=True):
    """So many calls a rule has decided about, and so many of them it has struck."""

    matched: int = 0
    acted: int = 0


NONE = Count()


class Counts:
    """The file at ``path``. ``live`` gives the marks of the rules that are there."""

    def __init__(self, path: Path, live: Callable[[], Collection[int]]) -> None:
        self._path = path
        self._live = live
        self._descriptor: int | None = None
        self._memory: mmap.mmap | None = None
        self._words: memoryview | None = None

    def match(self, mark: int, times: int | None, acts: Callable[[int], bool]) -> int | None:
        """Count a call that the rule of that mark is for.

        ``acts`` tells by its number whether the rule strikes it. Returns the number where it does, -1 where it does
        not, and ``None`` where the rule has struck ``times`` already: then the call is not counted.

        :raises OSError: the file cannot be used.
        """
        with self._held() as words:
            place = self._place(words, mark)
            if times is not None and words[place + ACTED] >= times:
                return None
            number = words[place + MATCHED]
            words[place + MATCHED] = number + 1
            if not acts(number):
                return -1
            words[place + ACTED] += 1
            return number

    def of(self, mark: int) -> Count:
        """How often so far.

        :raises OSError: the file cannot be used.
        """
        if not self._path.exists():
            return NONE
        with self._held() as words:
            place = found(words, mark)
            return NONE if place is None else Count(words[place + MATCHED], words[place + ACTED])

    def close(self) -> None:
        """Let go of the file."""
        if self._words is not None and self._memory is not None and self._descriptor is not None:
            self._words.release()
            self._memory.close()
            os.close(self._descriptor)
            self._words = self._memory = self._descriptor = None

    @contextmanager
    def _held(self) -> Iterator[memoryview]:
        """The words, while no other process counts. The kernel takes the lock from whoever dies."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            if self._words is None:
                self._words = self._mapped(self._descriptor)
            yield self._words
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _mapped(self, descriptor: int) -> memoryview:
        if os.fstat(descriptor).st_size != SIZE_BYTES:
            os.ftruncate(descriptor, 0)
            # All of its room now: where a page could not be had later, the process would be killed.
            if os.pwrite(descriptor, bytes(SIZE_BYTES), 0) < SIZE_BYTES:
                raise OSError(f"there is no room for {self._path}")
        self._memory = mmap.mmap(descriptor, SIZE_BYTES)
        return memoryview(self._memory).cast("q")

    def _place(self, words: memoryview, mark: int) -> int:
        """Where the counts of a mark are, from now on if they are nowhere."""
        place = found(words, mark)
        if place is not None:
            return place
        place = found(words, 0)
        if place is None:
            self._forget_gone(words)
            place = found(words, 0)
        if place is None:
            raise OSError(f"{self._path} is full")
        words[place + MARK], words[place + MATCHED], words[place + ACTED] = mark, 0, 0
        return place

    def _forget_gone(self, words: memoryview) -> None:
        live = set(self._live())
        for place in range(0, SLOTS * WORDS, WORDS):
            if words[place + MARK] not in live:
                words[place + MARK] = 0


def found(words: memoryview, mark: int) -> int | None:
    """Where the counts of a mark are; of 0, of none."""
    for place in range(0, SLOTS * WORDS, WORDS):
        if words[place + MARK] == mark:
            return place
    return None
