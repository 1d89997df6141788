"""How much of a request is read, by whether somebody who was let in has sent it."""

from __future__ import annotations

from resphere.auth.authentication import Authentication
from resphere.contract.errors import VapiError
from resphere.dialects.http import exceeds, http_credentials
from resphere.server.body import STRANGER_BODY_BYTES, too_large, too_large_for_strangers
from resphere.server.exchange import Exchange


async def read_early(authentication: Authentication, exchange: Exchange, limit_bytes: int) -> bytes:
    """The body, for a dialect that must have it to know who calls: a large one only where the header says so already.

    :raises InvalidArgument: it is too large for whoever may have sent it.
    :raises ServiceUnavailable: too many others are held.
    """
    body = exchange.body
    if not body.vouched and (body.announced_bytes is None or body.announced_bytes > STRANGER_BODY_BYTES):
        body.vouched = await authentication.lets_in(http_credentials(exchange.request, None), exchange.started)
    if body.vouched or limit_bytes <= STRANGER_BODY_BYTES:
        return await body.read(limit_bytes)
    if exceeds(exchange.request, STRANGER_BODY_BYTES):
        raise too_large_for_strangers(STRANGER_BODY_BYTES)
    content = await body.read(STRANGER_BODY_BYTES)
    if len(content) > STRANGER_BODY_BYTES:
        raise too_large_for_strangers(STRANGER_BODY_BYTES)
    return content


def most_bytes(exchange: Exchange, limit_bytes: int) -> int:
    """How large a body may be that is held whole; public operations take a small one of anybody."""
    return limit_bytes if exchange.body.vouched else min(limit_bytes, STRANGER_BODY_BYTES)


def too_much(exchange: Exchange, limit_bytes: int) -> VapiError:
    """The refusal of a larger one."""
    if exchange.body.vouched or limit_bytes <= STRANGER_BODY_BYTES:
        return too_large(limit_bytes)
    return too_large_for_strangers(STRANGER_BODY_BYTES)
