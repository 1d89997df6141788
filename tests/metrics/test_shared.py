"""What workers count together: nothing is lost by whoever dies, and nothing is told that is over."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event

import pytest

from resphere.metrics import shared as module
from resphere.metrics.families import Family, Kind
from resphere.metrics.shared import SPILL, SharedMetrics, summed
from resphere.metrics.tally import Counter, Tally

COUNTED = Family("things", "Things.", Kind.COUNTER, ("colour",))
LEVEL = Family("level", "How high it stands.", Kind.GAUGE)
WAITS = Family("waits_seconds", "Waits.", Kind.HISTOGRAM, bounds=(0.1, 1.0))
FAMILIES = {family.name: family for family in (COUNTED, LEVEL, WAITS)}

SPAWN = multiprocessing.get_context("spawn")


def work(shared: SharedMetrics, done: Event, stays: bool) -> None:
    """What a worker does: it counts, and then stays or ends."""
    tally = Tally(shared.take())
    tally.counter(COUNTED).add(("red",), 2)
    tally.gauge(LEVEL).set(5)
    tally.histogram(WAITS).observe(0.1)
    done.set()
    if stays:
        signal.pause()


def test_one_counts_what_it_is_told() -> None:
    shared = SharedMetrics(2)
    tally = Tally(shared.take())
    counter, level, waits = tally.counter(COUNTED), tally.gauge(LEVEL), tally.histogram(WAITS)
    counter.add(("red",))
    counter.add(("red",), 3)
    counter.add(("grün\n",))
    level.add(2)
    level.add(-1)
    for seconds in (0.05, 0.1, 0.5, 1.0, 7.0):
        waits.observe(seconds)
    assert summed(shared, FAMILIES) == {
        ("things", ("red",)): [4.0],
        ("things", ("grün\n",)): [1.0],
        ("level", ()): [1.0],
        ("waits_seconds", ()): [pytest.approx(8.65), 2.0, 2.0, 1.0],
    }


def test_those_of_a_killed_worker_stay_and_the_next_goes_on_with_them() -> None:
    shared = SharedMetrics(1)
    done = SPAWN.Event()
    worker = SPAWN.Process(target=work, args=(shared, done, True))
    worker.start()
    assert done.wait(60)
    assert summed(shared, FAMILIES)["things", ("red",)] == [2.0]
    assert summed(shared, FAMILIES)["level", ()] == [5.0]
    # All slots are had: whoever comes counts for itself.
    apart = shared.take()
    assert apart.number == 0
    Tally(apart).counter(COUNTED).add(("red",))

    worker.kill()
    worker.join()
    assert summed(shared, FAMILIES) == {
        ("things", ("red",)): [2.0],
        ("waits_seconds", ()): [pytest.approx(0.1), 1.0, 0.0, 0.0],
    }
    slot = shared.take()
    assert (slot.number, slot.process) == (1, os.getpid())
    tally = Tally(slot)
    tally.gauge(LEVEL)
    tally.counter(COUNTED).add(("red",))
    assert summed(shared, FAMILIES)["things", ("red",)] == [3.0]
    assert summed(shared, FAMILIES)["level", ()] == [0.0]


def test_workers_that_are_not_forked_count_in_the_same_memory() -> None:
    shared = SharedMetrics(3)
    workers = []
    for _ in range(2):
        done = SPAWN.Event()
        workers.append(SPAWN.Process(target=work, args=(shared, done, True)))
        workers[-1].start()
        assert done.wait(60)
    assert summed(shared, FAMILIES)["things", ("red",)] == [4.0]
    assert summed(shared, FAMILIES)["level", ()] == [10.0]
    assert [slot.process for slot, lives in shared.slots() if lives] == [worker.pid for worker in workers]
    for worker in workers:
        worker.kill()
        worker.join()
    assert [lives for _, lives in shared.slots()] == [False, False]


def test_what_has_no_room_is_counted_and_hurts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DIRECTORY_BYTES", 4096)
    monkeypatch.setattr(module, "SLOT_BYTES", module.PAGE_BYTES + module.VALUES_BYTES + 4096)
    shared = SharedMetrics(1)
    tally = Tally(shared.take())
    counter = tally.counter(COUNTED)
    for number in range(1000):
        counter.add((f"colour {number}",))
    found = summed(shared, FAMILIES)
    assert 100 < len(found) < 300
    [(slot, _)] = shared.slots()
    assert slot.words[SPILL] == 1000 - len(found)
    counter.add(("colour 0",))
    assert summed(shared, FAMILIES)["things", ("colour 0",)] == [2.0]


def test_labels_and_kinds_must_fit() -> None:
    tally = Tally(SharedMetrics(1).take())
    with pytest.raises(ValueError, match="things is a counter, no gauge"):
        tally.gauge(COUNTED)
    counter: Counter = tally.counter(COUNTED)
    with pytest.raises(ValueError, match="colour"):
        counter.add(("red", "green"))
