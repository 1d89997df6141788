"""Memory in which the workers of a server count, and from which any of them reads what all have counted.

It is made before the workers and handed to them. Each worker takes a slot of it that nobody has and writes there
alone, so that counting needs no lock; a slot is had by a lock of its file that ends with the process, however that
ends. What a worker has counted that is gone stays, and the one that takes its slot goes on with it: counters never go
down while a server runs.

A slot is a directory (what stands where) and numbers of 8 bytes, each written in one go. An entry of the directory is
whole before its end is moved behind it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator
from multiprocessing.reduction import DupFd
from typing import Any

import msgspec

from resphere.metrics.families import Family, Kind, Labels

PAGE_BYTES = 4096
VALUES_BYTES = 256 * PAGE_BYTES
DIRECTORY_BYTES = 1024 * PAGE_BYTES
"""Room for each operation in each dialect with half a dozen statuses. Pages that nobody writes to take no memory."""
SLOT_BYTES = PAGE_BYTES + VALUES_BYTES + DIRECTORY_BYTES
WORD_BYTES = 8
LENGTH_BYTES = 4
USED_BYTES, USED_WORDS, PROCESS = range(3)
"""The words of a slot's head: how much of the directory and of the numbers is used, and which process writes."""
SPILL = 0
"""The number that counts what had no place; it is the first."""

Key = tuple[str, Labels]
"""What a metric is found by: the name of its family, and the values of its labels."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A metric of the directory: its numbers begin at ``place``."""

    family: str
    labels: Labels
    place: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


class Slot:
    """One worker's part of the memory. ``number`` counts from 1; 0 is one that nobody else sees."""

    def __init__(self, content: memoryview, number: int) -> None:
        self.number = number
        self._head = content[:PAGE_BYTES].cast("q")
        self.words: memoryview[float] = content[PAGE_BYTES : PAGE_BYTES + VALUES_BYTES].cast("d")
        self._directory = content[PAGE_BYTES + VALUES_BYTES :]

    @property
    def process(self) -> int:
        """The process that writes, or has written last; 0 where none ever has."""
        return self._head[PROCESS]

    def begin(self, process: int) -> None:
        """Be written by that process from now on."""
        self._head[PROCESS] = process
        if self._head[USED_WORDS] == 0:
            self._head[USED_WORDS] = SPILL + 1

    def entries(self) -> Iterator[Entry]:
        """All metrics that have a place."""
        place, end = 0, self._head[USED_BYTES]
        while place < end:
            begin = place + LENGTH_BYTES
            place = begin + int.from_bytes(self._directory[place:begin], "little")
            yield _decode(self._directory[begin:place])

    def add(self, family: Family, labels: Labels) -> int | None:
        """Where the numbers of a new metric begin; ``None`` where there is no room left."""
        place, used = self._head[USED_WORDS], self._head[USED_BYTES]
        written = _encode(Entry(family.name, labels, place))
        end = used + LENGTH_BYTES + len(written)
        if end > len(self._directory) or place + family.words > len(self.words):
            return None
        self._directory[used:end] = len(written).to_bytes(LENGTH_BYTES, "little") + written
        self._head[USED_WORDS] = place + family.words
        self._head[USED_BYTES] = end
        return place


class SharedMetrics:
    """So many slots. ``maker`` is the process that has made them."""

    def __init__(self, slots: int) -> None:
        """:raises OSError: there is no such memory to be had."""
        self.maker = os.getpid()
        self._slots = slots
        self._own = 0
        self._file = anonymous_file(slots * SLOT_BYTES)
        self._content = memoryview(mmap.mmap(self._file, slots * SLOT_BYTES))
        weakref.finalize(self, os.close, self._file)

    def take(self) -> Slot:
        """A slot for this process, as long as it lives; where all are taken, one that nobody else sees."""
        for number in range(1, self._slots + 1):
            if self._locked(number):
                self._own = number
                slot = self._slot(number)
                slot.begin(os.getpid())
                return slot
        apart = Slot(memoryview(mmap.mmap(-1, SLOT_BYTES)), 0)
        apart.begin(os.getpid())
        return apart

    def slots(self) -> Iterator[tuple[Slot, bool]]:
        """Those that were ever written, and whether the worker lives that writes."""
        for number in range(1, self._slots + 1):
            slot = self._slot(number)
            if slot.process:
                yield slot, number == self._own or self._is_taken(number)

    def _slot(self, number: int) -> Slot:
        begin = (number - 1) * SLOT_BYTES
        return Slot(self._content[begin : begin + SLOT_BYTES], number)

    def _locked(self, number: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):  # POSIX leaves open which
            return False
        return True

    def _is_taken(self, number: int) -> bool:
        if not self._locked(number):
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        """For workers that are not forked: the file's descriptor is another one there."""
        return _rebuilt, (DupFd(self._file), self._slots, self.maker)


def _rebuilt(descriptor: Any, slots: int, maker: int) -> SharedMetrics:
    shared = SharedMetrics.__new__(SharedMetrics)
    shared.maker, shared._slots, shared._own, shared._file = maker, slots, 0, descriptor.detach()
    shared._content = memoryview(mmap.mmap(shared._file, slots * SLOT_BYTES))
    weakref.finalize(shared, os.close, shared._file)
    return shared


def anonymous_file(size_bytes: int) -> int:
    """The descriptor of a file that has no name and ends with its processes."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("resphere-metrics")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size_bytes)
    return descriptor


def summed(shared: SharedMetrics, families: dict[str, Family]) -> dict[Key, list[float]]:
    """What all workers have counted, by metric: counters of all, gauges of those that live."""
    found: dict[Key, list[float]] = {}
    for slot, lives in shared.slots():
        for entry in slot.entries():
            family = families[entry.family]
            if family.kind is Kind.GAUGE and not lives:
                continue
            values = list(slot.words[entry.place : entry.place + family.words])
            key = entry.family, entry.labels
            before = found.get(key)
            found[key] = values if before is None else [a + b for a, b in zip(before, values, strict=True)]
    return found
