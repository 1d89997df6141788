"""Which connections are ended, by what is seen of them from look to look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resphere.server.connections.registry import Client, Look, Progress
from resphere.server.connections.sockets import Seen
from resphere.server.connections.watch import LEAST_BYTES_PER_SECOND, Patience, Reason, Watch

HERE = "192.0.2.1"
PATIENCE = Patience(most=100, request_seconds=20, idle_seconds=60, stall_seconds=30)
ENOUGH_BYTES = LEAST_BYTES_PER_SECOND * 30


class Worker:
    """Connections that are looked at once a second."""

    def __init__(self) -> None:
        self.watch = Watch(PATIENCE)
        self.now = 1000.0
        self.seen: dict[int, Seen] = {}
        self.looks: dict[Client, Look] = {}
        self.wanted = 0
        """How many descriptors are to come free."""

    def connect(self, address: str = HERE, count: int = 1) -> list[int]:
        """So many connections come; their numbers."""
        first = len(self.seen) + 1
        for number in range(first, first + count):
            self.change(number, (address, number))
        return list(range(first, first + count))

    def change(self, number: int, client: Client, *, taken_bytes: int = 0, owed: bool = False) -> None:
        self.seen[number] = Seen(number, number, client, 0, taken_bytes, owed)

    def asks(self, number: int, *requests: Progress) -> None:
        """The connection has brought requests, of which these are in progress."""
        self.looks[self.seen[number].client] = Look(requests, self.now)

    def pass_seconds(self, seconds: int, each: Callable[[], None] = lambda: None) -> dict[int, Reason]:
        """Time passes; the connections that are ended, and why."""
        ended: dict[int, Reason] = {}
        for _ in range(seconds):
            self.now += 1
            each()
            for judged in self.watch.judge(list(self.seen.values()), self.looks, self.now, wanted=self.wanted):
                ended[judged.connection.cookie] = judged.reason
                del self.seen[judged.connection.cookie]
        return ended


@pytest.fixture
def worker() -> Worker:
    return Worker()


def waiting() -> Progress:
    progress = Progress()
    progress.waits = True
    return progress


def test_a_connection_that_brings_no_request(worker: Worker) -> None:
    worker.connect()
    assert worker.pass_seconds(20) == {}
    assert worker.pass_seconds(1) == {1: Reason.NO_REQUEST}


def test_one_that_brings_no_further_request(worker: Worker) -> None:
    worker.connect()
    worker.pass_seconds(5)
    worker.asks(1)
    assert worker.pass_seconds(59) == {}
    assert worker.pass_seconds(1) == {1: Reason.IDLE}


def test_what_the_server_works_at_may_take_for_ever(worker: Worker) -> None:
    worker.connect()
    worker.asks(1, Progress())
    assert worker.pass_seconds(100_000) == {}


@pytest.mark.parametrize("bytes_per_second", [0, 1, LEAST_BYTES_PER_SECOND // 2])
def test_a_body_that_does_not_come(worker: Worker, bytes_per_second: int) -> None:
    worker.connect()
    body = waiting()
    worker.asks(1, Progress(), body)

    def trickle() -> None:
        body.moved_bytes += bytes_per_second

    assert worker.pass_seconds(30, trickle) == {}
    assert worker.pass_seconds(1, trickle) == {1: Reason.STALLED}


def test_a_body_that_comes_for_hours(worker: Worker) -> None:
    worker.connect()
    body = waiting()
    worker.asks(1, body)

    def come() -> None:
        # In bursts, with nothing between them for most of the time that it may stall.
        body.moved_bytes += ENOUGH_BYTES if worker.now % 25 == 0 else 0

    assert worker.pass_seconds(20_000, come) == {}


def test_a_body_that_stalls_after_it_came_fast(worker: Worker) -> None:
    worker.connect()
    body = waiting()
    worker.asks(1, body)
    body.moved_bytes = 10**9
    assert worker.pass_seconds(31) == {}
    assert worker.pass_seconds(30) == {1: Reason.STALLED}


def test_what_waits_now_and_then_is_not_added_up_for_ever(worker: Worker) -> None:
    worker.connect()
    body = waiting()
    worker.asks(1, body)

    def alternate() -> None:
        body.waits = not body.waits
        body.moved_bytes += LEAST_BYTES_PER_SECOND

    assert worker.pass_seconds(1000, alternate) == {}


@pytest.mark.parametrize("bytes_per_second", [0, 100])
def test_a_reply_that_is_not_read(worker: Worker, bytes_per_second: int) -> None:
    worker.connect()
    worker.asks(1)

    def trickle() -> None:
        taken = worker.seen[1].taken_bytes + bytes_per_second if 1 in worker.seen else 0
        worker.change(1, (HERE, 1), taken_bytes=taken, owed=True)

    assert worker.pass_seconds(30, trickle) == {}
    assert worker.pass_seconds(1, trickle) == {1: Reason.STALLED}


def test_a_reply_that_is_read_slowly(worker: Worker) -> None:
    worker.connect()
    worker.asks(1)

    def read() -> None:
        worker.change(1, (HERE, 1), taken_bytes=worker.seen[1].taken_bytes + LEAST_BYTES_PER_SECOND, owed=True)

    # Longer than it may be idle: it is not.
    assert worker.pass_seconds(1000, read) == {}
    worker.change(1, (HERE, 1), taken_bytes=worker.seen[1].taken_bytes)
    assert worker.pass_seconds(1) == {1: Reason.IDLE}


def test_too_many_are_thinned_out_where_most_are(worker: Worker) -> None:
    crowd = worker.connect("192.0.2.66", 70)
    worker.pass_seconds(3)
    others = [number for address in range(8) for number in worker.connect(f"192.0.2.{address}", 2)]
    assert worker.pass_seconds(3) == {}
    others += worker.connect("192.0.2.99", 3)
    for number in (*crowd[:5], *others):
        worker.asks(number, *([Progress()] if number in crowd else []))
    ended = worker.pass_seconds(1)
    assert set(ended.values()) == {Reason.CROWDED}
    assert len(ended) == 89 - 66
    # Of the address that has most of them, and nothing that is in progress.
    assert set(ended) <= set(crowd[5:])


def test_the_longest_idle_go_first(worker: Worker) -> None:
    old = worker.connect(count=45)
    worker.pass_seconds(5)
    worker.connect(count=45)
    assert set(worker.pass_seconds(3)) <= set(old)


def test_new_connections_have_a_moment(worker: Worker) -> None:
    worker.connect(count=100)
    assert worker.pass_seconds(1) == {}
    assert len(worker.pass_seconds(1)) == 100 - 66


def test_nobody_goes_for_the_new_connections_of_others(worker: Worker) -> None:
    old = worker.connect("192.0.2.7", 2)
    worker.pass_seconds(5)
    worker.connect("192.0.2.66", 98)
    assert worker.pass_seconds(1) == {}
    ended = worker.pass_seconds(1)
    assert len(ended) == 100 - 66
    assert not set(ended) & set(old)


def test_where_nothing_can_be_accepted_room_is_made_at_once(worker: Worker) -> None:
    others = worker.connect("192.0.2.7", 4)
    crowd = worker.connect("192.0.2.66", 40)
    worker.asks(crowd[0], Progress())
    worker.pass_seconds(1)
    assert worker.pass_seconds(3) == {}
    worker.wanted = 30
    ended = worker.pass_seconds(1)
    assert len(ended) == 30
    assert not set(ended) & {*others, crowd[0]}


def test_where_nothing_can_be_accepted_the_new_have_one_look(worker: Worker) -> None:
    worker.wanted = 5
    worker.connect(count=10)
    assert worker.pass_seconds(1) == {}
    assert len(worker.pass_seconds(1)) == 5


def test_unfinished_bodies_make_room_too(worker: Worker) -> None:
    for number in worker.connect(count=95):
        worker.asks(number, waiting())
    assert worker.pass_seconds(5) == {}
    assert len(worker.pass_seconds(1)) == 95 - 66


def test_what_is_worked_at_is_never_ended_for_others(worker: Worker) -> None:
    for number in worker.connect(count=100):
        worker.asks(number, Progress())
    assert worker.pass_seconds(100) == {}


def test_a_stop_waits_for_nobody_who_waits(worker: Worker) -> None:
    silent, idle, unfinished, coming, working = worker.connect(count=5)
    body, stream = waiting(), waiting()
    body.moved_bytes = 3
    worker.asks(idle)
    worker.asks(unfinished, body)
    worker.asks(coming, stream)
    worker.asks(working, Progress())
    worker.pass_seconds(3)
    worker.watch.stopping_since = worker.now

    def come() -> None:
        stream.moved_bytes += 10_000

    come()
    assert worker.pass_seconds(1, come) == {silent: Reason.STOPPING, unfinished: Reason.STOPPING}
    assert worker.pass_seconds(1, come) == {idle: Reason.STOPPING}
    assert worker.pass_seconds(17, come) == {}
    assert worker.pass_seconds(1, come) == {coming: Reason.STOPPING}
    assert worker.pass_seconds(100, come) == {}
    assert list(worker.seen) == [working]
