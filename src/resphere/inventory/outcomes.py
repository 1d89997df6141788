"""What effects name: the machines and hosts they are about, and those that they make, place or change.

Read off the effect alone, so that an index can be made of it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from resphere.inventory import effects as e
from resphere.inventory.model import VirtualMachine


class Placed(NamedTuple):
    """A machine as an effect leaves it, and as it was; ``before`` is ``None`` where it comes to be."""

    before: VirtualMachine | None
    after: VirtualMachine


def placed(effect: e.AnyEffect) -> Placed | None:
    """The machine that comes to be, or may come to need other objects than before; ``None`` where none does."""
    match effect:
        case e.CreateVm(vm=vm) | e.RegisterVm(vm=vm) | e.CloneVm(vm=vm) | e.InstantCloneVm(vm=vm):
            return Placed(None, vm)
        case (
            e.RelocateVm(before=before, after=after)
            | e.ReconfigureVm(before=before, after=after)
            | e.RevertToSnapshot(before=before, after=after)
        ):
            return Placed(before, after)
        case e.PowerOn(vm=vm, host=host) if host.id != vm.host:
            return Placed(vm, msgspec.structs.replace(vm, host=host.id))
        case _:
            return None


def written(effect: e.AnyEffect) -> VirtualMachine | None:
    """The machine, with the paths of its files, that is written as the effect has it."""
    if isinstance(effect, e.TakeSnapshot):
        return effect.snapshot.state
    found = placed(effect)
    return found.after if found is not None else None


def machines_of(effect: e.AnyEffect) -> tuple[str, ...]:
    """The ids of the machines that the effect is about or reads, and that are there before it."""
    match effect:
        case e.CreateVm() | e.RegisterVm() | e.AddHost() | e.ConnectHost() | e.DisconnectHost():
            return ()
        case e.ExitMaintenanceMode() | e.FailHost() | e.RecoverHost():
            return ()
        case e.EnterMaintenanceMode(moves=moves):
            return tuple(moves)
        case e.CloneVm(source=vm) | e.InstantCloneVm(source=vm):
            return (vm.id,)
        case e.RelocateVm(before=vm) | e.ReconfigureVm(before=vm) | e.RevertToSnapshot(before=vm):
            return (vm.id,)
        case _:
            return (effect.vm.id,)


def hosts_of(effect: e.AnyEffect) -> tuple[str, ...]:
    """The ids of the hosts that the effect is about, or where it leaves machines."""
    match effect:
        case e.ConnectHost(host=host) | e.DisconnectHost(host=host) | e.ExitMaintenanceMode(host=host):
            return (host.id,)
        case e.FailHost(host=host) | e.RecoverHost(host=host):
            return (host.id,)
        case e.EnterMaintenanceMode(host=host, moves=moves):
            return (host.id, *sorted({*moves.values()}))
        case e.PowerOn(host=host):
            return (host.id,)
        case _:
            vm = written(effect)
            return (vm.host,) if vm is not None else ()


def source_of(effect: e.AnyEffect) -> VirtualMachine | None:
    """The machine that is only read."""
    return effect.source if isinstance(effect, e.CloneVm | e.InstantCloneVm) else None


def doomed(effect: e.AnyEffect) -> str | None:
    """The id of the machine that goes, with its files or without."""
    return effect.vm.id if isinstance(effect, e.DeleteVm | e.UnregisterVm) else None
