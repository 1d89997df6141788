"""The journal of a store: what transactions add to it is numbered without a gap, and old entries go."""

from __future__ import annotations

import asyncio

from resphere.store.base import Check, Conflict, Entry, Journal, Store, Transaction
from tests.store.contract import OpenStore, put, run

EVERYTHING = 2**40


def told(id: str, *bodies: bytes, at: int = 0) -> Transaction:
    return Transaction((put(id),), entries=tuple(Entry(at, body) for body in bodies))


async def kept(store: Store, after: int = 0) -> tuple[tuple[int, bytes], ...]:
    return (await store.journal(after, 1000)).entries


def test_nothing_was_told_at_first(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            assert await store.journal(0, 10) == Journal(0, 0, ())
            assert await store.trim_journal(EVERYTHING, 0, 10) == 0

    run(scenario())


def test_entries_are_numbered_in_the_order_of_their_transactions(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store, open_store() as other:
            await store.commit(told("a", b"one", b"two"))
            await store.commit(Transaction((put("b"),)))
            await other.commit(told("c", b"", b"four"))
            expected = ((1, b"one"), (2, b"two"), (3, b""), (4, b"four"))
            assert await store.journal(0, 10) == Journal(1, 4, expected)
            assert await other.journal(2, 1) == Journal(1, 4, ((3, b""),))
            assert await store.journal(4, 10) == Journal(1, 4, ())
            assert await store.journal(EVERYTHING, 10) == Journal(1, 4, ())

    run(scenario())


def test_a_refused_transaction_tells_nothing(open_store: OpenStore) -> None:
    async def commit(store: Store, transaction: Transaction) -> None:
        try:
            await store.commit(transaction)
        except Conflict:
            return

    async def scenario() -> None:
        async with open_store() as store:
            refused = Transaction((put("b"),), checks=(Check("vm", "a", 77),), entries=(Entry(0, b"no"),))
            await asyncio.gather(
                commit(store, told("a", b"one")), commit(store, refused), commit(store, told("c", b"two"))
            )
            assert await kept(store) == ((1, b"one"), (2, b"two"))

    run(scenario())


def test_a_transaction_may_tell_and_write_nothing(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            await store.commit(Transaction((), entries=(Entry(0, b"one"),)))
            assert await kept(store) == ((1, b"one"),)

    run(scenario())


def test_what_is_too_old_goes_and_the_latest_stays(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            for number in range(1, 6):
                await store.commit(told("a", b"%d" % number, at=number))
            assert await store.trim_journal(3, EVERYTHING, 10) == 2
            assert await store.journal(0, 10) == Journal(3, 5, ((3, b"3"), (4, b"4"), (5, b"5")))
            assert await store.trim_journal(3, EVERYTHING, 10) == 0
            assert await store.trim_journal(EVERYTHING, EVERYTHING, 10) == 2
            await store.commit(told("a", b"6", at=6))
            assert await kept(store) == ((5, b"5"), (6, b"6"))

    run(scenario())


def test_what_is_too_much_goes_some_at_a_time(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            for _ in range(10):
                await store.commit(told("a", b"12345"))
            assert await store.trim_journal(0, 50, 4) == 0
            assert await store.trim_journal(0, 21, 4) == 4
            assert await store.trim_journal(0, 21, 4) == 1
            assert await store.trim_journal(0, 21, 4) == 0
            assert [number for number, _ in await kept(store)] == [6, 7, 8, 9, 10]
            assert await store.trim_journal(0, 0, 100) == 4
            assert await kept(store) == ((10, b"12345"),)

    run(scenario())


def test_what_was_added_together_may_stay_together(open_store: OpenStore) -> None:
    """However many they are, all are read one by one, and none that is to be kept goes."""
    many = 1_000

    async def scenario() -> None:
        async with open_store() as store:
            await store.commit(told("a", *[b"%d" % number for number in range(1, many + 1)], at=1))
            await store.commit(told("a", b"last but one", b"last", at=2))
            everything = await store.journal(0, 2 * many)
            assert [number for number, _ in everything.entries] == list(range(1, many + 3))
            for after in (0, 1, 198, 199, 200, 201, many - 1, many, many + 1):
                part = await store.journal(after, 3)
                assert part == Journal(1, many + 2, everything.entries[after : after + 3])
            forgotten = 0
            while some := await store.trim_journal(2, EVERYTHING, 10):
                forgotten += some
                assert (await store.journal(0, 1)).first == forgotten + 1
            assert forgotten == many
            assert await kept(store) == ((many + 1, b"last but one"), (many + 2, b"last"))
            # Those two were added together: the engine may keep both.
            assert await store.trim_journal(EVERYTHING, 0, 10) in (0, 1)
            assert (await kept(store))[-1] == (many + 2, b"last")

    run(scenario())
