"""Archives of packages taken apart into the files of a library item while they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from resphere.inventory.content.packages import Part, part_of
from resphere.libraries.packages import require_names
from resphere.ovf.archive import Archive, ArchiveLimits, refused
from resphere.rules.content_packages import MOST_FILES

Store = Callable[[str, AsyncIterator[bytes]], Awaitable[None]]
"""Stores a file of that name, durably."""

LIMITS = ArchiveLimits(most_members=MOST_FILES)
ONCE = frozenset((Part.DESCRIPTOR, Part.MANIFEST, Part.CERTIFICATE))


async def unpack(name: str, stream: AsyncIterator[bytes], store: Store) -> None:
    """Have each file of the archive of that ``name`` stored, one after the other.

    :raises BadPackage: it is no archive of a package.
    """
    parts: set[Part] = set()
    async with aclosing(Archive(stream, name, LIMITS).members()) as members:
        async for member in members:
            require_names(name, [member.name])
            part = part_of(member.name)
            if part is Part.ARCHIVE or part in parts:
                raise refused(name, f"{member.name} is one archive, manifest or certificate too many")
            if part in ONCE:
                parts.add(part)
            async with aclosing(member.pieces()) as pieces:
                await store(member.name, pieces)
