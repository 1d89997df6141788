"""The appliance through the official SDK."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import com.vmware.appliance.logging_client as logging
import com.vmware.appliance.update_client as update
import com.vmware.appliance_client as appliance
import com.vmware.vapi.std.errors_client as errors

from tests.sdk.scripts.client import Check, Given, raises, run_checks


def health(given: Given) -> None:
    client = given.client.appliance
    colors = {"green", "yellow", "orange", "red", "gray"}
    for name in ("Applmgmt", "Databasestorage", "Load", "Mem", "Softwarepackages", "Storage", "Swap", "System"):
        assert getattr(client.health, name).get() in colors, name
    assert client.health.Database.get().status == "HEALTHY"
    assert abs(client.health.System.lastcheck().replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=5)
    for item in ("load", "storage"):
        assert isinstance(client.Health.messages(item), list)
    with raises(errors.NotFound):
        client.Health.messages("weather")
    settings = client.HealthCheckSettings
    settings.update(appliance.HealthCheckSettings.UpdateSpec(db_health_check_state_manual_backup=False))
    assert settings.get().db_health_check_state_manual_backup is False


def system(given: Given) -> None:
    client = given.client.appliance.system
    assert client.Uptime.get() >= 0
    assert {each.partition for each in client.Storage.list()} == {"root", "log", "db"}
    client.Storage.resize()
    for change in client.Storage.resize_ex().values():
        assert change.old_size == change.new_size > 0


def services(given: Given) -> None:
    client = given.client.appliance.Services
    assert client.list()["sshd"].state == "STARTED"
    client.stop("sshd")
    assert client.get("sshd").state == "STOPPED"
    client.restart("sshd")
    assert client.get("sshd").state == "STARTED"
    with raises(errors.NotAllowedInCurrentState):
        client.stop("vmware-vmon")
    with raises(errors.NotFound):
        client.get("none")


def monitoring(given: Given) -> None:
    client = given.client.appliance.Monitoring
    names = [each.id for each in client.list()]
    assert client.get("cpu.util").units == "com.vmware.applmgmt.mon.unit.percent"
    now = datetime.now(UTC).replace(tzinfo=None)
    request = appliance.Monitoring.MonitoredItemDataRequest(
        names=names, interval="MINUTES5", function="MAX", start_time=now - timedelta(minutes=10), end_time=now
    )
    found = client.query(request)
    assert [each.name for each in found] == names
    assert {len(each.data) for each in found} == {3}


def shutdown(given: Given) -> None:
    client = given.client.appliance.Shutdown
    client.reboot(60, "a patch")
    assert (client.get().action, client.get().reason) == ("reboot", "a patch")
    client.cancel()
    assert client.get().action == ""
    with raises(errors.InvalidArgument):
        client.poweroff(-1, "")


def forwarding(given: Given) -> None:
    client = given.client.appliance.logging.Forwarding
    config = logging.Forwarding.Config(hostname="log.example.org", port=514, protocol="TCP")
    client.set([config])
    assert [each.hostname for each in client.get()] == ["log.example.org"]
    (status,) = client.test(True)
    assert (status.state, "--syslog-to" in status.message.default_message) == ("DOWN", True)
    with raises(errors.UnableToAllocateResource):
        client.set([logging.Forwarding.Config(f"log-{n}.example.org", 514, "TCP") for n in range(4)])
    with raises(errors.InvalidArgument):
        client.set([logging.Forwarding.Config("no host", 514, "TCP")])
    client.set([])


def support_bundles(given: Given) -> None:
    client = given.client.appliance.SupportBundle
    assert "Logs" in client_components(given)
    task = client.create_task(appliance.SupportBundle.CreateSpec(description="by the SDK"))
    deadline = time.monotonic() + 120
    while task.get_info().status not in ("SUCCEEDED", "FAILED"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (bundle,) = client.list().supportbundle_operations
    assert (bundle.description, bundle.status, bundle.downloadable) == ("by the SDK", "SUCCEEDED", True)


def client_components(given: Given) -> dict[str, list[str]]:
    found: dict[str, list[str]] = given.client.appliance.support_bundle.Components.get()
    return found


def updates(given: Given) -> None:
    client = given.client.appliance
    assert client.Update.get().state == "UP_TO_DATE"
    assert client.update.Pending.list(update.Pending.SourceType.LOCAL) == []
    with raises(errors.NotFound):
        client.update.Pending.get("9.9.9.00000")
    with raises(errors.NotAllowedInCurrentState):
        client.update.Staged.get()
    with raises(errors.NotAllowedInCurrentState):
        client.Update.cancel()
    time_ = update.Policy.Time(day="MONDAY", hour=4, minute=30)
    client.update.Policy.set(update.Policy.Config(check_schedule=[time_], auto_stage=True))
    assert client.update.Policy.get().auto_stage is True


CHECKS: tuple[Check, ...] = (
    health,
    system,
    services,
    monitoring,
    shutdown,
    forwarding,
    support_bundles,
    updates,
)

if __name__ == "__main__":
    run_checks(CHECKS)
