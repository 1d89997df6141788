"""A small kind of object, and replicas of it over a store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec

from resphere.replica.derived import Derived
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica, Rule
from resphere.replica.rows import numeric_order
from resphere.replica.sealing import Sealing
from resphere.replica.table import Table
from resphere.store.base import (
    Changes,
    Claim,
    Contents,
    Document,
    Journal,
    Keys,
    Liveness,
    Snapshot,
    Store,
    Transaction,
)
from resphere.store.engines import default_url, open_store

R = TypeVar("R")


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something with a name, that stands somewhere and counts."""

    kind: ClassVar[str] = "item"

    id: str
    name: str
    parent: str = "top"
    value: int = 0
    tags: tuple[str, ...] = ()


class Note(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that is no part of the inventory proper."""

    kind: ClassVar[str] = "note"

    id: str
    text: str = ""


ITEMS = Table(
    cls=Item,
    indexes={
        "name": lambda item: (item.name,),
        "parent": lambda item: (item.parent,),
        "tag": lambda item: iter(item.tags),
    },
    claims=lambda item: (f"name/{item.parent}/{item.name}",),
    shared=("parent",),
)
NOTES = Table(cls=Note, revises=False)
WORLD: tuple[Table[Any], ...] = (ITEMS, NOTES)


async def store_in(folder: Path, *, log_rows_kept: int = 10_000) -> Store:
    """The store in a folder, opened anew."""
    await asyncio.to_thread(partial(folder.mkdir, parents=True, exist_ok=True))
    return await open_store(default_url(folder), log_rows_kept=log_rows_kept)


@asynccontextmanager
async def opened(
    path: Path,
    *,
    tables: Iterable[Table[Any]] = WORLD,
    derived: Iterable[Derived[Any]] = (),
    rules: Iterable[Rule[Any]] = (),
    log_rows_kept: int = 10_000,
    seed: int = 0,
    sealing: Sealing | None = None,
) -> AsyncIterator[Replica]:
    """A loaded replica over the store in the folder ``path``, opened for it alone."""
    store = await store_in(path, log_rows_kept=log_rows_kept)
    try:
        replica = Replica(store, tables, random.Random(seed), derived=derived, rules=rules, sealing=sealing)
        await replica.load()
        yield replica
    finally:
        await store.close()


def run(test: Callable[..., Awaitable[R]], path: Path, replicas: int = 1, **options: Any) -> R:
    """Run ``test`` with so many replicas over the store in ``path``."""

    async def all_opened(*given: Replica) -> R:
        if len(given) == replicas:
            return await test(*given)
        async with opened(path, seed=len(given), **options) as replica:
            return await all_opened(*given, replica)

    return asyncio.run(all_opened())


def put(*objects: Any) -> Callable[[Edit], None]:
    """A plan that writes ``objects``."""

    def plan(edit: Edit) -> None:
        for obj in objects:
            edit.put(obj)

    return plan


def add(id: str, amount: int = 1) -> Callable[[Edit], int]:
    """A plan that adds to an item's value and returns the new one."""

    def plan(edit: Edit) -> int:
        item = edit.get(Item, id)
        assert item is not None
        edit.put(msgspec.structs.replace(item, value=item.value + amount))
        return item.value + amount

    return plan


def check_indexes(replica: Replica, tables: Iterable[Table[Any]]) -> None:
    """Every index has exactly what computing it from all objects gives."""
    for table in tables:
        objects = replica.all(table.cls)
        assert all(id == obj.id for id, obj in objects.items())
        assert replica.count(table.cls) == len(objects)
        for name, keys in table.indexes.items():
            expected: dict[str, dict[str, Any]] = {}
            for obj in objects.values():
                for key in keys(obj):
                    expected.setdefault(key, {})[obj.id] = obj
            index = replica._rows[table.cls].indexes[name]
            assert {key: dict(found) for key, found in index.contents()} == expected
            for key, found in expected.items():
                assert replica.by(table.cls, name, key) == found
                assert all(replica.by(table.cls, name, key)[id] is obj for id, obj in found.items())


def contents(replica: Replica, tables: Iterable[Table[Any]] = WORLD) -> dict[str, dict[str, tuple[int, Any]]]:
    """Everything a replica shows: kind -> id -> (revision, object)."""
    return {
        table.cls.kind: {id: (replica.revision_of(table.cls, id), obj) for id, obj in replica.all(table.cls).items()}
        for table in tables
    }


def in_order(objects: Iterable[str]) -> list[str]:
    """Ids as a freshly loaded replica has them."""
    return sorted(objects, key=numeric_order)


class Behind:
    """A store that passes everything on to another; what is to be different overrides it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def epoch(self) -> str:
        return self._store.epoch

    def version(self) -> int | None:
        return self._store.version()

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        return self._store.listen(wake)

    async def load(self) -> Snapshot:
        return await self._store.load()

    async def document(self, kind: str, id: str) -> Document | None:
        return await self._store.document(kind, id)

    async def changes_since(self, sequence: int) -> Changes:
        return await self._store.changes_since(sequence)

    async def reserve(self, counter: str, count: int) -> range:
        return await self._store.reserve(counter, count)

    async def commit(self, transaction: Transaction) -> int:
        return await self._store.commit(transaction)

    async def liveness(self, name: str) -> Liveness:
        return await self._store.liveness(name)

    async def contents(self, collection: str, liveness: Liveness) -> Contents:
        return await self._store.contents(collection, liveness)

    @property
    def keys(self) -> Keys:
        return self._store.keys

    async def claims(self) -> tuple[Claim, ...]:
        return await self._store.claims()

    async def journal(self, after: int, most: int) -> Journal:
        return await self._store.journal(after, most)

    async def forget_notes(self, before: int, through: int = 0) -> int:
        return await self._store.forget_notes(before, through)

    async def trim_journal(self, before: int, most_bytes: int, most: int) -> int:
        return await self._store.trim_journal(before, most_bytes, most)

    async def compact(self) -> None:
        await self._store.compact()

    async def close(self) -> None:
        await self._store.close()


class Scripted(Behind):
    """A store that does at each commit what it is told to first."""

    def __init__(self, store: Store, before: Callable[[Transaction], Awaitable[None]]) -> None:
        super().__init__(store)
        self._before = before
        self.commits = 0
        self.loads = 0

    async def load(self) -> Snapshot:
        self.loads += 1
        return await super().load()

    async def commit(self, transaction: Transaction) -> int:
        self.commits += 1
        await self._before(transaction)
        return await super().commit(transaction)


class Waiting(Behind):
    """A store that has to be waited for, as one on another machine: it cannot tell at once whether anything is new."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        super().__init__(store)
        self._rng = rng
        self.readings = 0

    def version(self) -> int | None:
        return None

    async def load(self) -> Snapshot:
        return await self._late(super().load())

    async def document(self, kind: str, id: str) -> Document | None:
        return await self._late(super().document(kind, id))

    async def changes_since(self, sequence: int) -> Changes:
        self.readings += 1
        return await self._late(super().changes_since(sequence))

    async def reserve(self, counter: str, count: int) -> range:
        return await self._late(super().reserve(counter, count))

    async def commit(self, transaction: Transaction) -> int:
        return await self._late(super().commit(transaction))

    async def _late(self, answer: Awaitable[R]) -> R:
        """The request is under way for some turns of the loop, and so is the answer."""
        await self._pass()
        result = await answer
        await self._pass()
        return result

    async def _pass(self) -> None:
        for _ in range(self._rng.randrange(4)):
            await asyncio.sleep(0)
