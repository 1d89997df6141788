"""Reads the audit log: records by what they say, from all chains in the order of time, forwards or backwards."""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from resphere.audit.chain import Line, parse
from resphere.audit.files import (
    LogFile,
    find_from,
    first_line_in,
    last_line_in,
    lines_backward,
    lines_forward,
    log_files,
)
from resphere.audit.record import AuditRecord

RETRIES = 10
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)

_records = msgspec.json.Decoder(AuditRecord)

Positions = Mapping[int, int]
"""The number of the line that was looked at last, of each chain."""


class Entry(msgspec.Struct, frozen=True):
    """A record, and the line that it stands in. ``time`` is when the call was answered."""

    chain: int
    sequence: int
    time: datetime
    record: AuditRecord


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which records are looked for: those that were written from ``start`` (included) to ``end`` (excluded) and that
    ``accepts``."""

    newest_first: bool = True
    start: datetime = EARLIEST
    end: datetime = LATEST
    accepts: Callable[[AuditRecord], bool] = lambda record: True


class Page(msgspec.Struct, frozen=True):
    """Some records, and where the rest begins; ``None`` where there is none."""

    entries: tuple[Entry, ...]
    next: dict[int, int] | None


class AuditLog(msgspec.Struct, frozen=True):
    """The audit log in a folder. ``most_lines`` are looked at for one page, so that nobody waits for it for long."""

    folder: Path
    most_lines: int = 20_000

    def page(self, query: Query, after: Positions | None, most: int) -> Page:
        """The first records, or those ``after`` a page's end: at most so many, and fewer where many lines have to be
        looked at for them. To be called beside the event loop.

        :raises OSError: a file cannot be read.
        """
        positions = dict(after or {})
        found: list[Entry] = []
        for looked, (time, chain, line) in enumerate(self.lines(query, positions)):
            if len(found) == most or looked == self.most_lines:
                return Page(tuple(found), positions)
            positions[chain] = line.sequence
            entry = entry_of(chain, line, time)
            if entry is not None and query.accepts(entry.record):
                found.append(entry)
        return Page(tuple(found), None)

    def lines(self, query: Query, after: Positions) -> Iterator[tuple[datetime, int, Line]]:
        """All lines in the query's time, with the time and the chain of each. Files may go on being written, follow one
        another and be deleted meanwhile: what is there when this begins is read.

        :raises OSError: a file cannot be read.
        """
        with ExitStack() as stack:
            files = opened(self.folder, stack)
            of_chain = backward if query.newest_first else forward
            parts = [of_chain(each, query, after.get(chain)) for chain, each in files.items()]
            yield from heapq.merge(*parts, key=lambda found: found[:2], reverse=query.newest_first)

    def ends(self) -> dict[int, int]:
        """The number of the last line of each chain.

        :raises OSError: a file cannot be read.
        """
        found = {}
        with ExitStack() as stack:
            for chain, files in opened(self.folder, stack).items():
                for each in files:
                    with each.reading() as file:
                        line, _, _ = last_line_in(file)
                    if line is not None:
                        found[chain] = line.sequence
        return found


class ReadFile:
    """A file of a chain. The one that is written is open from the beginning, before it gets another name; of the
    others, which keep theirs, each as long as it is read."""

    def __init__(self, file: LogFile, stack: ExitStack) -> None:
        self.chain = file.chain
        self._path = file.path
        self._open = stack.enter_context(file.path.open("rb")) if file.first is None else None

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        """The file, open; an empty one in place of one that was deleted for its age."""
        if self._open is not None:
            yield self._open
            return
        try:
            file: BinaryIO = self._path.open("rb")
        except FileNotFoundError:
            file = io.BytesIO()
        with file:
            yield file


def opened(folder: Path, stack: ExitStack) -> dict[int, list[ReadFile]]:
    """The files of each chain, in the order of their lines; ``stack`` closes them.

    :raises OSError: one cannot be read.
    """
    for _ in range(RETRIES):
        files = log_files(folder)
        with suppress(FileNotFoundError), ExitStack() as until_sure:
            chains: dict[int, list[ReadFile]] = {}
            for file in files:
                chains.setdefault(file.chain, []).append(ReadFile(file, until_sure))
            if log_files(folder) == files:
                stack.push(until_sure.pop_all())
                return chains
    raise OSError(f"{folder}: files come and go too fast to be read")


def forward(files: list[ReadFile], query: Query, after: int | None) -> Iterator[tuple[datetime, int, Line]]:
    """The lines of a chain from the query's start on, or after one that was looked at."""
    position = 0 if after is None else after

    def is_before(content: bytes) -> bool:
        line = parse(content)
        return line is None or line.sequence <= position or (line.time or EARLIEST) < query.start

    for each in files:
        with each.reading() as file:
            last, _, _ = last_line_in(file)
            if last is not None and (last.sequence <= position or (last.time or LATEST) < query.start):
                continue
            for content in lines_forward(file, find_from(file, is_before)):
                line = parse(content)
                time = None if line is None else line.time
                if line is None or time is None:
                    continue
                if time >= query.end:
                    return
                yield time, each.chain, line


def backward(files: list[ReadFile], query: Query, before: int | None) -> Iterator[tuple[datetime, int, Line]]:
    """The lines of a chain from the query's end back to its start, or before one that was looked at."""
    position = 2**63 if before is None else before

    def is_in(content: bytes) -> bool:
        line = parse(content)
        return line is None or (line.sequence < position and (line.time or EARLIEST) < query.end)

    for each in reversed(files):
        with each.reading() as file:
            first = first_line_in(file)
            if first is not None and (first.sequence >= position or (first.time or EARLIEST) >= query.end):
                continue
            for content in lines_backward(file, find_from(file, is_in)):
                line = parse(content)
                time = None if line is None else line.time
                if line is None or time is None:
                    continue
                if time < query.start:
                    return
                yield time, each.chain, line


def entry_of(chain: int, line: Line, time: datetime) -> Entry | None:
    """The record that a line holds; ``None`` where it holds none."""
    if line.is_anchor:
        return None
    try:
        record = _records.decode(b"{%b}" % line.content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return Entry(chain, line.sequence, time, record)
