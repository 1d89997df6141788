"""``resphere.content.transfers``: the bytes of files that go into content libraries and come out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from resphere.contract.errors import InvalidArgument, UnableToAllocateResource, message
from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.generated.content_library_item import File
from resphere.contract.model import ByteStream, Part, Secret
from resphere.inventory.content.items import LibraryFile
from resphere.libraries.forms import unwrapped
from resphere.libraries.refusals import FULL, no_address
from resphere.services.call import Call
from resphere.services.registry import implements

RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*\Z", re.IGNORECASE | re.ASCII)
"""One range. Several are passed over, as HTTP allows: the answer is the whole file."""


@implements(ContentTransfers.upload)
async def upload(call: Call, token: Secret, file_name: str, content_type: str | None, content: ByteStream) -> None:
    """Send a file to the address that an update session has given for it: as it is, or as a form of one part.

    It may be sent again, until the session is complete; the last one counts.

    :raises NotFound: the address is not good, or no more.
    :raises InvalidArgument: the file has not the size or checksum that was announced.
    :raises UnableToAllocateResource: there is no room for it.
    :raises NotAllowedInCurrentState: the session ended, or the file was sent again, before all of it had come.
    """
    receiving = call.environment.library_receiving
    session, file = receiving.destination(token)
    if file.name != file_name:
        raise no_address()
    stream = unwrapped(content, content_type)
    try:
        # What is around the file in a form counts too.
        await receiving.receive(session, file, stream, content.size_bytes)
    except UnableToAllocateResource as error:
        raise error.http(FULL) from None


@implements(ContentTransfers.upload_by_post)
async def upload_by_post(
    call: Call, token: Secret, file_name: str, content_type: str | None, content: ByteStream
) -> None:
    """The same by ``POST``, as the official SDK's samples and Ansible send files."""
    await upload(call, token, file_name, content_type, content)


@implements(ContentTransfers.download)
async def download(call: Call, token: Secret, file_name: str, range: str | None, if_range: str | None) -> ByteStream:
    """A file from the address that a download session has given for it, or of a range the part.

    It may be had as often as one likes, as long as the session goes on.

    :raises NotFound: the address is not good, or no more.
    :raises InvalidArgument: the file ends before the range begins (416).
    """
    sending = call.environment.library_sending
    session, file = sending.source(token)
    if file.name != file_name:
        raise no_address()
    return await ranged(file, range, if_range, lambda first, size: sending.open(session, file, first, size))


async def ranged(
    file: LibraryFile, range: str | None, if_range: str | None, open: Callable[[int, int], Awaitable[ByteStream]]
) -> Part:
    """A file, or of a range the part: ``open`` gives the bytes from one on, so many.

    :raises InvalidArgument: the file ends before the range begins (416).
    """
    size, tag = file.size_bytes, entity_tag(file)
    wanted = None if range is None or if_range not in (None, tag) else part_of(range, size)
    headers = (("Accept-Ranges", "bytes"), ("ETag", tag), ("Content-Disposition", "attachment"))
    if wanted is None:
        return Part(await open(0, size), 200, headers)
    first, last = wanted
    told = ("Content-Range", f"bytes {first}-{last}/{size}")
    return Part(await open(first, last - first + 1), 206, (*headers, told))


def entity_tag(file: LibraryFile) -> str:
    """What tells this content of the file from all others."""
    return f'"{file.digests[File.ChecksumAlgorithm.SHA256]}"'


def part_of(range: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that a header ``Range`` means of so many; ``None``: it means nothing.

    :raises InvalidArgument: there are no such bytes.
    """
    found = RANGE.match(range.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
        if int(found[2]) == 0:
            raise not_satisfiable(size)
    else:
        first, last = int(found[1]), min(size - 1, int(found[2]) if found[2] else size - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first >= size:
        raise not_satisfiable(size)
    return first, last


def not_satisfiable(size: int) -> InvalidArgument:
    """The refusal of a range outside of the file."""
    refusal = InvalidArgument(message("resphere.content.range", "Range: the file has {0} bytes only.", size))
    refusal.http(416, [("Content-Range", f"bytes */{size}")])
    return refusal
