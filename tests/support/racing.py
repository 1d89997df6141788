"""Two workers on one store, of which one finishes between the plan of the other's change and its commit."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from resphere.contract.errors import VapiError
from resphere.store.base import Transaction
from resphere.tasks.runner import Tasks
from tests.replica.worlds import Scripted
from tests.support.invariants import require_sound
from tests.support.world import World

Work = Callable[[World], Coroutine[Any, Any, Any]]


@contextmanager
def two_worlds(folder: Path) -> Iterator[tuple[World, World]]:
    """Two workers, which draw different identities."""
    with World(folder) as one, World(folder, ()) as other:
        tasks = Tasks(other.inventory, other.environment.now, "other", lambda _: True, other.environment.provider)
        other.environment = msgspec.structs.replace(
            other.environment, random_bytes=random.Random(2).randbytes, tasks=tasks
        )
        yield one, other


def race(one: World, other: World, slow: Work, quick: Work) -> list[Any]:
    """The outcomes of ``slow`` by ``one``, and of ``quick`` by ``other`` just before the commit of the former; that of
    ``quick`` comes first."""
    outcomes: list[Any] = []

    async def outcome(work: Coroutine[Any, Any, Any]) -> None:
        try:
            outcomes.append(await work)
        except VapiError as error:
            outcomes.append(error)

    async def meanwhile(transaction: Transaction) -> None:
        if not outcomes and any(write.kind != "task" for write in transaction.writes):
            await other.inventory.refresh()
            await outcome(quick(other))

    one.inventory._store = Scripted(one.inventory._store, meanwhile)
    one.run(outcome(slow(one)))
    assert len(outcomes) == 2
    return outcomes


def check(worlds: tuple[World, World], outcomes: list[Any]) -> None:
    """Both workers show the same, and it is sound; who was first has done it."""
    for world in worlds:
        world.refresh()
        require_sound(world.inventory)
    assert not isinstance(outcomes[0], VapiError), outcomes
