"""The provider in the test's own process, with machines that end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.providers.processes.files import Machines
from resphere.providers.processes.provider import Processes
from resphere.providers.processes.work import Verbs
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.tasks.runner import Tasks
from tests.providers.processes.site import end_machines
from tests.support.world import World

EMPTY = Sizes(datacenters=1, clusters=1, hosts=2, vms=0)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """The folder of the machines."""
    folder = tmp_path / "machines"
    yield Machines(folder)
    end_machines(folder)


@pytest.fixture
def provider(machines: Machines) -> Processes:
    """The provider of these machines."""
    return Processes(machines, Verbs(machines))


@pytest.fixture
def world(tmp_path: Path, provider: Processes) -> Iterator[World]:
    """A vCenter with hosts, and no machines yet."""
    with World(tmp_path, generate(EMPTY, 1)) as made:
        use(made, provider)
        yield made


def use(world: World, provider: Processes) -> None:
    """Have the provider do the world's work."""
    world.environment = msgspec.structs.replace(
        world.environment,
        provider=provider,
        product=msgspec.structs.replace(
            world.environment.product, provider=provider.name, capabilities=provider.capabilities.names
        ),
        tasks=Tasks(world.inventory, world.environment.now, "test", lambda _: True, provider),
    )
