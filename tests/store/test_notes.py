"""Notes of a store: kept beside the documents, told with the changes, forgotten by their age."""

from __future__ import annotations

import asyncio

import pytest

from resphere.store.base import Conflict, Note, Store, Transaction
from tests.store.contract import OpenStore, put, refused, run

ALL = 2**40


def noting(id: str, body: bytes = b"", *, at: int = 1, since: int = 0) -> Transaction:
    return Transaction((), notes=(Note(id, at, body),), noted_since=since)


async def noted(store: Store) -> list[tuple[str, bytes]]:
    return [(note.id, note.body) for note in (await store.load()).notes]


def test_they_are_told_with_the_changes_and_loaded(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store, open_store() as other:
            first = await store.commit(Transaction((put("1"),), notes=(Note("a", 1, b"one"), Note("b", 2, b""))))
            await other.commit(Transaction((put("2"),)))
            last = await other.commit(noting("a", b"two", since=first))
            changes = await store.changes_since(0)
            assert changes.notes == (Note("a", 1, b"one"), Note("b", 2, b""), Note("a", 1, b"two"))
            assert (await store.changes_since(first)).notes == (Note("a", 1, b"two"),)
            assert (await store.changes_since(last)).notes == ()
            assert await noted(other) == [("a", b"one"), ("b", b""), ("a", b"two")]
        async with open_store() as again:
            assert await noted(again) == [("a", b"one"), ("b", b""), ("a", b"two")]

    run(scenario())


def test_nobody_notes_what_another_has_noted_unseen(open_store: OpenStore) -> None:
    """In a group, in a later one, and of another process."""

    async def scenario() -> None:
        async with open_store() as store, open_store() as other:
            results = await asyncio.gather(*(store.commit(noting("a")) for _ in range(3)), return_exceptions=True)
            assert [isinstance(result, Conflict) for result in results] == [False, True, True]
            assert await refused(store, noting("a")) == ("note", "a")
            assert await refused(other, noting("a")) == ("note", "a")
            seen = await other.commit(noting("b"))
            assert await refused(store, noting("b", since=seen - 1)) == ("note", "b")
            assert await store.commit(noting("b", b"two", since=seen)) > seen
            assert await refused(other, noting("b", since=seen)) == ("note", "b")
            assert await noted(store) == [("a", b""), ("b", b""), ("b", b"two")]

    run(scenario())


def test_a_refused_transaction_notes_nothing(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            await store.commit(Transaction((put("1"),)))
            wrong = Transaction((put("1", expected=77),), notes=(Note("a", 1, b""),))
            assert (await refused(store, wrong))[0] == "revision"
            assert await noted(store) == []
            assert await store.commit(noting("a")) > 0

    run(scenario())


def test_the_oldest_are_forgotten(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store, open_store() as other:
            sequence = 0
            for at in range(1, 6):
                sequence = await store.commit(noting(f"n{at}", at=at))
            assert await store.forget_notes(1) == 0
            assert await other.forget_notes(3) == 2
            assert await noted(store) == [("n3", b""), ("n4", b""), ("n5", b"")]
            assert await store.forget_notes(0, sequence - 1) == 2
            assert await store.forget_notes(ALL) == 1
            assert await store.forget_notes(ALL) == 0
            assert (await store.changes_since(0)).notes == ()
            # What is forgotten may be noted anew.
            await other.commit(noting("n5", since=sequence))

    run(scenario())


def test_many_are_forgotten_some_at_a_time(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            for group in range(8):
                await asyncio.gather(*(store.commit(noting(f"{group}/{number}")) for number in range(200)))
            assert len(await noted(store)) == 1600
            gone = []
            while some := await store.forget_notes(2):
                gone.append(some)
            assert sum(gone) == 1600
            assert len(gone) > 1

    run(scenario())


def test_what_cannot_be_noted_is_refused(open_store: OpenStore) -> None:
    async def scenario() -> None:
        async with open_store() as store:
            twice = Transaction((), notes=(Note("a", 1, b""), Note("a", 1, b"")))
            for transaction in (twice, noting("a\0"), noting("\ud800")):
                with pytest.raises(ValueError, match=r"once at most|NUL|surrogates"):
                    await store.commit(transaction)

    run(scenario())
