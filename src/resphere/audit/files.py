"""The files of the audit log: ``audit.log`` of the first chain and ``audit.<chain>.log`` of each other one, and those
that are full, which have the number of their first line before the ending: ``audit.000000000001.log``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from resphere.audit.chain import MOST_LINE_BYTES, Line, parse

_NAME = re.compile(r"audit(?:\.([1-9][0-9]{0,3}))?(?:\.([0-9]{12,18}))?\.log")
BLOCK_BYTES = 2 * MOST_LINE_BYTES


class LogFile(msgspec.Struct, frozen=True):
    """One file of a chain; ``first`` is its first line's number by its name, ``None`` of the one that is written."""

    path: Path
    chain: int
    first: int | None

    @property
    def order(self) -> tuple[int, int]:
        """Files of a chain in the order of this hold its lines in theirs."""
        return self.chain, 2**63 if self.first is None else self.first


def file_name(chain: int, first: int | None = None) -> str:
    """The name of a chain's file that is written, or of the full one that begins with that line."""
    parts = ["audit", *([str(chain)] if chain > 1 else []), *([] if first is None else [f"{first:012}"]), "log"]
    return ".".join(parts)


def log_files(folder: Path) -> list[LogFile]:
    """All files of the audit log in a folder: chain after chain, in the order of their lines."""
    found = []
    for path in folder.iterdir() if folder.exists() else ():
        match = _NAME.fullmatch(path.name)
        if match is not None:
            first = None if match[2] is None else int(match[2])
            found.append(LogFile(path, int(match[1] or 1), first))
    return sorted(found, key=lambda file: file.order)


def files_of(folder: Path, chain: int) -> list[LogFile]:
    """The files of one chain, in the order of their lines."""
    return [file for file in log_files(folder) if file.chain == chain]


def last_line(path: Path) -> tuple[Line | None, int, int]:
    """:func:`last_line_in` a file by its name."""
    with path.open("rb") as file:
        return last_line_in(file)


def first_line(path: Path) -> Line | None:
    """:func:`first_line_in` a file by its name."""
    with path.open("rb") as file:
        return first_line_in(file)


def last_line_in(file: BinaryIO) -> tuple[Line | None, int, int]:
    """The last whole line of a file (``None`` where it is none of this log's, or there is none), where it ends, and how
    long the file is, in bytes: what is between them is a line that was not finished."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - 2 * MOST_LINE_BYTES)
    file.seek(start)
    content = file.read(size - start)
    end = content.rfind(b"\n") + 1
    if end == 0:
        return None, start, size
    begin = content.rfind(b"\n", 0, end - 1) + 1
    return parse(content[begin:end]), start + end, size


def first_line_in(file: BinaryIO) -> Line | None:
    """The first line of a file; ``None`` where it is none of this log's."""
    file.seek(0)
    return parse(file.readline(MOST_LINE_BYTES + 1))


def lines_forward(file: BinaryIO, start: int = 0) -> Iterator[bytes]:
    """The lines of a file from that byte on, each with its newline; what is longer than any line comes in pieces."""
    file.seek(start)
    while line := file.readline(MOST_LINE_BYTES + 1):
        yield line


def lines_backward(file: BinaryIO, end: int | None = None) -> Iterator[bytes]:
    """The whole lines of a file that end at that byte or before, the last one first."""
    position = file.seek(0, os.SEEK_END) if end is None else end
    rest: bytes | None = None
    while position > 0:
        size = min(BLOCK_BYTES, position)
        position -= size
        file.seek(position)
        content = file.read(size)
        if rest is None:
            # What stands after the last newline is not finished.
            content, rest = content[: content.rfind(b"\n") + 1][:-1], b""
        rest, *lines = (content + rest).split(b"\n")
        for line in reversed(lines):
            yield line + b"\n"
    if rest:
        yield rest + b"\n"


def find_from(file: BinaryIO, is_before: Callable[[bytes], bool]) -> int:
    """Where the first line begins that is not before what is looked for, where lines are in order; halving the file."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        if middle > 0:
            file.seek(middle - 1)
            file.readline()
        else:
            file.seek(0)
        begin = file.tell()
        line = file.readline()
        if begin >= high or not line:
            high = middle
        elif is_before(line):
            low = begin + len(line)
        else:
            high = middle
    return low
