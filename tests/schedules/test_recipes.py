"""Recipes: schedules that are made by one call, and do what they are for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from resphere.access.roles import READ_ONLY
from resphere.contract.extensions.recipes import Recipes
from resphere.contract.extensions.webhooks import Webhooks
from resphere.contract.generated import ids
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.contract.generated.vcenter_vm import Power
from resphere.events.reports import Report
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tagging import Attachment, Category, Tag, attachment_id
from resphere.schedules.record import Schedule
from tests.support.schedules import PATH, ScheduleClient
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served

RECIPES = "/api/resphere/recipes"
OFFICE = ids.CisTaggingTagId("urn:vmomi:InventoryServiceTag:office:GLOBAL")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[ScheduleClient]:
    with Served(tmp_path) as served:
        yield ScheduleClient(served)


def machines(client: ScheduleClient) -> dict[str, VirtualMachine]:
    found = client.served.world.inventory.all(VirtualMachine).values()
    return {str(vm.id): vm for vm in found if not vm.template}


def tagged(client: ScheduleClient, *vms: str) -> None:
    """Give machines the tag of the office."""
    category = Category(id=ids.CisTaggingCategoryId("c"), name="use", cardinality=CategoryModel.Cardinality.MULTIPLE)
    tag = Tag(id=OFFICE, name="office", category=category.id)
    attached = [
        Attachment(id=attachment_id(tag.id, vm), tag=tag.id, category=category.id, type="VirtualMachine", object=vm)
        for vm in vms
    ]
    client.served.world.put(category, tag, *attached)


def due(client: ScheduleClient, day: int, hour: int, minute: int = 0) -> None:
    """What is due then, in January of 2026, is done."""
    client.set(datetime(2026, 1, day, hour, minute, tzinfo=UTC))
    client.tick()
    client.work()
    client.tick()


def test_snapshots_with_retention(client: ScheduleClient) -> None:
    vm, other = list(machines(client))[:2]
    spec = {
        "name": "nightly",
        "cron": "0 3 * * *",
        "time_zone": "Europe/Berlin",
        "keep": 2,
        "machines": {"names": [machines(client)[vm].name]},
    }
    before = client.ask("GET", f"/api/vcenter/vm/{other}/snapshot")[1]
    status, schedule = client.ask("POST", f"{RECIPES}/snapshots", spec)
    assert status == 201, schedule
    assert client.told(schedule)["operation"] == "resphere.vcenter.vm.snapshots.rotate"
    for day in (3, 4, 5):
        due(client, day, 2)
    assert [run["state"] for run in client.runs(schedule)] == ["SUCCESS"] * 3
    taken = [each for each in client.ask("GET", f"/api/vcenter/vm/{vm}/snapshot")[1] if "nightly" in each["name"]]
    assert [each["created_time"][:10] for each in taken] == ["2026-01-04", "2026-01-05"]
    assert client.ask("GET", f"/api/vcenter/vm/{other}/snapshot")[1] == before


@pytest.mark.parametrize("off", [None, "POWER_OFF", "SHUTDOWN"])
def test_working_hours(client: ScheduleClient, off: str | None) -> None:
    running = [id for id, vm in machines(client).items() if vm.power_state is Power.State.POWERED_ON]
    office, others = running[:2], running[2:]
    tagged(client, *office)
    spec: dict[str, Any] = {
        "name": "office",
        "begin": "07:30",
        "end": "19:00",
        "time_zone": "Europe/Berlin",
        "machines": {"tags": [OFFICE], "condition": "cpu_count ge 1"},
    }
    spec |= {} if off is None else {"off": off}
    status, made = client.ask("POST", f"{RECIPES}/working-hours", spec)
    assert status == 201, made
    told = {word: client.told(made[word]) for word in ("on", "off")}
    assert {word: each["name"] for word, each in told.items()} == {"on": "office (on)", "off": "office (off)"}
    # The second is a Friday, the fifth a Monday.
    assert told["off"]["next_run_time"] == "2026-01-02T18:00:00.000Z"
    assert told["on"]["next_run_time"] == "2026-01-02T06:30:00.000Z"
    due(client, 2, 18)
    states = {id: vm.power_state for id, vm in machines(client).items()}
    assert {states[id] for id in office} == {Power.State.POWERED_OFF}
    assert {states[id] for id in others} == {Power.State.POWERED_ON}
    assert client.told(made["on"])["next_run_time"] == "2026-01-05T06:30:00.000Z"
    due(client, 5, 6, 30)
    assert {machines(client)[id].power_state for id in office} == {Power.State.POWERED_ON}
    assert client.runs(made["on"])[0]["state"] == "SUCCESS"


def test_reports(client: ScheduleClient) -> None:
    world = client.served.world
    hook = world.call(Webhooks.create, Webhooks.CreateSpec(name="hook", url="http://127.0.0.1:9/x")).webhook
    spec = {"name": "weekly", "cron": "0 6 * * MON", "webhook": hook, "parts": ["OLD_SNAPSHOTS", "FOLDERS"]}
    status, schedule = client.ask("POST", f"{RECIPES}/reports", spec)
    assert status == 201, schedule
    due(client, 5, 6)
    assert client.runs(schedule)[0]["state"] == "SUCCESS"
    (report,) = world.inventory.all(Report).values()
    assert (report.webhook, report.name, report.owner) == (hook, "weekly", "administrator@vsphere.local")


@pytest.mark.parametrize(
    ("recipe", "spec", "words"),
    [
        ("snapshots", {"cron": "* *", "keep": 3}, "trigger.cron: must have 5 fields"),
        ("snapshots", {"cron": "0 3 * * *", "keep": 3, "concurrency": 0}, "concurrency: must be from 1 to 64"),
        (
            "snapshots",
            {"cron": "0 3 * * *", "keep": 3, "machines": {"condition": "cpu eq 3"}},
            "$filter, character 1: an item has no field cpu",
        ),
        ("working-hours", {"begin": "7:30", "end": "19:00"}, "begin: must be a time of the day"),
        ("working-hours", {"begin": "07:30", "end": "24:00"}, "end: must be a time of the day"),
        ("working-hours", {"begin": "07:30", "end": "19:00", "days": []}, "days: must name one at least"),
        ("working-hours", {"begin": "07:30", "end": "19:00", "time_zone": "Mars"}, "no time zone 'Mars'"),
        ("working-hours", {"begin": "07:30", "end": "19:00", "machines": {"tags": []}}, "machines.tags: must name"),
        ("reports", {"cron": "0 6 * * *", "webhook": "none"}, "no webhook none that is the caller's"),
        ("reports", {"cron": "0 6 * * *", "webhook": "none", "snapshot_days": 0}, "snapshot_days: must be from"),
    ],
)
def test_what_cannot_be_is_refused(client: ScheduleClient, recipe: str, spec: dict[str, Any], words: str) -> None:
    status, error = client.ask("POST", f"{RECIPES}/{recipe}", {"name": "recipe", **spec})
    assert (status in (400, 404), words in error["messages"][0]["default_message"]) == (True, True), error
    assert client.served.world.inventory.count(Schedule) == 0


def test_both_or_none_of_working_hours(client: ScheduleClient) -> None:
    client.schedule(name="office (off)")
    status, error = client.ask("POST", f"{RECIPES}/working-hours", {"name": "office", "begin": "07:30", "end": "19:00"})
    assert (status, error["error_type"]) == (400, "ALREADY_EXISTS")
    assert len(client.ask("GET", PATH)[1]) == 1


def test_who_may_make_no_schedules_may_make_none_so(client: ScheduleClient) -> None:
    ask_as_ann(client.served, [permission("group-d1", READ_ONLY)])
    for recipe, spec in (
        ("snapshots", {"cron": "0 3 * * *", "keep": 3}),
        ("working-hours", {"begin": "07:30", "end": "19:00"}),
        ("reports", {"cron": "0 6 * * *", "webhook": "x"}),
    ):
        assert client.ask("POST", f"{RECIPES}/{recipe}", {"name": "r", **spec})[0] == 403


def test_they_are_asked_for_by_json_rpc(client: ScheduleClient) -> None:
    spec = Recipes.WorkingHoursSpec(name="office", begin="07:30", end="19:00", days=frozenset({Recipes.Day.SUNDAY}))
    made = client.served.by_jsonrpc(Recipes.working_hours, Recipes.WorkingHoursInput(spec=spec))
    assert client.told(made.off)["trigger"]["cron"] == "0 19 * * SUN"
