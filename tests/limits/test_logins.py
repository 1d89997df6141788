from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from resphere.contract.errors import ServiceUnavailable, Unauthenticated
from resphere.limits.known import MOST_PER_USER, KnownAddress, KnownAddresses
from resphere.limits.logins import LoginThrottle
from resphere.limits.policy import Logins
from resphere.limits.rates import SECOND_NS
from resphere.limits.shared import SharedMemory, SharedState
from tests.support.world import NOW, World

ANN = "ann@vsphere.local"
HOME = "192.0.2.1"


class Bench:
    """Logins at a throttle, with a clock of its own."""

    def __init__(self, world: World, policy: Logins) -> None:
        self.world = world
        self.now_ns = 1
        self.now: datetime = NOW
        self.state = SharedState(SharedMemory(random.Random(1).randbytes, 64))
        self.known = KnownAddresses(world.inventory, policy.known_days, lambda: self.now)
        self.throttle = LoginThrottle(policy, self.state, self.known, lambda: self.now_ns)

    def later(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND_NS)
        self.now += timedelta(seconds=seconds)

    def login(self, *, good: bool, name: str = ANN, address: str = HOME) -> float:
        """0 where the password was looked at, else how long to wait, in seconds."""

        async def attempt() -> float:
            try:
                with await self.throttle.attempt(name, address):
                    if not good:
                        raise Unauthenticated
            except Unauthenticated:
                return 0.0
            except ServiceUnavailable as refusal:
                return float(dict(refusal.headers)["Retry-After"])
            await self.known.finish()
            return 0.0

        return self.world.run(attempt())

    def fail(self, times: int, name: str = ANN, address: str = HOME) -> list[float]:
        return [self.login(good=False, name=name, address=address) for _ in range(times)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def test_the_intervals_grow_to_the_longest(world: World) -> None:
    bench = Bench(world, Logins(free=3, longest_seconds=5))
    assert bench.fail(3) == [0, 0, 0]
    for seconds in (1, 2, 4, 5, 5):
        assert bench.login(good=True) == seconds
        bench.later(seconds)
        assert bench.login(good=False) == 0


def test_refused_attempts_make_nobody_wait_longer(world: World) -> None:
    bench = Bench(world, Logins(free=3))
    bench.fail(3)
    bench.later(0.5)
    assert bench.fail(100) == [1.0] * 100
    bench.later(0.5)
    assert bench.login(good=True) == 0


def test_a_good_login_forgets_the_failures_of_its_name_there(world: World) -> None:
    bench = Bench(world, Logins(free=3))
    for _ in range(5):
        assert bench.fail(2) == [0, 0]
        assert bench.login(good=True) == 0


def test_failures_are_forgotten_in_time(world: World) -> None:
    bench = Bench(world, Logins(free=3, forget_seconds=100))
    bench.fail(3)
    bench.later(100)
    assert bench.fail(4) == [0, 0, 0, 1]


def test_one_who_tries_many_names_is_slowed_down(world: World) -> None:
    bench = Bench(world, Logins(free_per_address=20))
    waits = [bench.login(good=False, name=f"user-{number}") for number in range(30)]
    assert waits == [0] * 20 + [1] * 10
    # Another name's own failures are none.
    assert bench.login(good=True, name="new") == 1
    assert bench.login(good=True, name="new", address="198.51.100.1") == 0


def test_a_good_login_of_ones_own_buys_no_guesses(world: World) -> None:
    bench = Bench(world, Logins(free_per_address=5))
    assert bench.fail(5, name="victim") == [0] * 5
    assert bench.login(good=True, name="own") == 1
    bench.later(1)
    assert bench.login(good=True, name="own") == 0  # known from here from now on
    assert bench.login(good=False, name="victim") == 0
    assert [bench.login(good=True, name="own"), bench.login(good=False, name="victim")] == [0, 2]


def test_a_name_under_attack_from_everywhere_is_slowed_down_for_strangers_only(world: World) -> None:
    bench = Bench(world, Logins(free_per_name=40))
    assert bench.login(good=True) == 0
    waits = [bench.login(good=False, address=f"198.51.100.{number}") for number in range(60)]
    assert waits == [0] * 40 + [1] * 20
    assert bench.login(good=True, address="203.0.113.1") == 1
    assert bench.login(good=True, address=HOME) == 0
    assert bench.login(good=True, name="bob", address="203.0.113.1") == 0
    # Strangers get their turn, too: one after the other.
    bench.later(1)
    assert bench.login(good=True, address="203.0.113.1") == 0
    assert bench.login(good=False, address="203.0.113.2") == 0
    assert bench.login(good=True, address="203.0.113.3") == 2


def test_who_is_known_is_not_held_up_by_others_at_the_address(world: World) -> None:
    bench = Bench(world, Logins(free=5, free_per_address=10, longest_known_seconds=2))
    assert bench.login(good=True) == 0
    for number in range(20):
        bench.login(good=False, name=f"user-{number}")
    assert bench.login(good=True, name="bob") == 1
    assert bench.login(good=True) == 0
    # Only by failures with the own name, and not for long.
    for _ in range(10):
        bench.later(2)
        bench.fail(3)
    assert 0 < bench.login(good=True) <= 2


def test_what_is_known_outlives_the_state_and_ends(world: World) -> None:
    assert Bench(world, Logins()).login(good=True) == 0
    bench = Bench(world, Logins(known_days=3))
    assert bench.known.knows(ANN, HOME)
    assert not bench.known.knows(ANN, "198.51.100.1")
    assert not bench.known.knows("bob", HOME)
    bench.later(3 * 86_400)
    assert not bench.known.knows(ANN, HOME)
    assert world.run(bench.known.sweep()) == 1
    assert world.run(bench.known.sweep()) == 0
    assert not world.inventory.all(KnownAddress)


def test_a_known_address_is_written_once_a_day(world: World) -> None:
    bench = Bench(world, Logins())
    written = []
    world.inventory.subscribe(KnownAddress, lambda _, new: written.append(new))
    for hours in (0, 1, 10, 13):
        bench.later(hours * 3600)
        bench.login(good=True)
    assert len(written) == 2


def test_so_many_addresses_are_known_of_a_user(world: World) -> None:
    bench = Bench(world, Logins())
    for number in range(MOST_PER_USER + 5):
        bench.later(1)
        assert bench.login(good=True, address=f"198.51.100.{number}") == 0
    assert len(world.inventory.by(KnownAddress, "user", ANN)) == MOST_PER_USER
    assert not bench.known.knows(ANN, "198.51.100.4")
    assert bench.known.knows(ANN, "198.51.100.5")


def test_who_comes_back_takes_no_room_from_other_addresses(world: World) -> None:
    bench = Bench(world, Logins())
    for number in range(MOST_PER_USER):
        bench.login(good=True, address=f"198.51.100.{number}")
        bench.later(1)
    bench.later(2 * 86_400)
    assert bench.login(good=True, address="198.51.100.7") == 0
    assert len(world.inventory.by(KnownAddress, "user", ANN)) == MOST_PER_USER


def test_only_what_is_over_is_forgotten(world: World) -> None:
    bench = Bench(world, Logins(known_days=3))
    bench.login(good=True)
    bench.later(2 * 86_400)
    bench.login(good=True, address="198.51.100.1")
    bench.later(1 * 86_400)
    assert world.run(bench.known.sweep()) == 1
    assert [each.address for each in world.inventory.all(KnownAddress).values()] == ["198.51.100.1"]


def test_that_it_could_not_be_noted_is_told(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(plan: object) -> None:
        raise OSError("the disk is broken")

    monkeypatch.setattr(world.inventory, "change", broken)
    assert Bench(world, Logins()).login(good=True) == 0
    assert "could not note from where somebody has logged in" in caplog.text
    assert "the disk is broken" in caplog.text


def test_no_more_than_so_many_passwords_are_looked_at_after_a_burst(world: World) -> None:
    """All come at once, before any has failed: those that wait for their turn are refused when it comes."""
    bench = Bench(world, Logins(free=5, at_once=4, at_once_per_address=2))

    async def guess() -> bool:
        try:
            with await bench.throttle.attempt(ANN, HOME):
                await asyncio.sleep(0)
                raise Unauthenticated
        except Unauthenticated:
            return True
        except ServiceUnavailable:
            return False

    async def burst() -> list[bool]:
        return await asyncio.gather(*(guess() for _ in range(200)))

    assert 5 <= sum(bench.world.run(burst())) <= 6


def test_right_logins_at_once_are_all_let_in(world: World) -> None:
    bench = Bench(world, Logins(free=1, free_per_address=1, free_per_name=1))

    async def login(name: str) -> None:
        with await bench.throttle.attempt(name, HOME):
            await asyncio.sleep(0)

    async def burst() -> None:
        await asyncio.gather(*(login(f"user-{number % 3}") for number in range(300)))
        await bench.known.finish()

    bench.world.run(burst())


def test_another_proof_beside_a_password_is_no_good_login(world: World) -> None:
    """Whoever has a token of his own, and shows it with somebody else's name, does not have that forgotten."""
    bench = Bench(world, Logins(free=3))
    bench.fail(3)
    bench.later(1)

    async def login() -> None:
        with await bench.throttle.attempt(ANN, HOME, alone=False):
            pass
        await bench.known.finish()

    bench.world.run(login())
    assert not bench.known.knows(ANN, HOME)
    assert bench.fail(2) == [0, 2]


def test_a_good_password_that_must_be_changed_is_no_failure(world: World) -> None:
    bench = Bench(world, Logins(free=1))

    async def login() -> None:
        with await bench.throttle.attempt(ANN, HOME):
            raise Unauthenticated(proven=True)

    for _ in range(3):
        with pytest.raises(Unauthenticated):
            bench.world.run(login())
    bench.world.run(bench.known.finish())
    assert bench.known.knows(ANN, HOME)


def test_one_address_does_not_hold_up_the_logins_of_others(world: World) -> None:
    bench = Bench(world, Logins(at_once=3, at_once_per_address=2))

    async def attempt(address: str) -> None:
        await bench.throttle.attempt(ANN, address)

    async def run() -> None:
        flood = [asyncio.get_running_loop().create_task(attempt(HOME)) for _ in range(50)]
        await asyncio.sleep(0)
        await attempt("198.51.100.1")
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)

    bench.world.run(run())


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (HOME, (429, "resphere.limits.waiting", ["1", "address"])),
        ("198.51.100.1", (503, "resphere.limits.busy", [])),
    ],
    ids=["of the address", "in all"],
)
def test_where_too_many_wait_the_next_is_told(world: World, address: str, told: tuple[int, str, list[str]]) -> None:
    policy = Logins(at_once=1, at_once_per_address=1, waiting_per_address=1, waiting=1)
    bench = Bench(world, policy)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        with await bench.throttle.attempt(ANN, HOME):
            waits = loop.create_task(bench.throttle.attempt(ANN, HOME))
            await asyncio.sleep(0)
            with pytest.raises(ServiceUnavailable) as refusal:
                await bench.throttle.attempt(ANN, address)
        with await waits:
            pass
        (message,) = refusal.value.messages
        assert (refusal.value.status, message.id, list(message.args)) == told

    bench.world.run(run())


def test_what_fails_for_another_reason_is_no_failed_login(world: World) -> None:
    bench = Bench(world, Logins(free=1))

    async def attempt() -> None:
        with await bench.throttle.attempt(ANN, HOME):
            raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            bench.world.run(attempt())
    assert bench.login(good=True) == 0
    assert bench.fail(2) == [0, 1]
    bench.later(1)
    for _ in range(3):
        with pytest.raises(LookupError):
            bench.world.run(attempt())
    assert bench.login(good=True) == 0


def test_who_goes_away_while_a_password_is_looked_at_has_had_an_attempt(world: World) -> None:
    """Else guesses would be free for those who do not wait for the answer."""
    bench = Bench(world, Logins(free=1))
    assert bench.fail(1) == [0]
    bench.later(1)

    async def attempt() -> None:
        with await bench.throttle.attempt(ANN, HOME):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        bench.world.run(attempt())
    assert bench.login(good=True) > 0
