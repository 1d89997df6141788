"""What belongs to an object goes with it, whoever adds to it meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import OnDelete, Reference, Table
from resphere.store.base import Transaction
from tests.replica.worlds import Scripted, opened, put, run, store_in


class Box(msgspec.Struct, frozen=True):
    """What others belong to."""

    kind: ClassVar[str] = "box"
    id: str


class Label(msgspec.Struct, frozen=True):
    """Belongs to a box, and letters belong to it."""

    kind: ClassVar[str] = "label"
    id: str
    box: str


class Letter(msgspec.Struct, frozen=True):
    """Belongs to a label."""

    kind: ClassVar[str] = "letter"
    id: str
    label: str


TABLES: tuple[Table[Any], ...] = (
    Table(cls=Box),
    Table(
        cls=Label,
        indexes={"box": lambda label: (label.box,)},
        belongs_to="box",
        refers_to=(Reference(index="box", fields=("box",), to=(Box,), on_delete=OnDelete.CASCADE),),
    ),
    Table(
        cls=Letter,
        indexes={"label": lambda letter: (letter.label,)},
        belongs_to="label",
        refers_to=(Reference(index="label", fields=("label",), to=(Label,), on_delete=OnDelete.CASCADE),),
    ),
)
FULL = (Box("b1"), Box("b2"), Label("l1", "b1"), Label("l2", "b2"), Letter("a", "l1"), Letter("b", "l1"))


def delete_box(edit: Edit) -> None:
    edit.delete(Box, "b1")


def everything(replica: Replica) -> set[Any]:
    return {obj for table in TABLES for obj in replica.all(table.cls).values()}


def test_what_belongs_to_a_deleted_object_goes_with_it_at_every_depth(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*FULL))
        await replica.change(delete_box)
        assert everything(replica) == {Box("b2"), Label("l2", "b2")}

    run(test, tmp_path / "store", tables=TABLES)


def test_who_owns_what(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*FULL))
        assert replica.owners_of(Letter("a", "l1")) == [Label("l1", "b1")]
        assert replica.owners_of(Label("new", "b2")) == [Box("b2")]
        assert replica.owners_of(Label("new", "b3")) == []
        assert replica.owners_of(Box("b1")) is None

    run(test, tmp_path / "store", tables=TABLES)


def test_what_the_plan_gives_to_others_or_leaves_stays(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*FULL, Label("l3", "b1")))

        def plan(edit: Edit) -> None:
            edit.put(Label("l1", "b2"))
            edit.delete(Box, "b1")

        await replica.change(plan)
        assert everything(replica) == {*FULL, Label("l1", "b2")} - {Box("b1"), Label("l1", "b1")}
        await replica.change(lambda edit: edit.delete(Box, "b2", leaving=(Label,)))
        assert everything(replica) == {*FULL, Label("l1", "b2")} - {Box("b1"), Label("l1", "b1"), Box("b2")}

    run(test, tmp_path / "store", tables=TABLES)


def test_what_others_add_while_the_owner_is_being_deleted_goes_too(tmp_path: Path) -> None:
    """They rely on the owner, which is still there when they commit."""

    def add_label(replica: Replica) -> Callable[[Edit], None]:
        def plan(edit: Edit) -> None:
            box = replica.get(Box, "b1")
            assert box is not None
            edit.rely_on(box)
            edit.put(Label("late", "b1"))

        return plan

    async def test() -> None:
        async with opened(tmp_path / "store", tables=TABLES) as other:
            await other.change(put(*FULL))
            met = False

            async def meanwhile(transaction: Transaction) -> None:
                nonlocal met
                if not met:
                    met = True
                    await other.change(add_label(other))

            store = Scripted(await store_in(tmp_path / "store"), meanwhile)
            replica = Replica(store, TABLES, random.Random(1))
            await replica.load()
            await replica.change(delete_box)
            assert store.commits == 2
            await other.refresh()
            assert everything(other) == everything(replica) == {Box("b2"), Label("l2", "b2")}
            await store.close()

    asyncio.run(test())
