"""Room on datastores: never more than there is, whoever asks at once, and no conflict while there is plenty."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import ResourceInaccessible, UnableToAllocateResource
from resphere.inventory.content.tables import CONTENT_TABLES
from resphere.inventory.model import Datastore, DatastoreFile
from resphere.inventory.tables import TABLES as INVENTORY_TABLES
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.admission import admit
from resphere.rules.space import free_space
from resphere.rules.wiring import WIRING
from resphere.store.base import Transaction
from tests.inventory import samples
from tests.replica.worlds import Scripted, opened, put, run, store_in

TABLES = (*INVENTORY_TABLES, *CONTENT_TABLES)

GIB = 1 << 30
STORE = samples.datastore("datastore-15", "sample-ds-1", "group-s3")


def store_of(replica: Replica) -> Datastore:
    found = replica.get(Datastore, STORE.id)
    assert found is not None
    return found


async def free(replica: Replica) -> int:
    await replica.refresh()
    return free_space(replica, store_of(replica))


def file_of(replica: Replica, size: int) -> Callable[[], Awaitable[str]]:
    """Work that makes a file."""

    def plan(edit: Edit) -> str:
        admit(replica, edit, {STORE.id: size})
        id = edit.new_id("file-")
        edit.put(DatastoreFile(id=id, name=f"{id}.vmdk", parent=STORE.id, capacity=size))
        return id

    return lambda: replica.change(plan)


async def make(replica: Replica, size: int) -> bool:
    """Make a file; whether there was room."""
    try:
        await file_of(replica, size)()
    except UnableToAllocateResource:
        return False
    return True


def with_free(size: int) -> list[object]:
    """An inventory whose datastore has that much room, of eight times that."""
    store = msgspec.structs.replace(STORE, capacity=8 * size, other_used=7 * size)
    return [store if obj.id == store.id else obj for obj in samples.skeleton()]


@pytest.mark.parametrize("writers", [1, 2, 4])
@pytest.mark.parametrize("sizes", [[GIB] * 40, [GIB, 3 * GIB, 7 * GIB, 20 * GIB] * 8, [90 * GIB] * 4, [60 * GIB] * 3])
def test_no_more_than_there_is(tmp_path: Path, writers: int, sizes: list[int]) -> None:
    async def test(*replicas: Replica) -> None:
        await replicas[0].change(put(*with_free(100 * GIB)))
        made = await asyncio.gather(
            *(make(replicas[number % writers], size) for number, size in enumerate(sizes)),
        )
        taken = sum(size for size, done in zip(sizes, made, strict=True) if done)
        assert [await free(replica) for replica in replicas] == [100 * GIB - taken] * writers
        assert taken <= 100 * GIB
        # Whoever was refused found no room indeed.
        refused = [size for size, done in zip(sizes, made, strict=True) if not done]
        assert all(size > 100 * GIB - taken for size in refused)

    run(test, tmp_path / "store.db", writers, tables=TABLES, derived=WIRING.derived)


def test_while_there_is_plenty_nobody_is_in_anybodys_way(tmp_path: Path) -> None:
    async def test(one: Replica, other: Replica) -> None:
        await one.change(put(*with_free(1000 * GIB), msgspec.structs.replace(STORE, capacity=8000 * GIB, other_used=0)))
        revision = one.revision_of(Datastore, STORE.id)
        made = await asyncio.gather(*(make(replica, 100 * GIB) for replica in (one, other) for _ in range(30)))
        assert all(made)
        assert one.revision_of(Datastore, STORE.id) == revision
        assert await free(one) == await free(other) == 2000 * GIB

    run(test, tmp_path / "store.db", 2, tables=TABLES, derived=WIRING.derived)


def test_a_writer_that_saw_more_room_is_stopped(tmp_path: Path) -> None:
    """One plans while there is plenty; before its commit another takes nearly all of it."""

    async def test() -> None:
        async with opened(tmp_path / "store.db", tables=TABLES, derived=WIRING.derived) as other:
            roomy = msgspec.structs.replace(STORE, capacity=800 * GIB, other_used=0)
            await other.change(put(*with_free(100 * GIB), roomy))
            taken: list[bool] = []

            async def before(_: Transaction) -> None:
                if not taken:
                    taken.append(await make(other, 790 * GIB))

            store = await store_in(tmp_path / "store.db")
            late = Replica(Scripted(store, before), TABLES, derived=WIRING.derived)
            await late.load()
            assert not await make(late, 50 * GIB)
            assert taken == [True]
            assert await free(late) == 10 * GIB
            await store.close()

    asyncio.run(test())


def test_a_file_grows_while_its_datastore_shrinks(tmp_path: Path) -> None:
    """What is there already refers to the datastore, and is not why that is relied upon."""

    async def test() -> None:
        async with opened(tmp_path / "store.db", tables=TABLES, derived=WIRING.derived) as other:
            file = DatastoreFile(id="file-1", name="1.vmdk", parent=STORE.id, capacity=GIB)
            await other.change(put(*with_free(100 * GIB), file))
            shrunk = False

            async def before(_: Transaction) -> None:
                nonlocal shrunk
                if not shrunk:
                    shrunk = True
                    now = store_of(other)
                    await other.change(put(msgspec.structs.replace(now, capacity=now.capacity - 80 * GIB)))

            store = await store_in(tmp_path / "store.db")
            late = Replica(Scripted(store, before), TABLES, derived=WIRING.derived)
            await late.load()

            def grow(edit: Edit) -> None:
                admit(late, edit, {STORE.id: 50 * GIB})
                edit.put(msgspec.structs.replace(file, capacity=51 * GIB))

            with pytest.raises(UnableToAllocateResource):
                await late.change(grow)
            assert await free(late) == 19 * GIB
            await store.close()

    asyncio.run(test())


def test_one_change_that_asks_twice(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*with_free(10 * GIB)))

        def plan(*sizes: int) -> Callable[[Edit], None]:
            def ask(edit: Edit) -> None:
                for number, size in enumerate(sizes):
                    admit(replica, edit, {STORE.id: size})
                    edit.put(DatastoreFile(id=f"file-{number}", name=f"{number}", parent=STORE.id, capacity=size))

            return ask

        with pytest.raises(UnableToAllocateResource):
            await replica.change(plan(6 * GIB, 5 * GIB))
        assert await free(replica) == 10 * GIB
        await replica.change(plan(6 * GIB, 4 * GIB))
        assert await free(replica) == 0

    run(test, tmp_path / "store.db", tables=TABLES, derived=WIRING.derived)


def test_what_cannot_take_files_at_all(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*with_free(GIB)))
        await replica.change(put(msgspec.structs.replace(store_of(replica), accessible=False)))
        with pytest.raises(ResourceInaccessible) as refused:
            await file_of(replica, 1)()
        assert refused.value.messages[0].id == "resphere.datastore.inaccessible"

    run(test, tmp_path / "store.db", tables=TABLES, derived=WIRING.derived)
