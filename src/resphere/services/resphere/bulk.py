"""``resphere.bulk``: many operations in one call and as one task."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from resphere.access.defaults import CANCEL
from resphere.access.refusals import no_privileges
from resphere.bulk.bulks import Order
from resphere.bulk.items import Outcome
from resphere.bulk.orders import order_of, require_bounded
from resphere.bulk.record import ITEMS_OF_PART, BulkRecord
from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, message
from resphere.contract.extensions.bulk import Bulk
from resphere.services.call import Call
from resphere.services.checks.later import acceptance, asked_for_by, caller_as_requester
from resphere.services.checks.paging import state_of, token
from resphere.services.registry import implements

USUAL_PAGE, LARGEST_PAGE = 100, 1000


@implements(Bulk.create)
async def create(call: Call, spec: Bulk.CreateSpec) -> str:
    """Begin: what can be told of the items already is refused now, and the rest stands in their outcomes.

    :raises InvalidArgument: names the item and the field.
    :raises ServiceUnavailable: too many are under way.
    """
    return await begin(call, await order_of(acceptance(call), spec))


@implements(Bulk.list)
async def list_bulks(call: Call, filter: Bulk.ListSpec | None) -> tuple[Bulk.Info, ...]:
    """The caller's own, or everybody's for whoever may cancel tasks; the latest first."""
    wanted = filter or Bulk.ListSpec()
    found = [bulk for bulk in call.unfiltered.all(BulkRecord).values() if visible(call, bulk)]
    if wanted.status is not None:
        found = [bulk for bulk in found if bulk.status in wanted.status]
    if wanted.users is not None:
        found = [bulk for bulk in found if bulk.requester.user in wanted.users]
    if wanted.schedules is not None:
        found = [bulk for bulk in found if bulk.schedule in wanted.schedules]
    return tuple(info(call, bulk) for bulk in sorted(found, key=lambda each: each.created_time, reverse=True))


@implements(Bulk.get)
async def get(call: Call, bulk: str) -> Bulk.Info:
    """One bulk operation, and how far it is.

    :raises NotFound: there is none that the caller may know of.
    """
    return info(call, require(call, bulk))


@implements(Bulk.items)
async def items(call: Call, bulk: str, filter: Bulk.ItemsSpec | None) -> Bulk.Items:
    """A page of items with what became of them, in their order.

    :raises InvalidArgument: the page is none.
    :raises NotFound: there is no such bulk operation that the caller may know of.
    """
    found = require(call, bulk)
    wanted = filter or Bulk.ItemsSpec()
    size = USUAL_PAGE if wanted.page_size is None else wanted.page_size
    require_bounded("filter.page_size", size, 1, LARGEST_PAGE)
    begin = begin_of(wanted.marker)
    page: list[Bulk.ItemInfo] = []
    for part in range(begin // ITEMS_OF_PART, found.parts):
        for each in in_part(call, found, part):
            if each.number < begin or (wanted.states is not None and each.state not in wanted.states):
                continue
            if len(page) == size:
                return Bulk.Items(items=tuple(page), marker=token(each.number))
            page.append(each)
        await asyncio.sleep(0)
    return Bulk.Items(items=tuple(page))


@implements(Bulk.cancel)
async def cancel(call: Call, bulk: str) -> None:
    """Have no further item be begun; those under way come to their ends.

    :raises NotAllowedInCurrentState: it is finished.
    :raises NotFound: there is none that the caller may know of.
    """
    await call.environment.bulks.cancel(require(call, bulk).id)


@implements(Bulk.retry)
async def retry(call: Call, bulk: str) -> str:
    """Begin another one with the items that have failed or were skipped, in the caller's name.

    :raises NotAllowedInCurrentState: it is not finished, or there are none.
    :raises NotFound: there is no such bulk operation of the caller's.
    :raises ServiceUnavailable: too many are under way.
    """
    found = require(call, bulk)
    if not asked_for_by(call, found.requester):
        # Their inputs are somebody else's.
        raise no_privileges(CANCEL, None, call.vcenter)
    if not found.is_finished:
        raise NotAllowedInCurrentState(
            message("resphere.bulk.not_finished", "The bulk operation {0} is not finished.", bulk)
        )
    left = await asyncio.to_thread(lambda: list(call.environment.bulks.left(found)))
    if not left:
        raise NotAllowedInCurrentState(
            message("resphere.bulk.nothing_left", "All items of the bulk operation {0} have succeeded.", bulk)
        )
    return await begin(
        call,
        Order(
            items=left,
            name=found.name,
            concurrency=found.concurrency,
            rate=found.rate,
            stop_on_error=found.stop_on_error,
            dry_run=found.dry_run,
            retried=found.id,
        ),
    )


@implements(Bulk.delete)
async def delete(call: Call, bulk: str) -> None:
    """Forget a finished one and what became of its items.

    :raises NotAllowedInCurrentState: it is not finished.
    :raises NotFound: there is none that the caller may know of.
    """
    await call.environment.bulks.delete(require(call, bulk).id)


async def begin(call: Call, order: Order) -> str:
    """Make the bulk operation durable, in the caller's name; its id."""
    parts = await asyncio.to_thread(order.packed)
    requester = caller_as_requester(call)
    return await call.settle(lambda edit: call.environment.bulks.begin(edit, order, requester, parts))


def require(call: Call, id: str) -> BulkRecord:
    """The bulk operation of that id.

    :raises NotFound: there is none that the caller may know of.
    """
    found = call.unfiltered.get(BulkRecord, id)
    if found is None or not visible(call, found):
        raise NotFound(message("resphere.bulk.not_found", "There is no bulk operation {0}.", id))
    return found


def visible(call: Call, bulk: BulkRecord) -> bool:
    """Whether the caller may know of it."""
    return asked_for_by(call, bulk.requester) or call.view.holds(CANCEL, None)


def info(call: Call, bulk: BulkRecord) -> Bulk.Info:
    """What is told of a bulk operation."""
    total = bulk.total
    counts = None
    if total is not None:
        counts = Bulk.Counts(
            total=total,
            pending=total - bulk.done,
            succeeded=bulk.succeeded,
            failed=bulk.failed,
            skipped=bulk.skipped,
        )
    return Bulk.Info(
        bulk=bulk.id,
        name=bulk.name,
        operation=None if bulk.each is None else bulk.each.operation,
        status=bulk.status,
        user=bulk.requester.user,
        counts=counts,
        error=None if bulk.error is None else bulk.error.told(call.knows),
        created_time=bulk.created_time,
        start_time=bulk.start_time,
        end_time=bulk.end_time,
        cancel_requested=bulk.cancel_requested,
        concurrency=bulk.concurrency,
        rate=bulk.rate,
        stop_on_error=bulk.stop_on_error,
        dry_run=bulk.dry_run,
        retried=bulk.retried,
        schedule=bulk.schedule,
    )


def in_part(call: Call, bulk: BulkRecord, part: int) -> Iterator[Bulk.ItemInfo]:
    """The items of a part. What they resulted in was told to whoever asked for them, and is nobody else's."""
    bulks, own = call.environment.bulks, asked_for_by(call, bulk.requester)
    outcomes = bulks.outcomes(bulk.id, part)
    for number, item in enumerate(bulks.items(bulk, part), part * ITEMS_OF_PART):
        outcome = outcomes.get(number) or Outcome(number=number, state=Bulk.ItemState.PENDING)
        operation = bulks.operations.find(item.operation)
        yield Bulk.ItemInfo(
            number=number,
            operation=item.operation,
            target=None if operation is None else bulks.operations.target(operation, item.input),
            state=outcome.state,
            request=f"{bulk.id}.{number}",
            task=outcome.task,
            result=outcome.result if own else None,
            result_omitted=True if outcome.result_omitted or (outcome.result is not None and not own) else None,
            error=outcome.error,
            end_time=outcome.end_time,
        )


def begin_of(marker: str | None) -> int:
    """The number that a page begins with.

    :raises InvalidArgument: the marker is none.
    """
    try:
        number = 0 if marker is None else state_of(marker, int)
    except ValueError:
        number = -1
    if number < 0:
        raise InvalidArgument(
            message("resphere.bulk.marker", "filter.marker: must be the text that the page before gave as marker.")
        )
    return number
