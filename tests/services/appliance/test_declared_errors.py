"""Every error that an operation of the appliance declares is answered where a state can bring it about.

What all operations declare alike (no session, no privilege, the unforeseen) ``tests/live/test_every_refusal`` sees.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from resphere import services
from resphere.auth.accounts import ADMINISTRATOR
from resphere.contract.errors import ERRORS
from resphere.contract.generated import appliance, ids
from resphere.contract.generated.appliance import HealthCheckSettings, LocalAccounts, Networking, SupportBundle, Update
from resphere.contract.generated.appliance_local_accounts import Policy
from resphere.contract.generated.appliance_logging import Forwarding
from resphere.contract.generated.appliance_logging_liagent import LogCollection
from resphere.contract.generated.appliance_networking_interfaces import Ipv4, Ipv6
from resphere.contract.generated.appliance_recovery import Backup, Restore
from resphere.contract.generated.appliance_recovery_backup import Job, Schedules
from resphere.contract.generated.appliance_recovery_reconciliation import Job as Reconciliation
from resphere.contract.generated.appliance_recovery_restore import Job as RestoreJob
from resphere.contract.generated.appliance_system_time import Timezone
from resphere.contract.generated.appliance_tls_manual_parameters import Global as Manual
from resphere.contract.generated.appliance_tls_manual_parameters import Services as ManualServices
from resphere.contract.generated.appliance_update import Pending, Staged
from resphere.contract.generated.appliance_vmon import Service
from resphere.contract.generated.cis_task import Status
from resphere.contract.model import AnyOperation, Secret
from resphere.recovery.record import LAST, BackupJob, State
from resphere.recovery.record import RestoreJob as Restored
from resphere.services.registry import load
from resphere.tasks.record import Task
from tests.services.appliance.test_updates import FIRST, OWN, describe
from tests.support.calls import minimal_input
from tests.support.recovery import EXPORT
from tests.support.world import NOW, World

OF_ALL = frozenset({"error", "unauthenticated", "unauthorized"})
AREA = "com.vmware.appliance."
DECLARED = {
    (found.operation, error)
    for id, found in load(services).items()
    if id.startswith(AREA) and not id.startswith((f"{AREA}infraprofile.", f"{AREA}vcenter."))
    for error in found.operation.errors
    if error not in OF_ALL
}
GOES_ON, AT_ONCE = "what runs goes on, and what does not run starts", "nothing that is started takes time"
NO_AGENT = "the contract has no class for this error; what is wrong is INVALID_ARGUMENT"
NOTHING_WAITS = "settings are kept at once, and nothing that waits for a network keeps them busy"
NO_STATE: dict[tuple[AnyOperation, str], str] = {
    (HealthCheckSettings.update, "invalid_argument"): "two flags, each of which may be either",
    (LogCollection.get, "server_error"): NO_AGENT,
    (LogCollection.set, "client_error"): NO_AGENT,
    (LogCollection.set, "server_error"): NO_AGENT,
    (Networking.change_task, "not_allowed_in_current_state"): NOTHING_WAITS,
    (Networking.change_task, "unsupported"): "it is supported",
    (Ipv4.set, "not_allowed_in_current_state"): NOTHING_WAITS,
    (Ipv4.set, "resource_busy"): NOTHING_WAITS,
    (Ipv6.set, "resource_busy"): NOTHING_WAITS,
    (appliance.Services.start, "not_allowed_in_current_state"): GOES_ON,
    (appliance.Services.start, "timed_out"): AT_ONCE,
    (appliance.Services.restart, "timed_out"): AT_ONCE,
    (Service.start, "timed_out"): AT_ONCE,
    (Service.restart, "timed_out"): AT_ONCE,
}
"""Errors that no state of this server brings about, and why."""

LIVE: set[tuple[AnyOperation, str]] = {(RestoreJob.create, "invalid_argument"), (RestoreJob.create, "not_found")}
"""Those of a server that nobody has changed, which no world is: ``tests/live/test_recovery`` provokes them."""

NAME_NO_ID = (Pending.list, Pending.rollback, Restore.validate, RestoreJob.create)
"""Operations that find nothing without an id that names it."""

NFS = Job.LocationType.NFS
NIGHTLY = ids.ApplianceRecoveryBackupScheduleId("nightly")
SPEC = Schedules.CreateSpec(location=f"{EXPORT}/a")
PASSWORD = Secret("Appliance1!")
ACCOUNT = LocalAccounts.Config(password=PASSWORD, roles=(ids.ApplianceRolesId("operator"),))
RESTORATION: dict[str, Any] = {"location_type": RestoreJob.LocationType.NFS, "location": f"{EXPORT}/none"}


class Refusals:
    """Asks a world for what it refuses, and remembers that."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: set[tuple[AnyOperation, str]] = set()

    def expect(self, error: str, operation: AnyOperation, *arguments: object) -> None:
        """The operation answers with that error."""
        with pytest.raises(ERRORS[error.upper()]):
            self.world.call(operation, *arguments)
        self.seen.add((operation, error))

    def expect_all(self, error: str, *calls: tuple[Any, ...]) -> None:
        """Each of them does."""
        for call in calls:
            self.expect(error, *call)


def names_nothing(refusals: Refusals) -> None:
    """Ids of nothing, wherever there are ids."""
    for operation, error in sorted(DECLARED, key=lambda each: each[0].id):
        if error == "not_found" and operation not in NAME_NO_ID:
            value = minimal_input(operation)
            refusals.expect(error, operation, *(getattr(value, name) for name in value.__struct_fields__))


def settings(refusals: Refusals) -> None:
    """What settings may not be."""
    no_host = "no host"
    sound = Forwarding.Config(hostname="log.example.org", port=514, protocol=Forwarding.Protocol.UDP)
    empty = {"protocol_versions": (), "curves": ()}
    change = Networking.ChangeSpec(hostname=no_host, SSO_user="root", SSO_password=PASSWORD)
    refusals.expect_all(
        "invalid_argument",
        (Forwarding.set, (replace(sound, hostname=no_host),)),
        (Networking.change_task, change),
        (Timezone.set, "Mars/Olympus"),
        (LocalAccounts.create, ids.ApplianceLocalAccountsId(""), ACCOUNT),
        (Policy.set, Policy.Info(max_days=-2)),
        (Manual.set_task, Manual.SetSpecEx(**empty)),
        (
            ManualServices.set_task,
            ids.ApplianceTlsManualParametersServicesId("envoy"),
            ManualServices.SetSpec(**empty),
        ),
    )
    refusals.expect(
        "unable_to_allocate_resource", Forwarding.set, tuple(replace(sound, port=port) for port in range(514, 518))
    )
    accounts = refusals.world.environment.identities.accounts
    refusals.world.run(accounts.put(ADMINISTRATOR, "Administrator1!", "Admin"))
    operator = ids.ApplianceLocalAccountsId("operator")
    refusals.world.call(LocalAccounts.create, operator, ACCOUNT)
    refusals.expect("already_exists", LocalAccounts.create, operator, ACCOUNT)


def running_services(refusals: Refusals) -> None:
    """Services that must go on, or may not begin."""
    vmon, ui = ids.ApplianceServicesId("vmware-vmon"), ids.ApplianceVmonServiceId("vsphere-ui")
    own, disabled = ids.ApplianceVmonServiceId("vpxd"), Service.UpdateSpec(startup_type=Service.StartupType.DISABLED)
    error = "not_allowed_in_current_state"
    refusals.expect_all(
        error,
        (appliance.Services.stop, vmon),
        (appliance.Services.restart, vmon),
        (Service.stop, own),
        (Service.update, ui, disabled),
    )
    refusals.world.call(Service.stop, ui)
    refusals.world.call(Service.update, ui, disabled)
    refusals.expect_all(error, (Service.start, ui), (Service.restart, ui))


def updates(refusals: Refusals) -> None:
    """Updates that there are not, that are there, and that are under way."""
    world, error = refusals.world, "not_allowed_in_current_state"
    refusals.expect("not_found", Pending.rollback)
    refusals.expect("not_found", Pending.list, Pending.SourceType.LOCAL, "https://updates.example.org", None)
    of_one: tuple[tuple[Any, ...], ...] = ((Pending.precheck,), (Pending.validate, {}), (Pending.install, {}))
    of_one += ((Pending.stage_and_install, {}), (Pending.stage,))
    for operation, *answers in ((Pending.get,), *of_one):
        refusals.expect("already_in_desired_state", operation, OWN, *answers, None)
    refusals.expect_all(error, (Update.cancel,), (Staged.get,))
    world.call(Pending.stage, FIRST, None)
    for operation, *answers in of_one:
        refusals.expect(error, operation, FIRST, *answers, None)
    refusals.expect(error, Pending.rollback)
    world.environment = replace(world.environment, now=lambda: NOW.replace(hour=4))
    refusals.expect("already_exists", Pending.stage, FIRST, None)


def bundles(refusals: Refusals) -> None:
    """Support bundles of nothing, and two at once."""
    spec = SupportBundle.CreateSpec(description="")
    refusals.expect("invalid_argument", SupportBundle.create_task, replace(spec, partition="none"))
    task = Task(
        id="making",
        service=SupportBundle.create_task.service,
        operation=SupportBundle.create_task.name,
        description="",
        user="root",
        owner="other",
        status=Status.RUNNING,
        queued_time=NOW,
        start_time=NOW,
    )
    refusals.world.put(task)
    refusals.expect("not_allowed_in_current_state", SupportBundle.create_task, spec)


def recovery(refusals: Refusals) -> None:
    """Backups and restorations that are refused, and those that exclude each other."""
    world = refusals.world
    wrong = Reconciliation.CreateSpec(sso_admin_user_name="nobody", sso_admin_user_password=PASSWORD)
    world.call(Schedules.create, NIGHTLY, SPEC)
    refusals.expect("already_exists", Schedules.create, NIGHTLY, SPEC)
    refusals.expect_all(
        "invalid_argument",
        (Schedules.create, NIGHTLY, replace(SPEC, location="nowhere")),
        (Schedules.update, NIGHTLY, Schedules.UpdateSpec(location="nowhere")),
        (Restore.validate, Restore.RestoreRequest(**{**RESTORATION, "location": "nowhere"})),
        (Reconciliation.create, wrong),
    )
    refusals.expect("not_found", Restore.validate, Restore.RestoreRequest(**RESTORATION))
    refusals.expect("not_allowed_in_current_state", Reconciliation.create, Reconciliation.CreateSpec())
    refusals.expect("not_allowed_in_current_state", RestoreJob.create, RestoreJob.RestoreRequest(**RESTORATION))
    world.put(Restored(id=LAST, owner="other", location=EXPORT, state=State.SUCCEEDED, start_time=NOW, end_time=NOW))
    running = BackupJob(id="running", owner="other", location=EXPORT, state=State.RUNNING, start_time=NOW)
    world.put(running)
    backup: dict[str, Any] = {"parts": (), "location_type": NFS, "location": f"{EXPORT}/a"}
    refusals.expect_all(
        "feature_in_use",
        (Job.create, Job.BackupRequest(**backup)),
        (Backup.validate, Backup.BackupRequest(**backup)),
        (Schedules.run, NIGHTLY, None),
        (Reconciliation.create, Reconciliation.CreateSpec()),
        (RestoreJob.create, RestoreJob.RestoreRequest(**RESTORATION)),
    )


def test_every_declared_error_is_answered(tmp_path: Path) -> None:
    seen: set[tuple[AnyOperation, str]] = set()
    for number, area in enumerate((names_nothing, settings, running_services, updates, bundles, recovery)):
        folder = tmp_path / str(number)
        (folder / "nas").mkdir(parents=True)
        (folder / "log").mkdir()
        with World(folder) as world:
            describe(folder / "updates", FIRST)
            refusals = Refusals(world)
            area(refusals)
            seen |= refusals.seen
    missing = {(operation.id, error) for operation, error in DECLARED - seen - LIVE - NO_STATE.keys()}
    assert missing == set()
    assert {(operation.id, error) for operation, error in NO_STATE.keys() & seen} == set()
    assert {(operation.id, error) for operation, error in NO_STATE.keys() - DECLARED} == set()
