"""The step that does what is asked for, and the calls that it is done in."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from resphere.access.view import View
from resphere.auth.authentication import required
from resphere.contract.errors import Unsupported, message
from resphere.contract.model import AnyOperation, Struct
from resphere.dialects.base import Resolved
from resphere.events.cause import BEHIND, CAUSE, Cause
from resphere.limits.limits import Parties
from resphere.replica.riders import Rider, riding
from resphere.server.exchange import Caller, Exchange
from resphere.server.steps.callers import identified, shown
from resphere.server.steps.equipment import Equipment
from resphere.server.steps.inputs import Input
from resphere.services.call import Call, Environment
from resphere.tracing.context import TRACE


def riders(*all: Rider | None) -> tuple[Rider, ...]:
    """What rides along with the call's changes."""
    return tuple([rider for rider in all if rider is not None])


async def invoke(
    pipeline: Equipment,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    resolved: Resolved,
    input: Input,
    along: tuple[Rider, ...],
) -> Any:
    """What the operation does; its result. What the client asks of its changes rides along with them."""
    environment = pipeline.environment
    if input.query is not None:
        # A page of a list that is longer than vCenter returns, or what a filter finds in it.
        environment = msgspec.structs.replace(environment, list_limits=False)
    call = call_of(pipeline, environment, exchange, caller, parties, resolved.operation)
    if not along:
        return await perform(pipeline, call, input.value)
    with riding(*along):
        return await perform(pipeline, call, input.value)


def call_of(
    pipeline: Equipment,
    environment: Environment,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    operation: AnyOperation,
) -> Call:
    """A call of the operation by the caller of this request."""
    request_id, origin, client = exchange.request_id, exchange.request.origin, exchange.request.client
    allowance, again = partial(pipeline.limits.allowance, parties), partial(look_again, pipeline, exchange)
    return Call(environment, operation, caller.view, caller.session, request_id, origin, allowance, client, again)


async def perform(pipeline: Equipment, call: Call, input: Struct) -> Any:
    """The result of the call.

    :raises Unsupported: nothing implements the operation.
    """
    operation = call.operation
    implementation = pipeline.implementations.get(operation.id)
    if implementation is None:
        raise Unsupported(
            message(
                "resphere.operation.not_implemented",
                "The operation {0} is part of the API, but this server does not implement it.",
                operation.id,
            )
        )
    trace = TRACE.get()
    traced = None if trace is None else trace.parent
    causing = CAUSE.set(Cause(call.request_id, call.session.user, operation.id, BEHIND.get(), traced))
    try:
        return await implementation.handler(call, *msgspec.structs.astuple(input))
    finally:
        CAUSE.reset(causing)


async def look_again(pipeline: Equipment, exchange: Exchange) -> View:
    """What the caller of a request sees by now, whose reply goes on.

    :raises Unauthenticated: what has let the caller in would not any more.
    """
    if exchange.outcome is None:
        raise required()
    credentials, moment = shown(exchange, exchange.outcome), pipeline.environment.present()
    again = pipeline.known_callers.again(credentials, moment)
    if again is not None:
        return again.view
    identity = await pipeline.authentication.identify(credentials, moment, login=False)
    pipeline.known_callers.remember(credentials, identity, identified(pipeline, identity, exchange), moment)
    return pipeline.views.of(identity.principal)
