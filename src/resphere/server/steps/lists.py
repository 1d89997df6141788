"""The step that makes of a list what its options ask for."""

from __future__ import annotations

from functools import partial
from typing import Any

from resphere.access.check import authorize as check_privileges
from resphere.access.check import authorize_references as check_references
from resphere.access.check import references_of
from resphere.access.seen import seen
from resphere.contract.errors import NotFound, Unauthorized
from resphere.contract.model import Struct
from resphere.dialects.base import Resolved
from resphere.limits.limits import Parties
from resphere.queries.lists import Listing
from resphere.queries.pages import Means
from resphere.server.exchange import Caller, Exchange
from resphere.server.lists import Arranged, arranged
from resphere.server.steps.equipment import Equipment
from resphere.server.steps.inputs import Input
from resphere.server.steps.invoking import call_of, perform
from resphere.services.item_tags import attributes_of, tags_of


async def arrange(
    pipeline: Equipment,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    resolved: Resolved,
    input: Input,
    result: Any,
) -> Arranged:
    """What the options of a list make of its result: of what the caller sees, and of nothing else."""
    query = input.query
    if query is None:
        return Arranged(resolved, result)
    look_up = partial(find_item, pipeline, exchange, caller, parties, query.listing, input.value)
    shown = seen(pipeline.environment.inventory, caller.view)
    means = Means(
        pipeline.environment.now(),
        partial(tags_of, shown),
        pipeline.orders,
        pipeline.standing_lists,
        pipeline.list_turn,
        look_up,
        partial(attributes_of, shown, pipeline.environment.inventory),
    )
    write = lambda line, item: exchange.dialect.encode(line, item).body  # noqa: E731
    return await arranged(query, exchange.request, resolved, result, means, write)


async def find_item(
    pipeline: Equipment,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    listing: Listing,
    list_input: Struct,
    identifier: str,
) -> Struct | None:
    """All of one item of a list, as its ``get`` answers; ``None`` where the caller may not have it, or it is gone."""
    getter = listing.getter
    if getter is None:
        return None
    operation, input = getter.operation, getter.input_of(identifier, list_input)
    targets, vcenter = getter.targets(input), pipeline.environment.product.instance_uuid
    try:
        check_privileges(caller.view, vcenter, operation, targets)
        check_references(caller.view, vcenter, references_of(operation, targets, input))
        call = call_of(pipeline, pipeline.environment, exchange, caller, parties, operation)
        found: Struct = await perform(pipeline, call, input)
    except (NotFound, Unauthorized):
        return None
    return found
