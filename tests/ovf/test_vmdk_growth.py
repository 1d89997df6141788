"""Disks that were made larger: what qemu has written, with more room, as qemu reads it."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.ovf.vmdk import HEAD_BYTES, SECTOR, read_head, write_empty
from resphere.ovf.vmdk_growth import END_BYTES, grown, read_sparse
from tests.support.examples import examples

MIB = 1 << 20
DATA = b"".join(number.to_bytes(4, "big") * 16384 for number in range(40))


@pytest.fixture
def qemu_img() -> str:
    found = shutil.which("qemu-img")
    if found is None:
        pytest.skip("there is no qemu-img here (Debian: qemu-utils)")
    return found


def larger(content: bytes, capacity: int) -> bytes | None:
    """The file of a larger disk."""
    sparse = read_sparse(content[:HEAD_BYTES], content[-END_BYTES:], len(content))
    if sparse is None:
        return None
    begin, length = sparse.directory
    growth = grown(sparse, content[begin : begin + length], capacity)
    if growth is None:
        return None
    made = growth.head + content[len(growth.head) : growth.until] + growth.tail
    assert len(made) == growth.size_bytes
    return made


def qemu(program: str, *arguments: str | Path) -> bytes:
    return subprocess.run([program, *map(str, arguments)], capture_output=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("kind", ["streamOptimized", "monolithicSparse"])
@pytest.mark.parametrize("capacity", [9 * MIB, 5 << 30])
def test_what_was_on_it_and_zeros(qemu_img: str, tmp_path: Path, kind: str, capacity: int) -> None:
    raw, disk, back = tmp_path / "a.raw", tmp_path / "a.vmdk", tmp_path / "back.raw"
    raw.write_bytes(DATA)
    qemu(qemu_img, "convert", "-O", "vmdk", "-o", f"subformat={kind}", raw, disk)
    made = larger(disk.read_bytes(), capacity)
    assert made is not None
    disk.write_bytes(made)
    head = read_head(made, "a.vmdk")
    assert (head.capacity, head.create_type) == (capacity, kind)
    info: Any = json.loads(qemu(qemu_img, "info", "--output=json", disk))
    assert info["virtual-size"] == capacity
    qemu(qemu_img, "convert", "-O", "raw", disk, back)
    with back.open("rb") as file:
        assert file.read(len(DATA)) == DATA
        assert file.read(MIB) == bytes(MIB)
    assert back.stat().st_size == capacity
    assert json.loads(qemu(qemu_img, "check", "--output=json", disk)).get("corruptions", 0) == 0


def test_our_own_grow_again_and_again(qemu_img: str, tmp_path: Path) -> None:
    disk, made = tmp_path / "a.vmdk", b"".join(write_empty(MIB))
    for capacity in (40 << 30, 41 << 30, 2 << 40):
        again = larger(made, capacity)
        assert again is not None
        disk.write_bytes(again)
        assert json.loads(qemu(qemu_img, "info", "--output=json", disk))["virtual-size"] == capacity
        made = again


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(4096),
        b"KDMV" + bytes(4092),
        b"# Disk DescriptorFile\n" + bytes(4096),
        b"".join(write_empty(MIB))[:-1],
        b"".join(write_empty(MIB))[:4096],
    ],
    ids=["nothing", "zeros", "a header of zeros", "a descriptor", "cut off", "cut off early"],
)
def test_what_is_left_as_it_is(content: bytes) -> None:
    assert larger(content, 2 * MIB) is None


@given(st.integers(0, SECTOR // 4 - 1), st.integers(0, (1 << 32) - 1))
@settings(max_examples=examples(200))
def test_damaged_ones_do_no_harm(place: int, value: int) -> None:
    content = bytearray(b"".join(write_empty(MIB)))
    struct.pack_into("<I", content, 4 * place, value)
    made = larger(bytes(content), 2 * MIB)
    assert made is None or len(made) < 2 * len(content)
