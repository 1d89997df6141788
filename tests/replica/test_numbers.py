"""The numbers of new ids: none comes twice, and they are taken many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from resphere.replica.numbers import FIRST_NUMBER, NUMBERS_READY, NUMBERS_TAKEN, Numbers, TooFewNumbers
from resphere.store.base import Store
from tests.replica.worlds import Behind, store_in


class Counting(Behind):
    """A store that notes what is taken of its counter."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.taken: list[int] = []

    async def reserve(self, counter: str, count: int) -> range:
        self.taken.append(count)
        # Whoever else wants some comes now.
        await asyncio.sleep(0)
        return await super().reserve(counter, count)


def with_numbers(path: Path, test: Callable[[Counting, Numbers], Awaitable[None]]) -> None:
    async def whole() -> None:
        store = Counting(await store_in(path / "store"))
        try:
            await test(store, Numbers(store))
        finally:
            await store.close()

    asyncio.run(whole())


def test_they_begin_above_the_fixed_ids_and_rise(tmp_path: Path) -> None:
    async def test(_: Counting, numbers: Numbers) -> None:
        with pytest.raises(TooFewNumbers):
            numbers.next()
        await numbers.provide(2)
        assert [numbers.next() for _ in range(3)] == [FIRST_NUMBER, FIRST_NUMBER + 1, FIRST_NUMBER + 2]

    with_numbers(tmp_path, test)


def test_what_suffices_is_not_taken_again(tmp_path: Path) -> None:
    async def test(store: Counting, numbers: Numbers) -> None:
        await numbers.provide(0)
        assert store.taken == []
        assert numbers.suffice(0)
        assert not numbers.suffice(1)
        await numbers.provide(1)
        assert store.taken == [NUMBERS_TAKEN]
        assert numbers.suffice(NUMBERS_TAKEN)
        assert not numbers.suffice(NUMBERS_TAKEN + 1)
        await numbers.provide(NUMBERS_TAKEN)
        assert store.taken == [NUMBERS_TAKEN]

    with_numbers(tmp_path, test)


def test_some_are_ready_before_they_are_asked_for(tmp_path: Path) -> None:
    async def test(store: Counting, numbers: Numbers) -> None:
        await numbers.provide(1)
        for _ in range(NUMBERS_TAKEN - NUMBERS_READY):
            numbers.next()
        await numbers.provide(0)
        assert len(store.taken) == 1
        numbers.next()
        await numbers.provide(0)
        assert store.taken == [NUMBERS_TAKEN] * 2
        rest = [numbers.next() for _ in range(NUMBERS_READY - 1 + NUMBERS_TAKEN)]
        assert rest == list(range(rest[0], rest[0] + len(rest)))
        with pytest.raises(TooFewNumbers):
            numbers.next()

    with_numbers(tmp_path, test)


def test_more_than_usual_are_taken_at_once(tmp_path: Path) -> None:
    async def test(store: Counting, numbers: Numbers) -> None:
        await numbers.provide(5)
        await numbers.provide(3 * NUMBERS_TAKEN)
        assert store.taken == [NUMBERS_TAKEN, 2 * NUMBERS_TAKEN]
        assert numbers.suffice(3 * NUMBERS_TAKEN)

    with_numbers(tmp_path, test)


def test_who_waits_for_others_taking_has_theirs(tmp_path: Path) -> None:
    async def test(store: Counting, numbers: Numbers) -> None:
        await asyncio.gather(*(numbers.provide(1) for _ in range(5)))
        assert store.taken == [NUMBERS_TAKEN]

    with_numbers(tmp_path, test)


@pytest.mark.parametrize(
    ("ids", "first"),
    [
        ((), FIRST_NUMBER + 1),
        (("vm-50", "group-d1"), FIRST_NUMBER + 1),
        (("vm-1001",), FIRST_NUMBER + 1),
        (("vm-1002", "host-9"), FIRST_NUMBER + 2),
        (("host-9", "vm-7777", "vm-50"), 7778),
        # Without a number at the end, or with one that no counter reaches.
        (("vm-a", "urn:vm-5000:GLOBAL", f"vm-{10**15}"), FIRST_NUMBER + 1),
        ((f"vm-{10**14}",), 10**14 + 1),
    ],
)
def test_numbers_of_ids_that_are_there_are_passed_over(tmp_path: Path, ids: tuple[str, ...], first: int) -> None:
    async def test(_: Counting, numbers: Numbers) -> None:
        await numbers.pass_over(ids)
        await numbers.provide(1)
        assert numbers.next() == first

    with_numbers(tmp_path, test)


def test_what_is_in_stock_is_passed_over_too(tmp_path: Path) -> None:
    async def test(_: Counting, numbers: Numbers) -> None:
        await numbers.provide(1)
        await numbers.pass_over(("vm-5000",))
        assert not numbers.suffice(1)
        await numbers.provide(1)
        assert numbers.next() == 5001

    with_numbers(tmp_path, test)
