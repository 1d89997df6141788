"""What is measured, joined and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.appliance.folders import Folders
from resphere.appliance.machine import CpuTimes, DiskTraffic, NetworkTraffic
from resphere.appliance.measuring import items, measured, reading
from resphere.appliance.monitoring import FINEST, STRETCHES, Monitoring, Wanted, begun, series
from resphere.inventory.appliance.samples import Figures, MonitoringSample, sample
from tests.support.fake_machine import FakeMachine
from tests.support.world import World

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
START = int(NOON.timestamp())
HERE = Folders(Path(), Path(), None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


class Measured:
    """Monitoring of a world, whose time goes on when a test says so."""

    def __init__(self, world: World) -> None:
        self.moment = NOON
        self.world = world
        self.monitoring = Monitoring(world.inventory, world.machine, HERE, lambda: self.moment, lambda: 0.0)

    def take(self, moment: datetime, values: Mapping[str, float]) -> None:
        self.moment = moment
        self.world.run(self.monitoring.take(values))

    def documents(self, seconds: int) -> dict[int, MonitoringSample]:
        found = self.world.inventory.by(MonitoringSample, "seconds", str(seconds))
        return {each.start: each for each in found.values()}


def test_all_that_is_listed_is_measured() -> None:
    machine = FakeMachine()
    before = reading(machine, HERE, 0)
    machine.times = CpuTimes(20.0, 10.0, 160.0, 10.0)
    machine.disks = DiskTraffic(3000, 1500, 0, 0)
    machine.networks = {"eth0": NetworkTraffic(11_240, 2000, 110, 20, 3, 0, 2, 0)}
    found = measured(before, reading(machine, HERE, 10))
    assert set(found) == {item.id for item in items(machine, HERE)}
    assert round(found["cpu.util"], 6) == 15
    assert found["disk.read.rate.disk"] == 0.2
    assert (found["net.rx.activity.eth0"], found["net.rx.packetRate.eth0"]) == (1.0, 10.0)
    assert (found["net.rx.error.eth0"], found["net.rx.drop.eth0"], found["net.tx.drop.eth0"]) == (3, 2, 0)
    assert found["mem.total"] == 16 * 2**20
    assert found["storage.util.filesystem.root"] == 50


def test_what_began_anew_has_no_rate() -> None:
    machine = FakeMachine()
    before = reading(machine, HERE, 0)
    machine.times, machine.disks = CpuTimes(0, 0, 0, 0), DiskTraffic(0, 0, 0, 0)
    machine.networks = {"eth0": NetworkTraffic(0, 0, 0, 0, 0, 0, 0, 0), "eth1": NetworkTraffic(9, 9, 9, 9, 0, 0, 0, 0)}
    found = measured(before, reading(machine, HERE, 10))
    assert not {name for name in found if name.startswith(("cpu.util", "disk.", "net.rx.activity", "net.tx.activity"))}
    assert measured(before, reading(machine, HERE, 0)).keys() == before.levels.keys()


def test_figures_of_five_minutes_are_kept_and_joined(world: World) -> None:
    measured = Measured(world)
    for seconds, value in ((0, 9.0), (10, 1.0), (299, 5.0), (300, 7.0), (600, 0.0)):
        measured.take(NOON + timedelta(seconds=seconds), {"cpu.util": value, "mem.util": 50})
    finest = measured.documents(FINEST.seconds)
    assert finest[START].figures("cpu.util") == Figures(1, 9, 15, 3)
    assert finest[START + 300].figures("cpu.util") == Figures(7, 7, 7, 1)
    assert list(finest) == [START, START + 300, START + 600]
    for seconds in (7200, 86_400):
        (coarse,) = measured.documents(seconds).values()
        assert coarse.start == START - START % seconds
        assert coarse.figures("cpu.util") == Figures(1, 9, 22, 4)
        assert coarse.figures("mem.util") == Figures(50, 50, 200, 4)
        assert coarse.figures("nothing") is None


def test_the_next_worker_goes_on_with_what_was_noted(world: World) -> None:
    Measured(world).take(NOON, {"cpu.util": 9.0})
    other = Monitoring(world.inventory, world.machine, HERE, lambda: NOON + timedelta(seconds=30), lambda: 0.0, 0)

    async def measure() -> None:
        noted = asyncio.Event()
        end = world.inventory.subscribe(MonitoringSample, lambda _, __: noted.set())
        running = asyncio.ensure_future(other.run())
        await noted.wait()
        end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    world.run(measure())
    (document,) = Measured(world).documents(FINEST.seconds).values()
    assert document.figures("cpu.util") == Figures(9, 9, 9, 1)
    assert document.figures("mem.util") is not None


def test_what_is_too_old_is_forgotten(world: World) -> None:
    measured, days = Measured(world), 400
    for day in range(days):
        measured.take(NOON + timedelta(days=day), {"cpu.util": day})
    for stretch in STRETCHES:
        starts = measured.documents(stretch.seconds)
        assert len(starts) <= 2 + stretch.kept_seconds // 86_400
        assert max(starts) - min(starts) <= stretch.kept_seconds + 86_400
    assert len(measured.documents(86_400)) == 367


def test_it_measures_by_itself(world: World) -> None:
    moments = iter(range(10**6))
    monitoring = Monitoring(
        world.inventory,
        world.machine,
        HERE,
        lambda: NOON + timedelta(seconds=100 * next(moments)),
        lambda: float(next(moments)),
        measure_seconds=0,
    )

    async def measure() -> None:
        written = asyncio.Event()
        end = world.inventory.subscribe(MonitoringSample, lambda _, __: written.set())
        running = asyncio.ensure_future(monitoring.run())
        await written.wait()
        end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    world.run(measure())
    assert any(each.figures("mem.total") for each in world.inventory.all(MonitoringSample).values())


class Documents:
    """An inventory of nothing but figures."""

    def __init__(self, *documents: MonitoringSample) -> None:
        self._documents = documents

    def by(self, _: object, __: str, seconds: str) -> dict[str, MonitoringSample]:
        return {each.id: each for each in self._documents if str(each.seconds) == seconds}


def kept(start: int, seconds: int, value: float) -> MonitoringSample:
    return sample(start, seconds, {"x": Figures(value, value, value, 1)})


def values(documents: Documents, wanted: Wanted) -> list[float | None]:
    return [None if each is None else each.sum for each in series(documents, "x", wanted)]  # type: ignore[arg-type]


def test_intervals_take_what_begins_in_them() -> None:
    documents = Documents(kept(0, 300, 1), kept(300, 300, 2), kept(600, 300, 4), kept(1200, 300, 8))
    assert values(documents, Wanted(0, 300, 5)) == [1, 2, 4, None, 8]
    assert values(documents, Wanted(0, 600, 3)) == [3, 4, 8]
    assert values(documents, Wanted(-10, 300, 3)) == [1, 2, 4]
    assert values(documents, Wanted(299, 300, 2)) == [2, 4]
    assert values(documents, Wanted(5000, 300, 2)) == [None, None]


def test_longer_stretches_fill_what_finer_ones_have_not() -> None:
    documents = Documents(kept(7200, 300, 1), kept(0, 7200, 10), kept(7200, 7200, 20))
    assert values(documents, Wanted(0, 3600, 4)) == [10, 10, 1, 20]
    assert values(documents, Wanted(600, 3600, 3)) == [10, 1, 20]


@given(st.integers(0, 10**6), st.sampled_from([300, 1800, 7200, 86_400]), st.integers(1, 50))
def test_nothing_is_lost_or_told_twice(start: int, seconds: int, count: int) -> None:
    documents = [kept(300 * number, 300, 1) for number in range(200)]
    wanted = Wanted(start, seconds, count)
    inside = [each for each in documents if wanted.start <= each.start < wanted.end]
    assert sum(each or 0 for each in values(Documents(*documents), wanted)) == len(inside)


def test_stretches_begin_at_multiples() -> None:
    assert begun(datetime(2026, 1, 2, 3, 4, 59, tzinfo=UTC), 300) == datetime(2026, 1, 2, 3, 0, tzinfo=UTC).timestamp()
    assert msgspec.structs.astuple(Figures(1, 2, 3, 4)) == (1, 2, 3, 4)
