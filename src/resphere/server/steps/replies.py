"""The steps that answer from what is kept, and that write a result, and keep what is written of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from resphere.contract.model import Parted
from resphere.dialects.base import Reply, Resolved
from resphere.idempotency.replies import Claim
from resphere.queries.options import LINES
from resphere.server.entity_tags import is_known, named_by_path
from resphere.server.exchange import Caller, Exchange, Keeping
from resphere.server.extent import holds_at_least
from resphere.server.kept import accepts_gzip, compressed, compressible
from resphere.server.lists import Arranged
from resphere.server.pieces import FEWEST_ITEMS
from resphere.server.steps.equipment import Equipment
from resphere.server.steps.tags import (
    ETAG,
    answer_tag,
    entity_tag,
    etag_of,
    kept_headers,
    present_part,
    reads,
    revalidate,
)

LARGE_RESULT_ITEMS = 1000
"""Results of so many items are written beside the loop."""


def recall(pipeline: Equipment, exchange: Exchange, caller: Caller, resolved: Resolved) -> Reply | Keeping | None:
    """Answer from what is kept, or say that the client has it already, or what the answer is going to be of."""
    implementation = pipeline.implementations.get(resolved.operation.id)
    if implementation is None or resolved.kept_key is None or pipeline.faults.active:
        return None
    inventory = pipeline.environment.inventory
    if not implementation.kept:
        if not reads(exchange, resolved):
            return None  # calls of JSON-RPC may be anything
        return Keeping(None, inventory.revision, present_part(inventory, resolved))
    headers = exchange.request.headers
    revision, view_key = inventory.revision, caller.view.key
    lists = not named_by_path(resolved.operation)
    if lists and resolved.revalidates and b"if-none-match" in headers:
        etag = entity_tag(pipeline, exchange, resolved, view_key, revision)
        if is_known(headers[b"if-none-match"], etag):
            return Reply(304, headers=kept_headers(etag))
    gzip = accepts_gzip(headers.get(b"accept-encoding"))
    key = (exchange.dialect.name, resolved.operation.id, resolved.kept_key, view_key, gzip)
    kept = pipeline.kept.get(key, revision)
    if kept is None:
        return Keeping(key, revision, None if lists else present_part(inventory, resolved))
    return exchange.dialect.frame(resolved, kept if lists else revalidate(exchange, resolved, kept))


async def encode(
    pipeline: Equipment,
    exchange: Exchange,
    wanted: Arranged,
    caller: Caller,
    keeping: Keeping | Claim | None,
) -> Reply:
    """The result as the dialect writes it, compressed where the client likes, tagged, and kept where it may be."""
    resolved, result = wanted.resolved, wanted.result
    if isinstance(keeping, Claim):
        # Whoever repeats a call may like other encodings.
        return await written(exchange, resolved, result, None, accepts=False)
    if wanted.lines is not None:
        return Reply(200, media_type=LINES, headers=wanted.headers, stream=wanted.lines)
    if keeping is None:
        return with_headers(await written(exchange, resolved, result, None), wanted.headers)
    asked = f"{resolved.operation.id} {exchange.dialect.name} {resolved.kept_key} {wanted.headers}"
    tag = partial(answer_tag, asked, keeping)
    key, view_key = keeping.key, caller.view.key
    if key is None or not wanted.keeps:
        return with_headers(await written(exchange, resolved, result, tag), wanted.headers)
    if keeping.object_part is not None:
        reply = await written(exchange, resolved, result, tag)
    elif isinstance(result, Parted) and len(result) >= FEWEST_ITEMS:
        gzip = accepts_gzip(exchange.request.headers.get(b"accept-encoding"))
        reply = pipeline.kept.listed(key[:-1], partial(exchange.dialect.encode, resolved), result.parts, gzip)
    else:
        reply = await written(exchange, resolved, result, None)
    reply = with_headers(reply, wanted.headers)
    etag = etag_of(reply) or entity_tag(pipeline, exchange, resolved, view_key, keeping.revision)
    others = tuple([each for each in reply.headers if each[0] != ETAG])
    tagged = kept_headers(etag) if resolved.revalidates else ((ETAG, etag),)
    reply = with_headers(msgspec.structs.replace(reply, headers=others), tagged)
    # Of the revision that the question was asked at: what changed while it was answered may be missing.
    pipeline.kept.put(key, keeping.revision, reply)
    return reply


async def written(
    exchange: Exchange, resolved: Resolved, result: Any, tag: Callable[[Reply], Reply] | None, *, accepts: bool = True
) -> Reply:
    """The result as the dialect writes it, beside the loop where it is long; ``accepts``: whether the client's wishes
    count."""
    whole = result.whole() if isinstance(result, Parted) else result
    gzip = accepts and accepts_gzip(exchange.request.headers.get(b"accept-encoding"))
    if holds_at_least(whole, LARGE_RESULT_ITEMS):
        return await asyncio.to_thread(write, exchange, resolved, whole, tag, gzip=gzip)
    return write(exchange, resolved, whole, tag, gzip=gzip)


def write(
    exchange: Exchange, resolved: Resolved, result: Any, tag: Callable[[Reply], Reply] | None, *, gzip: bool
) -> Reply:
    """The result as the dialect writes it, in any thread."""
    reply = exchange.dialect.encode(resolved, result)
    if tag is not None:
        reply = tag(reply)
    return compressed(reply) if gzip and compressible(reply.media_type) else reply


def with_headers(reply: Reply, headers: tuple[tuple[str, str], ...]) -> Reply:
    """``reply`` with more of them."""
    if not headers:
        return reply
    return msgspec.structs.replace(reply, headers=(*reply.headers, *headers), sent_headers=None)
