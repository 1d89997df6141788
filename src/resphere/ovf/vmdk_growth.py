"""VMDK files of disks that were made larger since: the same grains, described as a disk of the new capacity.

What grows is the directory of the grains, which is written anew at the end, where it has room.
"""

from __future__ import annotations

import re

import msgspec

from resphere.ovf.vmdk import AT_END, DIRECTORY, END, FOOTER, HEAD_BYTES, HEADER, MAGIC, MARKER, SECTOR

END_BYTES = 3 * SECTOR
"""How much of the end of a file is looked at: its footer between two markers."""
MOST_DIRECTORY_BYTES = 16 << 20
"""The largest disk has 8 MiB, with grains and tables of the usual size."""
_ENTRY_BYTES = 4
_TWO_DIRECTORIES = 1 << 1
_MARKERS = 1 << 17
_EXTENT = re.compile(rb"^(RW|RDONLY)([ \t]+)\d{1,19}([ \t]+SPARSE)", re.MULTILINE)
_GEOMETRY = re.compile(rb'^(ddb\.geometry\.(cylinders|heads|sectors)[ \t]*=[ \t]*")(\d{1,9})(")', re.MULTILINE)
_MOST_CYLINDERS = 65_535


class SparseHeader(msgspec.Struct, frozen=True):
    """The header of a sparse file, or its footer; sizes and places in sectors."""

    magic: bytes
    version: int
    flags: int
    capacity: int
    grain: int
    descriptor: int
    descriptor_size: int
    entries: int
    redundant: int
    directory: int
    overhead: int
    unclean: int
    line_ends: bytes
    compression: int

    @property
    def directory_bytes(self) -> int:
        """How many the directory has, an entry for each table of grains."""
        return -(-self.capacity // (self.grain * self.entries)) * _ENTRY_BYTES

    def packed(self) -> bytes:
        """As it stands in a file."""
        return HEADER.pack(*msgspec.structs.astuple(self))


class Sparse(msgspec.Struct, frozen=True):
    """A sparse file of ``size_bytes``: its ``head``, and where its directory is."""

    size_bytes: int
    head: bytes
    header: SparseHeader
    footer: SparseHeader | None

    @property
    def directory(self) -> tuple[int, int]:
        """The first byte of it, and how many there are."""
        where = self.header if self.footer is None else self.footer
        return where.directory * SECTOR, self.header.directory_bytes


class Growth(msgspec.Struct, frozen=True):
    """How the larger file is written: ``head`` in place of as many bytes, those after it up to ``until``, ``tail``."""

    head: bytes
    until: int
    tail: bytes

    @property
    def size_bytes(self) -> int:
        """How long it will be."""
        return self.until + len(self.tail)


def read_sparse(head: bytes, end: bytes, size_bytes: int) -> Sparse | None:
    """What the first :data:`HEAD_BYTES` and the last :data:`END_BYTES` tell; ``None`` where it is no sparse file, or
    one that is odd."""
    head = head[:HEAD_BYTES]
    header = _header(head)
    if header is None or size_bytes % SECTOR or size_bytes < len(head) or len(end) < END_BYTES:
        return None
    footer = _header(end[SECTOR:])
    if footer is not None and MARKER.unpack_from(end)[2] != FOOTER:
        footer = None
    found = Sparse(size_bytes, head, header, footer)
    begin, length = found.directory
    text_end = (header.descriptor + header.descriptor_size) * SECTOR
    is_sound = (
        0 < begin < begin + length <= size_bytes
        and length <= MOST_DIRECTORY_BYTES
        and text_end <= len(head)
        and (footer is None or footer.capacity == header.capacity)
    )
    return found if is_sound else None


def _header(content: bytes) -> SparseHeader | None:
    if len(content) < SECTOR or not content.startswith(MAGIC):
        return None
    header = SparseHeader(*HEADER.unpack_from(content))
    is_sound = 0 < header.grain <= 1 << 16 and 0 < header.entries <= 1 << 16 and 0 < header.capacity < 1 << 40
    return header if is_sound else None


def grown(sparse: Sparse, directory: bytes, capacity: int) -> Growth | None:
    """How the file is written of a disk of ``capacity`` bytes, with all that is in ``directory``; ``None`` where it
    has as much, its description has no room for that, or its grains are too small."""
    sectors = -(-capacity // SECTOR)
    larger = msgspec.structs.replace(sparse.header, capacity=sectors)
    if sectors <= sparse.header.capacity or larger.directory_bytes > MOST_DIRECTORY_BYTES:
        return None
    table = directory.ljust(_up(larger.directory_bytes), b"\0")
    text = _described(sparse, sectors)
    if text is None:
        return None
    if not larger.flags & _MARKERS:
        until = sparse.size_bytes
        larger = msgspec.structs.replace(
            larger, directory=until // SECTOR, redundant=0, flags=larger.flags & ~_TWO_DIRECTORIES
        )
        return Growth(larger.packed() + text, until, table)
    until = _end_of_grains(sparse)
    footer = msgspec.structs.replace(sparse.footer or larger, capacity=sectors, directory=until // SECTOR + 1)
    tail = b"".join(
        (
            MARKER.pack(len(table) // SECTOR, 0, DIRECTORY),
            table,
            MARKER.pack(1, 0, FOOTER),
            footer.packed(),
            MARKER.pack(0, 0, END),
        )
    )
    return Growth(msgspec.structs.replace(larger, directory=AT_END).packed() + text, until, tail)


def _end_of_grains(sparse: Sparse) -> int:
    """Where what is kept of a stream ends: before its directory if that is the last, before its footer or its end."""
    begin, length = sparse.directory
    if sparse.footer is None:
        return sparse.size_bytes - SECTOR
    end = sparse.size_bytes - END_BYTES
    return begin - SECTOR if begin + _up(length) == end else end


def _described(sparse: Sparse, sectors: int) -> bytes | None:
    """What follows the header in the head, with the new capacity; ``None`` where there is no room for it."""
    begin = sparse.header.descriptor * SECTOR
    length = sparse.header.descriptor_size * SECTOR
    if not begin or not length:
        return sparse.head[SECTOR:]
    text = sparse.head[begin : begin + length].rstrip(b"\0")
    text = _EXTENT.sub(rb"\g<1>\g<2>%d\g<3>" % sectors, text, count=1)
    geometry = {name: int(value) for _, name, value, _ in _GEOMETRY.findall(text)}
    track = geometry.get(b"heads", 255) * geometry.get(b"sectors", 63) or 255 * 63
    cylinders = min(sectors // track, _MOST_CYLINDERS)
    text = _GEOMETRY.sub(
        lambda found: found[1] + (b"%d" % cylinders if found[2] == b"cylinders" else found[3]) + found[4], text
    )
    if len(text) > length:
        return None
    return sparse.head[SECTOR:begin] + text.ljust(length, b"\0") + sparse.head[begin + length :]


def _up(size: int) -> int:
    return -(-size // SECTOR) * SECTOR
