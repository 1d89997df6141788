"""``com.vmware.appliance.recovery.backup.job``: makes backups, and tells how they go."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_recovery_backup import Job
from resphere.recovery.record import BackupJob, State
from resphere.services.appliance.recovery.forms import in_form, request_of
from resphere.services.call import Call
from resphere.services.registry import implements

Id = ids.ApplianceRecoveryBackupJobId
STATES = {
    State.RUNNING: Job.BackupRestoreProcessState.INPROGRESS,
    State.SUCCEEDED: Job.BackupRestoreProcessState.SUCCEEDED,
    State.FAILED: Job.BackupRestoreProcessState.FAILED,
}


@implements(Job.create)
async def create(call: Call, piece: Job.BackupRequest) -> Job.BackupJobStatus:
    """Begin a backup. What is wrong with the request stands in the job, which has failed then.

    :raises FeatureInUse: a backup or a restoration is in progress.
    """
    return status(await call.environment.recovery.backups.create(request_of(piece), call.session.user))


@implements(Job.list)
async def list_jobs(call: Call) -> tuple[str, ...]:
    """All that are remembered, the latest first."""
    jobs = sorted(call.unfiltered.all(BackupJob).values(), key=lambda job: (job.start_time, job.id), reverse=True)
    return tuple(job.id for job in jobs)


@implements(Job.get)
async def get(call: Call, id: Id) -> Job.BackupJobStatus:
    """How one goes, or went.

    :raises NotFound: there is none.
    """
    return status(require(call, id))


@implements(Job.cancel)
async def cancel(call: Call, id: Id) -> Job.ReturnResult:
    """Stop one soon; what has been sent is deleted.

    :raises NotFound: there is none.
    """
    require(call, id)
    if await call.environment.recovery.cancel(BackupJob, id):
        return Job.ReturnResult(status=Job.ReturnStatus.OK, messages=())
    why = message("resphere.recovery.ended", "The backup {0} has ended already.", id)
    return Job.ReturnResult(status=Job.ReturnStatus.FAIL, messages=in_form(Job.LocalizableMessage, (why,)))


def require(call: Call, id: str) -> BackupJob:
    """The job of that id.

    :raises NotFound: there is none.
    """
    job = call.unfiltered.get(BackupJob, id)
    if job is None:
        raise NotFound(message("resphere.recovery.no_job", "There is no backup {0}.", id[:80]))
    return job


def status(job: BackupJob) -> Job.BackupJobStatus:
    """A job as this service tells it."""
    return Job.BackupJobStatus(
        id=job.id,
        state=STATES[job.state],
        messages=in_form(Job.LocalizableMessage, job.messages),
        progress=job.progress,
        start_time=job.start_time,
        end_time=job.end_time,
    )
