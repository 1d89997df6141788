"""Backs a server up, and restores it, by the classes of the official SDK; tells what went wrong in which check."""

from __future__ import annotations

import time

import com.vmware.appliance.recovery.backup.job_client as job_client
import com.vmware.appliance.recovery.backup.system_name_client as system_name_client
import com.vmware.appliance.recovery.backup_client as backup
import com.vmware.appliance.recovery.reconciliation_client as reconciliation
import com.vmware.appliance.recovery.restore_client as restore
import com.vmware.appliance.recovery_client as recovery
import com.vmware.appliance_client as appliance
import com.vmware.vapi.std.errors_client as errors

from tests.sdk.scripts.client import Check, Given, raises, run_checks

PASSWORD = "Keeps-1-Thing"
LOCATION = "nfs://nas.example.com/exports/sdk"
END_SECONDS = 60


def request(**more: object) -> backup.Job.BackupRequest:
    """A backup that can be made."""
    usual = {"parts": ["seat"], "backup_password": PASSWORD, "location_type": "NFS", "location": LOCATION}
    return backup.Job.BackupRequest(**(usual | more))


def finished(given: Given, id: str) -> backup.Job.BackupJobStatus:
    """The job when it has ended."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        status = backup.Job(given.stubs).get(id)
        if status.state != "INPROGRESS":
            return status
        time.sleep(0.1)
    raise AssertionError("the backup has not ended")


def parts(given: Given) -> None:
    """What belongs to a backup."""
    assert appliance.Recovery(given.stubs).get().supported
    found = backup.Parts(given.stubs).list()
    assert [(each.id, each.optional) for each in found] == [("common", False), ("seat", True)]
    assert backup.Parts(given.stubs).get("common") >= 1
    with raises(errors.Error):
        backup.Parts(given.stubs).get("other")


def backups(given: Given) -> None:
    """Made, told, found."""
    wanted = recovery.Backup.BackupRequest(
        parts=["seat"], backup_password=PASSWORD, location_type="NFS", location=LOCATION
    )
    assert recovery.Backup(given.stubs).validate(wanted).status == "OK"
    wanted.backup_password = "short"
    assert recovery.Backup(given.stubs).validate(wanted).status == "FAIL"
    jobs = backup.Job(given.stubs)
    status = finished(given, jobs.create(request(comment="by the SDK")).id)
    assert (status.state, status.messages, status.progress) == ("SUCCEEDED", [], 100), status
    assert status.id in jobs.list()
    details = job_client.Details(given.stubs).list(job_client.Details.FilterSpec(jobs={status.id}))
    assert details[status.id].status == "SUCCEEDED"
    assert details[status.id].size > 0
    assert jobs.cancel(status.id).status == "FAIL"
    with raises(errors.NotFound):
        jobs.get("other")
    with raises(errors.NotFound):
        jobs.cancel("other")
    failed = finished(given, jobs.create(request(location="nfs://other/exports")).id)
    assert (failed.state, len(failed.messages)) == ("FAILED", 1)
    at = backup.LocationSpec(location=LOCATION)
    (system,) = backup.SystemName(given.stubs).list(at)
    archives = system_name_client.Archive(given.stubs)
    (archive,) = archives.list(at, system, system_name_client.Archive.FilterSpec())
    info = archives.get(at, system, archive.archive)
    assert (info.comment, info.parts) == ("by the SDK", ["common", "seat"])
    metadata = recovery.Restore(given.stubs).validate(
        recovery.Restore.RestoreRequest(location_type="NFS", location=info.location, backup_password=PASSWORD)
    )
    assert (metadata.comment, metadata.applicable) == ("by the SDK", True), metadata
    with raises(errors.NotFound):
        backup.SystemName(given.stubs).list(backup.LocationSpec("nfs://other/a"))
    with raises(errors.NotFound):
        archives.get(at, system, "other")
    with raises(errors.NotFound):
        archives.list(at, "other", system_name_client.Archive.FilterSpec())


def schedules(given: Given) -> None:
    """Made, shown, changed, run, deleted."""
    service = backup.Schedules(given.stubs)
    recurrence = service.RecurrenceInfo(minute=30, hour=3, days=["MONDAY", "FRIDAY"])
    spec = service.CreateSpec(
        parts=["seat"],
        backup_password=PASSWORD,
        location=LOCATION,
        recurrence_info=recurrence,
        retention_info=service.RetentionInfo(max_count=1),
    )
    service.create("sdk", spec)
    with raises(errors.AlreadyExists):
        service.create("sdk", spec)
    shown = service.list()["sdk"]
    assert (shown.recurrence_info.days, shown.retention_info.max_count) == (["MONDAY", "FRIDAY"], 1)
    service.update("sdk", service.UpdateSpec(enable=False))
    assert not service.get("sdk").enable
    wrong = service.UpdateSpec(recurrence_info=service.RecurrenceInfo(minute=61, hour=3))
    with raises(errors.InvalidArgument):
        service.update("sdk", wrong)
    assert finished(given, service.run("sdk", "first").id).state == "SUCCEEDED"
    assert finished(given, service.run("sdk", "second").id).state == "SUCCEEDED"
    service.delete("sdk")
    with raises(errors.NotFound):
        service.get("sdk")


def refusals(given: Given) -> None:
    """Of restorations."""
    service = restore.Job(given.stubs)
    assert service.get().state == "NONE"
    assert service.cancel().status == "FAIL"
    wanted = service.RestoreRequest(location_type="NFS", location=f"{LOCATION}/none", backup_password=PASSWORD)
    # Schedules were made: the server is not empty any more.
    with raises(errors.NotAllowedInCurrentState):
        service.create(wanted)
    validated = recovery.Restore.RestoreRequest(location_type="NFS", location=f"{LOCATION}/none")
    with raises(errors.NotFound):
        recovery.Restore(given.stubs).validate(validated)
    validated.location_type = "SFTP"
    with raises(errors.InvalidArgument):
        recovery.Restore(given.stubs).validate(validated)
    looks = reconciliation.Job(given.stubs)
    with raises(errors.NotFound):
        looks.get()
    with raises(errors.NotAllowedInCurrentState):
        looks.create(looks.CreateSpec())


CHECKS: tuple[Check, ...] = (parts, backups, schedules, refusals)

if __name__ == "__main__":
    run_checks(CHECKS)
