"""A small vCenter for each test, and a VM in it that is ready for guest operations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere.contract.generated import ids
from tests.support.guests import ready_vm
from tests.support.invariants import require_sound
from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Whatever a test does to it, its inventory must be sound in the end."""
    with World(tmp_path) as world:
        yield world
        require_sound(world.inventory)


@pytest.fixture
def vm(world: World) -> ids.VirtualMachineId:
    """Its guest's tools run."""
    return ready_vm(world)
