"""``com.vmware.cis.tasks``: list, get and cancel."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import msgspec

from resphere.access.defaults import CANCEL, READ
from resphere.access.knowing import viewed_by
from resphere.access.principal import Scope
from resphere.access.refusals import no_privileges
from resphere.access.results import shown
from resphere.contract.errors import ResourceInaccessible, worded
from resphere.contract.generated import cis, cis_task, ids, vapi_std
from resphere.contract.mentions import Knows
from resphere.contract.model import ErrorValue, LocalizableMessage
from resphere.services.call import Call
from resphere.services.registry import implements, result_type
from resphere.tasks.outcomes import no_task
from resphere.tasks.record import Task

MOST_LISTED = 1000
RECENT = timedelta(days=1)


@implements(cis.Tasks.get)
async def get(call: Call, task: ids.CisTaskId, spec: cis.Tasks.GetSpec | None) -> cis_task.Info:
    """One task."""
    return info(call, require_visible(call, task), spec)


@implements(cis.Tasks.list)
async def list_tasks(
    call: Call, filter_spec: cis.Tasks.FilterSpec | None, result_spec: cis.Tasks.GetSpec | None
) -> dict[str, cis_task.Info]:
    """The tasks that match, newest first. Without a filter: those of the last day, as vCenter documents it.

    :raises ResourceInaccessible: more than 1,000 match the filter.
    """
    wanted = filter_spec or cis.Tasks.FilterSpec()
    if wanted.tasks:
        candidates = [t for i in wanted.tasks if (t := call.unfiltered.get(Task, i)) is not None]
    else:
        candidates = list(call.unfiltered.all(Task).values())
    since = call.environment.now() - RECENT
    found = [t for t in candidates if matches(t, wanted) and (filter_spec or t.queued_time >= since)]
    if not call.view.sees_all:
        found = [t for t in found if visible(call, t)]
    if filter_spec is None:
        found = found[-MOST_LISTED:]
    elif call.environment.list_limits and len(found) > MOST_LISTED:
        raise ResourceInaccessible(
            worded(
                "resphere.task.too_many_matches",
                "{1} tasks match, more than the {0} that one list may return. Narrow the filter.",
                MOST_LISTED,
                len(found),
            )
        )
    found.sort(key=lambda t: t.queued_time, reverse=True)
    return {t.id: info(call, t, result_spec) for t in found}


@implements(cis.Tasks.cancel)
async def cancel(call: Call, task: ids.CisTaskId) -> None:
    """Ask for the task to stop; it says itself when it has.

    :raises Unauthorized: it is somebody else's, on an object where the caller may cancel none.
    """
    found = require_visible(call, task)
    if not is_own(call, found) and not call.view.holds(CANCEL, place(call, found)):
        raise no_privileges(CANCEL, found.target, call.vcenter)
    await call.tasks.cancel(task)


def require_visible(call: Call, id: str) -> Task:
    """The task of that id.

    :raises NotFound: there is none that the caller sees.
    """
    found = call.unfiltered.get(Task, id)
    if found is None or not visible(call, found):
        raise no_task(id)
    return found


def visible(call: Call, task: Task) -> bool:
    """Whether the caller sees the task: as its own, or with what it is done to."""
    view = call.view
    return view.sees_all or is_own(call, task) or view.holds(READ, place(call, task))


def is_own(call: Call, task: Task) -> bool:
    """Whether the task is the caller's. One within a narrowed scope has none: its user may have asked elsewhere."""
    return task.user == call.session.user and call.session.principal.scope in (None, Scope())


def place(call: Call, task: Task) -> str | None:
    """The object that decides who sees a task: its target, or the root folder where that is no more."""
    return None if task.target is None or call.view.lacks(task.target) else task.target


def matches(task: Task, wanted: cis.Tasks.FilterSpec) -> bool:
    """Whether the task meets every criterion that is set."""
    targets = {(t.type, t.id) for t in wanted.targets or ()}
    return (
        allows(wanted.services, task.service)
        and allows(wanted.operations, task.operation)
        and allows(wanted.status, task.status)
        and allows(wanted.users, task.user or "")
        and (not targets or (task.target_type, task.target) in targets)
    )


def allows(wanted: Collection[str] | None, value: str) -> bool:
    """Whether an unset or empty criterion, or one that names the value, is met."""
    return not wanted or value in wanted


def info(call: Call, task: Task, spec: cis.Tasks.GetSpec | None) -> cis_task.Info:
    """A task as vCenter shows it: progress and times from when it started."""
    description = words(f"resphere.task.{task.description}", task.description)
    started = task.status is not cis_task.Status.PENDING
    succeeded = task.status is cis_task.Status.SUCCEEDED
    result = result_of(call, task) if succeeded and not (spec and spec.exclude_result) else None
    return cis_task.Info(
        progress=cis_task.Progress(total=100, completed=task.progress, message=description) if started else None,
        result=result,
        description=description,
        service=ids.VapiServiceId(task.service),
        operation=ids.VapiOperationId(task.operation),
        target=vapi_std.DynamicID(type=task.target_type, id=task.target) if task.target_type and task.target else None,
        status=task.status,
        cancelable=task.cancelable and not task.is_finished,
        error=error_of(call, task),
        start_time=task.start_time if started else None,
        end_time=task.end_time,
        user=task.user,
    )


def error_of(call: Call, task: Task) -> ErrorValue | None:
    """Why the task failed, in the words for the caller, who may know of other objects than who asked for it."""
    return None if task.error is None else task.error.told(known(call, task))


def result_of(call: Call, task: Task) -> Any:
    """What the task resulted in, of the type that its operation has: dialects write structures by their names. Who
    reads it may know of other objects than who asked for it."""
    if task.result is None:
        return None
    expected = result_type(task.service, task.operation)
    return shown(msgspec.convert(task.result, expected), expected, known(call, task))


def known(call: Call, task: Task) -> Knows:
    """Of which objects the task tells the caller."""
    return call.knows if is_own(call, task) else viewed_by(call.view)


def words(identity: str, text: str) -> LocalizableMessage:
    """A message without arguments."""
    return LocalizableMessage(id=identity, default_message=text, args=())
