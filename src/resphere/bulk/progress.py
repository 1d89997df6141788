"""How far a bulk operation is, and how it ends: its record, and its task, which tells the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from resphere.bulk.endings import canceled, failed_items, stopped_at_error
from resphere.bulk.items import Outcome
from resphere.bulk.record import BulkRecord
from resphere.contract.errors import VapiError
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.generated.cis_task import Status
from resphere.replica.edit import Edit
from resphere.tasks.outcomes import failure, succeeded
from resphere.tasks.record import Task

State = Bulk.ItemState


def begun(edit: Edit, record: BulkRecord, owner: str, now: datetime) -> BulkRecord:
    """The record, which ``edit`` has say from now on that the bulk operation is under way."""
    if record.status is Status.RUNNING:
        return record
    record = msgspec.structs.replace(record, status=Status.RUNNING, start_time=now)
    edit.put(record)
    task = edit.get(Task, record.id)
    if task is not None and not task.is_finished:
        edit.put(msgspec.structs.replace(task, status=Status.RUNNING, start_time=now, owner=owner))
    return record


def advanced(edit: Edit, record: BulkRecord, fresh: Iterable[Outcome]) -> BulkRecord:
    """The record with what became of more items, which ``edit`` writes."""
    counts = {State.SUCCEEDED: record.succeeded, State.FAILED: record.failed, State.SKIPPED: record.skipped}
    for outcome in fresh:
        counts[outcome.state] += 1
    record = msgspec.structs.replace(
        record, succeeded=counts[State.SUCCEEDED], failed=counts[State.FAILED], skipped=counts[State.SKIPPED]
    )
    edit.put(record)
    task = edit.get(Task, record.id)
    if task is not None and not task.is_finished and record.total:
        edit.put(msgspec.structs.replace(task, progress=min(99, 100 * record.done // record.total)))
    return record


def end(edit: Edit, record: BulkRecord, refusal: VapiError | None, now: datetime) -> None:
    """Have ``edit`` end it: refused as a whole, or by what became of its items."""
    task = edit.get(Task, record.id)
    is_canceled = record.cancel_requested or (task is not None and task.cancel_requested)
    error = refusal or error_of(record, is_canceled)
    kept = None if error is None else failure(error)
    status = Status.SUCCEEDED if error is None else Status.FAILED
    edit.put(
        msgspec.structs.replace(record, status=status, error=kept, total=record.total or 0, holder=None, end_time=now)
    )
    if task is None or task.is_finished:
        return
    if kept is None:
        edit.put(succeeded(task, None, now))
    else:
        edit.put(msgspec.structs.replace(task, status=Status.FAILED, error=kept, end_time=now))


def error_of(record: BulkRecord, is_canceled: bool) -> VapiError | None:
    """Why the whole has failed, if it has."""
    if record.total is None:
        return canceled(0)
    if record.skipped:
        return canceled(record.skipped) if is_canceled else stopped_at_error(record.skipped)
    return failed_items(record.failed, record.total) if record.failed else None
