"""VMDK files: empty ones written as streams, in the format that vSphere exports, and what the head of one tells.

The layout is that of VMware's note on virtual disk format 5.0; numbers are little-endian, a sector has 512 bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import msgspec

from resphere.ovf.issues import BadPackage, Category, issue

SECTOR = 512
LARGEST_BYTES = 62 << 40
HEAD_BYTES = 64 * 1024
"""How much of the beginning of a file :func:`read_head` wants; less is enough for most."""

HEADER = struct.Struct("<4sIIQQQQIQQQB4sH433x")
MARKER = struct.Struct("<QII496x")
_COWD = struct.Struct("<4sIIIIII")
MAGIC = b"KDMV"
_LINE_ENDS = b"\n \r\n"
"""Stands in the header, so that a transfer which has changed line ends is found out."""
AT_END = 0xFFFFFFFFFFFFFFFF
"""In place of the grain directory's sector: the footer says it, as a stream cannot be gone back in."""
_FLAGS = 1 | 1 << 16 | 1 << 17
"""The line ends count, grains are compressed, markers stand before them."""
_GRAIN_SECTORS = 128
_ENTRIES = 512
_DESCRIPTOR_SECTORS = 20
_OVERHEAD_SECTORS = 128
DIRECTORY, FOOTER, END = 2, 3, 0
_DEFLATE = 1
PIECE_BYTES = 1 << 20


def empty_size(capacity: int) -> int:
    """How many bytes the file of an empty disk of ``capacity`` bytes has."""
    return (_OVERHEAD_SECTORS + 1 + _directory_sectors(_sectors(capacity)) + 3) * SECTOR


def write_empty(capacity: int, name: str = "disk.vmdk") -> Iterator[bytes]:
    """The file of an empty disk of ``capacity`` bytes, in pieces of at most a MiB.

    A capacity that is no number of sectors is rounded up, as vSphere does. Two of one capacity and name are the same.

    :raises ValueError: there is no disk of that capacity.
    """
    sectors = _sectors(capacity)
    directory = _directory_sectors(sectors)
    descriptor = _descriptor(sectors, name).encode()
    head = _header(sectors, AT_END) + descriptor.ljust(_DESCRIPTOR_SECTORS * SECTOR, b"\0")
    yield head.ljust(_OVERHEAD_SECTORS * SECTOR, b"\0") + MARKER.pack(directory, 0, DIRECTORY)
    left = directory * SECTOR
    while left:
        piece = min(left, PIECE_BYTES)
        yield bytes(piece)
        left -= piece
    footer = MARKER.pack(1, 0, FOOTER) + _header(sectors, _OVERHEAD_SECTORS + 1)
    yield footer + MARKER.pack(0, 0, END)


def _sectors(capacity: int) -> int:
    if not 0 < capacity <= LARGEST_BYTES:
        raise ValueError(f"a disk has from 1 to {LARGEST_BYTES} bytes, not {capacity}")
    return -(-capacity // SECTOR)


def _directory_sectors(sectors: int) -> int:
    """The sectors of the grain directory: an entry of four bytes for each table of 512 grains."""
    tables = -(-sectors // (_GRAIN_SECTORS * _ENTRIES))
    return -(-tables * 4 // SECTOR)


def _header(sectors: int, directory: int) -> bytes:
    return HEADER.pack(
        MAGIC,
        3,
        _FLAGS,
        sectors,
        _GRAIN_SECTORS,
        1,
        _DESCRIPTOR_SECTORS,
        _ENTRIES,
        0,
        directory,
        _OVERHEAD_SECTORS,
        0,
        _LINE_ENDS,
        _DEFLATE,
    )


def _descriptor(sectors: int, name: str) -> str:
    safe = re.sub(r"[^ !#-~]", "_", name)[:128]
    cylinders = min(sectors // (255 * 63), 65535)
    return (
        "# Disk DescriptorFile\n"
        "version=1\n"
        "CID=fffffffe\n"
        "parentCID=ffffffff\n"
        'createType="streamOptimized"\n'
        "\n"
        "# Extent description\n"
        f'RDONLY {sectors} SPARSE "{safe}"\n'
        "\n"
        "# The Disk Data Base\n"
        "#DDB\n"
        "\n"
        'ddb.adapterType = "lsilogic"\n'
        f'ddb.geometry.cylinders = "{cylinders}"\n'
        'ddb.geometry.heads = "255"\n'
        'ddb.geometry.sectors = "63"\n'
        'ddb.virtualHWVersion = "4"\n'
    )


class VmdkHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the beginning of a file tells: the disk's ``capacity`` in bytes, and the format
    (``streamOptimized``, ``monolithicSparse``, ``vmfs``...). ``extents`` are other files that it is made of."""

    capacity: int
    create_type: str
    compressed: bool = False
    extents: tuple[str, ...] = ()


_CREATE_TYPE = re.compile(r'^[ \t]*createType[ \t]*=[ \t]*"([^"\n]{1,64})"', re.MULTILINE)
_EXTENT = re.compile(
    r'^(?:RW|RDONLY|NOACCESS)[ \t]+(\d{1,19})[ \t]+[A-Z]{1,16}(?:[ \t]+"([^"\n]{1,1024})")?', re.MULTILINE
)
_PARENT = re.compile(r"^[ \t]*parentCID[ \t]*=[ \t]*([0-9a-fA-F]{1,8})", re.MULTILINE)


def read_head(head: bytes, file: str) -> VmdkHead:
    """What the first bytes of a file tell; :data:`HEAD_BYTES` of them are looked at.

    :raises BadPackage: it is no VMDK, is damaged, or is a disk that goes on from another.
    """
    head = head[:HEAD_BYTES]
    if head.startswith(MAGIC):
        return _of_sparse(head, file)
    if head.startswith(b"COWD"):
        return _of_cowd(head, file)
    if b"# Disk DescriptorFile" in head[:1024]:
        return _of_descriptor(head, file)
    raise _refused(file, "it is no VMDK")


def _of_sparse(head: bytes, file: str) -> VmdkHead:
    if len(head) < SECTOR:
        raise _refused(file, "it ends within its header")
    (
        _,
        version,
        flags,
        sectors,
        grain,
        descriptor,
        descriptor_size,
        entries,
        _,
        _,
        _,
        _,
        line_ends,
        compression,
    ) = HEADER.unpack_from(head)
    if flags & 1 and line_ends != _LINE_ENDS:
        raise _refused(file, "its line ends were changed, as by a transfer of text")
    if not 1 <= version <= 3:
        raise _refused(file, f"its version is {version}, not 1, 2 or 3")
    if not (8 <= grain <= 1 << 16 and grain & (grain - 1) == 0 and 0 < entries <= 1 << 16):
        raise _refused(file, "its header is damaged")
    if compression > 1:
        raise _refused(file, f"it is compressed by the unknown algorithm {compression}")
    capacity = _capacity(sectors, file)
    text = ""
    if descriptor and descriptor_size:
        begin, end = descriptor * SECTOR, (descriptor + descriptor_size) * SECTOR
        text = head[begin:end].split(b"\0", 1)[0].decode("latin-1")
    _require_no_parent(text, file)
    match = _CREATE_TYPE.search(text)
    compressed = bool(flags & 1 << 16)
    return VmdkHead(
        capacity=capacity,
        create_type=match[1] if match else "streamOptimized" if compressed else "monolithicSparse",
        compressed=compressed,
    )


def _of_cowd(head: bytes, file: str) -> VmdkHead:
    if len(head) < _COWD.size:
        raise _refused(file, "it ends within its header")
    _, version, _, sectors, grain, _, _ = _COWD.unpack_from(head)
    if version != 1 or not grain:
        raise _refused(file, "its header is damaged")
    return VmdkHead(capacity=_capacity(sectors, file), create_type="vmfsSparse")


def _of_descriptor(head: bytes, file: str) -> VmdkHead:
    """A descriptor alone: the content lies in other files, each an extent."""
    text = head.split(b"\0", 1)[0].decode("latin-1")
    _require_no_parent(text, file)
    match = _CREATE_TYPE.search(text)
    extents = [(int(size), name) for size, name in _EXTENT.findall(text)]
    if match is None or not extents:
        raise _refused(file, "its descriptor has no type or no extent")
    return VmdkHead(
        capacity=_capacity(sum(size for size, _ in extents), file),
        create_type=match[1],
        extents=tuple(name for _, name in extents if name),
    )


def _require_no_parent(text: str, file: str) -> None:
    match = _PARENT.search(text)
    if match is not None and match[1].casefold() != "ffffffff":
        raise _refused(file, "it goes on from another disk")


def _capacity(sectors: int, file: str) -> int:
    capacity = int(sectors) * SECTOR
    if not 0 < capacity <= LARGEST_BYTES:
        raise _refused(file, f"a disk has from 1 to {LARGEST_BYTES} bytes, not {capacity}")
    return capacity


def _refused(file: str, reason: str) -> BadPackage:
    return BadPackage([issue(Category.VALUE_ILLEGAL, file, (0, 0), "vmdk", "The disk cannot be used: {0}.", reason)])
