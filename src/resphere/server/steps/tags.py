"""ETags of replies, and what clients ask by them: have they got it, is it as they know it?"""

from __future__ import annotations

import zlib
from functools import lru_cache

import msgspec

from resphere.dialects.base import Reply, Resolved
from resphere.limits.classes import OperationClass, class_of
from resphere.replica.replica import Replica
from resphere.server.entity_tags import Unchanged, answer_part, condition, is_known, object_part, subjects
from resphere.server.exchange import Exchange, Keeping
from resphere.server.steps.equipment import Equipment
from resphere.services.call import Product

ETAG = "ETag"


def match(pipeline: Equipment, exchange: Exchange, resolved: Resolved) -> Unchanged | None:
    """Is the object as the client knows it? What has to hold of it until its change is durable."""
    headers = exchange.request.headers
    if b"if-match" not in headers and (b"if-none-match" not in headers or reads(exchange, resolved)):
        return None
    return condition(pipeline.environment.inventory, resolved.operation, resolved.parameters, headers)


def reads(exchange: Exchange, resolved: Resolved) -> bool:
    """Whether ``If-None-Match`` asks what the client has, and demands nothing."""
    return exchange.request.method in ("GET", "HEAD") or class_of(resolved.operation) is OperationClass.READ


def revalidate(exchange: Exchange, resolved: Resolved, reply: Reply) -> Reply:
    """Has the client got it already? Then that is all that it is told."""
    known = exchange.request.headers.get(b"if-none-match")
    if known is None or not resolved.revalidates:
        return reply
    etag = etag_of(reply)
    if etag is None or reply.status != 200 or not is_known(known, etag):
        return reply
    return Reply(304, headers=tuple([each for each in reply.headers if each[0] in (ETAG, "Cache-Control", "Vary")]))


def present_part(inventory: Replica, resolved: Resolved) -> str | None:
    """The revision of the object that a request is about, as ETags have it."""
    about = subjects(resolved.operation, resolved.parameters)
    return object_part(inventory, about[0]) if about else None


def answer_tag(asked: str, keeping: Keeping, reply: Reply) -> Reply:
    """``reply`` with the ETag of what is in it, unless it is a stream or has one already."""
    if reply.stream is not None or reply.status != 200 or etag_of(reply) is not None:
        return reply
    of_answer = answer_part(asked, reply.body)
    etag = f'"{of_answer}"' if keeping.object_part is None else f'"{keeping.object_part}-{of_answer}"'
    return msgspec.structs.replace(reply, headers=(*reply.headers, (ETAG, etag)))


def etag_of(reply: Reply) -> str | None:
    """The ETag that a reply has."""
    return next((value for name, value in reply.headers if name.lower() == "etag"), None)


def entity_tag(pipeline: Equipment, exchange: Exchange, resolved: Resolved, view_key: str, revision: int) -> str:
    """The ETag of what one address holds at a revision, in one dialect, for callers who see the same.

    Nobody has been given one for an address where nothing is: it is sent with good answers only.
    """
    asked = f"{exchange.dialect.name} {view_key} {resolved.kept_key}"
    of = zlib.crc32(asked.encode("utf-8", "surrogateescape"), checksum(pipeline.environment.product))
    return f'"{pipeline.environment.inventory.epoch[:8]}-{revision}-{of:08x}"'


@lru_cache
def checksum(product: Product) -> int:
    """Of all that a server says of itself: one that was started with other settings gives other answers."""
    return zlib.crc32(msgspec.json.encode(product))


def kept_headers(etag: str) -> tuple[tuple[str, str], ...]:
    """A kept reply may be reused after asking."""
    return ((ETAG, etag), ("Cache-Control", "private, no-cache"), ("Vary", "Accept-Encoding"))
