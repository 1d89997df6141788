"""What a bulk operation is about where a list tells: asked for when it begins, by one worker."""

from __future__ import annotations

import asyncio

import msgspec

from resphere.bulk.bulks import MOST_ITEMS, Bulks, packed_parts, put_parts
from resphere.bulk.carrying import Carrier, Errand
from resphere.bulk.endings import no_values, too_many_found
from resphere.bulk.progress import end
from resphere.bulk.record import BulkRecord, Each
from resphere.bulk.shares import asked_to_stop
from resphere.contract.errors import VapiError
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks

PATH = "/api/resphere/bulk"
"""Below it are the addresses by which items are on record."""


async def find_values(bulk: BulkRecord, replica: Replica, bulks: Bulks, carrier: Carrier, tasks: Tasks) -> None:
    """Ask the list for the values, and write them down; a bulk operation that has none is over with that.

    Where this worker is not its holder any more, that is somebody else's.
    """
    refusal: VapiError | None = None
    parts: tuple[bytes, ...] = ()
    total: int | None = None
    if not asked_to_stop(bulk, replica.get(Task, bulk.id)):
        try:
            values = await listed(bulk, bulks, carrier)
        except VapiError as error:
            refusal = error
        else:
            parts, total = await asyncio.to_thread(packed_parts, values), len(values)

    def plan(edit: Edit) -> None:
        record = edit.get(BulkRecord, bulk.id)
        if record is None or record.is_finished or record.holder != tasks.owner:
            return
        record = msgspec.structs.replace(record, total=total, holder=None)
        put_parts(edit, record.id, parts)
        if total:
            edit.put(record)
        else:
            end(edit, record, refusal, tasks.now())

    await replica.change(plan)


async def listed(bulk: BulkRecord, bulks: Bulks, carrier: Carrier) -> list[str]:
    """What the list answers, as values.

    :raises VapiError: it refuses, or there are too many.
    """
    each = bulk.each
    operation = None if each is None or each.list is None else bulks.operations.find(each.list)
    if each is None or operation is None:
        raise no_values()
    path = f"{PATH}/{bulk.id}/items/list"
    answer = await carrier.carry(Errand(bulk.requester, operation, each.list_input, f"{bulk.id}.list", path))
    if answer.error is not None:
        raise answer.error
    values = await asyncio.to_thread(values_in, answer.body, each)
    if len(values) > MOST_ITEMS:
        raise too_many_found(len(values), MOST_ITEMS)
    return values


def values_in(body: bytes, each: Each) -> list[str]:
    """The values in what a list has answered."""
    entries = list(msgspec.json.decode(body))
    values = entries if each.field is None else [entry.get(each.field) for entry in entries]
    return [value for value in values if isinstance(value, str)]
