"""Deletes old files of the audit log. A signed anchor tells of each before it goes, so that nobody takes it for
tampering, nor tampering for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from resphere.audit import heads
from resphere.audit.batches import Run, at_once
from resphere.audit.chain import Deleted, Kind
from resphere.audit.files import LogFile, file_name, first_line, last_line, log_files
from resphere.audit.trail import Trail

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 100
"""Files that one anchor tells of."""


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept: files whose last line is not older, and of these the newest within a size. 0: everything."""

    seconds: int = 365 * 24 * 60 * 60
    bytes: int = 4 * 1024 * 1024 * 1024


class Old(msgspec.Struct, frozen=True):
    """A file that may be deleted."""

    file: LogFile
    time: float
    """When it was written last, in seconds since the epoch."""
    size_bytes: int


async def tidy(trail: Trail, folder: Path, heads_folder: Path, keep: Keep, now: datetime, run: Run = at_once) -> int:
    """Delete what is not to be kept; returns how many files. To be called by whoever writes chain 1, for all chains.
    What is done with the trail goes by ``run``.

    :raises OSError: a file cannot be read or deleted.
    """
    deleted = 0
    while told := await asyncio.to_thread(not_kept, folder, heads_folder, keep, now):
        if not await run(partial(trail.anchor, Kind.DELETION, deleted=told)):
            break
        await asyncio.to_thread(await run(trail.sync))
        for each in told:
            if each.chain == trail.chain:
                trail.note_deleted(each.last)
        await asyncio.to_thread(_delete, folder, heads_folder, trail.chain, told)
        deleted += len(told)
    if deleted:
        logger.info("%d old files of the audit log were deleted", deleted)
    return deleted


def _delete(folder: Path, heads_folder: Path, own_chain: int, told: Sequence[Deleted]) -> None:
    for each in told:
        path = folder / each.file
        if each.chain == own_chain:
            path.unlink(missing_ok=True)
            continue
        head = heads.take(heads_folder, each.chain)
        if head is not None:
            with closing(head):
                head.note_deleted(each.last)
                path.unlink(missing_ok=True)
        elif each.file != file_name(each.chain):
            path.unlink(missing_ok=True)
        # Else somebody has begun to write it again, and it stays.


def not_kept(folder: Path, heads_folder: Path, keep: Keep, now: datetime) -> tuple[Deleted, ...]:
    """What an anchor is to say of the files that are not kept, the oldest first and so many as one tells of.

    :raises OSError: a file cannot be read.
    """
    found = []
    for each in old_files(folder, heads_folder, keep, now):
        deleted = as_deleted(each.file)
        if deleted is None:
            logger.error("%s is no file of the audit log, and stays", each.file.path)
            continue
        found.append(deleted)
        if len(found) == MOST_AT_ONCE:
            break
    return tuple(found)


def old_files(folder: Path, heads_folder: Path, keep: Keep, now: datetime) -> Iterator[Old]:
    """The files that are not to be kept, the oldest first; never one that is being written."""
    files = []
    for file in log_files(folder):
        status = file.path.stat()
        files.append(Old(file, status.st_mtime, status.st_size))
    size_bytes = sum(each.size_bytes for each in files)
    for each in sorted(files, key=lambda each: (each.time, each.file.order)):
        if each.file.first is None and heads.is_written(heads_folder, each.file.chain):
            continue
        too_old = 0 < keep.seconds < now.timestamp() - each.time
        if not too_old and not 0 < keep.bytes < size_bytes:
            return
        size_bytes -= each.size_bytes
        yield each


def as_deleted(file: LogFile) -> Deleted | None:
    """What an anchor says of a file that is to be deleted; ``None`` of one that holds no lines of this log."""
    first, (last, _, _) = first_line(file.path), last_line(file.path)
    if first is None or last is None:
        return None
    return Deleted(file.chain, file.path.name, first.sequence, last.sequence, last.digest.hex())
