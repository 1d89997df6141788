"""The headers of replies, as they are sent."""

from __future__ import annotations

from functools import lru_cache

from resphere.dialects.base import Reply

BODILESS = frozenset({204, 304})

Headers = tuple[tuple[bytes, bytes], ...]


def response_headers(reply: Reply, request_id: str, *, sized: bool) -> list[tuple[bytes, bytes]]:
    """Headers of every reply; one that may be kept says so itself, all others may not.

    Where it is not to be ``sized`` only its end tells how long it is.
    """
    common = common_headers(reply.media_type, reply.headers) if reply.sent_headers is None else reply.sent_headers
    headers = [(b"x-request-id", request_id.encode()), *common]
    if sized and reply.status not in BODILESS and (size_bytes := reply.size_bytes) is not None:
        headers.append((b"content-length", b"%d" % size_bytes))
    return headers


def written_headers(media_type: str | None, of_reply: tuple[tuple[str, str], ...]) -> Headers:
    """Those that do not depend on the request, nor on how the body is sent."""
    headers = [(b"x-content-type-options", b"nosniff")]
    if media_type is not None:
        headers.append((b"content-type", media_type.encode()))
    cached = False
    for name, value in of_reply:
        lower = name.lower().encode("latin-1")
        cached = cached or lower == b"cache-control"
        headers.append((lower, value.encode("latin-1")))
    if not cached:
        headers.append((b"cache-control", b"no-store"))
    return tuple(headers)


common_headers = lru_cache(maxsize=256)(written_headers)
"""Those that many replies have alike."""
