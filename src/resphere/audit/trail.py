"""Writes the audit log of one process: a chain of its own, so that no process ever waits for another one.

A record is part of a ``write`` to the file before the answer to its call is sent: from then on it is the kernel's, and
a ``kill -9`` loses nothing. All methods are for one thread at a time, but for :meth:`Trail.sync`'s work.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from resphere.audit import heads
from resphere.audit.chain import (
    Anchor,
    Deleted,
    Kind,
    Lines,
    Place,
    anchor_line,
    beginning,
    record_line,
)
from resphere.audit.files import file_name, files_of, first_line, last_line
from resphere.audit.heads import Noted
from resphere.audit.reserve import Allocate, Reserve, allocate
from resphere.audit.signing import SigningKey

logger = logging.getLogger(__name__)

ANCHOR_RECORDS = 1000
ANCHOR_SECONDS = 10.0
LEFT_OVER = "{name}.unreadable-{number}"


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """When a file is full: by its size in bytes or its age in seconds. 0: never."""

    bytes: int = 64 * 1024 * 1024
    seconds: int = 24 * 60 * 60


ROTATION = Rotation()
to_disk: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""macOS has no ``fdatasync``."""


class Trail:
    """The audit log as one process writes it, from its making until :meth:`close`.

    ``folder`` has the files, ``heads_folder`` how far the chains have come. A record that cannot be written is counted,
    and told by an anchor (``lost_records``) as soon as one can be.
    """

    def __init__(
        self,
        folder: Path,
        heads_folder: Path,
        key: SigningKey,
        *,
        rotation: Rotation = ROTATION,
        chains: range = heads.WORKER_CHAINS,
        clock: Callable[[], datetime],
        append: Callable[[int, bytes], int] = os.write,
        allocate: Allocate = allocate,
        to_disk: Callable[[int], None] = to_disk,
    ) -> None:
        """Take one of the chains and go on with it. The last three are the system's, or a test's in their place.

        :raises OSError: the files cannot be used.
        """
        self._folder = folder
        self._heads_folder = heads_folder
        self._key = key
        self._full_bytes = rotation.bytes or sys.maxsize
        self._full_seconds = float(rotation.seconds or sys.maxsize)
        self._clock = clock
        self._append = append
        self._head = heads.take_first(heads_folder, chains)
        self.path = folder / file_name(self._head.chain)
        self._place = beginning(self._head.chain)
        self._descriptor = -1
        self._size_bytes = 0
        self._to_disk = to_disk
        self._torn = False
        self._reserve = Reserve(allocate)
        self._short = False
        self._lost_records = 0
        self._since_anchor = 0
        self._file_lines = 0
        self._anchored_time = self._file_time = clock()
        self._retired: list[int] = []
        self.failure: OSError | None = None
        """Why nothing can be written now."""
        try:
            self._go_on()
        except BaseException:
            self._head.close()
            raise

    @property
    def chain(self) -> int:
        """The number of the chain, from 1."""
        return self._head.chain

    @property
    def place(self) -> Place:
        """The last line that was written."""
        return self._place

    @property
    def lost_records(self) -> int:
        """Lost so far, and not yet told in the file."""
        return self._lost_records

    def write(self, *contents: bytes) -> int:
        """Write records, JSON objects, at once; returns how many of them, the first ones, were written. Never raises.

        Those that are not are lost, and counted.
        """
        written = 0
        while written < len(contents):
            some = contents[written : written + ANCHOR_RECORDS - self._since_anchor]
            if not self._write_some(some):
                self._lost_records += len(contents) - written
                break
            written += len(some)
        return written

    def lose(self, records: int) -> None:
        """Count records that never came here, and have the next anchor tell of them."""
        self._lost_records += records
        self._fail(OSError(errno.ENOBUFS, "too many records wait for the disk"))

    def resume(self) -> bool:
        """Whether records can be written (again): after a failure it is tried, by the anchor that tells the loss."""
        if self.failure is None:
            return True
        lost = self._lost_records
        if not self.anchor(Kind.LOSS, lost_records=lost):
            return False
        self._lost_records -= lost
        logger.warning("%s is written again; %d records were lost", self.path, lost)
        return True

    def ready(self) -> bool:
        """Whether what begins now can be recorded: nothing has failed, and there is room kept for it. Never raises."""
        if self.failure is not None and not self.resume():
            return False
        try:
            self._reserve.require(self._descriptor, self._size_bytes)
        except OSError as error:
            if not self._short:
                logger.error("there is no room left for %s: %s", self.path, error)
            self._short = True
            return False
        self._short = False
        return True

    def anchor(
        self,
        kind: Kind,
        *,
        lost_records: int = 0,
        deleted: tuple[Deleted, ...] = (),
        missing: Lines | None = None,
        unnoted: Lines | None = None,
        unknown_head: bool = False,
    ) -> bool:
        """Write an anchor; says whether that was done. Never raises."""
        anchor = Anchor(
            kind=kind,
            time=self._clock(),
            chain=self.chain,
            key=self._key.name,
            process=os.getpid(),
            heads=self._other_heads(),
            lost_records=lost_records,
            deleted=deleted,
            missing=missing,
            unnoted=unnoted,
            unknown_head=unknown_head,
        )
        place, line = anchor_line(self._place, anchor, self._key)
        if not self._write(place, line):
            return False
        self._since_anchor = 0
        self._anchored_time = anchor.time
        return True

    def tend(self) -> None:
        """What is to be done each second or so: an anchor where records wait for one, another file where it is time,
        and where somebody has taken the file away. Never raises."""
        now = self._clock()
        if self.failure is not None:
            self.resume()
            return
        try:
            self._see_to_file()
        except OSError as error:
            self._fail(error)
            return
        if self._since_anchor and (now - self._anchored_time).total_seconds() >= ANCHOR_SECONDS:
            self.anchor(Kind.TIME)
        age_seconds = (now - self._file_time).total_seconds()
        if age_seconds >= self._full_seconds and self._file_lines:
            self._next_file()

    def note_deleted(self, sequence: int) -> None:
        """Note that the lines of this chain up to that one are deleted."""
        self._head.note_deleted(sequence)

    def sync(self) -> Callable[[], None]:
        """What has all that was written until now be on the disk when it returns; to be called in any thread.

        It raises OSError where that cannot be.
        """
        descriptors, self._retired = [*self._retired, os.dup(self._descriptor)], []

        def work() -> None:
            try:
                for descriptor in descriptors:
                    self._to_disk(descriptor)
                self._head.sync()
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)

        return work

    def close(self) -> None:
        """End in order: with an anchor, and all of it on the disk."""
        if self._descriptor == -1:
            return
        if self.resume():
            self.anchor(Kind.STOP)
        if self._lost_records:
            logger.error("%s was closed with %d records lost", self.path, self._lost_records)
        try:
            self._give_back()
            self.sync()()
        except OSError as error:
            logger.error("%s may not be on the disk: %s", self.path, error)
        os.close(self._descriptor)
        self._descriptor = -1
        self._head.close()

    # --- writing -----------------------------------------------------------------------------------------------------

    def _write_some(self, contents: Sequence[bytes]) -> bool:
        """Write records, no more than there may be before the next anchor: all of them, or none."""
        if self.failure is not None and not self.resume():
            return False
        place, lines = self._place, []
        for content in contents:
            place, line = record_line(place, content)
            lines.append(line)
        if not self._write(place, b"".join(lines), len(lines)):
            return False
        self._since_anchor += len(lines)
        if self._since_anchor >= ANCHOR_RECORDS:
            self.anchor(Kind.TIME)
        if self._size_bytes >= self._full_bytes:
            self._next_file()
        return True

    def _write(self, place: Place, content: bytes, lines: int = 1) -> bool:
        """Write lines, of which the last one's place is that."""
        self._head.note(place)
        try:
            if self._torn:
                self._take_back()
            written = self._append(self._descriptor, content)
            if written < len(content):
                self._torn = True
                self._take_back()
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._fail(error)
            return False
        self._head.note_written(place.sequence)
        self._place = place
        self._size_bytes += written
        self._file_lines += lines
        self.failure = None
        return True

    def _take_back(self) -> None:
        """Cut off what was written in part."""
        os.ftruncate(self._descriptor, self._size_bytes)
        self._torn = False

    def _give_back(self) -> None:
        """Give back the room that was kept after the end."""
        os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size)

    def _fail(self, error: OSError) -> None:
        """Told once, not with every record."""
        if self.failure is None:
            logger.error("cannot write %s: %s", self.path, error)
        self.failure = error

    def _other_heads(self) -> dict[str, tuple[int, str]]:
        found = {}
        try:
            for chain in heads.chains_in(self._heads_folder):
                noted = heads.look(self._heads_folder, chain) if chain != self.chain else None
                if noted is not None and noted.certain.sequence > 0:
                    found[str(chain)] = (noted.certain.sequence, noted.certain.digest.hex())
        except OSError as error:
            logger.error("cannot read how far other chains of the audit log have come: %s", error)
        return found

    # --- files -------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise OSError(f"{self.path} is written by another server: each needs a log directory of its own") from None
        if self._descriptor != -1:
            self._give_back()
            self._retired.append(self._descriptor)
        self._descriptor = descriptor
        self._size_bytes = os.fstat(descriptor).st_size
        self._torn = False
        self._reserve.forget()
        self._file_lines = min(1, self._size_bytes)
        begun = first_line(self.path) if self._size_bytes else None
        self._file_time = (begun.time if begun is not None else None) or self._clock()

    def _next_file(self) -> None:
        """Leave the file under another name, and go on in a new one."""
        try:
            first = first_line(self.path)
            if first is None or not self.anchor(Kind.FILE):
                return
            self.path.rename(self._folder / file_name(self.chain, first.sequence))
            self._open()
        except OSError as error:
            self._fail(error)

    def _see_to_file(self) -> None:
        """Go on in a new file where the open one is no longer what stands under its name."""
        opened = os.fstat(self._descriptor)
        try:
            named = self.path.stat()
            if (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino):
                if opened.st_size < self._size_bytes:
                    logger.error("%s was cut by somebody else", self.path)
                    self._size_bytes = opened.st_size
                return
        except FileNotFoundError:
            pass
        logger.error("%s was moved or removed by somebody else: it goes on in a new file", self.path)
        self._open()

    # --- going on ----------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Find the end of the chain, and begin after it with an anchor that tells what is amiss."""
        noted = self._head.read()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._put_aside_foreign()
        found = self._last_written()
        missing, unnoted = amiss(noted, found)
        for lines, what in ((missing, "are missing"), (unnoted, "are there, and were not noted")):
            if lines is not None:
                since = ": the computer was started anew since" if lines.restarted else ""
                logger.error("lines %d to %d of %s %s%s", lines.first, lines.last, self.path, what, since)
        if found is not None and missing is None:
            self._place = found
        elif noted.begun:
            self._place = noted.certain
        self._open()
        self._head.begin(self._place)
        unknown = found is not None and not noted.begun
        self.anchor(Kind.START, missing=missing, unnoted=unnoted, unknown_head=unknown)
        if self.failure is not None:
            raise self.failure

    def _put_aside_foreign(self) -> None:
        """Leave a file under another name that does not hold lines of this form, as earlier releases wrote it."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        if first_line(self.path) is not None:
            return
        number = 1
        while (aside := self.path.with_name(LEFT_OVER.format(name=self.path.name, number=number))).exists():
            number += 1
        logger.warning("%s holds no chained lines, and is %s from now on", self.path, aside)
        self.path.rename(aside)

    def _last_written(self) -> Place | None:
        """The last line of the chain that is in its files. What was not finished is cut off."""
        for file in reversed(files_of(self._folder, self.chain)):
            line, end, size = last_line(file.path)
            if size > end and file.first is None:
                os.truncate(file.path, end)
            if line is not None:
                return line.place
        return None


def amiss(noted: Noted, found: Place | None) -> tuple[Lines | None, Lines | None]:
    """Which lines are missing, and which were not noted, where ``found`` is the last one that is there."""
    if not noted.begun or (found is not None and noted.ends_with(found)):
        return None, None
    restarted = noted.boot != heads.boot_id()
    if found is None:
        deleted = noted.deleted_to >= noted.certain.sequence
        return None if deleted else Lines(1, noted.certain.sequence, restarted), None
    if noted.certain.sequence < found.sequence < noted.last.sequence:
        return None, None  # a kill while several were written: nobody was told that any of them is there
    if found.sequence > noted.last.sequence:
        return None, Lines(noted.last.sequence + 1, found.sequence, restarted)
    return Lines(min(found.sequence + 1, noted.certain.sequence), noted.certain.sequence, restarted), None
