"""Backups by the API in the test's own process: what is refused, schedules and their times, how many are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
)
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Recovery
from resphere.contract.generated.appliance_recovery import Backup, Restore
from resphere.contract.generated.appliance_recovery_backup import Job, LocationSpec, Parts, Schedules, SystemName
from resphere.contract.generated.appliance_recovery_backup_job import Details
from resphere.contract.generated.appliance_recovery_backup_system_name import Archive
from resphere.contract.generated.appliance_recovery_reconciliation import Job as Reconciliation
from resphere.contract.generated.appliance_recovery_restore import Job as RestoreJob
from resphere.contract.generated.appliance_system_time import Timezone
from resphere.contract.model import Secret
from resphere.recovery.record import LAST, BackupJob, BackupSchedule, ReconciliationJob, State
from resphere.recovery.record import RestoreJob as Restored
from tests.support.recovery import ABOUT, EXPORT
from tests.support.world import NOW, World

PASSWORD = Secret("Keeps-1-Thing")
NFS = Job.LocationType.NFS
NIGHTLY = Schedules.RecurrenceInfo(hour=3, minute=30)
SCHEDULE = ids.ApplianceRecoveryBackupScheduleId("nightly")
SYSTEM = ids.ApplianceRecoveryBackupSystemNameId(ABOUT.system_name)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "nas").mkdir()
    with World(tmp_path) as made:
        yield made


W = TypeVar("W", BackupJob, ReconciliationJob)


def ended(world: World, job: str) -> BackupJob:
    """The backup when it has ended."""
    return at_its_end(world, BackupJob, job)


def at_its_end(world: World, kind: type[W], id: str) -> W:
    """Work when it has ended."""

    async def wait() -> W:
        while True:
            await world.inventory.refresh()
            found = world.inventory.get(kind, id)
            assert found is not None
            if found.state is not State.RUNNING:
                return found
            await asyncio.sleep(0.01)

    return world.run(wait())


def request(**more: Any) -> Job.BackupRequest:
    usual: dict[str, Any] = {"parts": ("seat",), "location_type": NFS, "location": f"{EXPORT}/a"}
    return Job.BackupRequest(**(usual | more))


def back_up(world: World, **more: Any) -> BackupJob:
    """Make one."""
    return ended(world, world.call(Job.create, request(**more)).id)


def archives(world: World, **filter: Any) -> list[str]:
    """The comments of those that are there, the latest first."""
    spec = LocationSpec(location=f"{EXPORT}/a")
    found = world.call(Archive.list, spec, SYSTEM, Archive.FilterSpec(**filter))
    return [each.comment for each in found]


def at(world: World, moment: datetime) -> None:
    """Have it be that time."""
    world.environment = msgspec.structs.replace(world.environment, now=lambda: moment)


def schedule(**more: Any) -> Schedules.CreateSpec:
    usual: dict[str, Any] = {"location": f"{EXPORT}/a", "recurrence_info": NIGHTLY}
    return Schedules.CreateSpec(**(usual | more))


def test_it_is_supported(world: World) -> None:
    assert world.call(Recovery.get).supported
    assert {part.id: part.optional for part in world.call(Parts.list)} == {"common": False, "seat": True}
    sizes = {name: world.call(Parts.get, ids.ApplianceRecoveryBackupPartsId(name)) for name in ("common", "seat")}
    assert sizes["common"] >= 1
    assert sizes["seat"] >= 0
    with pytest.raises(VapiError, match="There is no part other"):
        world.call(Parts.get, ids.ApplianceRecoveryBackupPartsId("other"))


def test_a_backup(world: World) -> None:
    job = back_up(world, backup_password=PASSWORD, comment="first", fast_backup=True)
    assert (job.state, job.messages) == (State.SUCCEEDED, ())
    assert world.call(Job.list) == (job.id,)
    id = ids.ApplianceRecoveryBackupJobId(job.id)
    assert world.call(Job.get, id).progress == 100
    (details,) = world.call(Details.list, Details.FilterSpec(jobs=frozenset({id}))).values()
    assert details.size == job.size_bytes > 10_000
    assert (details.type, details.fast_backup) == (Details.Type.MANUAL, True)
    assert not world.call(Details.list, Details.FilterSpec(jobs=frozenset()))
    assert world.call(Job.cancel, id).status is Job.ReturnStatus.FAIL
    with pytest.raises(NotFound):
        world.call(Job.get, ids.ApplianceRecoveryBackupJobId("other"))
    with pytest.raises(NotFound):
        world.call(Job.cancel, ids.ApplianceRecoveryBackupJobId("other"))
    spec = LocationSpec(location=f"{EXPORT}/a")
    assert world.call(SystemName.list, spec) == (SYSTEM,)
    (found,) = world.call(Archive.list, spec, SYSTEM, Archive.FilterSpec())
    info = world.call(Archive.get, spec, SYSTEM, found.archive)
    assert (info.comment, info.parts, info.version) == ("first", ("common", "seat"), ABOUT.version)


def test_without_the_events_it_is_smaller(world: World) -> None:
    large = back_up(world).size_bytes
    small = back_up(world, parts=()).size_bytes
    assert small < large


def test_archives_by_time_and_comment(world: World) -> None:
    for day, comment in enumerate(("one", "two", "one more")):
        at(world, NOW + timedelta(days=day))
        assert back_up(world, comment=comment).state is State.SUCCEEDED
    assert archives(world) == ["one more", "two", "one"]
    assert archives(world, max_results=2) == ["one more", "two"]
    assert archives(world, max_results=0) == []
    assert archives(world, comment_substring="one") == ["one more", "one"]
    assert archives(world, start_timestamp=NOW + timedelta(days=1)) == ["one more", "two"]
    assert archives(world, end_timestamp=NOW + timedelta(hours=1)) == ["one"]


def test_what_was_not_finished_is_no_backup(world: World, tmp_path: Path) -> None:
    job = back_up(world, comment="kept")
    other = (tmp_path / "nas" / "a" / job.folder).parent / "M_8.0.3.00000_20260102-000000_half"
    other.mkdir()
    (other / "backup.tar").write_bytes(b"half")
    assert archives(world) == ["kept"]


@pytest.mark.parametrize(
    "location", [f"{EXPORT}/none", "sftp://user:secret@127.0.0.1/a", "nowhere", "smb://10.1.1.1/a"]
)
def test_locations_that_cannot_be_looked_at(world: World, location: str) -> None:
    spec = LocationSpec(location=location)
    with pytest.raises(NotFound) as refused:
        world.call(SystemName.list, spec)
    assert "secret" not in str(refused.value)
    with pytest.raises(NotFound):
        world.call(Archive.list, spec, SYSTEM, Archive.FilterSpec())
    with pytest.raises(NotFound):
        world.call(Archive.get, spec, SYSTEM, ids.ApplianceRecoveryBackupSystemNameArchiveId("M_1"))


def test_archives_that_are_not_there(world: World) -> None:
    back_up(world)
    spec = LocationSpec(location=f"{EXPORT}/a")
    with pytest.raises(NotFound):
        world.call(Archive.list, spec, ids.ApplianceRecoveryBackupSystemNameId("other"), Archive.FilterSpec())
    for name in ("M_1", "..", "../../..", "a/b"):
        with pytest.raises(NotFound):
            world.call(Archive.get, spec, SYSTEM, ids.ApplianceRecoveryBackupSystemNameArchiveId(name))


def test_validation(world: World, tmp_path: Path) -> None:
    good = Backup.BackupRequest(parts=(), location_type=Backup.LocationType.NFS, location=f"{EXPORT}/a")
    assert world.call(Backup.validate, good).status is Backup.ReturnStatus.OK
    assert not list((tmp_path / "nas").rglob("probe*"))
    bad = msgspec.structs.replace(good, location="nfs://other/a", backup_password=PASSWORD)
    told = world.call(Backup.validate, bad)
    assert told.status is Backup.ReturnStatus.FAIL
    assert "--backup-folder" in told.messages[0].default_message


# --- schedules -------------------------------------------------------------------------------------------------------


def test_schedules_are_made_shown_changed_and_deleted(world: World) -> None:
    spec = schedule(backup_password=PASSWORD, location_user="me", location_password=PASSWORD)
    world.call(Schedules.create, SCHEDULE, spec)
    shown = world.call(Schedules.get, SCHEDULE)
    assert (shown.enable, shown.parts, shown.location_user) == (True, ("common",), "me")
    assert PASSWORD not in msgspec.json.encode(world.call(Schedules.list)).decode()
    with pytest.raises(AlreadyExists):
        world.call(Schedules.create, SCHEDULE, spec)
    days = (Schedules.DayOfWeek.MONDAY,)
    changed = Schedules.UpdateSpec(
        parts=("seat",), recurrence_info=msgspec.structs.replace(NIGHTLY, days=days), retention_info=kept(2)
    )
    world.call(Schedules.update, SCHEDULE, changed)
    shown = world.call(Schedules.get, SCHEDULE)
    assert (shown.parts, shown.retention_info) == (("common", "seat"), kept(2))
    stored = world.inventory.get(BackupSchedule, SCHEDULE)
    assert stored is not None
    # The next Monday after Friday, the 2nd of January 2026.
    assert stored.next_time == datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
    assert stored.location_password == PASSWORD
    # Elsewhere another password is right: nobody gets to know this one by having it sent there.
    world.call(Schedules.update, SCHEDULE, Schedules.UpdateSpec(location=f"{EXPORT}/b", enable=False, location_user=""))
    stored = world.inventory.get(BackupSchedule, SCHEDULE)
    assert stored is not None
    assert (stored.location_password, stored.next_time, stored.backup_password) == (None, None, PASSWORD)
    world.call(Schedules.delete, SCHEDULE)
    for ask in (
        lambda: world.call(Schedules.get, SCHEDULE),
        lambda: world.call(Schedules.delete, SCHEDULE),
        lambda: world.call(Schedules.update, SCHEDULE, Schedules.UpdateSpec()),
        lambda: world.call(Schedules.run, SCHEDULE, None),
    ):
        with pytest.raises(NotFound):
            ask()


def kept(count: int) -> Schedules.RetentionInfo:
    return Schedules.RetentionInfo(max_count=count)


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("recurrence_info.hour", {"recurrence_info": Schedules.RecurrenceInfo(hour=24, minute=0)}),
        ("recurrence_info.minute", {"recurrence_info": Schedules.RecurrenceInfo(hour=0, minute=-1)}),
        (
            "recurrence_info.days",
            {
                "recurrence_info": Schedules.RecurrenceInfo(
                    hour=0, minute=0, days=(Schedules.DayOfWeek.MONDAY, Schedules.DayOfWeek.MONDAY)
                )
            },
        ),
        ("retention_info.max_count", {"retention_info": kept(0)}),
        ("backup_password", {"backup_password": Secret("short")}),
        ("parts", {"parts": ("other",)}),
        ("location", {"location": "nowhere"}),
        ("location_user", {"location_password": PASSWORD}),
    ],
)
def test_schedules_that_are_refused(world: World, field: str, more: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=field):
        world.call(Schedules.create, SCHEDULE, schedule(**more))
    assert not world.call(Schedules.list)
    world.call(Schedules.create, SCHEDULE, schedule())
    with pytest.raises(InvalidArgument, match=field):
        world.call(Schedules.update, SCHEDULE, Schedules.UpdateSpec(**more))
    with pytest.raises(InvalidArgument, match="schedule"):
        world.call(Schedules.create, ids.ApplianceRecoveryBackupScheduleId(""), schedule())


def test_a_schedule_that_is_due_and_how_many_are_kept(world: World, tmp_path: Path) -> None:
    world.call(Schedules.create, SCHEDULE, schedule(backup_password=PASSWORD, retention_info=kept(2)))
    due = datetime(2026, 1, 3, 3, 30, tzinfo=UTC)
    for day in range(4):
        at(world, due + timedelta(days=day, seconds=-1))
        fire(world)
        assert len(world.call(Job.list)) == day
        at(world, due + timedelta(days=day, seconds=20))
        fire(world)
        fire(world)
        jobs = world.call(Job.list)
        assert len(jobs) == day + 1
        job = ended(world, jobs[0])
        assert (job.state, job.type, job.user) == (State.SUCCEEDED, Details.Type.SCHEDULED, None)
    folders = [path.parent.name for path in (tmp_path / "nas").rglob("backup-metadata.json")]
    assert sorted(folders) == ["S_8.0.3.00000_20260105-033020_", "S_8.0.3.00000_20260106-033020_"]
    assert len(list((tmp_path / "nas").rglob("S_*"))) == 2


def fire(world: World) -> None:
    """Have the clock looked at."""

    async def look() -> None:
        running = asyncio.get_running_loop().create_task(world.environment.recovery.schedules.run())
        # It has looked once it sleeps.
        for _ in range(20):
            await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    world.run(look())


def test_a_time_that_was_missed_waits_for_the_next(world: World) -> None:
    world.call(Schedules.create, SCHEDULE, schedule())
    at(world, datetime(2026, 1, 3, 5, 0, tzinfo=UTC))
    fire(world)
    assert world.call(Job.list) == ()
    stored = world.inventory.get(BackupSchedule, SCHEDULE)
    assert stored is not None
    assert stored.next_time == datetime(2026, 1, 4, 3, 30, tzinfo=UTC)


def test_schedules_go_by_the_time_zone_of_the_appliance(world: World) -> None:
    world.call(Timezone.set, "Europe/Berlin")
    world.call(Schedules.create, SCHEDULE, schedule())
    stored = world.inventory.get(BackupSchedule, SCHEDULE)
    assert stored is not None
    # NOW is ten past three in the morning UTC; in Berlin it is past half past three already.
    assert stored.next_time == datetime(2026, 1, 3, 2, 30, tzinfo=UTC)
    world.call(Timezone.set, "Asia/Tokyo")
    fire(world)
    stored = world.inventory.get(BackupSchedule, SCHEDULE)
    assert stored is not None
    assert stored.next_time == datetime(2026, 1, 2, 18, 30, tzinfo=UTC)
    assert world.call(Job.list) == ()


def test_a_time_of_the_former_zone_makes_no_backup(world: World) -> None:
    world.call(Schedules.create, SCHEDULE, schedule())
    world.call(Timezone.set, "Asia/Tokyo")
    at(world, datetime(2026, 1, 2, 3, 30, tzinfo=UTC))
    fire(world)
    assert world.call(Job.list) == ()
    at(world, datetime(2026, 1, 2, 18, 30, tzinfo=UTC))
    fire(world)
    assert len(world.call(Job.list)) == 1


def test_a_schedule_is_run_at_once(world: World) -> None:
    world.call(Schedules.create, SCHEDULE, schedule(enable=False))
    job = ended(world, world.call(Schedules.run, SCHEDULE, "by hand").id)
    assert (job.state, job.comment, job.user) == (State.SUCCEEDED, "by hand", "administrator@vsphere.local")
    assert archives(world) == ["by hand"]


# --- restorations ----------------------------------------------------------------------------------------------------


def restoration(world: World, **more: Any) -> Restore.RestoreRequest:
    job = back_up(world, backup_password=PASSWORD)
    usual: dict[str, Any] = {
        "location_type": Restore.LocationType.NFS,
        "location": f"{EXPORT}/a/{job.folder}",
        "backup_password": PASSWORD,
    }
    return Restore.RestoreRequest(**(usual | more))


def test_a_backup_is_validated(world: World) -> None:
    told = world.call(Restore.validate, restoration(world))
    assert (told.boxname, told.version, told.parts) == (ABOUT.system_name, ABOUT.version, ("common", "seat"))
    # This server has been changed: its inventory was put by calls.
    assert (told.applicable, told.messages[0].id) == (False, "resphere.recovery.not_empty")


@pytest.mark.parametrize(
    ("error", "field", "more"),
    [
        (InvalidArgument, "backup_password", {"backup_password": Secret("Keeps-2-Things")}),
        (InvalidArgument, "backup_password", {"backup_password": None}),
        (InvalidArgument, "parts", {"parts": ("other",)}),
        (InvalidArgument, "location", {"location": "nfs://user@nas/a"}),
        (InvalidArgument, "--backup-to", {"location": "sftp://10.1.1.1/a", "location_type": Restore.LocationType.SFTP}),
        (NotFound, "no backup", {"location": f"{EXPORT}/other"}),
    ],
)
def test_restorations_that_are_refused(world: World, error: type[VapiError], field: str, more: dict[str, Any]) -> None:
    with pytest.raises(error, match=field):
        world.call(Restore.validate, restoration(world, **more))


def test_a_backup_that_is_damaged(world: World, tmp_path: Path) -> None:
    wanted = restoration(world)
    (metadata,) = (tmp_path / "nas").rglob("backup-metadata.json")
    metadata.write_text("{}")
    with pytest.raises(InvalidArgument, match="backup-metadata"):
        world.call(Restore.validate, wanted)


def test_a_server_that_is_not_empty_is_none_to_restore_into(world: World) -> None:
    wanted = restoration(world)
    piece = RestoreJob.RestoreRequest(
        location_type=RestoreJob.LocationType.NFS, location=wanted.location, backup_password=PASSWORD
    )
    with pytest.raises(NotAllowedInCurrentState, match="changed"):
        world.call(RestoreJob.create, piece)
    assert world.call(RestoreJob.get).state is RestoreJob.BackupRestoreProcessState.NONE
    assert world.call(RestoreJob.cancel).status is RestoreJob.ReturnStatus.FAIL


def test_reconciliation(world: World) -> None:
    with pytest.raises(NotFound):
        world.call(Reconciliation.get)
    with pytest.raises(NotAllowedInCurrentState, match="nothing to reconcile"):
        world.call(Reconciliation.create, Reconciliation.CreateSpec())
    world.put(Restored(id=LAST, owner="other", location=EXPORT, state=State.SUCCEEDED, start_time=NOW, end_time=NOW))
    wrong = Reconciliation.CreateSpec(sso_admin_user_name="nobody", sso_admin_user_password=PASSWORD)
    with pytest.raises(InvalidArgument, match="sso_admin_user_name"):
        world.call(Reconciliation.create, wrong)
    assert world.call(Reconciliation.create, Reconciliation.CreateSpec()).status is Reconciliation.Status.RUNNING

    at_its_end(world, ReconciliationJob, LAST)
    found = world.call(Reconciliation.get)
    assert (found.status, found.messages) == (Reconciliation.Status.SUCCEEDED, ())
