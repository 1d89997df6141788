"""Any history of changes through two replicas of one file, against a model that is a dictionary."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from resphere.replica.edit import Edit
from resphere.replica.errors import ConcurrentChange
from resphere.replica.replica import Replica
from resphere.store.base import Store
from tests.replica.worlds import (
    WORLD,
    Item,
    Note,
    Waiting,
    add,
    check_indexes,
    contents,
    in_order,
    opened,
    put,
    store_in,
)
from tests.support.examples import examples

R = TypeVar("R")
SIDES = st.integers(0, 1)
IDS = st.sampled_from([f"item-{n}" for n in (1, 2, 10, 33)])
NAMES = st.sampled_from("abc")
TAGS = st.lists(st.sampled_from("xyz"), max_size=3).map(tuple)


class TwoReplicas(RuleBasedStateMachine):
    """Both replicas must show, after a refresh, what the model has; and so must what their subscribers heard."""

    @initialize(log_rows_kept=st.sampled_from([3, 1000]))
    def open(self, log_rows_kept: int) -> None:
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "store"
        self.stores = [self.runner.run(store_in(self.path, log_rows_kept=log_rows_kept)) for _ in range(2)]
        self.replicas = [Replica(self._engine(store), WORLD) for store in self.stores]
        self.items: dict[str, Item] = {}
        self.notes: dict[str, Note] = {}
        self.heard: list[dict[str, Item]] = [{}, {}]
        self.marks = [(0, 0), (0, 0)]
        for replica, heard in zip(self.replicas, self.heard, strict=True):
            self.runner.run(replica.load())
            replica.subscribe(Item, self._listener(heard))

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            for store in self.stores:
                self.runner.run(store.close())
            self.runner.close()
            self.directory.cleanup()

    @rule(side=SIDES, id=IDS, name=NAMES, parent=NAMES, tags=TAGS)
    def put_item(self, side: int, id: str, name: str, parent: str, tags: tuple[str, ...]) -> None:
        self._put(side, Item(id=id, name=name, parent=parent, tags=tags))

    @rule(side=SIDES, id=IDS, parent=NAMES)
    def move(self, side: int, id: str, parent: str) -> None:
        if id in self.items:
            self._put(side, msgspec.structs.replace(self.items[id], parent=parent))

    @rule(side=SIDES, one=IDS, other=IDS)
    def swap_names(self, side: int, one: str, other: str) -> None:
        if one in self.items and other in self.items and one != other:
            a, b = self.items[one], self.items[other]
            swapped = (
                msgspec.structs.replace(a, name=b.name, parent=b.parent),
                msgspec.structs.replace(b, name=a.name, parent=a.parent),
            )
            self._change(side, put(*swapped))
            self.items.update((item.id, item) for item in swapped)

    @rule(side=SIDES, id=IDS)
    def delete(self, side: int, id: str) -> None:
        if id in self.items:
            self._change(side, lambda edit: edit.delete(Item, id))
            del self.items[id]

    @rule(side=SIDES, id=IDS, new_id=IDS)
    def replace(self, side: int, id: str, new_id: str) -> None:
        if id in self.items and new_id not in self.items:
            new = msgspec.structs.replace(self.items[id], id=new_id)

            def plan(edit: Edit) -> None:
                edit.put(new)
                edit.delete(Item, id)

            self._change(side, plan)
            self.items[new_id] = new
            del self.items[id]

    @rule(id=IDS, counts=st.tuples(st.integers(0, 3), st.integers(0, 3)))
    def count_at_once(self, id: str, counts: tuple[int, int]) -> None:
        if id in self.items:

            async def both() -> None:
                changes = [
                    replica.change(add(id))
                    for replica, count in zip(self.replicas, counts, strict=True)
                    for _ in range(count)
                ]
                await asyncio.gather(*changes)

            self.runner.run(both())
            self.items[id] = msgspec.structs.replace(self.items[id], value=self.items[id].value + sum(counts))

    @rule(side=SIDES, id=IDS, text=st.sampled_from(["", "t"]))
    def put_note(self, side: int, id: str, text: str) -> None:
        self._change(side, put(Note(id=id, text=text)))
        self.notes[id] = Note(id=id, text=text)

    @rule(side=SIDES)
    def load(self, side: int) -> None:
        self.runner.run(self.replicas[side].load())

    @rule(side=SIDES)
    def refresh(self, side: int) -> None:
        self.runner.run(self.replicas[side].refresh())
        self._check(side)

    @invariant()
    def sequences_only_rise(self) -> None:
        if hasattr(self, "replicas"):
            marks = [(replica.sequence, replica.revision) for replica in self.replicas]
            assert all(new >= old for new, old in zip(marks, self.marks, strict=True))
            self.marks = marks

    @rule()
    def all_agree(self) -> None:
        for side, replica in enumerate(self.replicas):
            self.runner.run(replica.refresh())
            self._check(side)
        assert contents(self.replicas[0]) == contents(self.replicas[1])
        self.runner.run(self._check_fresh())

    def _engine(self, store: Store) -> Store:
        return store

    def _put(self, side: int, item: Item) -> None:
        taken = any(
            (other.parent, other.name) == (item.parent, item.name) and other.id != item.id
            for other in self.items.values()
        )
        if taken:
            with pytest.raises(ConcurrentChange):
                self._change(side, put(item))
        else:
            self._change(side, put(item))
            self.items[item.id] = item

    def _change(self, side: int, plan: Callable[[Edit], R]) -> R:
        return self.runner.run(self.replicas[side].change(plan))

    def _check(self, side: int) -> None:
        replica = self.replicas[side]
        assert dict(replica.all(Item)) == self.items == self.heard[side]
        assert dict(replica.all(Note)) == self.notes
        check_indexes(replica, WORLD)

    async def _check_fresh(self) -> None:
        async with opened(self.path) as fresh:
            assert contents(fresh) == contents(self.replicas[0])
            assert list(fresh.all(Item)) == in_order(self.items)
            assert fresh.sequence == self.replicas[0].sequence
            check_indexes(fresh, WORLD)

    @staticmethod
    def _listener(heard: dict[str, Item]) -> Callable[[Item | None, Item | None], None]:
        def hear(old: Item | None, new: Item | None) -> None:
            assert old is not None or new is not None
            if old is not None:
                assert heard.pop(old.id) == old
            if new is not None:
                assert new.id not in heard
                heard[new.id] = new

        return hear


class TwoThatWait(TwoReplicas):
    """The same over an engine that has to be waited for."""

    def _engine(self, store: Store) -> Store:
        return Waiting(store, random.Random(1))


for machine in (TwoReplicas, TwoThatWait):
    machine.TestCase.settings = settings(
        max_examples=examples(40),
        stateful_step_count=30,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
TestTwoReplicas = TwoReplicas.TestCase
TestTwoThatWait = TwoThatWait.TestCase
