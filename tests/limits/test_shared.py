from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.limits.rates import SECOND_NS, Counted, Rate, Shortage, Strikes
from resphere.limits.shared import GROUP_SLOTS, LOCKS, SharedMemory, SharedState
from tests.support.examples import examples
from tests.support.reference_limits import PlainBucket, PlainStrikes

KEYS = ("user\nann", "user\nbob", "address\n192.0.2.1")


def memory(groups: int = 64) -> SharedMemory:
    return SharedMemory(random.Random(1).randbytes, groups)


def state(groups: int = 64) -> SharedState:
    return SharedState(memory(groups))


rates = st.builds(
    Rate,
    per_second=st.one_of(st.floats(0.01, 10), st.floats(10, 1e6)),
    burst=st.one_of(st.integers(1, 5), st.integers(1, 10_000)),
)
steps = st.lists(
    st.tuples(
        st.integers(0, 2 * SECOND_NS) | st.integers(0, 1000) | st.just(0),
        st.sets(st.sampled_from(range(len(KEYS))), min_size=1),
        st.integers(0, 1),
    ),
    max_size=60,
)


@settings(max_examples=examples(300))
@given(st.tuples(*[rates for _ in KEYS]), steps)
def test_buckets_hold_what_plain_ones_hold(of: tuple[Rate, ...], calls: list[tuple[int, set[int], int]]) -> None:
    """Two workers ask in turn, for a token of each of some buckets, or of none."""
    shared = memory()
    workers = SharedState(shared), SharedState(shared)
    handles = [[worker.bucket(key, rate) for key, rate in zip(KEYS, of, strict=True)] for worker in workers]
    plain = [PlainBucket(rate) for rate in of]
    now_ns = 0
    for later_ns, wanted, worker in calls:
        now_ns += later_ns
        for bucket in plain:
            bucket.go_on(now_ns)
        order = sorted(wanted)
        short = next((place for place, each in enumerate(order) if plain[each].tokens < 1), None)
        shortage = workers[worker].take([handles[worker][each] for each in order], now_ns)
        if short is None:
            assert shortage is None
            for each in order:
                plain[each].tokens -= 1
        else:
            assert shortage == Shortage(short, int(plain[order[short]].wait_ns))
        for each, bucket in enumerate(plain):
            assert workers[1 - worker].left(handles[1 - worker][each], now_ns) == int(bucket.tokens)


def test_a_shortage_is_over_when_it_says() -> None:
    shared = state()
    bucket = shared.bucket("key", Rate(3, 2))
    assert [shared.take([bucket], 0) for _ in range(2)] == [None, None]
    shortage = shared.take([bucket], 0)
    assert shortage is not None
    assert shared.take([bucket], shortage.wait_ns - 1) is not None
    assert shared.take([bucket], shortage.wait_ns) is None


def test_a_rate_holds_in_the_long_run() -> None:
    shared = state()
    bucket = shared.bucket("key", Rate(7, 10))
    taken = sum(shared.take([bucket], SECOND_NS * tick // 100) is None for tick in range(100 * 100))
    assert 7 * 100 <= taken <= 7 * 100 + 10


actions = st.lists(
    st.tuples(st.sampled_from(["attempt", "fail", "forget"]), st.integers(0, 20 * SECOND_NS), st.sampled_from(KEYS)),
    max_size=80,
)


@settings(max_examples=examples(300))
@given(
    st.builds(
        Strikes,
        free=st.integers(1, 4),
        first_seconds=st.floats(0.01, 2),
        longest_seconds=st.floats(2, 30),
        forget_seconds=st.floats(30, 90),
    ),
    actions,
)
def test_strikes_are_counted_as_plain_ones(strikes: Strikes, done: list[tuple[str, int, str]]) -> None:
    shared = state()
    plain = {key: PlainStrikes(strikes) for key in KEYS}
    now_ns = 1
    for action, later_ns, key in done:
        now_ns += later_ns
        counted, expected = (Counted(key, strikes),), plain[key]
        expected.go_on(now_ns)
        if action == "attempt":
            assert shared.attempt(counted, now_ns) == max(0, expected.due_ns - now_ns)
            if expected.due_ns <= now_ns:
                expected.attempt(now_ns)
        elif action == "fail":
            shared.fail(counted, now_ns)
            expected.fail(now_ns)
        else:
            shared.forget(key)
            plain[key] = PlainStrikes(strikes)


def test_one_attempt_at_a_time_is_let_through_once_they_are_slowed() -> None:
    shared, counted = state(), (Counted("key", Strikes(free=2, first_seconds=4)),)
    for _ in range(2):
        assert shared.attempt(counted, 1) == 0
        shared.fail(counted, 1)
    assert shared.attempt(counted, 1) == 4 * SECOND_NS
    later = 1 + 4 * SECOND_NS
    assert shared.attempt(counted, later) == 0
    assert shared.attempt(counted, later) == 4 * SECOND_NS
    shared.withdraw(counted, later)
    assert shared.attempt(counted, later) == 0


def test_what_one_key_has_to_wait_for_leaves_the_others_alone() -> None:
    shared, strikes = state(), Strikes(free=1)
    slow, free = Counted("slow", strikes), Counted("free", strikes)
    shared.fail((slow,), 1)
    assert shared.attempt((free, slow), 1) == SECOND_NS
    assert shared.attempt((free,), 1) == 0


def test_a_full_group_gives_up_the_slot_that_is_over_first() -> None:
    shared, rate = state(groups=1), Rate(1, 1)
    lasting = [shared.bucket(f"lasting {number}", Rate(0.001, 1)) for number in range(GROUP_SLOTS - 1)]
    short = shared.bucket("short", rate)
    for bucket in (*lasting, short):
        assert shared.take([bucket], 1) is None
    assert shared.take([shared.bucket("new", rate)], 1) is None
    assert all(shared.take([bucket], 1) is not None for bucket in lasting)
    assert shared.take([short], 1) is None


def test_a_key_that_lost_its_slot_finds_its_new_one() -> None:
    """A handle keeps where its slot was; others have taken it since."""
    shared, rate = state(groups=1), Rate(1, 1)
    bucket = shared.bucket("key", rate)
    assert shared.take([bucket], 1) is None
    for number in range(GROUP_SLOTS):
        shared.take([shared.bucket(f"other {number}", Rate(0.5, 1))], 1 + 2 * SECOND_NS)
    assert shared.take([bucket], 1 + 2 * SECOND_NS) is None
    assert shared.take([bucket], 1 + 2 * SECOND_NS) is not None


def take_many(shared: SharedMemory, times: int, taken: multiprocessing.Queue[int]) -> None:
    own = SharedState(shared)
    bucket = own.bucket("key", Rate(1, 5000))
    taken.put(sum(own.take([bucket], 1) is None for _ in range(times)))


def test_processes_at_once_take_no_more_than_there_is() -> None:
    shared = memory()
    context = multiprocessing.get_context()
    taken: multiprocessing.Queue[int] = context.Queue()
    processes: list[BaseProcess] = [context.Process(target=take_many, args=(shared, 4000, taken)) for _ in range(3)]
    for process in processes:
        process.start()
    counts = [taken.get() for _ in processes]
    for process in processes:
        process.join()
    assert sum(counts) == 5000


def die_holding(shared: SharedMemory, number: int) -> None:
    shared.locks[number].acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def stop_holding(shared: SharedMemory, number: int) -> None:
    shared.locks[number].acquire()
    os.kill(os.getpid(), signal.SIGSTOP)
    shared.locks[number].release()


def killed(process: BaseProcess) -> None:
    process.join()
    assert process.exitcode == -signal.SIGKILL


def stopped(process: BaseProcess) -> None:
    assert process.pid is not None
    os.waitpid(process.pid, os.WUNTRACED)


@pytest.mark.parametrize(("holder", "wait"), [(die_holding, killed), (stop_holding, stopped)])
def test_nobody_waits_for_a_worker_that_died_or_stands_still_with_the_lock(
    holder: Callable[[SharedMemory, int], None], wait: Callable[[BaseProcess], None]
) -> None:
    shared = memory()
    own = SharedState(shared)
    bucket = own.bucket("key", Rate(1, LOCKS + 2))
    assert own.take([bucket], 1) is None
    process = multiprocessing.get_context().Process(target=holder, args=(shared, 0))
    process.start()
    wait(process)
    try:
        assert not shared.locks[0].acquire(False)
        left = [own.left(bucket, 1), own.take([bucket], 1), own.take([bucket], 1), own.left(bucket, 1)]
        assert left == [LOCKS + 1, None, None, LOCKS - 1]
        assert shared.words()[0] == 1  # the lock in use
    finally:
        process.kill()
        process.join()


def test_all_locks_may_be_lost_and_decisions_are_made() -> None:
    shared = memory()
    own = SharedState(shared)
    for lock in shared.locks:
        lock.acquire()
    bucket = own.bucket("key", Rate(1, 3))
    assert [own.take([bucket], 1) is None for _ in range(5)] == [True, True, True, False, False]
