"""A file that comes as a form: what ``curl -F`` sends."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.model import ByteStream

FORM = b"multipart/form-data"
LONGEST_BOUNDARY = 70
"""As RFC 2046 has it."""


def unwrapped(content: ByteStream, media_type: str | None) -> ByteStream:
    """The file itself: ``content``, or what is in the one part of it where it is a form.

    :raises InvalidArgument: the form says not how its parts are told apart.
    """
    kind, options = parse_options_header(media_type or "")
    if kind.lower() != FORM:
        return content
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise malformed("Content-Type has no boundary, or one that is too long")
    return FileOfForm(content, boundary)


class FileOfForm(msgspec.Struct, frozen=True):
    """The only part of a form, as a stream; how long it is only its end tells."""

    form: ByteStream
    boundary: bytes

    @property
    def size_bytes(self) -> int | None:
        return None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces.

        :raises InvalidArgument: it is no form of one part.
        """
        parts = Parts()
        parser = MultipartParser(
            self.boundary,
            {"on_part_begin": parts.begin, "on_part_data": parts.data, "on_end": parts.end},
        )
        async for piece in self.form:
            try:
                parser.write(piece)
            except MultipartParseError:
                raise malformed("it is not written as forms are") from None
            if parts.count > 1:
                raise malformed("it has more than one part")
            for content in parts.taken():
                yield content
        if not parts.ended or parts.count != 1:
            raise malformed("it ends before its one part does")

    async def close(self) -> None:
        await self.form.close()


class Parts:
    """What a parser has found."""

    def __init__(self) -> None:
        self.count = 0
        self.ended = False
        self._pieces: list[bytes] = []

    def begin(self) -> None:
        """A part begins."""
        self.count += 1

    def data(self, data: bytes, start: int, end: int) -> None:
        """More of it."""
        self._pieces.append(bytes(data[start:end]))

    def end(self) -> None:
        """The form is over."""
        self.ended = True

    def taken(self) -> list[bytes]:
        """What came since this was asked last."""
        pieces, self._pieces = self._pieces, []
        return pieces


def malformed(fault: str) -> InvalidArgument:
    """The refusal of a form."""
    return InvalidArgument(
        message(
            "resphere.content.form",
            "body: a file is sent as it is, or as a form of one part; this one is neither: {0}.",
            fault,
        )
    )
