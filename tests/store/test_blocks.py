"""Files written block by block, past the memory of the system or through it: the same bytes, each looked at once."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest

from resphere.store import blocks as blocks_module
from resphere.store.blocks import BLOCK_BYTES, Blocks

SIZES = [BLOCK_BYTES // 3, 2 * BLOCK_BYTES, 0, 5, BLOCK_BYTES]


def some(sizes: list[int]) -> list[bytes]:
    """Pieces, each of other bytes than the one before."""
    return [bytes([65 + number]) * size for number, size in enumerate(sizes)]


@contextmanager
def blocks_at(path: Path, turns: int = 1) -> Iterator[tuple[Blocks, list[bytes]]]:
    """A file there, and what was looked at of it."""
    looked: list[bytes] = []
    with path.open("xb", buffering=0) as file:
        yield Blocks(file.fileno(), lambda piece: looked.append(bytes(piece)), Semaphore(turns)), looked


def write(path: Path, sizes: list[int], turns: int = 1) -> int:
    """Write so much, and be sure that it is there; how much of it went through the memory."""
    pieces = some(sizes)
    with blocks_at(path, turns) as (blocks, looked):
        blocks.write(pieces[:2])
        blocks.write(pieces[2:])
        blocks.finish()
    assert path.read_bytes() == b"".join(pieces) == b"".join(looked)
    assert all(len(each) == BLOCK_BYTES for each in looked[:-1])
    return blocks.size_in_memory_bytes


def is_direct(descriptor: int) -> bool:
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & blocks_module.DIRECTLY)


def has_direct(folder: Path) -> bool:
    """Whether files there can be written past the memory."""
    try:
        os.close(os.open(folder / "tried", os.O_CREAT | os.O_WRONLY | blocks_module.DIRECTLY))
    except OSError:
        return False
    return bool(blocks_module.DIRECTLY)


@pytest.mark.parametrize("sizes", [[], [1], [BLOCK_BYTES], [BLOCK_BYTES + 1], [4095, 1, BLOCK_BYTES - 1], SIZES])
def test_what_is_written_is_there(tmp_path: Path, sizes: list[int]) -> None:
    in_memory = write(tmp_path / "file", sizes)
    if has_direct(tmp_path):
        assert in_memory == sum(sizes) % BLOCK_BYTES


def test_who_has_no_turn_writes_through_the_memory(tmp_path: Path) -> None:
    assert write(tmp_path / "file", SIZES, turns=0) == sum(SIZES)


def test_a_system_without_such_a_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "DIRECTLY", 0)
    assert write(tmp_path / "file", SIZES) == sum(SIZES)


def writes(monkeypatch: pytest.MonkeyPatch, how: Callable[[int, memoryview], int]) -> None:
    """Have files that are to be written past the memory written so."""
    plainly = os.write

    def chosen(descriptor: int, data: memoryview) -> int:
        return how(descriptor, data) if is_direct(descriptor) else plainly(descriptor, data)

    monkeypatch.setattr(os, "write", chosen)


@pytest.mark.skipif(not blocks_module.DIRECTLY, reason="this system writes through its memory always")
def test_a_file_system_that_takes_none_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(descriptor: int, data: memoryview) -> int:
        asked.append(len(data))
        raise OSError(errno.EINVAL, "no")

    writes(monkeypatch, refuse)
    assert write(tmp_path / "file", SIZES) == sum(SIZES)
    assert len(asked) <= 1


@pytest.mark.skipif(not blocks_module.DIRECTLY, reason="this system writes through its memory always")
def test_a_file_system_that_refuses_the_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plainly = fcntl.fcntl

    def refuse(descriptor: int, command: int, argument: Any = 0) -> Any:
        if command == fcntl.F_SETFL and argument & blocks_module.DIRECTLY:
            raise OSError(errno.EINVAL, "no")
        return plainly(descriptor, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    assert write(tmp_path / "file", SIZES) == sum(SIZES)


@pytest.mark.skipif(not blocks_module.DIRECTLY, reason="this system writes through its memory always")
def test_what_was_written_in_part_is_written_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote: list[int] = []
    plainly = os.write

    def few(descriptor: int, data: memoryview) -> int:
        if wrote:  # and from such a place on a disk takes nothing more
            raise OSError(errno.EINVAL, "no")
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~blocks_module.DIRECTLY)
        wrote.append(plainly(descriptor, data[:7]))
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)
        return 7

    writes(monkeypatch, few)
    assert write(tmp_path / "file", SIZES) in (sum(SIZES) - 7, sum(SIZES))


@pytest.mark.parametrize("turns", [0, 1])
def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    def refuse(descriptor: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", refuse)
    with blocks_at(tmp_path / "file", turns) as (blocks, _), pytest.raises(OSError, match="full"):
        blocks.write(some(SIZES))
