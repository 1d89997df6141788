"""Entering maintenance mode tells how far it is: a share for each machine that has moved, and one for the rest."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.generated import ids
from resphere.inventory.model import Cluster, Host, VirtualMachine
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.provider import Simulator
from resphere.rules.placement.hosts import evacuation
from resphere.tasks.record import Task
from tests.services.vcenter.building import first
from tests.support.world import World


def test_progress_rises_with_each_machine(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        slow = Simulator(world.inventory, world.contents, world.environment.now, Durations(migrate=0.001))
        world.environment = msgspec.structs.replace(world.environment, provider=slow)
        cluster = first(world, Cluster)
        host = max(
            world.inventory.by(Host, "parent", cluster.id).values(),
            key=lambda each: len(world.inventory.by(VirtualMachine, "host", each.id)),
        )
        moves = len(evacuation(world.inventory, host, True))
        assert moves > 1
        shown: list[int] = []
        world.inventory.subscribe(Task, lambda old, new: shown.append(new.progress) if new is not None else None)
        spec = HostMaintenance.Spec(action=HostMaintenance.Action.ENTER, evacuate_powered_off_vms=True)
        world.call(HostMaintenance.set, ids.HostSystemId(host.id), spec)
        steps = [100 * count // (moves + 1) for count in range(1, moves + 1)]
        assert [progress for progress in shown if 0 < progress < 100] == steps
        assert shown[-1] == 100
