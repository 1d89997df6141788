"""VMDK files: empty ones as qemu reads them, and heads of good and bad ones."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.ovf.issues import BadPackage
from resphere.ovf.vmdk import HEAD_BYTES, LARGEST_BYTES, PIECE_BYTES, empty_size, read_head, write_empty

CAPACITIES = [1, 512, 513, 1 << 20, 10**9, 16 << 30, 2 << 40]
"""qemu takes ten seconds to check the largest disk that there is."""


@pytest.fixture
def qemu_img() -> str:
    found = shutil.which("qemu-img")
    if found is None:
        pytest.skip("there is no qemu-img here (Debian: qemu-utils)")
    return found


def told(qemu_img: str, *arguments: str) -> Any:
    done = subprocess.run([qemu_img, *arguments], capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_an_empty_disk_is_one_for_qemu(qemu_img: str, tmp_path: Path, capacity: int) -> None:
    path = tmp_path / "empty.vmdk"
    with path.open("wb") as file:
        file.writelines(write_empty(capacity))
    checked = told(qemu_img, "check", "--output=json", str(path))
    assert (checked["check-errors"], checked.get("corruptions", 0)) == (0, 0)
    info = told(qemu_img, "info", "--output=json", str(path))
    assert info["virtual-size"] == -(-capacity // 512) * 512
    assert info["format-specific"]["data"]["create-type"] == "streamOptimized"


def test_an_empty_disk_holds_zeros(qemu_img: str, tmp_path: Path) -> None:
    path, raw = tmp_path / "empty.vmdk", tmp_path / "empty.raw"
    path.write_bytes(b"".join(write_empty(3 << 20)))
    subprocess.run([qemu_img, "convert", "-O", "raw", str(path), str(raw)], check=True, timeout=60)
    assert raw.read_bytes() == bytes(3 << 20)


@pytest.mark.parametrize("kind", ["streamOptimized", "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse"])
def test_heads_of_what_qemu_has_written(qemu_img: str, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "disk.vmdk"
    subprocess.run(
        [qemu_img, "create", "-q", "-f", "vmdk", "-o", f"subformat={kind}", str(path), "5M"], check=True, timeout=60
    )
    head = read_head(path.read_bytes(), "disk.vmdk")
    assert (head.capacity, head.create_type) == (5 << 20, kind)
    assert bool(head.extents) is (kind in ("monolithicFlat", "twoGbMaxExtentSparse"))


def test_a_disk_on_another_is_refused(qemu_img: str, tmp_path: Path) -> None:
    base, child = tmp_path / "base.vmdk", tmp_path / "child.vmdk"
    subprocess.run([qemu_img, "create", "-q", "-f", "vmdk", str(base), "5M"], check=True, timeout=60)
    subprocess.run(
        [qemu_img, "create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", str(base), str(child)], check=True, timeout=60
    )
    with pytest.raises(BadPackage, match="goes on from another disk"):
        read_head(child.read_bytes(), "child.vmdk")


@given(st.integers(1, 64 << 30))
def test_an_empty_disk_says_its_capacity_and_size(capacity: int) -> None:
    pieces = list(write_empty(capacity))
    assert sum(map(len, pieces)) == empty_size(capacity)
    assert max(map(len, pieces)) <= PIECE_BYTES
    head = read_head(pieces[0], "disk.vmdk")
    assert (head.capacity, head.create_type, head.compressed) == (-(-capacity // 512) * 512, "streamOptimized", True)


def test_the_largest_disk() -> None:
    pieces = list(write_empty(LARGEST_BYTES))
    assert sum(map(len, pieces)) == empty_size(LARGEST_BYTES)
    assert read_head(pieces[0], "disk.vmdk").capacity == LARGEST_BYTES


def test_names_do_not_break_out_of_the_descriptor() -> None:
    content = b"".join(write_empty(512, 'a"\nRW 99 FLAT "/etc/passwd'))
    assert b'SPARSE "a__RW 99 FLAT _/etc/passwd"' in content


@pytest.mark.parametrize("capacity", [0, -1, LARGEST_BYTES + 1])
def test_disks_that_there_are_not(capacity: int) -> None:
    with pytest.raises(ValueError, match="a disk has from 1"):
        empty_size(capacity)
    with pytest.raises(ValueError, match="a disk has from 1"):
        next(write_empty(capacity))


def changed(offset: int, layout: str, *values: object) -> bytes:
    content = bytearray(b"".join(write_empty(1 << 20)))
    struct.pack_into(layout, content, offset, *values)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no VMDK"),
        (b"7z\xbc\xaf\x27\x1c" * 100, "no VMDK"),
        (b"KDMV", "ends within its header"),
        (b"COWD", "ends within its header"),
        (b"COWD" + bytes(28), "damaged"),
        (changed(4, "<I", 4), "version is 4"),
        (changed(4, "<I", 0), "version is 0"),
        (changed(12, "<Q", 0), "not 0"),
        (changed(12, "<Q", 1 << 60), "a disk has"),
        (changed(20, "<Q", 127), "damaged"),
        (changed(20, "<Q", 1 << 63), "damaged"),
        (changed(44, "<I", 0), "damaged"),
        (changed(73, "<4s", b"\r\n \n"), "line ends"),
        (changed(77, "<H", 9), "unknown algorithm 9"),
        (b"# Disk DescriptorFile\n", "no type or no extent"),
        (b'# Disk DescriptorFile\ncreateType="vmfs"\nRW 0 VMFS "a-flat.vmdk"\n', "a disk has"),
        (b'# Disk DescriptorFile\nparentCID=12345678\ncreateType="vmfs"\nRW 1 VMFS "a"\n', "another disk"),
    ],
)
def test_bad_heads_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(BadPackage, match=words) as caught:
        read_head(content, "bad.vmdk")
    assert caught.value.issues[0].file == "bad.vmdk"


def test_only_the_head_is_looked_at() -> None:
    content = b"# Disk DescriptorFile\n" + b" " * HEAD_BYTES + b'createType="vmfs"\nRW 1 VMFS "a"\n'
    with pytest.raises(BadPackage):
        read_head(content, "late.vmdk")


@given(st.binary(max_size=1200), st.sampled_from([b"", b"KDMV", b"COWD", b"# Disk DescriptorFile\n"]))
def test_any_head_is_read_or_refused(content: bytes, start: bytes) -> None:
    with suppress(BadPackage):
        assert read_head(start + content, "any.vmdk").capacity > 0
