"""The inventory as one caller sees it, and of what that caller may be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.access.knowing import told_to, viewed_by
from resphere.access.roles import READ_ONLY
from resphere.access.seen import seen
from resphere.access.view import RootView
from resphere.inventory.model import Host, VirtualMachine
from resphere.replica.table import Stored
from tests.support.world import World


class Only(msgspec.Struct, frozen=True):
    """The view of one who sees some objects, and may view some others; of all else some are there."""

    shown: frozenset[str]
    viewed: frozenset[str] = frozenset()
    there: frozenset[str] = frozenset()
    key: str = "only"
    sees_all: bool = False

    def holds(self, privilege: str, target: str | None) -> bool:
        return target in self.shown or (privilege == "System.View" and target in self.viewed)

    def holds_anywhere(self, privilege: str) -> bool:
        return True

    def sees(self, obj: Stored) -> bool:
        return obj.id in self.shown

    def lacks(self, target: str) -> bool:
        return target not in self.shown | self.viewed | self.there


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(Path(tmp_path_factory.mktemp("world"))) as world:
        yield world


def test_who_sees_all_reads_the_replica_itself(world: World) -> None:
    assert seen(world.inventory, RootView(READ_ONLY)) is world.inventory


def test_what_is_not_seen_is_not_there(world: World) -> None:
    inventory = world.inventory
    mine, other, *_ = inventory.all(VirtualMachine).values()
    reading = seen(inventory, Only(frozenset({mine.id})))
    assert reading is not inventory
    assert reading.get(VirtualMachine, mine.id) == mine
    assert reading.get(VirtualMachine, other.id) is None
    assert reading.get(VirtualMachine, "vm-404") is None
    assert reading.get(Host, mine.id) is None
    assert dict(reading.all(VirtualMachine)) == {mine.id: mine}
    assert dict(reading.all(Host)) == {}
    on_host = inventory.by(VirtualMachine, "host", mine.host)
    assert mine.id in on_host
    assert dict(reading.by(VirtualMachine, "host", mine.host)) == {mine.id: mine}
    assert dict(reading.by(VirtualMachine, "host", "host-404")) == {}


def test_a_caller_is_told_of_what_may_be_viewed_and_of_what_is_not_there() -> None:
    view = Only(frozenset({"vm-1"}), viewed=frozenset({"group-v1"}), there=frozenset({"vm-2"}))
    asked = ("vm-1", "group-v1", "vm-2", "vm-404")
    assert [told_to(view)(id) for id in asked] == [True, True, False, True]
    assert [viewed_by(view)(id) for id in asked] == [True, True, False, False]
    everybody = RootView(READ_ONLY)
    assert all(told_to(everybody)(id) and viewed_by(everybody)(id) for id in asked)
