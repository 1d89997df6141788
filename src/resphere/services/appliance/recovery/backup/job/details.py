"""``com.vmware.appliance.recovery.backup.job.details``: all that is known of backups."""

from __future__ import annotations

from datetime import datetime

from resphere.contract.generated import cis_task, ids, vapi_std
from resphere.contract.generated.appliance_recovery_backup import Job, Schedules
from resphere.contract.generated.appliance_recovery_backup_job import Details
from resphere.contract.model import ErrorValue, LocalizableMessage
from resphere.recovery.record import BackupJob, Kind, State
from resphere.services.appliance.recovery.forms import plain_forms
from resphere.services.call import Call
from resphere.services.registry import implements

Info = dict[str, Details.Info]
STATES = {
    State.RUNNING: cis_task.Status.RUNNING,
    State.SUCCEEDED: cis_task.Status.SUCCEEDED,
    State.FAILED: cis_task.Status.FAILED,
}


@implements(Details.list)
async def list_details(call: Call, filter: Details.FilterSpec | None) -> Info:
    """Of all, or of those that the filter names and that there are."""
    wanted = None if filter is None else filter.jobs
    now = call.environment.present()
    jobs = call.unfiltered.all(BackupJob)
    return {id: info(job, now) for id, job in jobs.items() if wanted is None or id in wanted}


def info(job: BackupJob, now: datetime) -> Details.Info:
    """All of one."""
    scheduled = job.type is Kind.SCHEDULED
    operation = Schedules.run if scheduled else Job.create
    text = LocalizableMessage(id="resphere.recovery.backup", default_message="Backup of the server.", args=())
    failed = job.state is State.FAILED
    return Details.Info(
        location=job.location,
        duration=int(((job.end_time or now) - job.start_time).total_seconds()),
        size=job.size_bytes,
        progress=cis_task.Progress(total=100, completed=job.progress, message=text),
        location_user=job.location_user or "",
        type=job.type,
        messages=plain_forms(job.messages),
        build=Details.BuildInfo(version_name=job.version, version=job.version, build_number=job.build),
        fast_backup=job.fast_backup,
        description=text,
        service=ids.VapiServiceId(operation.service),
        operation=ids.VapiOperationId(operation.name),
        target=vapi_std.DynamicID(type="com.vmware.appliance.recovery.backup.job", id=job.id),
        status=STATES[job.state],
        cancelable=job.state is State.RUNNING,
        error=ErrorValue(error_type="ERROR", messages=plain_forms(job.messages)) if failed else None,
        start_time=job.start_time,
        end_time=job.end_time,
        user=job.user,
    )
