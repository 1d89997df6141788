"""``resphere.audit``: the calls on record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from resphere.audit.reading import EARLIEST, LATEST, Entry, Query
from resphere.audit.record import AuditRecord
from resphere.contract.errors import InvalidArgument, ServiceUnavailable, message
from resphere.contract.extensions.audit import Audit
from resphere.services.call import Call
from resphere.services.checks.paging import parse, token
from resphere.services.registry import implements

log = logging.getLogger(__name__)

USUAL_RECORDS = 100
MOST_RECORDS = 1000


@implements(Audit.list)
async def list_records(call: Call, filter: Audit.FilterSpec | None) -> Audit.ListResult:
    """The records of calls that are looked for, the newest first unless told otherwise.

    :raises InvalidArgument: the size or the page is none.
    :raises ServiceUnavailable: the log cannot be read.
    """
    wanted = filter or Audit.FilterSpec()
    size = USUAL_RECORDS if wanted.size is None else wanted.size
    if not 1 <= size <= MOST_RECORDS:
        raise InvalidArgument(
            message("resphere.audit.size", "filter.size: must be from 1 to {0}, not {1}.", MOST_RECORDS, size)
        )
    after = None if wanted.page is None else parse(wanted.page, dict[int, int])
    query = Query(
        newest_first=wanted.order is not Audit.Order.OLDEST_FIRST,
        start=wanted.start or EARLIEST,
        end=wanted.end or LATEST,
        accepts=accepting(wanted),
    )
    try:
        page = await asyncio.to_thread(call.environment.audit_log.page, query, after, size)
    except OSError as error:
        log.error("the audit log cannot be read: %s", error)
        raise ServiceUnavailable(
            message("resphere.audit.unreadable", "The server cannot read its audit log.")
        ) from error
    return Audit.ListResult(
        records=tuple(map(info, page.entries)), next=None if page.next is None else token(page.next)
    )


def accepting(wanted: Audit.FilterSpec) -> Callable[[AuditRecord], bool]:
    """Whether a record is looked for, its time aside."""
    users = None if wanted.users is None else frozenset(map(str.lower, wanted.users))
    tests: list[Callable[[AuditRecord], bool]] = []
    if users is not None:
        tests.append(lambda record: (record.user or record.tried_user or "").lower() in users)
    if (operations := wanted.operations) is not None:
        tests.append(lambda record: named(record.operation, operations))
    if (targets := wanted.targets) is not None:
        tests.append(lambda record: record.target in targets)
    if (clients := wanted.clients) is not None:
        tests.append(lambda record: record.client in clients)
    if (request_ids := wanted.request_ids) is not None:
        tests.append(lambda record: record.request_id in request_ids)
    if (statuses := wanted.statuses) is not None:
        tests.append(lambda record: record.status in statuses)
    if (decisions := wanted.decisions) is not None:
        tests.append(lambda record: record.decision in decisions)
    return lambda record: all(test(record) for test in tests)


def named(operation: str | None, names: frozenset[str]) -> bool:
    """Whether an operation is among those, or its service is."""
    return operation is not None and (operation in names or operation.rpartition(".")[0] in names)


def info(entry: Entry) -> Audit.Info:
    """An entry of the log as the API shows it."""
    return Audit.Info(chain=entry.chain, sequence=entry.sequence, **msgspec.structs.asdict(entry.record))
