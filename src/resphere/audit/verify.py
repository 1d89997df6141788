"""Checks the audit log: every line, once and in order, in memory that does not grow with it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from resphere.audit import heads
from resphere.audit.chain import MOST_LINE_BYTES, Anchor, Line, Place, anchor_of, beginning, parse
from resphere.audit.files import LogFile, files_of, log_files
from resphere.audit.heads import Noted
from resphere.audit.signing import PublicKeys
from resphere.audit.trail import ANCHOR_RECORDS


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was written: in the ``line`` of that number of a file, counted from 1, or at the end
    of a chain (0). ``tampering`` is false of what a server has told itself, and a failing computer explains."""

    file: str
    line: int
    text: str
    tampering: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class Summary(msgspec.Struct):
    """What was looked at."""

    files: int = 0
    lines: int = 0
    anchors: int = 0
    chains: int = 0
    unsigned_lines: int = 0
    """Lines after the last anchors: they are right as far as the digests say, and nobody has signed for them yet."""


class Verification:
    """One look at a log. ``heads_folder`` is where the heads are; without it, what is missing at the very end of a
    chain shows only as far as anchors of other chains tell."""

    def __init__(self, folder: Path, keys: PublicKeys, heads_folder: Path | None = None) -> None:
        self._folder = folder
        self._keys = keys
        self._heads_folder = heads_folder
        self._told: dict[int, Place] = {}
        """The latest line of each chain that an anchor of another one tells of."""
        self._deleted: dict[tuple[int, int], str] = {}
        """Digests of the last lines of files that were deleted, by chain and number."""
        self.summary = Summary()

    def run(self) -> Iterator[Finding]:
        """All findings, chain by chain.

        :raises OSError: a file cannot be read.
        """
        noted = self._noted()
        chains = sorted({file.chain for file in log_files(self._folder)} | noted.keys())
        read = []
        for number in chains:
            chain = Chain(number, self._keys, noted.get(number))
            read.append(chain)
            for file, line_number, line in lines_of(self._folder, number, partial(self._is_written, number)):
                yield from chain.take(file, line_number, line)
                self._learn(chain)
            self.summary.files += chain.files
            self.summary.lines += chain.lines
            self.summary.anchors += chain.anchors
            self.summary.unsigned_lines += len(chain.unsigned)
        self.summary.chains = len(chains)
        read += [Chain(number, self._keys, None) for number in sorted(self._told.keys() - set(chains))]
        for chain in read:
            yield from self._ended(chain)

    def _noted(self) -> dict[int, Noted]:
        if self._heads_folder is None:
            return {}
        found = {number: heads.look(self._heads_folder, number) for number in heads.chains_in(self._heads_folder)}
        return {number: noted for number, noted in found.items() if noted is not None and noted.begun}

    def _is_written(self, number: int) -> bool:
        return self._heads_folder is None or heads.is_written(self._heads_folder, number)

    def _learn(self, chain: Chain) -> None:
        """Keep what the anchor that was just read tells of other chains."""
        anchor, chain.read = chain.read, None
        if anchor is None:
            return
        for name, (sequence, digest) in anchor.heads.items():
            number = int(name)
            if number not in self._told or self._told[number].sequence < sequence:
                self._told[number] = Place(sequence, bytes.fromhex(digest))
        for each in anchor.deleted:
            self._deleted[each.chain, each.last] = each.digest

    def _ended(self, chain: Chain) -> Iterator[Finding]:
        """What the chain lacks at its beginning and at its end."""
        yield from self._begun(chain)
        last = chain.place.sequence
        end = self._deleted_to(chain.number) if chain.first is None else last
        told = self._told.get(chain.number)
        noted = chain.noted
        certain = max(
            (each for each in (told, None if noted is None else noted.certain) if each is not None),
            key=lambda place: place.sequence,
            default=None,
        )
        if certain is not None and certain.sequence > end:
            yield Finding(chain.file, 0, f"lines {end + 1} to {certain.sequence} of chain {chain.number} are missing")
        elif told is not None and chain.differs(told):
            yield Finding(
                chain.file, 0, f"line {told.sequence} is not the one that an anchor of another chain tells of"
            )
        if noted is not None and chain.first is not None:
            yield from self._after_end(chain, noted)

    def _begun(self, chain: Chain) -> Iterator[Finding]:
        first = chain.first
        if first is None or first.sequence == 1:
            return
        digest = self._deleted.get((chain.number, first.sequence - 1))
        if digest is None:
            text = f"lines 1 to {first.sequence - 1} are missing, and no anchor tells that they were deleted"
            yield Finding(chain.first_file, 1, text)
        elif not first.follows(bytes.fromhex(digest)):
            yield Finding(chain.first_file, 1, "does not follow on the lines that were deleted")

    def _deleted_to(self, number: int) -> int:
        return max((last for chain, last in self._deleted if chain == number), default=0)

    def _after_end(self, chain: Chain, noted: Noted) -> Iterator[Finding]:
        for place in (noted.certain, noted.last):
            if chain.differs(place):
                yield Finding(chain.file, 0, f"line {place.sequence} is not the one that was noted when it was written")
        assert self._heads_folder is not None
        now = heads.look(self._heads_folder, chain.number) or noted
        if chain.place.sequence > now.last.sequence:
            first = now.last.sequence + 1
            yield Finding(chain.file, 0, f"lines {first} to {chain.place.sequence} were not written by the server")


class Chain:
    """One chain on the way through its lines."""

    def __init__(self, number: int, keys: PublicKeys, noted: Noted | None) -> None:
        self.number = number
        self.noted = noted
        self._keys = keys
        self.place = beginning(number)
        self.first: Line | None = None
        self.file = self.first_file = f"chain {number}"
        self.read: Anchor | None = None
        """The anchor that was just read, until somebody takes it."""
        self.unsigned: deque[Place] = deque(maxlen=2 * ANCHOR_RECORDS)
        """The lines since the last anchor."""
        self.files = self.lines = self.anchors = 0
        self._lost = False
        """Whether the place in the chain is not known, since the line before was none."""
        self._records = 0

    def take(self, file: str, line_number: int, content: bytes) -> Iterator[Finding]:
        """What is wrong with the next line."""
        if file != self.file:
            self.files += 1
        self.file = file
        self.lines += 1
        line = parse(content)
        if line is None:
            self._lost = True
            yield Finding(file, line_number, "is no line of the audit log, or was changed")
            return
        anchor = anchor_of(line) if line.is_anchor else None
        wrong = self._wrong(line, anchor)
        if wrong is not None:
            yield Finding(file, line_number, wrong)
        elif anchor is not None:
            for text, tampering in told_by(anchor, line):
                yield Finding(file, line_number, text, tampering)
        if self.first is None:
            self.first, self.first_file = line, file
        self.place, self._lost = line.place, False
        if anchor is not None and wrong is None:
            self.anchors += 1
            self.read = anchor
            self.unsigned.clear()
            self._records = 0
        else:
            self.unsigned.append(line.place)
            self._records += 1
            if self._records == ANCHOR_RECORDS + 1:
                yield Finding(file, line_number, f"follows on {ANCHOR_RECORDS} lines without an anchor")

    def differs(self, place: Place) -> bool:
        """Whether another line stands at that place, as far as it is not signed for."""
        return any(each.sequence == place.sequence and each.digest != place.digest for each in self.unsigned)

    def _wrong(self, line: Line, anchor: Anchor | None) -> str | None:
        return self._out_of_place(line, anchor) or self._not_signed(line, anchor)

    def _out_of_place(self, line: Line, anchor: Anchor | None) -> str | None:
        if self._lost:
            return None
        if self.first is None and line.sequence > 1:
            return None  # whether what stood before was deleted, the end tells
        expected = self.place.sequence + 1
        if line.sequence > expected:
            lines = anchor.missing if anchor is not None else None
            if lines is not None and (lines.first, lines.last) == (expected, line.sequence - 1):
                return None  # the anchor tells of it itself
            return f"lines {expected} to {line.sequence - 1} before it are missing"
        if line.sequence < expected:
            return f"is line {line.sequence}, where line {expected} belongs: lines were inserted or moved"
        if not line.follows(self.place.digest):
            return "was changed, or does not follow on the line before it"
        return None

    def _not_signed(self, line: Line, anchor: Anchor | None) -> str | None:
        since = self.place.sequence - len(self.unsigned) + 1
        if not line.is_anchor:
            return None if line.signature is None else "is a record with a signature, which none has"
        if anchor is None or line.signature is None:
            return "is no anchor, or has no signature"
        if anchor.chain != self.number:
            return f"is an anchor of chain {anchor.chain}"
        if not self._keys.verify(anchor.key, line.digest, line.signature):
            lines = f"something in lines {since} to {line.sequence} was changed"
            return f"is not signed by the key of this server ({anchor.key}): {lines}, or the key is another one"
        return None


def told_by(anchor: Anchor, line: Line) -> Iterator[tuple[str, bool]]:
    """What an anchor itself tells of losses, and whether only tampering explains it."""
    if anchor.lost_records:
        yield f"{anchor.lost_records} records before it could not be written", False
    if anchor.missing is not None:
        yield (
            f"lines {anchor.missing.first} to {anchor.missing.last} were gone when the server started",
            (not anchor.missing.restarted),
        )
    if anchor.unnoted is not None:
        yield (
            f"lines {anchor.unnoted.first} to {anchor.unnoted.last} were not noted as written",
            (not anchor.unnoted.restarted),
        )
    if anchor.unknown_head:
        yield "when the server started, nothing told how far the chain had come", False


def lines_of(folder: Path, chain: int, is_written: Callable[[], bool]) -> Iterator[tuple[str, int, bytes]]:
    """The lines of a chain: file, number in it, line. Its server may be writing, and begin other files meanwhile."""
    done: set[tuple[int, int]] = set()
    before: Reading | None = None
    try:
        while (following := next_file(folder, chain, done)) is not None:
            if before is not None:
                # What was written to it after its end was reached, and before its successor was begun.
                yield from before.lines(to_its_end=True)
                before.file.close()
            before = following
            yield from before.lines(to_its_end=False)
        if before is not None:
            yield from before.lines(to_its_end=not is_written())
    finally:
        if before is not None:
            before.file.close()


class Reading:
    """A file that is being read."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self.file = file
        self._number = 0

    def lines(self, *, to_its_end: bool) -> Iterator[tuple[str, int, bytes]]:
        """The lines that are there, from where it was left; one that is not finished only where nobody is about to."""
        while True:
            start = self.file.tell()
            line = self.file.readline(MOST_LINE_BYTES + 1)
            if not line:
                return
            if not line.endswith(b"\n") and not to_its_end and len(line) <= MOST_LINE_BYTES:
                self.file.seek(start)
                return
            self._number += 1
            yield self.name, self._number, line


def next_file(folder: Path, chain: int, done: set[tuple[int, int]]) -> Reading | None:
    """The first file of a chain that is not ``done``, which it is then; ``None`` where there is none."""
    while True:
        files = files_of(folder, chain)
        found = first_not_done(files, done)
        # Where files were renamed or deleted meanwhile, what was opened may not be what is next.
        if files_of(folder, chain) == files:
            if found is not None:
                done.add(identity(found.file))
            return found
        if found is not None:
            found.file.close()


def first_not_done(files: list[LogFile], done: set[tuple[int, int]]) -> Reading | None:
    """The first of the files that is not ``done``, opened; ``None`` where there is none."""
    for each in files:
        try:
            file = each.path.open("rb")
        except FileNotFoundError:
            return None
        if identity(file) not in done:
            return Reading(each.path.name, file)
        file.close()
    return None


def identity(file: BinaryIO) -> tuple[int, int]:
    """What a file is, whatever its name."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino
