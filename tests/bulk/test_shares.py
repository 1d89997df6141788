"""One bulk operation that several workers carry out: each item once, and never more than was asked for."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from resphere.auth.requesters import Requester
from resphere.bulk.bulks import MOST_ITEMS, Order
from resphere.bulk.carrying import Answer, Carrier, Errand
from resphere.bulk.record import BulkRecord, Each, Mark, Outcomes, Share
from resphere.bulk.run import Run
from resphere.bulk.runner import BulkRunner
from resphere.bulk.shares import Sharing
from resphere.contract.errors import VapiError, message
from resphere.contract.generated.cis_task import Status
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks
from tests.support.bulk import Alive, BulkClient, is_over
from tests.support.loop_times import TimedLoop, no_collection, slowness
from tests.support.served import Served

ITEMS_OF_PART = 7
ONE, TWO = "one", "two"
MOST_SECONDS = 0.1
MOST_GROWN_BYTES = 8_000_000
GET = "com.vmware.vcenter.vm.power.get"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BulkClient]:
    for module in ("bulk.record", "bulk.bulks", "bulk.run", "services.resphere.bulk"):
        monkeypatch.setattr(f"resphere.{module}.ITEMS_OF_PART", ITEMS_OF_PART)
    with Served(tmp_path) as served:
        yield BulkClient(served)


class Carried:
    """Answers items, and notes which there were, in which order, and how many at the same time; ``refused`` are the
    values that are refused."""

    def __init__(self, refused: frozenset[str] = frozenset()) -> None:
        self.values: list[str] = []
        self.workers: Counter[str] = Counter()
        self.most = 0
        self._under_way = 0
        self._refused = refused

    def by(self, name: str) -> CarriedBy:
        """What one of the workers carries items with."""
        return CarriedBy(self, name)

    async def carry(self, errand: Errand, name: str) -> Answer:
        """The answer, a few turns of the loop later."""
        value = str(errand.input["vm"])
        self.values.append(value)
        self.workers[name] += 1
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        self._under_way -= 1
        return Answer(error=VapiError(message("test.refused", "No."))) if value in self._refused else Answer(b"null")


class CarriedBy(msgspec.Struct):
    """See :class:`Carried`."""

    carried: Carried
    name: str

    async def carry(self, errand: Errand) -> Answer:
        """The answer."""
        return await self.carried.carry(errand, self.name)


def runner(client: BulkClient, carrier: Carrier, name: str, workers: tuple[str, ...]) -> BulkRunner:
    world = client.served.world
    alive = Alive(name, frozenset(workers))
    tasks = Tasks(world.inventory, world.environment.now, name, alive.is_alive, world.environment.provider)
    return BulkRunner(world.inventory, world.environment.bulks, carrier, tasks, alive, len(workers))


def carried_out(
    client: BulkClient, bulk: str, by: Callable[[str], Carrier], *, workers: tuple[str, ...] = (ONE, TWO)
) -> None:
    """Have workers carry it out to its end."""
    world = client.served.world

    async def carry_out() -> None:
        over = asyncio.Event()

        def hear(_: BulkRecord | None, new: BulkRecord | None) -> None:
            if is_over(world.inventory, bulk):
                over.set()

        end = world.inventory.subscribe(BulkRecord, hear)
        runners = [runner(client, by(name), name, workers) for name in workers]
        running = [asyncio.ensure_future(each.run()) for each in runners]
        try:
            await over.wait()
        finally:
            end()
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    world.run(carry_out())


def holders(client: BulkClient) -> list[frozenset[str]]:
    """Who had shares, at each change of one, as it will be."""
    seen: list[frozenset[str]] = []
    inventory = client.served.world.inventory

    def hear(_: Share | None, new: Share | None) -> None:
        shares = inventory.all(Share).values()
        seen.append(frozenset(share.holder for share in shares if share.holder is not None))

    inventory.subscribe(Share, hear)
    return seen


def begun(client: BulkClient, count: int, **spec: object) -> tuple[str, list[str]]:
    values = [f"vm-{number}" for number in range(count)]
    return client.create(each={"operation": GET, "parameter": "vm", "values": values}, **spec), values


def test_workers_share_the_parts(client: BulkClient) -> None:
    bulk, values = begun(client, 10 * ITEMS_OF_PART, concurrency=6)
    carried = Carried()
    carried_out(client, bulk, carried.by)
    assert sorted(carried.values) == sorted(values)
    assert carried.most <= 6
    assert min(carried.workers[name] for name in (ONE, TWO)) >= ITEMS_OF_PART
    items = client.items(bulk)
    assert [item["target"] for item in items] == values
    assert {item["state"] for item in items} == {"SUCCEEDED"}
    assert client.info(bulk)["counts"]["succeeded"] == len(values)
    assert client.served.world.inventory.count(Share) == 0


def test_one_after_the_other_stay_in_order(client: BulkClient) -> None:
    bulk, values = begun(client, 4 * ITEMS_OF_PART, concurrency=1)
    carried = Carried()
    carried_out(client, bulk, carried.by)
    assert (carried.values, carried.most) == (values, 1)


def test_a_rate_is_kept_by_one_worker_at_a_time(client: BulkClient) -> None:
    seen = holders(client)
    bulk, values = begun(client, 4 * ITEMS_OF_PART, concurrency=4, rate=1000)
    carried = Carried()
    carried_out(client, bulk, carried.by)
    assert sorted(carried.values) == sorted(values)
    assert all(len(workers) <= 1 for workers in seen)


def test_an_error_stops_all_workers(client: BulkClient) -> None:
    bulk, values = begun(client, 20 * ITEMS_OF_PART, concurrency=2, stop_on_error=True)
    carried = Carried(frozenset({values[2]}))
    carried_out(client, bulk, carried.by)
    info = client.info(bulk)
    counts = info["counts"]
    assert (info["status"], counts["failed"], counts["pending"]) == ("FAILED", 1, 0)
    assert counts["skipped"] == len(values) - len(carried.values) > 0
    assert info["error"]["messages"][0]["id"] == "resphere.bulk.stopped_at_error"
    states = [item["state"] for item in client.items(bulk)]
    assert states.count("SKIPPED") == counts["skipped"]
    assert {values[n] for n, state in enumerate(states) if state != "SKIPPED"} == set(carried.values)


def test_another_worker_goes_on_with_a_part_that_was_left(client: BulkClient) -> None:
    """By a dead worker, which had done one item of it, and by one that was stopped."""
    bulk, values = begun(client, 3 * ITEMS_OF_PART)
    world = client.served.world
    record = world.inventory.get(BulkRecord, bulk)
    assert record is not None
    world.put(
        msgspec.structs.replace(record, taken_parts=2),
        Share(id=f"{bulk}/0", bulk=bulk, part=0, lanes=16, holder="dead"),
        Share(id=f"{bulk}/1", bulk=bulk, part=1, lanes=16),
        Mark(id=f"{bulk}/3", bulk=bulk, number=3, done=True),
    )
    carried = Carried()
    carried_out(client, bulk, carried.by)
    assert sorted(carried.values) == sorted({*values} - {values[3]})
    assert client.info(bulk)["counts"]["succeeded"] == len(values)


def test_canceled_between_parts_nothing_is_left(client: BulkClient) -> None:
    bulk, values = begun(client, 5 * ITEMS_OF_PART)
    assert client.ask("POST", f"/api/cis/tasks/{bulk}?action=cancel")[0] == 204
    carried = Carried()
    carried_out(client, bulk, carried.by)
    info = client.info(bulk)
    assert carried.values == []
    assert (info["counts"]["skipped"], info["error"]["error_type"]) == (len(values), "CANCELED")
    task = client.served.world.inventory.get(Task, bulk)
    assert task is not None
    assert task.status is Status.FAILED


# --- lanes ---


def record(concurrency: int, parts: int, taken: int = 0, rate: float | None = None) -> BulkRecord:
    return BulkRecord(
        id="task-1",
        requester=Requester(user="somebody"),
        total=parts * ITEMS_OF_PART,
        concurrency=concurrency,
        rate=rate,
        taken_parts=taken,
        created_time=datetime(2026, 1, 1, tzinfo=UTC),
    )


def share(part: int, lanes: int, holder: str) -> Share:
    return Share(id=f"task-1/{part}", bulk="task-1", part=part, lanes=lanes, holder=holder)


@pytest.mark.parametrize(
    ("bulk", "shares", "expected"),
    [
        (record(16, 10), (), (0, 8)),
        (record(16, 1), (), (0, 16)),  # nobody else could use the others
        (record(3, 10), (), (0, 2)),
        (record(3, 10, 1), (share(0, 2, TWO),), (1, 1)),
        (record(1, 10, 1), (share(0, 1, TWO),), None),
        (record(16, 2, 2), (share(0, 8, TWO), share(1, 8, "dead")), (1, 8)),
        (record(16, 2, 2), (share(0, 8, TWO),), None),
        (record(16, 10, rate=5.0), (), (0, 16)),
        (record(16, 10, 1, rate=5.0), (share(0, 16, TWO),), None),
        (record(4, 3, 3), (share(0, 4, "dead"), share(2, 4, "dead")), (0, 2)),
    ],
)
def test_what_a_worker_takes(
    client: BulkClient, bulk: BulkRecord, shares: tuple[Share, ...], expected: tuple[int, int] | None
) -> None:
    client.served.world.put(bulk, *shares)
    sharing = Sharing(client.served.world.inventory, ONE, 2, lambda each: each.holder == TWO)
    found = sharing.next(bulk)
    assert (None if found is None else (found.part, found.lanes)) == expected


def test_no_two_take_the_same_lanes(client: BulkClient) -> None:
    """Both have planned when nobody had any."""
    world, bulk = client.served.world, record(3, 10)
    world.put(bulk)
    sharings = [Sharing(world.inventory, name, 2, lambda each: True) for name in (ONE, TWO)]

    async def take(sharing: Sharing) -> Share | None:
        return await world.inventory.change(lambda edit: sharing.take(edit, bulk))

    async def both() -> list[Share | None]:
        return list(await asyncio.gather(*map(take, sharings)))

    taken = [each for each in world.run(both()) if each is not None]
    assert sum(each.lanes for each in taken) <= 3


def test_the_last_part_uses_the_lanes_of_those_that_are_done(client: BulkClient) -> None:
    world, last = client.served.world, share(1, 3, ONE)
    world.put(record(6, 2, 2), last)
    sharing = Sharing(world.inventory, ONE, 2, lambda each: True)

    def widen() -> Share | None:
        return world.run(world.inventory.change(lambda edit: sharing.widened(edit, last.id)))

    assert widen() == msgspec.structs.replace(last, lanes=6)
    assert widen() is None
    world.put(record(6, 3, 2), last)  # there is another part to begin
    assert widen() is None


class AllAtOnce:
    """Answers when so many items are under way at the same time."""

    def __init__(self, count: int) -> None:
        self.began = asyncio.Event()
        self._barrier = asyncio.Barrier(count)

    async def carry(self, errand: Errand) -> Answer:
        """The answer."""
        self.began.set()
        await self._barrier.wait()
        return Answer(b"null")


def test_lanes_that_come_later_are_used(client: BulkClient) -> None:
    bulk, _ = begun(client, 6, concurrency=3)
    world = client.served.world
    narrow = Share(id=f"{bulk}/0", bulk=bulk, part=0, lanes=1, holder="test")
    found = world.inventory.get(BulkRecord, bulk)
    assert found is not None
    world.put(msgspec.structs.replace(found, taken_parts=1), narrow)

    async def carry_out() -> None:
        carrier = AllAtOnce(3)
        tasks = Tasks(world.inventory, world.environment.now, "test", lambda _: True, world.environment.provider)
        run = Run(found, narrow, world.inventory, world.environment.bulks, carrier, tasks)
        running = asyncio.ensure_future(run.run())
        await carrier.began.wait()
        run.widen(msgspec.structs.replace(narrow, lanes=3))
        await running

    world.run(carry_out())
    assert client.info(bulk)["counts"]["succeeded"] == 6


# --- many ---


class Straight:
    """Answers at once, and looks now and then how much memory there is."""

    def __init__(self) -> None:
        self.count = 0
        self.largest_bytes = 0

    async def carry(self, errand: Errand) -> Answer:
        """The answer."""
        self.count += 1
        if self.count % 1_000 == 0:
            self.largest_bytes = max(self.largest_bytes, tracemalloc.get_traced_memory()[0])
        return Answer(b"null")


def the_most(served: Served) -> str:
    """A bulk operation with as many items as it may have."""
    each = Each(operation=GET, parameter="vm")
    order = Order(each=each, values=[f"vm-{number}" for number in range(MOST_ITEMS)])
    bulks, inventory = served.world.environment.bulks, served.world.inventory
    requester = Requester(user="administrator@vsphere.local")
    return served.world.run(inventory.change(lambda edit: bulks.begin(edit, order, requester, order.packed())))


def test_the_most_items_take_little_memory(tmp_path: Path) -> None:
    """While they are carried out, no more is held of them than what is stored, packed, and that of one part."""
    with Served(tmp_path) as served:
        carrier, bulk = Straight(), the_most(served)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            carried_out(BulkClient(served), bulk, lambda _: carrier, workers=(ONE,))
        finally:
            tracemalloc.stop()
        assert carrier.count == MOST_ITEMS
        stored = sum(len(each.outcomes) for each in served.world.inventory.all(Outcomes).values())
        assert carrier.largest_bytes - before < stored + MOST_GROWN_BYTES


def test_the_most_items_do_not_hold_the_loop(tmp_path: Path) -> None:
    loop = TimedLoop()
    with Served(tmp_path, loop=loop) as served, no_collection():
        carrier, bulk = Straight(), the_most(served)
        loop.longest_seconds = 0.0
        carried_out(BulkClient(served), bulk, lambda _: carrier, workers=(ONE,))
        assert carrier.count == MOST_ITEMS
        assert loop.longest_seconds / slowness() < MOST_SECONDS
