"""Schedules in the test's own process, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.auth.requesters import Requester
from resphere.contract.extensions.schedules import Schedules
from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.model import VirtualMachine
from resphere.schedules.record import Run, Schedule
from tests.support.bulk import START, STOP
from tests.support.schedules import NIGHTLY, PATH, STOP_ALL, ScheduleClient
from tests.support.served import Served

OFF, ON = Power.State.POWERED_OFF, Power.State.POWERED_ON


@pytest.fixture
def client(tmp_path: Path) -> Iterator[ScheduleClient]:
    with Served(tmp_path) as served:
        yield ScheduleClient(served)


def states(client: ScheduleClient) -> set[Power.State]:
    found = client.served.world.inventory.all(VirtualMachine).values()
    return {vm.power_state for vm in found if not vm.template}


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def test_a_bulk_operation_at_night(client: ScheduleClient) -> None:
    schedule = client.schedule(description="all of them")
    told = client.told(schedule)
    assert told == {
        "schedule": schedule,
        "name": "nightly",
        "description": "all of them",
        "owner": "administrator@vsphere.local",
        "enabled": True,
        "trigger": NIGHTLY,
        "operation": STOP,
        "misfire": "RUN",
        "overlap": "SKIP",
        "next_run_time": "2026-01-02T04:00:00.000Z",
        "created_time": "2026-01-02T03:04:05.000Z",
        "last_modified_time": "2026-01-02T03:04:05.000Z",
        "last_modified_user": "administrator@vsphere.local",
    }
    client.tick()
    assert client.runs(schedule) == []
    client.set(at(4))
    client.tick()
    (run,) = client.runs(schedule)
    assert (run["state"], run["due_time"]) == ("RUNNING", "2026-01-02T04:00:00.000Z")
    assert client.told(schedule)["active_task"] == run["task"]
    assert client.info(run["task"])["schedule"] == schedule
    client.work()
    client.tick()
    (run,) = client.runs(schedule)
    told = client.told(schedule)
    assert (run["state"], told["state"]) == ("SUCCESS", "SUCCESS")
    assert (told["prev_run_time"], told["next_run_time"]) == ("2026-01-02T04:00:00.000Z", "2026-01-03T04:00:00.000Z")
    assert ON not in states(client)
    # The same time is nobody's again.
    client.tick()
    assert len(client.runs(schedule)) == 1


def test_one_operation_once(client: ScheduleClient) -> None:
    vm = next(vm.id for vm in client.served.world.inventory.all(VirtualMachine).values() if vm.power_state is OFF)
    schedule = client.schedule(
        trigger={"type": "ONCE", "time": "2026-01-02T06:30:00+02:00"},
        work={"items": [{"operation": START, "input": {"vm": vm}}]},
    )
    assert client.ask("GET", f"{PATH}/{schedule}/next-runs")[1] == ["2026-01-02T04:30:00.000Z"]
    client.set(at(4, 30))
    client.tick()
    client.work()
    client.tick()
    told = client.told(schedule)
    assert (told["state"], "next_run_time" in told) == ("SUCCESS", False)
    client.set(at(4, 30, day=3))
    client.tick()
    assert len(client.runs(schedule)) == 1


def test_next_runs_are_told_in_the_time_zone(client: ScheduleClient) -> None:
    schedule = client.schedule(trigger={"type": "CRON", "cron": "0 9 * * MON-FRI", "time_zone": "America/New_York"})
    status, times = client.ask("GET", f"{PATH}/{schedule}/next-runs?count=2")
    assert (status, times) == (200, ["2026-01-02T14:00:00.000Z", "2026-01-05T14:00:00.000Z"])
    assert client.ask("GET", f"{PATH}/{schedule}/next-runs?count=101")[0] == 400
    assert client.ask("POST", f"{PATH}/{schedule}?action=disable")[0] == 204
    assert client.ask("GET", f"{PATH}/{schedule}/next-runs")[1] == []


def test_what_was_missed_is_made_up_for_once(client: ScheduleClient) -> None:
    schedule = client.schedule()
    client.set(at(12, day=5))
    client.tick()
    (run,) = client.runs(schedule)
    assert (run["state"], run["due_time"], run["start_time"]) == (
        "RUNNING",
        "2026-01-02T04:00:00.000Z",
        "2026-01-05T12:00:00.000Z",
    )
    assert client.told(schedule)["next_run_time"] == "2026-01-06T04:00:00.000Z"


def test_what_was_missed_is_passed_over(client: ScheduleClient) -> None:
    schedule = client.schedule(misfire="SKIP")
    client.set(at(4, 1))
    client.tick()
    assert [run["state"] for run in client.runs(schedule)] == ["RUNNING"]
    client.work()
    client.tick()
    client.set(at(4, 2, day=3))
    client.tick()
    assert [run["state"] for run in client.runs(schedule)] == ["MISSED", "SUCCESS"]
    assert client.told(schedule)["state"] == "SUCCESS"


def test_a_clock_that_is_set_back_runs_nothing_again(client: ScheduleClient) -> None:
    schedule = client.schedule()
    client.set(at(4))
    client.tick()
    client.set(at(3))
    client.tick()
    client.set(at(4, 30))
    client.tick()
    assert len(client.runs(schedule)) == 1
    client.set(at(4, day=3))
    client.tick()
    assert [run["due_time"] for run in client.runs(schedule)] == [
        "2026-01-03T04:00:00.000Z",
        "2026-01-02T04:00:00.000Z",
    ]


@pytest.mark.parametrize(
    ("overlap", "third"),
    [("SKIP", ["OVERLAPPED", "OVERLAPPED", "RUNNING"]), ("ALLOW", ["RUNNING", "RUNNING", "RUNNING"])],
)
def test_a_run_that_goes_on_still(client: ScheduleClient, overlap: str, third: list[str]) -> None:
    schedule = client.schedule(overlap=overlap)
    for day in (2, 3, 4):
        client.set(at(4, day=day))
        client.tick()
    assert [run["state"] for run in client.runs(schedule)] == third


def test_a_run_that_is_queued_follows(client: ScheduleClient) -> None:
    schedule = client.schedule(overlap="QUEUE")
    for day in (2, 3, 4):
        client.set(at(4, day=day))
        client.tick()
    assert [run["state"] for run in client.runs(schedule)] == ["OVERLAPPED", "QUEUED", "RUNNING"]
    client.work()
    client.tick()
    assert [run["state"] for run in client.runs(schedule)] == ["OVERLAPPED", "RUNNING", "SUCCESS"]
    client.work()
    client.tick()
    assert [run["state"] for run in client.runs(schedule)] == ["OVERLAPPED", "SUCCESS", "SUCCESS"]


def test_it_is_run_now_enabled_and_disabled(client: ScheduleClient) -> None:
    schedule = client.schedule(enabled=False)
    assert "next_run_time" not in client.told(schedule)
    client.set(at(5))
    client.tick()
    assert client.runs(schedule) == []
    status, bulk = client.ask("POST", f"{PATH}/{schedule}?action=run")
    assert status == 201
    assert client.run(bulk)["status"] == "SUCCEEDED"
    client.tick()
    (run,) = client.runs(schedule)
    assert (run["state"], run["user"], run["task"]) == ("SUCCESS", "administrator@vsphere.local", bulk)
    assert client.ask("POST", f"{PATH}/{schedule}?action=enable")[0] == 204
    assert client.told(schedule)["next_run_time"] == "2026-01-03T04:00:00.000Z"
    assert client.ask("POST", f"{PATH}/{schedule}?action=disable")[0] == 204
    client.set(at(5, day=4))
    client.tick()
    assert len(client.runs(schedule)) == 1


def test_it_is_changed_listed_and_deleted(client: ScheduleClient) -> None:
    schedule = client.schedule()
    other = client.schedule(name="other")
    change = {"name": "hourly", "trigger": {"type": "CRON", "cron": "0 * * * *"}, "overlap": "ALLOW"}
    assert client.ask("PATCH", f"{PATH}/{schedule}", change)[0] == 204
    told = client.told(schedule)
    assert (told["name"], told["overlap"], told["next_run_time"]) == ("hourly", "ALLOW", "2026-01-02T04:00:00.000Z")
    status, error = client.ask("PATCH", f"{PATH}/{schedule}", {"name": "Other"})
    assert (status, error["error_type"]) == (400, "ALREADY_EXISTS")
    assert [each["name"] for each in client.ask("GET", PATH)[1]] == ["hourly", "other"]
    assert [each["name"] for each in client.ask("GET", f"{PATH}?names=other")[1]] == ["other"]
    client.set(at(4))
    client.tick()
    assert client.ask("DELETE", f"{PATH}/{schedule}")[0] == 204
    assert client.ask("GET", f"{PATH}/{schedule}")[0] == 404
    world = client.served.world
    assert {run.schedule for run in world.inventory.all(Run).values()} == {other}
    client.work()
    client.tick()


def test_it_has_the_rights_of_its_owner_at_the_time(client: ScheduleClient) -> None:
    spec = {"name": "operator@vsphere.local", "password": "Operator-2026!", "role": "Admin"}
    assert client.ask("POST", "/api/resphere/users", spec)[0] == 201
    schedule = client.schedule(work={"items": [{"operation": STOP, "input": {"vm": "vm-1"}}]})
    world = client.served.world
    found = world.inventory.get(Schedule, schedule)
    assert found is not None
    world.put(msgspec.structs.replace(found, requester=Requester(user="operator@vsphere.local")))
    assert client.told(schedule)["owner"] == "operator@vsphere.local"
    # Whoever may edit all may not say what is done in another's name.
    assert client.ask("PATCH", f"{PATH}/{schedule}", {"name": "mine"})[0] == 403
    assert client.ask("PATCH", "/api/resphere/users/operator@vsphere.local", {"disabled": True})[0] == 204
    client.set(at(4))
    client.tick()
    client.work()
    client.tick()
    (run,) = client.runs(schedule)
    assert run["state"] == "ERROR"
    assert client.items(run["task"])[0]["error"]["error_type"] == "UNAUTHENTICATED"


def test_others_do_not_see_it(client: ScheduleClient) -> None:
    schedule = client.schedule()
    served = client.served
    spec = {"name": "operator@vsphere.local", "password": "Operator-2026!", "role": "ReadOnly"}
    assert client.ask("POST", "/api/resphere/users", spec)[0] == 201
    principal = served.accounts.principal("operator@vsphere.local")
    assert principal is not None
    served.token = served.world.run(served.world.environment.identities.sessions.open(principal, "password"))
    assert client.ask("GET", PATH)[1] == []
    for method, path in (("GET", ""), ("GET", "/runs"), ("GET", "/next-runs")):
        assert client.ask(method, f"{PATH}/{schedule}{path}")[0] == 404
    for method, action in (("POST", "?action=run"), ("POST", "?action=enable"), ("DELETE", "")):
        assert client.ask(method, f"{PATH}/{schedule}{action}")[0] == 403
    status, error = client.ask("POST", PATH, {"name": "x", "trigger": NIGHTLY, "work": STOP_ALL})
    assert (status, error["error_type"]) == (403, "UNAUTHORIZED")


def test_it_waits_where_there_is_no_room(client: ScheduleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = client.schedule(), client.schedule(name="second")
    monkeypatch.setattr("resphere.bulk.bulks.MOST_OPEN_OF_USER", 1)
    client.set(at(4))
    client.tick()
    assert sorted(len(client.runs(each)) for each in (first, second)) == [0, 1]
    client.work()
    client.tick()
    assert [len(client.runs(each)) for each in (first, second)] == [1, 1]


def test_so_many_runs_are_kept(client: ScheduleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resphere.schedules.schedules.MOST_RUNS", 3)
    schedule = client.schedule(overlap="SKIP")
    for day in range(2, 8):
        client.set(at(4, day=day))
        client.tick()
    assert [run["run"] for run in client.runs(schedule)] == [5, 4, 3]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": ""}, "name: must have 1 to 80 characters"),
        ({"name": "n" * 81}, "name: must have 1 to 80 characters"),
        ({"description": "d" * 2001}, "description: must have 2000 characters at most"),
        ({"trigger": {"type": "CRON"}}, "trigger.cron: is required"),
        ({"trigger": {"type": "ONCE", "time": "2026-01-02T05:00:00Z", "cron": "* * * * *"}}, "must not be set"),
        ({"trigger": {"type": "ONCE", "time": "2025-01-02T05:00:00Z"}}, "trigger.time: must lie ahead"),
        ({"trigger": {"type": "CRON", "cron": "61 * * * *"}}, "trigger.cron: Bad minute"),
        ({"trigger": {"type": "CRON", "cron": "0 0 * * *", "time_zone": "Mars"}}, "no time zone 'Mars'"),
        ({"work": {}}, "items, each: one of both"),
        ({"work": {"items": [{"operation": "resphere.schedules.create"}]}}, "it begins others"),
        ({"work": {**STOP_ALL, "idempotency_key": "k"}}, "work.idempotency_key: would have it done once"),
        ({"work": {"items": [{"operation": START, "input": {"vm": "v" * 300_000}}]}}, "work: must have"),
    ],
)
def test_what_cannot_be_is_refused(client: ScheduleClient, spec: dict[str, Any], words: str) -> None:
    assert words in client.refused(**spec)
    assert client.served.world.inventory.count(Schedule) == 0


def test_a_name_is_one_schedule_of_its_owner(client: ScheduleClient) -> None:
    client.schedule()
    assert "There is a schedule Nightly already" in client.refused(name="Nightly")


def test_it_is_asked_for_by_json_rpc(client: ScheduleClient) -> None:
    served = client.served
    spec = msgspec.convert({"name": "n", "trigger": NIGHTLY, "work": STOP_ALL}, Schedules.CreateSpec)
    schedule = served.by_jsonrpc(Schedules.create, Schedules.CreateInput(spec=spec))
    info = served.by_jsonrpc(Schedules.get, Schedules.ScheduleInput(schedule=schedule))
    assert info.next_run_time == at(4)
    times = served.by_jsonrpc(Schedules.next_runs, Schedules.NextRunsInput(schedule=schedule, count=2))
    assert times == (at(4), at(4) + timedelta(days=1))
