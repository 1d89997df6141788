"""Notes beside the documents: what each worker knows of them, and that two never note the same unseen."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from resphere.contract.errors import VapiError, message
from resphere.replica.edit import Edit
from resphere.replica.notes import NOTE_BYTES, Notes
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.store.base import Note
from resphere.store.engines import default_url, open_store

SEALING = Sealing(b"k" * KEY_BYTES, random.Random(1).randbytes)


class Taken(VapiError):
    """Somebody else was faster."""


def test_two_workers_never_note_the_same_unseen(tmp_path: Path) -> None:
    """The second plan runs again, and sees what the first one has noted."""
    runs: list[str] = []

    async def once(replica: Replica, content: bytes) -> bool:
        def plan(edit: Edit) -> None:
            runs.append(content.decode())
            if edit.noted("ann/1") is not None:
                raise Taken(message("test.taken", "Taken."))
            edit.note("ann/1", 1, content)

        try:
            await replica.change(plan)
        except Taken:
            return False
        return True

    async def scenario() -> None:
        stores = [await open_store(default_url(tmp_path)) for _ in range(2)]
        replicas = [Replica(store, (), sealing=SEALING) for store in stores]
        for replica in replicas:
            await replica.load()
        done = await asyncio.gather(*(once(each, b"%d" % number) for number, each in enumerate(replicas)))
        assert sorted(done) == [False, True]
        assert len(runs) == 3
        for replica in replicas:
            await replica.refresh()
            [note] = replica.notes
            assert replica.notes.opened(note) == b"%d" % done.index(True)
        # Whoever has seen it may note something else in its place.
        await replicas[0].change(lambda edit: edit.note("ann/1", 2, b"later"))
        await replicas[1].refresh()
        assert [replicas[1].notes.opened(note) for note in replicas[1].notes] == [b"later"]
        for store in stores:
            await store.close()

    asyncio.run(scenario())


def test_those_who_change_the_same_in_one_worker_follow_each_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_store(default_url(tmp_path))
        replica = Replica(store, (), sealing=SEALING)
        await replica.load()

        def count(edit: Edit) -> None:
            note = edit.noted("ann/1")
            number = 0 if note is None else int(replica.notes.opened(note))
            edit.note("ann/1", 1, b"%d" % (number + 1))

        await asyncio.gather(*(replica.change(count) for _ in range(50)))
        [note] = replica.notes
        assert replica.notes.opened(note) == b"50"
        await store.close()

    asyncio.run(scenario())


def test_they_are_counted_by_whose_they_are() -> None:
    notes = Notes(None)
    notes.take([Note("ann/1", 1, b"12345"), Note("ann/2", 2, b""), Note("bob/1", 3, b"")])
    assert (notes.count("ann"), notes.count("bob"), notes.count("eve"), len(notes)) == (2, 1, 0, 3)
    assert notes.size_bytes == 3 * NOTE_BYTES + 5
    old = notes.get("ann/1")
    notes.take([Note("ann/1", 4, b"1")])
    assert notes.count("ann") == 2
    assert [note.id for note in notes] == ["ann/2", "bob/1", "ann/1"]
    assert old is not None
    notes.forget([old])
    assert len(notes) == 3, "another one has taken its place"
    notes.forget(list(notes)[:2])
    assert (notes.count("ann"), notes.count("bob"), len(notes)) == (1, 0, 1)
    notes.forget(list(notes))
    assert (notes.size_bytes, len(notes), notes.get("ann/1")) == (0, 0, None)
