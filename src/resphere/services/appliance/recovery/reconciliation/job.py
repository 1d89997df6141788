"""``com.vmware.appliance.recovery.reconciliation.job``: whether what was restored holds together."""

from __future__ import annotations

from resphere.auth.accounts import NotVerified
from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_recovery_reconciliation import Job
from resphere.contract.model import ErrorValue, LocalizableMessage
from resphere.recovery.record import LAST, ReconciliationJob, State
from resphere.services.appliance.recovery.forms import plain_forms
from resphere.services.call import Call
from resphere.services.registry import implements

SERVICE = "com.vmware.appliance.recovery.reconciliation.job"
STATES = {
    State.RUNNING: Job.Status.RUNNING,
    State.SUCCEEDED: Job.Status.SUCCEEDED,
    State.FAILED: Job.Status.FAILED,
}


@implements(Job.create)
async def create(call: Call, spec: Job.CreateSpec) -> Job.Info:
    """Begin to look. Whoever names an administrator proves to be one.

    :raises FeatureInUse: a backup or a restoration is in progress.
    :raises InvalidArgument: user or password are wrong.
    :raises NotAllowedInCurrentState: nothing was restored.
    """
    await require_user(call, spec)
    user, ignore = call.session.user, spec.ignore_warnings is True
    return info(await call.environment.recovery.reconciliations.create(user, ignore_warnings=ignore))


async def require_user(call: Call, spec: Job.CreateSpec) -> None:
    """Refuse a name without its password.

    :raises InvalidArgument: it is wrong.
    """
    name, password = spec.sso_admin_user_name, spec.sso_admin_user_password
    if name is None and password is None:
        return
    try:
        await call.environment.identities.accounts.check(name or "", password or "", call.client)
    except NotVerified as refusal:
        text = "The fields sso_admin_user_name and sso_admin_user_password are not good: nobody can log in with them."
        raise InvalidArgument(message("resphere.recovery.sso", text)) from refusal


@implements(Job.get)
async def get(call: Call) -> Job.Info:
    """How the last look goes, or went.

    :raises NotFound: there was none.
    """
    job = call.unfiltered.get(ReconciliationJob, LAST)
    if job is None:
        raise NotFound(message("resphere.recovery.no_reconciliation", "There is no reconciliation."))
    return info(job)


def info(job: ReconciliationJob) -> Job.Info:
    """A look as this service tells it."""
    failed = job.state is State.FAILED
    text = LocalizableMessage(
        id="resphere.recovery.reconciliation", default_message="Reconciliation after a restoration.", args=()
    )
    return Job.Info(
        description=text,
        service=ids.ApplianceRecoveryReconciliationJobId(SERVICE),
        operation=Job.create.name,
        status=STATES[job.state],
        cancelable=False,
        error=ErrorValue(error_type="ERROR", messages=plain_forms(job.messages)) if failed else None,
        start_time=job.start_time,
        end_time=job.end_time,
        messages=plain_forms(job.messages),
        progress=job.progress,
    )
