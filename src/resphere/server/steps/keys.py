"""The steps of calls under an ``Idempotency-Key``: was it done already, and what it was answered for the next time."""

from __future__ import annotations

from resphere.dialects.base import Reply, Resolved
from resphere.idempotency.replies import Claim
from resphere.server.exchange import ANYBODY, Caller, Exchange
from resphere.server.repeats import KEY_HEADER
from resphere.server.steps.equipment import Equipment
from resphere.server.steps.inputs import Input


async def recollect(
    pipeline: Equipment, exchange: Exchange, caller: Caller, resolved: Resolved, input: Input
) -> Reply | Claim | None:
    """Was it done already, under the key that the client gives? The answer of then, or the right to do it."""
    headers = exchange.request.headers
    if (KEY_HEADER not in headers and not resolved.operation.key_field) or caller is ANYBODY:
        return None
    user, large = caller.session.user, input.large
    found = await pipeline.repeats.find(headers, exchange.dialect, user, resolved, input.value, large=large)
    if isinstance(found, Reply):
        return exchange.dialect.frame(resolved, found)
    exchange.claim = found
    return found


async def remember(
    pipeline: Equipment, exchange: Exchange, resolved: Resolved, claim: Claim | None, reply: Reply
) -> Reply:
    """Keep the answer for whoever asks again under the same key; and the reply as it is sent."""
    if claim is not None:
        await pipeline.repeats.finish(claim, reply)
    return exchange.dialect.frame(resolved, reply)
