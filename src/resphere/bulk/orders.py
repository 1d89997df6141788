"""From what a caller asks for to an order whose every item is known to be one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from resphere.bulk.acceptance import Acceptance, refused, require_parameter
from resphere.bulk.bulks import MOST_ITEMS, Order
from resphere.bulk.items import Item
from resphere.bulk.record import Each
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.model import AnyOperation
from resphere.turns import in_turns

USUAL_CONCURRENCY, MOST_CONCURRENCY = 16, 64
LEAST_RATE, MOST_RATE = 0.001, 10_000.0
LONGEST_NAME, LONGEST_KEY = 255, 128
ITEMS_IN_ONE_TURN = 100


async def order_of(acceptance: Acceptance, spec: Bulk.CreateSpec) -> Order:
    """The order that ``spec`` asks for.

    :raises InvalidArgument: names the item and the field.
    """
    if (spec.items is None) == (spec.each is None):
        raise refused("items, each", "one of both must be set.")
    require_text("name", spec.name, LONGEST_NAME)
    require_text("idempotency_key", spec.idempotency_key, LONGEST_KEY)
    concurrency = USUAL_CONCURRENCY if spec.concurrency is None else spec.concurrency
    require_bounded("concurrency", concurrency, 1, MOST_CONCURRENCY)
    if spec.rate is not None:
        require_bounded("rate", spec.rate, LEAST_RATE, MOST_RATE)
    items: Sequence[Item] = ()
    each: Each | None = None
    values: Sequence[str] | None = None
    if spec.items is not None:
        items = await accepted_items(acceptance, spec.items)
    elif spec.each is not None:
        each, values = await accepted_each(acceptance, spec.each)
    return Order(
        items=items,
        each=each,
        values=values,
        name=spec.name,
        concurrency=concurrency,
        rate=spec.rate,
        stop_on_error=spec.stop_on_error or False,
        dry_run=spec.dry_run or False,
    )


async def accepted_items(acceptance: Acceptance, given: Sequence[Bulk.Item]) -> list[Item]:
    """Items that may be carried out.

    :raises InvalidArgument: names the first that may not.
    """
    require_number("items", len(given))
    operations: dict[str, AnyOperation] = {}
    accepted: list[Item] = []
    async for piece in in_turns(given, ITEMS_IN_ONE_TURN):
        for item in piece:
            where = f"items[{len(accepted)}]"
            operation = operations.get(item.operation)
            if operation is None:
                operation = operations[item.operation] = acceptance.operation(item.operation, f"{where}.operation")
            input = item.input or {}
            acceptance.operations.read(operation, input, f"{where}.input")
            accepted.append(Item(operation.id, input))
    return accepted


async def accepted_each(acceptance: Acceptance, given: Bulk.Each) -> tuple[Each, Sequence[str] | None]:
    """What is done to each, and the values, where they are known.

    :raises InvalidArgument: names the field.
    """
    if (given.values is None) == (given.filter is None):
        raise refused("each.values, each.filter", "one of both must be set.")
    operation = acceptance.operation(given.operation, "each.operation")
    input = given.input or {}
    require_parameter(operation, given.parameter, input, "each.parameter")
    if given.filter is not None:
        listing, field = acceptance.listing(given.filter.operation, given.filter.field, given.parameter, "each.filter")
        list_input = given.filter.input or {}
        await asyncio.to_thread(acceptance.list_input, listing, list_input, "each.filter.input")
        # A value that is found later is an id; what is in common can be told of already.
        acceptance.operations.read(operation, {**input, given.parameter: "id"}, "each.input")
        each = Each(
            operation=operation.id,
            parameter=given.parameter,
            input=input,
            list=listing.id,
            list_input=list_input,
            field=field,
        )
        return each, None
    values = given.values or ()
    require_number("each.values", len(values))
    await require_values(acceptance, operation, given.parameter, input, values)
    return Each(operation=operation.id, parameter=given.parameter, input=input), values


async def require_values(
    acceptance: Acceptance, operation: AnyOperation, parameter: str, shared: dict[str, Any], values: Sequence[str]
) -> None:
    """Refuse values that the parameter cannot have.

    :raises InvalidArgument: names the first.
    """
    number = 0
    async for piece in in_turns(values, ITEMS_IN_ONE_TURN):
        for value in piece:
            acceptance.operations.read(operation, {**shared, parameter: value}, f"each.values[{number}]")
            number += 1


def require_number(where: str, count: int) -> None:
    """Refuse none, and too many.

    :raises InvalidArgument: there are.
    """
    if not 0 < count <= MOST_ITEMS:
        raise refused(where, f"there must be 1 to {MOST_ITEMS} of them, not {count}.")


def require_bounded(where: str, value: float, least: float, most: float) -> None:
    """Refuse a number out of bounds.

    :raises InvalidArgument: it is.
    """
    if not least <= value <= most:
        raise refused(where, f"must be from {least:g} to {most:g}, not {value:g}.")


def require_text(where: str, text: str | None, most: int) -> None:
    """Refuse a text that is empty or too long.

    :raises InvalidArgument: it is.
    """
    if text is not None and not 0 < len(text) <= most:
        raise refused(where, f"must have 1 to {most} characters, not {len(text)}.")
