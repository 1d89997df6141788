"""``com.vmware.appliance.recovery.restore.job``: puts a backup in the place of this server, which restarts."""

from __future__ import annotations

from resphere.contract.errors import message
from resphere.contract.generated.appliance_recovery import Restore
from resphere.contract.generated.appliance_recovery_restore import Job
from resphere.recovery.places.location import Login
from resphere.recovery.record import LAST, RestoreJob, State
from resphere.recovery.restoring import Restoration
from resphere.services.appliance.recovery.forms import given, given_text, in_form
from resphere.services.call import Call
from resphere.services.registry import implements

STATES = {
    State.RUNNING: Job.BackupRestoreProcessState.INPROGRESS,
    State.SUCCEEDED: Job.BackupRestoreProcessState.SUCCEEDED,
    State.FAILED: Job.BackupRestoreProcessState.FAILED,
}


@implements(Job.create)
async def create(call: Call, piece: Job.RestoreRequest) -> Job.RestoreJobStatus:
    """Begin to restore. The backup is taken in and found whole first; then the server restarts on it, and all sessions
    end.

    :raises FeatureInUse: a backup or a restoration is in progress.
    :raises NotAllowedInCurrentState: somebody has changed something since this server's first start.
    :raises NotFound: there is no such backup.
    :raises InvalidArgument: the location cannot be used, the password is wrong, or the backup is not for such a server.
    """
    return status(await call.environment.recovery.restores.create(restoration_of(piece), call.session.user))


@implements(Job.get)
async def get(call: Call) -> Job.RestoreJobStatus:
    """How the restoration goes that was asked for last, or went."""
    return status(call.unfiltered.get(RestoreJob, LAST))


@implements(Job.cancel)
async def cancel(call: Call) -> Job.ReturnResult:
    """Stop it, as long as it has not begun to take this server's place."""
    if await call.environment.recovery.cancel(RestoreJob, LAST):
        return Job.ReturnResult(status=Job.ReturnStatus.OK, messages=())
    text = "There is no restoration in progress that could be stopped still."
    why = message("resphere.recovery.no_restore", text)
    return Job.ReturnResult(status=Job.ReturnStatus.FAIL, messages=in_form(Job.LocalizableMessage, (why,)))


def restoration_of(piece: Job.RestoreRequest | Restore.RestoreRequest) -> Restoration:
    """What is asked for. Nobody has to prove that they administer the backed up server: it brings its accounts."""
    return Restoration(
        parts=piece.parts,
        password=given(piece.backup_password),
        location=piece.location,
        location_type=piece.location_type.value,
        login=Login(given_text(piece.location_user), given(piece.location_password)),
    )


def status(job: RestoreJob | None) -> Job.RestoreJobStatus:
    """A job as this service tells it; where there never was one, that too."""
    if job is None:
        return Job.RestoreJobStatus(state=Job.BackupRestoreProcessState.NONE, messages=(), progress=0)
    return Job.RestoreJobStatus(
        state=STATES[job.state],
        messages=in_form(Job.LocalizableMessage, job.messages),
        progress=job.progress,
        parts=job.parts,
    )
