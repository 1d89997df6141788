"""What the tests of all engines share: how a store is opened, and short words for frequent values."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from resphere.store.base import Change, Conflict, Snapshot, Store, Transaction, Write


class OpenStore(Protocol):
    """Opens one and the same store at each call, as another process would, and closes it at the end of the block."""

    def __call__(self, *, log_rows_kept: int = 100_000) -> AbstractAsyncContextManager[Store]: ...


class NewStore(Protocol):
    """Gives the opener of an empty store, another one at each call."""

    def __call__(self) -> OpenStore: ...


class NewUrl(Protocol):
    """Gives a store's URL, to hand to another process."""

    def __call__(self) -> str: ...


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def put(
    id: str, body: bytes | None = b"", *, expected: int | None = None, claims: tuple[str, ...] | None = None
) -> Write:
    return Write("vm", id, body, expected, claims)


def transaction(*writes: Write, vacant: tuple[str, ...] = ()) -> Transaction:
    return Transaction(writes, vacant=vacant)


def bodies(snapshot: Snapshot) -> dict[str, bytes]:
    return {document.id: document.body for document in snapshot.documents}


def states(changes: Iterable[Change]) -> list[tuple[str, bytes | None]]:
    return [(change.id, change.body) for change in changes]


async def refused(store: Store, transaction: Transaction) -> tuple[str, str]:
    """Commit what cannot be committed; the conflict's reason and subject."""
    try:
        sequence = await store.commit(transaction)
    except Conflict as conflict:
        return conflict.reason, conflict.subject
    raise AssertionError(f"committed as {sequence}")
