"""What rides along with the changes of a call goes with each of them, and with none of anybody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.riders import Unmet, riding
from tests.replica.worlds import Item, Note, opened


class Along:
    """Counts what it hears of, writes a note along, and refuses where it is told to."""

    def __init__(self) -> None:
        self.begun = self.ended = self.durable = 0
        self.refuses = False

    def begin(self, edit: Edit) -> None:
        self.begun += 1
        if self.refuses:
            raise Unmet(message("resphere.test", "Not now."))

    def end(self, edit: Edit) -> None:
        self.ended += 1
        edit.put(Note(id="along", text=str(self.ended)))

    def committed(self, edit: Edit) -> None:
        self.durable += 1

    def counts(self) -> tuple[int, int, int]:
        return self.begun, self.ended, self.durable


def item(edit: Edit, name: str) -> None:
    edit.put(Item(id=name, name=name))


def longer(edit: Edit) -> None:
    found = edit.get(Item, "a")
    assert found is not None
    edit.put(msgspec.structs.replace(found, name=found.name + "x"))


async def changed(replica: Replica, name: str) -> None:
    await replica.change(partial(item, name=name))


async def check_it_goes_with_each_change_and_what_it_writes_with_them(path: Path) -> None:
    async with opened(path) as replica:
        along = Along()
        with riding(along):
            await changed(replica, "a")
            # Launched work takes it along, also where it is done later.
            later = asyncio.create_task(changed(replica, "b"))
        await later
        assert along.counts() == (2, 2, 2)
        note = replica.get(Note, "along")
        assert note is not None
        assert note.text == "2"
        await changed(replica, "c")
        with riding(along), riding():
            await changed(replica, "d")
        assert along.counts() == (2, 2, 2)


async def check_what_it_refuses_is_not_done(path: Path) -> None:
    async with opened(path) as replica:
        along = Along()
        along.refuses = True
        with riding(along), pytest.raises(Unmet):
            await changed(replica, "a")
        assert replica.count(Item) == replica.count(Note) == 0
        assert along.counts() == (1, 0, 0)


async def check_where_nothing_is_written_it_writes_nothing(path: Path) -> None:
    async with opened(path) as replica:
        along = Along()
        with riding(along):
            await replica.change(lambda edit: None)
        assert along.counts() == (1, 0, 0)
        assert replica.count(Note) == 0


async def check_it_is_asked_again_where_somebody_else_was_faster(path: Path) -> None:
    async with opened(path) as replica, opened(path) as other:
        along = Along()
        await changed(other, "a")
        await replica.refresh()
        with riding(along):
            # Of the two replicas one has to plan again.
            await asyncio.gather(replica.change(longer), other.change(longer))
        await replica.refresh()
        found = replica.get(Item, "a")
        assert found is not None
        assert found.name == "axx"
        assert along.begun == along.ended > along.durable == 2


@pytest.mark.parametrize(
    "check",
    [
        check_it_goes_with_each_change_and_what_it_writes_with_them,
        check_what_it_refuses_is_not_done,
        check_where_nothing_is_written_it_writes_nothing,
        check_it_is_asked_again_where_somebody_else_was_faster,
    ],
)
def test_riders(check: Callable[[Path], Coroutine[None, None, None]], tmp_path: Path) -> None:
    asyncio.run(check(tmp_path))
