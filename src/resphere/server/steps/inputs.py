"""The step that reads what an operation gets, and of a list what is asked of it beside."""

from __future__ import annotations

import asyncio

import msgspec

from resphere.access.check import Reference, references_of
from resphere.contract.model import ByteStream, Struct
from resphere.dialects.base import Resolved
from resphere.dialects.http import BYTE_ORDER_MARK, has_too_many_values
from resphere.queries.options import Query, understood
from resphere.server.body import too_many_values
from resphere.server.exchange import Exchange
from resphere.server.intake import most_bytes, too_much
from resphere.server.steps.equipment import Equipment

LARGE_BODY_BYTES = 128 * 1024
"""Bodies from here on are decoded beside the loop: a list of a million ids takes seconds."""

LONG_OPTIONS = 512
"""Characters of options from which on they are read beside the loop."""

WHITE = b" \t\r\n"


class Input(msgspec.Struct, frozen=True, gc=False):
    """What an operation gets, and what that refers to; of a list what is asked of it beside. ``large``: whatever looks
    at all of it does so beside the loop."""

    value: Struct
    references: tuple[Reference, ...]
    query: Query | None = None
    large: bool = False


async def decode(pipeline: Equipment, exchange: Exchange, resolved: Resolved) -> Input:
    """The input, validated against the contract. What an operation takes as a stream is not read here."""
    body: bytes | ByteStream = b""
    if resolved.operation.takes_stream:
        body = exchange.body.stream(pipeline.stream_limits[resolved.operation.service])
    elif exchange.request.method not in ("GET", "HEAD"):
        most = most_bytes(exchange, pipeline.body_limit_bytes)
        body = await exchange.body.read(most)
        if len(body) > most:
            raise too_much(exchange, pipeline.body_limit_bytes)
        if body.removeprefix(BYTE_ORDER_MARK).lstrip(WHITE)[:1] in (b"{", b"[") and has_too_many_values(body):
            raise too_many_values()
    if (isinstance(body, bytes) and len(body) > LARGE_BODY_BYTES) or has_long_options(resolved):
        found = await asyncio.to_thread(read, exchange, resolved, body)
        return msgspec.structs.replace(found, large=True)
    return read(exchange, resolved, body)


def read(exchange: Exchange, resolved: Resolved, body: bytes | ByteStream) -> Input:
    """What the request holds, in any thread."""
    value = exchange.dialect.decode(resolved, exchange.request, body)
    query = None
    if resolved.options or resolved.streamed:
        query = understood(resolved.operation, resolved.options, resolved.streamed)
    return Input(value, references_of(resolved.operation, resolved.parameters, value), query)


def has_long_options(resolved: Resolved) -> bool:
    """Whether the options of a list take some time to be understood."""
    return sum(len(value) for values in resolved.options.values() for value in values) > LONG_OPTIONS
