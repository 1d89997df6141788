"""Schedules at events, in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.access.roles import READ_ONLY
from resphere.auth.requesters import Requester
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.extensions.schedules import Schedules
from resphere.contract.generated.vcenter_vm import Power
from resphere.events.event import Deed, Event, Kind, Subject
from resphere.events.filters import Wanted
from resphere.events.heard import Heard
from resphere.inventory.model import VirtualMachine
from resphere.schedules.events import PLACE, VALUES, needed, sampled, work_at
from resphere.schedules.listening import Index
from resphere.schedules.record import Cursor, Schedule
from tests.support.bulk import START, STOP
from tests.support.schedules import NIGHTLY, PATH, STOP_ALL, ScheduleClient
from tests.support.scoped import ANN, give, permission
from tests.support.served import Served
from tests.support.world import NOW

CREATE = "resphere.vcenter.vm.snapshots.create"
OBJECT, NUMBER = {PLACE: "object.id"}, {PLACE: "sequence"}
POWERED_ON = {"type": "EVENT", "events": {"types": ["VmPoweredOnEvent"]}}
SNAPSHOT = {"items": [{"operation": CREATE, "input": {"vm": OBJECT, "spec": {"name": NUMBER}}}]}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[ScheduleClient]:
    with Served(tmp_path) as served:
        yield ScheduleClient(served)


def vms(client: ScheduleClient, count: int) -> list[str]:
    """Machines that are off."""
    found = client.served.world.inventory.all(VirtualMachine).values()
    off = [str(vm.id) for vm in found if vm.power_state is Power.State.POWERED_OFF and not vm.template]
    assert len(off) >= count
    return off[:count]


def switch(client: ScheduleClient, vm: str, action: str = "start") -> None:
    status, error = client.ask("POST", f"/api/vcenter/vm/{vm}/power?action={action}")
    assert status == 204, error


def snapshots(client: ScheduleClient, vm: str) -> list[str]:
    return sorted(each["name"] for each in client.ask("GET", f"/api/vcenter/vm/{vm}/snapshot")[1])


def later(client: ScheduleClient, seconds: float = 10) -> None:
    """Some time passes."""
    client.set(client.moment + timedelta(seconds=seconds))


def done(client: ScheduleClient) -> None:
    """What is begun is carried out, and the end noted."""
    client.work()
    client.tick()


def test_what_is_switched_on_gets_a_snapshot(client: ScheduleClient) -> None:
    before, after = vms(client, 2)
    switch(client, before)
    schedule = client.schedule(trigger=POWERED_ON, work=SNAPSHOT)
    told = client.told(schedule)
    assert (told["overlap"], told["trigger"], "next_run_time" in told) == ("QUEUE", POWERED_ON, False)
    assert client.ask("GET", f"{PATH}/{schedule}/next-runs")[1] == []
    client.listen()
    assert client.runs(schedule) == []
    switch(client, after)
    client.listen()
    (run,) = client.runs(schedule)
    assert (run["state"], run["events"], run["first_event"]) == ("RUNNING", 1, run["last_event"])
    done(client)
    (run,) = client.runs(schedule)
    assert run["state"] == "SUCCESS"
    assert snapshots(client, after) == [str(run["first_event"])]
    assert snapshots(client, before) == []
    # Nobody hears of it again, whichever worker listens.
    client.listen()
    assert len(client.runs(schedule)) == 1


def test_events_that_come_meanwhile_are_one_run(client: ScheduleClient) -> None:
    first, *others = vms(client, 3)
    schedule = client.schedule(trigger={**POWERED_ON, "interval_seconds": 60}, work=SNAPSHOT)
    switch(client, first)
    client.listen()
    done(client)
    for vm in others:
        switch(client, vm)
    client.listen()
    assert len(client.runs(schedule)) == 1
    later(client, 61)
    client.listen()
    done(client)
    assert [run["events"] for run in client.runs(schedule)] == [2, 1]
    assert [len(snapshots(client, vm)) for vm in (first, *others)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("overlap", "states", "made"),
    [
        ("QUEUE", ["SUCCESS", "SUCCESS"], 2),
        ("SKIP", ["OVERLAPPED", "SUCCESS"], 1),
        ("ALLOW", ["SUCCESS", "SUCCESS"], 2),
    ],
)
def test_a_run_that_goes_on_still(client: ScheduleClient, overlap: str, states: list[str], made: int) -> None:
    first, second = vms(client, 2)
    schedule = client.schedule(trigger=POWERED_ON, work=SNAPSHOT, overlap=overlap)
    switch(client, first)
    client.listen()
    later(client)
    switch(client, second)
    client.listen()
    assert len(client.runs(schedule)) == (1 if overlap == "QUEUE" else 2)
    done(client)
    later(client)
    client.listen()
    done(client)
    assert [run["state"] for run in client.runs(schedule)] == states
    assert sum(len(snapshots(client, vm)) for vm in (first, second)) == made


@pytest.mark.parametrize("misfire", ["RUN", "SKIP"])
def test_what_happened_while_nobody_listened(client: ScheduleClient, misfire: str) -> None:
    old, new = vms(client, 2)
    schedule = client.schedule(trigger=POWERED_ON, work=SNAPSHOT, misfire=misfire)
    switch(client, old)
    later(client, 120)
    switch(client, new)
    client.listen()
    done(client)
    later(client)
    client.listen()
    runs = [(run["state"], run["events"]) for run in client.runs(schedule)]
    if misfire == "RUN":
        assert runs == [("SUCCESS", 2)]
        assert len(snapshots(client, old)) == 1
    else:
        assert runs == [("SUCCESS", 1), ("MISSED", 1)]
        assert snapshots(client, old) == []
    assert len(snapshots(client, new)) == 1


def test_what_a_run_causes_does_not_begin_another(client: ScheduleClient) -> None:
    (vm,) = vms(client, 1)
    off = client.schedule(
        name="off again", trigger=POWERED_ON, work={"items": [{"operation": STOP, "input": {"vm": OBJECT}}]}
    )
    on = client.schedule(
        name="on again",
        trigger={"type": "EVENT", "events": {"types": ["VmPoweredOffEvent"]}},
        work={"items": [{"operation": START, "input": {"vm": OBJECT}}]},
    )
    tasks = client.schedule(
        name="tasks", trigger={"type": "EVENT", "events": {"kinds": ["TASK"]}}, work=STOP_ALL, overlap="SKIP"
    )
    switch(client, vm)
    for _ in range(6):
        client.listen()
        done(client)
        later(client)
    # One is begun by the other, and then it ends: each has been there already.
    assert [len(client.runs(each)) for each in (off, on)] == [1, 1]
    assert client.runs(off)[0]["state"] == "SUCCESS"
    assert client.told(tasks)["prev_run_time"] is not None
    assert len(client.runs(tasks)) <= 3


def test_it_may_ask_for_what_it_causes(client: ScheduleClient) -> None:
    (vm,) = vms(client, 1)
    again = {"type": "EVENT", "events": {"objects": [vm], "types": ["resphere.snapshot.created"]}, "own": True}
    assert "trigger.interval_seconds: must be from 10 to" in client.refused(trigger=again, work=SNAPSHOT)
    work = {"items": [{"operation": CREATE, "input": {"vm": vm, "spec": {"name": "again"}}}]}
    schedule = client.schedule(trigger={**again, "interval_seconds": 10}, work=work)
    assert client.ask("POST", f"/api/vcenter/vm/{vm}/snapshot", {"name": "first"})[0] == 201
    for _ in range(3):
        client.listen()
        done(client)
        client.listen()
        later(client, 11)
    assert len(client.runs(schedule)) == 3
    assert len(snapshots(client, vm)) == 4


def test_it_hears_of_what_its_owner_sees(client: ScheduleClient) -> None:
    first, second, third = vms(client, 3)
    schedule = client.schedule(trigger=POWERED_ON, work=SNAPSHOT)
    world, served = client.served.world, client.served
    served.world.run(served.accounts.put(ANN.name, "secret"))
    give(world, [permission(first, READ_ONLY)])
    found = world.inventory.get(Schedule, schedule)
    assert found is not None
    world.put(msgspec.structs.replace(found, requester=Requester(user=ANN.name)))
    for vm in (second, first, third):
        switch(client, vm)
    client.listen()
    (run,) = client.runs(schedule)
    assert run["events"] == 1
    done(client)
    # She may see it, and may not make snapshots of it.
    (run,) = client.runs(schedule)
    assert run["state"] == "ERROR"
    assert client.items(run["task"])[0]["error"]["error_type"] == "UNAUTHORIZED"
    assert client.ask("DELETE", f"/api/resphere/users/{ANN.name}")[0] == 204
    later(client)
    switch(client, first, "stop")
    switch(client, first)
    client.listen()
    assert len(client.runs(schedule)) == 1


def test_a_branch_and_objects(client: ScheduleClient) -> None:
    one, other = vms(client, 2)
    found = client.served.world.inventory.get(VirtualMachine, other)
    assert found is not None
    by_object = client.schedule(name="o", trigger={"type": "EVENT", "events": {"objects": [one]}}, work=SNAPSHOT)
    by_branch = client.schedule(
        name="b", trigger={"type": "EVENT", "events": {"branch": str(found.parent), "kinds": ["TASK"]}}, work=SNAPSHOT
    )
    status, error = client.ask(
        "POST",
        PATH,
        {"name": "n", "trigger": {"type": "EVENT", "events": {"branch": "group-none"}}, "work": SNAPSHOT},
    )
    assert (status, error["error_type"]) == (404, "NOT_FOUND")
    switch(client, other)
    client.listen()
    assert [len(client.runs(each)) for each in (by_object, by_branch)] == [0, 1]
    switch(client, one)
    later(client)
    client.listen()
    assert len(client.runs(by_object)) == 1


def test_it_is_disabled_changed_and_run_now(client: ScheduleClient) -> None:
    first, second, third = vms(client, 3)
    schedule = client.schedule(trigger=POWERED_ON, work=SNAPSHOT, enabled=False)
    switch(client, first)
    client.listen()
    assert client.ask("POST", f"{PATH}/{schedule}?action=enable")[0] == 204
    client.listen()
    assert client.runs(schedule) == []
    switch(client, second)
    # Another name takes away nothing of what it waits for; another trigger does.
    assert client.ask("PATCH", f"{PATH}/{schedule}", {"name": "other"})[0] == 204
    client.listen()
    assert len(client.runs(schedule)) == 1
    done(client)
    later(client)
    switch(client, third)
    stopped = {"type": "EVENT", "events": {"types": ["VmPoweredOffEvent"]}}
    assert client.ask("PATCH", f"{PATH}/{schedule}", {"trigger": stopped})[0] == 204
    client.listen()
    assert len(client.runs(schedule)) == 1
    status, error = client.ask("POST", f"{PATH}/{schedule}?action=run")
    assert (status, error["messages"][0]["id"]) == (400, "resphere.schedule.needs_event")
    status, error = client.ask("PATCH", f"{PATH}/{schedule}", {"trigger": NIGHTLY})
    assert (status, error["error_type"]) == (400, "INVALID_ARGUMENT")
    assert client.ask("PATCH", f"{PATH}/{schedule}", {"work": STOP_ALL})[0] == 204
    assert client.ask("PATCH", f"{PATH}/{schedule}", {"trigger": NIGHTLY})[0] == 204
    assert client.told(schedule)["next_run_time"] == "2026-01-02T04:00:00.000Z"


def test_it_waits_where_there_is_no_room(client: ScheduleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    (vm,) = vms(client, 1)
    schedules = [client.schedule(name=str(number), trigger=POWERED_ON, work=SNAPSHOT) for number in range(2)]
    monkeypatch.setattr("resphere.bulk.bulks.MOST_OPEN_OF_USER", 1)
    switch(client, vm)
    client.listen()
    assert sorted(len(client.runs(each)) for each in schedules) == [0, 1]
    done(client)
    client.listen()
    assert [len(client.runs(each)) for each in schedules] == [1, 1]


def test_events_that_are_no_longer_kept_are_missed(client: ScheduleClient) -> None:
    first, second = vms(client, 2)
    schedule = client.schedule(trigger=POWERED_ON, work=SNAPSHOT)
    switch(client, first)
    later(client)
    switch(client, second)
    store = client.served.world.store
    client.served.world.run(store.trim_journal(round(client.moment.timestamp() * 1000), 2**62, 10_000))
    client.listen()
    states = [(run["state"], run["events"]) for run in client.runs(schedule)]
    assert states == [("RUNNING", 1), ("MISSED", 0)]
    assert client.runs(schedule)[1]["last_event"] + 1 <= client.runs(schedule)[0]["first_event"]


def test_it_is_noted_how_far_it_was_looked(client: ScheduleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resphere.schedules.listening.NOTED_EVERY", 1)
    (vm,) = vms(client, 1)
    schedule = client.schedule(trigger={"type": "EVENT", "events": {"types": ["none"]}})
    switch(client, vm)
    client.listen()
    inventory = client.served.world.inventory
    cursor, found = inventory.get(Cursor, "events"), inventory.get(Schedule, schedule)
    assert cursor is not None
    assert found is not None
    assert cursor.position > found.position
    assert cursor.position == client.served.world.run(client.served.world.environment.feed.latest())


@pytest.mark.parametrize(
    ("trigger", "work", "words"),
    [
        ({"type": "EVENT"}, SNAPSHOT, "trigger.events: is required"),
        ({"type": "EVENT", "events": {}}, SNAPSHOT, "one of kinds, types, objects, branch must be set"),
        ({**POWERED_ON, "interval_seconds": 100_000}, SNAPSHOT, "trigger.interval_seconds: must be from 0 to 86400"),
        ({**POWERED_ON, "cron": "* * * * *"}, SNAPSHOT, "must not be set"),
        ({**NIGHTLY, "own": True}, STOP_ALL, "must not be set"),
        ({"type": "EVENT", "events": {"types": [str(n) for n in range(1001)]}}, SNAPSHOT, "must have 1000 at most"),
        (
            POWERED_ON,
            {"items": [{"operation": START, "input": {"vm": {PLACE: "object.ids"}}}]},
            "work.items[0].input: an event has no 'object.ids'; did you mean object.id?",
        ),
        (POWERED_ON, {"items": [{"operation": START, "input": {"vm": {PLACE: 3}}}]}, "an event has no '3', but object"),
        (POWERED_ON, {"items": [{"operation": START, "input": {"vm": [OBJECT]}}]}, "items[0].input"),
        (NIGHTLY, SNAPSHOT, "items[0].input"),
    ],
)
def test_what_cannot_be_is_refused(client: ScheduleClient, trigger: Any, work: Any, words: str) -> None:
    assert words in client.refused(trigger=trigger, work=work)
    assert client.served.world.inventory.count(Schedule) == 0


# --- what stands in the work ---------------------------------------------------------------------------------------

TEXT = st.text(max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def heard(name: str, number: int = 7) -> Heard:
    return Heard(
        number,
        Event(
            time=round(NOW.timestamp() * 1000),
            type="VmPoweredOnEvent",
            kind=Kind.INVENTORY,
            deed=Deed.UPDATED,
            object=Subject("VirtualMachine", "vm-1", name),
        ),
    )


@given(PLAIN, TEXT, st.sampled_from(sorted(VALUES)))
def test_a_value_is_put_there_as_it_is(plain: Any, name: str, value: str) -> None:
    hostile = f'{{"{PLACE}": "object.id"}}{name}'
    input = {"plain": plain, "there": {PLACE: "object.name"}, "among": [{"deep": {PLACE: "object.name"}}]}
    work = Bulk.CreateSpec(items=(Bulk.Item(operation="o", input=input), Bulk.Item(operation="p", input={"v": value})))
    assert needed(work) == {"object.name"}
    made = work_at(work, [heard(hostile), heard(name), heard(name, 8)])
    assert made.items is not None
    *about, last = made.items
    assert [each.input for each in about] == [
        {"plain": plain, "there": text, "among": [{"deep": text}]} for text in dict.fromkeys((hostile, name))
    ]
    assert last.input == {"v": value}
    assert not needed(sampled(work))


KEYS = st.sampled_from(["vm-1", "vm-2", "group-1", "host-3"])
SETS = st.none() | st.frozensets(KEYS, min_size=1, max_size=2)
WANTED = st.builds(
    Wanted,
    kinds=st.none() | st.frozensets(st.sampled_from(Kind), min_size=1),
    types=st.none() | st.frozensets(st.sampled_from(["a", "b"]), min_size=1),
    objects=SETS,
    branch=st.none() | KEYS,
).filter(lambda wanted: wanted != Wanted())
EVENTS = st.builds(
    lambda type, kind, id, target, about, path: Event(
        time=0,
        type=type,
        kind=kind,
        deed=Deed.UPDATED,
        object=Subject("X", id),
        target=None if target is None else Subject("Y", target),
        about=about,
        path=tuple(path),
    ),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(Kind),
    KEYS,
    st.none() | KEYS,
    KEYS | st.just(""),
    st.lists(KEYS, max_size=2),
)


@given(st.dictionaries(st.sampled_from("stuvw"), WANTED), st.lists(st.sampled_from("stuvw")), st.lists(EVENTS))
def test_the_index_finds_whom_a_look_at_each_finds(wanted: Any, gone: list[str], events: list[Event]) -> None:
    index = Index()
    for id, each in wanted.items():
        index.put(id, Wanted(branch="before"))
        index.put(id, each)
    for id in gone:
        index.remove(id)
    left = {id: each for id, each in wanted.items() if id not in gone}
    for event in events:
        assert sorted(index.waiting_for(event)) == sorted(id for id, each in left.items() if each.has(event))
    assert sorted(index) == sorted(left)


def test_it_is_asked_for_by_json_rpc(client: ScheduleClient) -> None:
    (vm,) = vms(client, 1)
    spec = msgspec.convert({"name": "n", "trigger": POWERED_ON, "work": SNAPSHOT}, Schedules.CreateSpec)
    schedule = client.served.by_jsonrpc(Schedules.create, Schedules.CreateInput(spec=spec))
    assert client.served.by_jsonrpc(Schedules.get, Schedules.ScheduleInput(schedule=schedule)).trigger == spec.trigger
    switch(client, vm)
    client.listen()
    done(client)
    (run,) = client.runs(schedule)
    assert snapshots(client, vm) == [str(run["first_event"])]


@pytest.mark.parametrize("levels", [60, 70, 400, 800])
def test_input_of_any_depth_is_refused_or_read(client: ScheduleClient, levels: int) -> None:
    deep: Any = OBJECT
    for _ in range(levels):
        deep = [deep]
    work = {"items": [{"operation": START, "input": {"vm": deep}}]}
    status, error = client.ask("POST", PATH, {"name": "n", "trigger": POWERED_ON, "work": work})
    assert (status, error["error_type"]) == (400, "INVALID_ARGUMENT")
