"""Which settlement an effect has: one line for each; and what it means for objects that have changed since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated import vcenter
from resphere.inventory import effects as e
from resphere.inventory.facts import Facts
from resphere.inventory.mentions import named
from resphere.inventory.model import Host, ManagedObject, VirtualMachine
from resphere.inventory.outcomes import hosts_of, machines_of
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.placement.hosts import evacuation
from resphere.rules.refusals import not_found
from resphere.rules.settlement import guests, hosts, machines, snapshots
from resphere.rules.settlement.settlement import Settlement, merged

NOT_RESPONDING = vcenter.Host.ConnectionState.NOT_RESPONDING

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object

SETTLEMENTS: dict[type[e.AnyEffect], Callable[[Settlement, Any, Facts, Any], Any]] = {
    e.CreateVm: machines.created,
    e.DeleteVm: machines.deleted,
    e.RegisterVm: machines.registered,
    e.UnregisterVm: machines.unregistered,
    e.CloneVm: machines.cloned,
    e.InstantCloneVm: machines.instantly_cloned,
    e.RelocateVm: machines.relocated,
    e.ReconfigureVm: machines.reconfigured,
    e.PowerOn: machines.powered,
    e.PowerOff: machines.powered,
    e.Reset: machines.powered,
    e.Suspend: machines.powered,
    e.ShutDownGuest: machines.powered,
    e.RebootGuest: machines.powered,
    e.TakeSnapshot: snapshots.taken,
    e.RevertToSnapshot: snapshots.reverted,
    e.DeleteSnapshots: snapshots.deleted,
    e.ConsolidateDisks: snapshots.consolidated,
    e.AddHost: hosts.added,
    e.ConnectHost: hosts.connected,
    e.DisconnectHost: hosts.disconnected,
    e.FailHost: hosts.failed,
    e.RecoverHost: hosts.recovered,
    e.EnterMaintenanceMode: hosts.entered,
    e.ExitMaintenanceMode: hosts.left,
    e.ChangeGuestFile: guests.done,
    e.StartProcess: guests.done,
    e.EndProcess: guests.done,
    e.AgreeOnTransfer: guests.done,
    e.EndDownload: guests.done,
    e.EndUpload: guests.done,
    e.ConnectInstaller: machines.changed,
    e.DisconnectInstaller: machines.changed,
    e.UpgradeTools: machines.changed,
    e.CustomizeGuest: machines.changed,
}


def settle(settlement: Settlement, effect: e.AnyEffect, facts: Facts, decided: e.AnyEffect | None = None) -> Any:
    """Write what an effect that has come true makes of the inventory; returns the result that only facts tell.

    ``decided`` is the effect as a provider got it, where ``effect`` is that of objects which have changed since.

    :raises VapiError: it cannot be: no room, or something that is needed is no more.
    """
    return SETTLEMENTS[type(effect)](settlement, effect, facts, decided or effect)


def rebased(inventory: Replica, edit: Edit, effect: e.AnyEffect, *, undone: bool) -> e.AnyEffect:
    """``effect`` for the objects as they are now; ``undone``: nobody has done it yet, and it may still be adapted.

    :raises NotFound: one is no more.
    """
    match effect:
        case e.CreateVm(start_on=host) if host is not None:
            return msgspec.structs.replace(effect, start_on=present(inventory, edit, host))
        case e.CreateVm() | e.RegisterVm() | e.AddHost():
            return effect
        case e.CloneVm() | e.InstantCloneVm():
            return msgspec.structs.replace(effect, source=present(inventory, edit, effect.source))
        case e.RelocateVm() | e.ReconfigureVm() | e.RevertToSnapshot():
            vm = present(inventory, edit, effect.before)
            return msgspec.structs.replace(effect, before=vm, after=merged(effect.before, effect.after, vm))
        case e.PowerOn():
            return msgspec.structs.replace(
                effect, vm=present(inventory, edit, effect.vm), host=present(inventory, edit, effect.host)
            )
        case e.EnterMaintenanceMode():
            host = present(inventory, edit, effect.host)
            moves = evacuation(inventory, host, effect.with_powered_off) if undone else effect.moves
            return msgspec.structs.replace(effect, host=host, moves=moves)
        case e.ConnectHost() | e.DisconnectHost() | e.ExitMaintenanceMode() | e.FailHost() | e.RecoverHost():
            return msgspec.structs.replace(effect, host=present(inventory, edit, effect.host))
        case _:
            return msgspec.structs.replace(effect, vm=present(inventory, edit, effect.vm))


def require_alive(edit: Edit, effect: e.AnyEffect) -> None:
    """Refuse what was under way on a host that has died since. A start is of the host on which the machine runs then.

    :raises NotAllowedInCurrentState: naming the host.
    """
    match effect:
        case e.FailHost() | e.RecoverHost() | e.ConnectHost() | e.DisconnectHost():
            return
        case e.PowerOn() | e.EnterMaintenanceMode() | e.ExitMaintenanceMode():
            hosts = set(hosts_of(effect))
        case _:
            vms = (edit.get(VirtualMachine, id) for id in machines_of(effect))
            hosts = {*hosts_of(effect), *(vm.host for vm in vms if vm is not None)}
    for id in sorted(hosts):
        host = edit.get(Host, id)
        if host is not None and host.connection_state is NOT_RESPONDING:
            raise NotAllowedInCurrentState(
                message("resphere.host.died", "The host {0} has failed meanwhile.", named(host))
            )


def present(inventory: Replica, edit: Edit, obj: O) -> O:
    """The object as it is now.

    :raises NotFound: it is no more.
    """
    found = edit.get(type(obj), obj.id)
    if found is None:
        raise not_found(inventory.epoch, type(obj), obj.id)
    return found
