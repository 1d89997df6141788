"""``com.vmware.appliance.update``: what state it is in."""

from __future__ import annotations

from msgspec.structs import replace

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import TaskInfo, Update
from resphere.contract.generated.cis_task import Progress, Status
from resphere.contract.model import ErrorValue
from resphere.inventory.appliance.update import UpdateStatus, UpdateWork
from resphere.services.appliance.update.pending import SERVICE
from resphere.services.call import Call
from resphere.services.checks.appliance_updates import STAGE, change, installed, is_over, pending, present, state_of
from resphere.services.registry import implements

WORKING = (Update.State.INSTALL_IN_PROGRESS, Update.State.STAGE_IN_PROGRESS, Update.State.ROLLBACK_IN_PROGRESS)


@implements(Update.get)
async def get(call: Call) -> Update.Info:
    """The state, what is done or was done last, and of which version.

    :raises VapiError: the repository has gone.
    """
    status = present(call)
    state = state_of(status, any_pending=bool(await pending(call, status, upgrades=False)))
    work = status.work
    if work is not None and state in (*WORKING, Update.State.INSTALL_FAILED):
        version = work.version
    else:
        version = status.staged or installed(call, status)
    return Update.Info(
        state=state,
        task=None if work is None else task_info(call, work),
        version=version,
        latest_query_time=status.queried,
    )


@implements(Update.cancel)
async def cancel(call: Call) -> None:
    """Stop staging; nothing else can be stopped.

    :raises NotAllowedInCurrentState: nothing is staged now.
    """

    def changed(status: UpdateStatus) -> UpdateStatus:
        work = status.work
        if work is None or status.state is not Update.State.STAGE_IN_PROGRESS:
            raise NotAllowedInCurrentState(
                message("resphere.appliance.update.not_cancelable", "Nothing is under way that can be canceled.")
            )
        return replace(status, state=None, work=replace(work, canceled=True, ends=call.environment.now()))

    await change(call, changed)


def task_info(call: Call, work: UpdateWork) -> TaskInfo:
    """What is done as a task."""
    now, over = call.environment.now(), is_over(work, call.environment.now())
    span = (work.ends - work.started).total_seconds()
    done = 100 if over or not span else int(100 * (now - work.started).total_seconds() / span)
    failed = over and (work.canceled or work.error is not None)
    about = message(
        "resphere.appliance.update.task",
        "{0} of {1}, of which nothing is installed",
        work.operation,
        work.version,
    )
    return TaskInfo(
        progress=Progress(total=100, completed=done, message=about),
        subtask_order=(),
        subtasks={},
        description=about,
        service=ids.VapiServiceId(SERVICE),
        operation=ids.VapiOperationId(work.operation),
        status=Status.FAILED if failed else Status.SUCCEEDED if over else Status.RUNNING,
        cancelable=not over and work.operation == STAGE,
        error=None if not failed else why(work),
        start_time=work.started,
        end_time=work.ends if over else None,
        user=work.user,
    )


def why(work: UpdateWork) -> ErrorValue:
    """Why work was not done."""
    if work.canceled:
        canceled = message("resphere.appliance.update.canceled", "It was canceled.")
        return ErrorValue(error_type="CANCELED", messages=(canceled,))
    assert work.error is not None
    return ErrorValue(error_type="ERROR", messages=(work.error,))
