"""A process of test_kill: commits without end, and says so on standard output after each commit has returned.

``kill_worker.py <url> <name>``. Three kinds of tasks, one line for each acknowledged commit:

- ``counter <total> <sequence>``: the shared document ``counter/shared`` went up to ``total``.
- ``triple <value> <sequence>``: the three documents ``triple/0`` to ``2``, shared by all processes, got ``value``.
- ``item <id> <sequence>``: the new document ``item/<id>`` was written; the ids of a task count up.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

import msgspec

from resphere.store.base import Change, Conflict, Document, Store, Transaction, Write
from resphere.store.engines import open_store


class Counter(msgspec.Struct, frozen=True):
    """The shared counter: ``total`` is the sum of what each process has added."""

    total: int
    added: dict[str, int]


class Worker:
    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._seen = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._count())
            for task in range(2):
                tasks.create_task(self._write_triples(task))
            for task in range(3):
                tasks.create_task(self._write_items(task))

    async def _count(self) -> None:
        counter, revision = Counter(0, {}), 0
        while True:
            total = counter.total + 1
            added = counter.added | {self._name: counter.added.get(self._name, 0) + 1}
            body = msgspec.json.encode(Counter(total, added))
            try:
                sequence = await self._store.commit(Transaction((Write("counter", "shared", body, expected=revision),)))
            except Conflict:
                counter, revision = await self._read_counter()
                continue
            self._say("counter", total, sequence)
            counter, revision = Counter(total, added), sequence

    async def _read_counter(self) -> tuple[Counter, int]:
        changes = await self._store.changes_since(self._seen)
        found: list[Change] = [change for change in changes.changes if change.kind == "counter"]
        if not changes.complete or not found:
            documents: list[Document] = [d for d in (await self._store.load()).documents if d.kind == "counter"]
            return msgspec.json.decode(documents[0].body, type=Counter), documents[0].revision
        # The other process may have moved on since; whatever it left behind is found anew next time.
        self._seen = found[0].sequence - 1
        assert found[0].body is not None
        return msgspec.json.decode(found[0].body, type=Counter), found[0].sequence

    async def _write_triples(self, task: int) -> None:
        for number in itertools.count():
            value = f"{self._name}-{task}-{number}"
            writes = tuple(Write("triple", str(n), value.encode()) for n in range(3))
            self._say("triple", value, await self._store.commit(Transaction(writes)))

    async def _write_items(self, task: int) -> None:
        for number in itertools.count():
            id = f"{self._name}-{task}-{number}"
            write = Write("item", id, id.encode(), expected=0, claims=(f"item/{id}",))
            self._say("item", id, await self._store.commit(Transaction((write,))))

    def _say(self, kind: str, subject: object, sequence: int) -> None:
        # In one system call and unbuffered: the line is out before anything else can happen to this process.
        os.write(sys.stdout.fileno(), f"{kind} {subject} {sequence}\n".encode())


async def main(url: str, name: str) -> None:
    await Worker(await open_store(url), name).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
