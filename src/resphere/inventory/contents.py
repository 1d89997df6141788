"""What lies beside the store as a content and is named by documents: the bytes of disks that came from files.

A content stays as long as an index :data:`CONTENT` of any table names it (:mod:`resphere.libraries.naming`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

CONTENT = "content"
"""The index, of every table whose documents name contents, by those names."""
DIGEST = "digest"
"""The index of items, machines and files by the SHA-256 digests of their files: equal bytes are kept once."""


class ContentPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file, or a piece of one: its bytes are the content of the name ``content``. The digest is in hexadecimal
    digits."""

    content: str
    size_bytes: int
    sha256: str


class DiskContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a disk holds that came from a file, as it came: nothing that a simulated guest does changes it.

    ``parts`` are the file, or the pieces of ``chunk_size`` bytes that it came in; all of it is compressed by
    ``compression``, ``gzip`` or nothing. ``format`` is the URI of the descriptor it came with. ``capacity`` is that of
    the disk that was made of it, in bytes; the disk may have grown since.
    """

    parts: tuple[ContentPart, ...]
    capacity: int
    format: str = ""
    compression: str = ""
    chunk_size: int | None = None

    @property
    def size_bytes(self) -> int:
        """What all parts have."""
        return sum(part.size_bytes for part in self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """The contents that it is made of."""
        return tuple([part.content for part in self.parts])


def names_of(contents: Iterable[DiskContent]) -> Iterator[str]:
    """The contents that disks are made of."""
    for content in contents:
        yield from content.names


def digests_of(contents: Iterable[DiskContent]) -> Iterator[str]:
    """The SHA-256 digests of those."""
    for content in contents:
        for part in content.parts:
            yield part.sha256
