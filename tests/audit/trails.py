"""Audit logs to test with."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from resphere.audit.chain import MOST_LINE_BYTES, Kind, Line, anchor_of, parse
from resphere.audit.files import files_of
from resphere.audit.formats import json_object
from resphere.audit.signing import PUBLIC_KEYS, PublicKeys, SigningKey, publish
from resphere.audit.trail import ROTATION, Rotation, Trail
from resphere.audit.verify import Finding, Verification
from tests.audit.records import record

KEY = SigningKey.of(bytes(range(32)))


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Disk:
    """A disk that has ``room_bytes`` left (``None``: plenty), and that may be broken."""

    def __init__(self) -> None:
        self.room_bytes: int | None = None
        self.is_broken = False

    def to_disk(self, descriptor: int) -> None:
        """What stands in for ``fdatasync``."""
        if self.is_broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def allocate(self, descriptor: int, offset: int, size: int) -> None:
        """What stands in for ``fallocate``."""
        if self.room_bytes is not None and self.room_bytes < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def append(self, descriptor: int, content: bytes) -> int:
        """What stands in for :func:`os.write`."""
        if self.room_bytes is None:
            return os.write(descriptor, content)
        if self.room_bytes == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(descriptor, content[: self.room_bytes])
        self.room_bytes -= written
        return written


class Logs:
    """The folders of an audit log, with what writes and verifies it."""

    def __init__(self, path: Path) -> None:
        self.folder = path / "log"
        self.heads = path / "audit"
        for each in (self.folder, self.heads):
            each.mkdir(parents=True, exist_ok=True)
        publish(KEY, self.heads / PUBLIC_KEYS)
        self.clock = Clock()
        self.disk = Disk()

    def trail(self, rotation: Rotation = ROTATION, key: SigningKey = KEY) -> Trail:
        """A writer of the first chain that nobody writes."""
        return Trail(
            self.folder,
            self.heads,
            key,
            rotation=rotation,
            clock=self.clock,
            append=self.disk.append,
            allocate=self.disk.allocate,
            to_disk=self.disk.to_disk,
        )

    @property
    def path(self) -> Path:
        """The file of the first chain."""
        return self.folder / "audit.log"

    def lines(self, chain: int = 1) -> list[Line]:
        """All lines of a chain."""
        found = []
        for file in files_of(self.folder, chain):
            for content in file.path.read_bytes().splitlines(keepends=True):
                line = parse(content)
                assert line is not None, content
                assert len(content) <= MOST_LINE_BYTES
                found.append(line)
        return found

    def kinds(self, chain: int = 1) -> list[Kind | None]:
        """Which anchors the lines of a chain are, ``None`` of records."""
        anchors = [anchor_of(line) if line.is_anchor else None for line in self.lines(chain)]
        return [None if anchor is None else anchor.kind for anchor in anchors]

    def findings(self, *, with_heads: bool = True) -> list[Finding]:
        """What the verification finds."""
        keys = PublicKeys.read(self.heads / PUBLIC_KEYS)
        return list(Verification(self.folder, keys, self.heads if with_heads else None).run())


def write(trail: Trail, numbers: range) -> None:
    """Write a record for each number."""
    for number in numbers:
        assert trail.write(json_object(record(request_id=str(number))))


def killed(trail: Trail, die: Callable[[], None] = lambda: None) -> None:
    """End a trail as a killed process does: nothing of it is closed in order."""
    die()
    os.close(trail._descriptor)
    trail._descriptor = -1
    trail._head.close()
