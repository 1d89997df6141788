"""The step of the pipeline that makes of a list's result what its options ask for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import cache
from types import GenericAlias
from typing import Any
from urllib.parse import quote

import msgspec

from resphere.contract.model import AnyOperation, Operation, Struct
from resphere.dialects.base import Request, Resolved
from resphere.queries.lists import Listing
from resphere.queries.options import Query
from resphere.queries.pages import Means, page, streamed

COUNT_HEADER = "Resphere-Count"
CURSOR_HEADER = "Resphere-Cursor"
VARY = ("Vary", "Accept")
PIECE_BYTES = 64 * 1024
"""Lines are sent in pieces of about so many bytes."""


class Arranged(msgspec.Struct, frozen=True):
    """What is written of a result: ``resolved`` states its type, ``headers`` say more of it. ``keeps``: the reply may
    be kept. ``lines`` are written in place of all else."""

    resolved: Resolved
    result: Any
    headers: tuple[tuple[str, str], ...] = ()
    keeps: bool = True
    lines: Lines | None = None


class Lines:
    """Items as JSON documents, one a line: a stream of bytes that reads on when the client has taken what was sent."""

    size_bytes = None

    def __init__(
        self, first: list[Any], following: AsyncGenerator[list[Any], None], write: Callable[[Any], bytes]
    ) -> None:
        self._first = first
        self._following = following
        self._write = write

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = [self._write(item) for item in self._first]
        size_bytes = sum(map(len, held))
        async for piece in self._following:
            if size_bytes >= PIECE_BYTES:
                yield b"".join(held)
                held, size_bytes = [], 0
            lines = [self._write(item) for item in piece]
            held += lines
            size_bytes += sum(map(len, lines))
        if held:
            yield b"".join(held)

    async def close(self) -> None:
        """Read no further."""
        await self._following.aclose()


async def arranged(
    query: Query,
    request: Request,
    resolved: Resolved,
    result: Any,
    means: Means,
    write: Callable[[Resolved, Any], bytes],
) -> Arranged:
    """What the options make of the result of a list.

    :raises InvalidArgument: they go on where nothing is kept any more.
    """
    if query.streamed:
        line = msgspec.structs.replace(resolved, operation=line_operation(query.listing, query.item))
        as_entry = entry_of(query.listing, query.item)
        pieces = streamed(query, result, means)
        # What fails at once is still told as an error.
        first: list[Any] = await anext(pieces, [])
        lines = Lines(first, pieces, lambda item: write(line, as_entry(item)) + b"\n")
        return Arranged(line, None, (VARY,), keeps=False, lines=lines)
    found = await page(query, result, means)
    operation = operation_of(query.listing, query.item)
    value = dict(found.items) if query.listing.is_map else tuple(found.items)
    headers = (*more_headers(request, found.count, found.next), VARY)
    told = resolved if operation is resolved.operation else msgspec.structs.replace(resolved, operation=operation)
    return Arranged(told, value, headers, keeps=not query.depends_on_more)


def more_headers(request: Request, count: int | None, following: str | None) -> tuple[tuple[str, str], ...]:
    """How many match, and where the list goes on: as a link too, where the options stand in the address."""
    headers: list[tuple[str, str]] = []
    if count is not None:
        headers.append((COUNT_HEADER, str(count)))
    if following is not None:
        headers.append((CURSOR_HEADER, following))
        if request.query:
            headers.append(("Link", f'<{address(request, following)}>; rel="next"'))
    return tuple(headers)


def address(request: Request, cursor: str) -> str:
    """The request's own address, with another cursor, and nothing skipped."""
    parts = request.query.decode("latin-1").split("&")
    replaced = ("$skiptoken=", "%24skiptoken=", "$skip=", "%24skip=")
    kept = [quote(part, safe="%=&+!$'()*,;:@/?-._~") for part in parts if not part.startswith(replaced)]
    return f"{request.path}?{'&'.join((*kept, '%24skiptoken=' + cursor))}"


@cache
def operation_of(listing: Listing, item: Any) -> AnyOperation:
    """The list as an operation that answers items of that type: how dialects are told what to write."""
    operation = listing.operation
    if item is listing.item:
        return operation
    output = GenericAlias(dict, (listing.key, item)) if listing.is_map else GenericAlias(tuple, (item, ...))
    return written_as(operation, output)


@cache
def line_operation(listing: Listing, item: Any) -> AnyOperation:
    """The list as an operation that answers one item."""
    return written_as(listing.operation, entry(listing, item) if listing.is_map else item)


@cache
def entry(listing: Listing, item: Any) -> type[Struct]:
    """A key of a map with its value, as one line has them."""
    made = msgspec.defstruct("Entry", [("key", listing.key), ("value", item)], bases=(Struct,), frozen=True)
    if not issubclass(made, Struct):
        raise TypeError("a structure of the contract was asked for")
    return made


def entry_of(listing: Listing, item: Any) -> Callable[[Any], Any]:
    """What makes of an item what a line has of it."""
    if not listing.is_map:
        return lambda each: each
    made = entry(listing, item)
    return lambda pair: made(*pair)


def written_as(operation: AnyOperation, output: Any) -> AnyOperation:
    """The operation with a result of another type."""
    return Operation(
        operation.service,
        operation.name,
        input=operation.input,
        output=lambda: output,
        api=operation.api,
        rest=operation.rest,
        errors=operation.errors,
        privileges=operation.privileges,
        releases=operation.releases,
    )
