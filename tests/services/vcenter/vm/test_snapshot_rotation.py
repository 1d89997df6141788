"""Snapshots that are taken again and again, of which the latest stay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids
from resphere.inventory.model import VirtualMachine
from tests.support.world import NOW, World


def machine(world: World) -> ids.VirtualMachineId:
    """One without snapshots."""
    found = (vm for vm in world.inventory.all(VirtualMachine).values() if not vm.template and vm.snapshot is None)
    return ids.VirtualMachineId(next(found).id)


def names(world: World, vm: ids.VirtualMachineId) -> list[str]:
    return [each.name for each in world.call(VmSnapshots.list, vm)]


def test_the_latest_stay_and_those_of_others(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        vm = machine(world)
        others = ("nightly", "nightly build", "nightly 2026-01-32T00:00:00Z")
        for name in others:
            world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name=name))
        made = ""
        for hour in range(5):
            moment = NOW + timedelta(hours=hour)
            world.environment = msgspec.structs.replace(world.environment, now=lambda moment=moment: moment)
            made = world.call(VmSnapshots.rotate, vm, VmSnapshots.RotateSpec(name="nightly", keep=2))
        assert names(world, vm) == [*others, "nightly 2026-01-02T06:04:05Z", "nightly 2026-01-02T07:04:05Z"]
        assert world.call(VmSnapshots.get, vm, made).name == "nightly 2026-01-02T07:04:05Z"


def test_of_the_same_moment_the_one_just_taken_stays(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        vm = machine(world)
        made = ""
        for _ in range(3):
            made = world.call(VmSnapshots.rotate, vm, VmSnapshots.RotateSpec(name="n", keep=1))
        assert [each.snapshot for each in world.call(VmSnapshots.list, vm)] == [made]


@pytest.mark.parametrize(("name", "keep"), [("n", 0), ("n", 32), (" ", 1), ("n" * 60, 1)])
def test_what_cannot_be_kept_is_refused(tmp_path: Path, name: str, keep: int) -> None:
    with World(tmp_path) as world, pytest.raises(InvalidArgument):
        world.call(VmSnapshots.rotate, machine(world), VmSnapshots.RotateSpec(name=name, keep=keep))
