"""How long effects take in the simulator, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from resphere.inventory import effects as e
from resphere.providers.base import Step
from resphere.providers.simulator.durations import Durations


def per_disk(seconds: float, disks: int) -> Sequence[Step]:
    """As long for each disk, and once more for the rest."""
    count = 1 + disks
    return [Step(seconds, 100 * number // (count + 1)) for number in range(1, count + 1)] if seconds > 0 else ()


def evacuation(durations: Durations, machines: int) -> Sequence[Step]:
    """As long for each machine that goes, then for the mode itself."""
    migrations = range(1, machines + 1) if durations.migrate > 0 else ()
    return [
        *[Step(durations.migrate, 100 * number // (machines + 1)) for number in migrations],
        Step(durations.enter_maintenance_mode),
    ]


PACES: dict[type[e.AnyEffect], Callable[[Durations, Any], Sequence[Step]]] = {
    e.CreateVm: lambda d, _: (Step(d.create_vm),),
    e.DeleteVm: lambda d, _: (Step(d.delete_vm),),
    e.RegisterVm: lambda d, _: (Step(d.register_vm),),
    e.UnregisterVm: lambda d, _: (Step(d.register_vm),),
    e.CloneVm: lambda d, do: per_disk(d.clone_vm, len(do.source.disks)),
    e.RelocateVm: lambda d, do: per_disk(d.relocate_vm, len(do.before.disks)),
    e.ReconfigureVm: lambda d, _: (Step(d.reconfigure),),
    e.PowerOn: lambda d, _: (Step(d.power_on),),
    e.PowerOff: lambda d, _: (Step(d.power_off),),
    e.ShutDownGuest: lambda d, _: (Step(d.power_off),),
    e.Reset: lambda d, _: (Step(d.reset),),
    e.Suspend: lambda d, _: (Step(d.suspend),),
    e.TakeSnapshot: lambda d, _: (Step(d.create_snapshot),),
    e.RevertToSnapshot: lambda d, _: (Step(d.revert_to_snapshot),),
    e.DeleteSnapshots: lambda d, do: (Step(d.delete_snapshot * len(do.snapshots) if do.consolidate else 0),),
    e.ConsolidateDisks: lambda d, do: (Step(d.delete_snapshot if do.vm.needs_consolidation else 0),),
    e.EnterMaintenanceMode: lambda d, do: evacuation(d, len(do.moves)),
    e.ExitMaintenanceMode: lambda d, _: (Step(d.exit_maintenance_mode),),
    e.CustomizeGuest: lambda d, _: (Step(d.customize),),
}
"""Of those that are not named here, nobody can tell that they take time."""


def steps(durations: Durations, effect: e.AnyEffect) -> Sequence[Step]:
    """What the effect takes."""
    pace = PACES.get(type(effect))
    return pace(durations, effect) if pace is not None else ()
