"""``resphere.vcenter.host.maintenance``: enter, which evacuates or refuses, and exit."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.errors import AlreadyInDesiredState, NotAllowedInCurrentState, message
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.generated import ids
from resphere.inventory.effects import EnterMaintenanceMode, ExitMaintenanceMode
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Host
from resphere.replica.edit import Edit
from resphere.rules.hosts import may_exit, require_connected
from resphere.rules.placement.hosts import NoPlace, evacuation
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(HostMaintenance.get, kept=True)
async def get(call: Call, host: ids.HostSystemId) -> HostMaintenance.Info:
    """Whether the host is in maintenance mode."""
    return HostMaintenance.Info(in_maintenance_mode=call.require(Host, host).in_maintenance_mode)


class Work(msgspec.Struct, frozen=True):
    """Entering or leaving, as :meth:`Call.run` and :meth:`Call.launch` take it."""

    description: str
    decide: Callable[[Edit, Host], Decision[None]]
    guard: Callable[[Host], None]


def work(call: Call, spec: HostMaintenance.Spec) -> Work:
    """What is to be done for ``spec``."""
    if spec.action is HostMaintenance.Action.EXIT:
        return Work(
            "HostSystem.exitMaintenanceMode",
            lambda _, current: Decision(ExitMaintenanceMode(host=current), None),
            may_exit,
        )
    with_powered_off = bool(spec.evacuate_powered_off_vms)

    def enter(_: Edit, current: Host) -> Decision[None]:
        moves = evacuation(call.unfiltered, current, with_powered_off)
        effect = EnterMaintenanceMode(host=current, moves=moves, with_powered_off=with_powered_off)
        return Decision(effect, None)

    return Work(
        "HostSystem.enterMaintenanceMode",
        enter,
        lambda current: may_enter(call, current, with_powered_off),
    )


@implements(HostMaintenance.set)
async def set_(call: Call, host: ids.HostSystemId, spec: HostMaintenance.Spec) -> None:
    """Enter (DRS moves powered-on VMs to the cluster's other hosts) or exit.

    :raises AlreadyInDesiredState: it is as asked.
    :raises NotAllowedInCurrentState: disconnected, or a powered-on VM has no other host to go to; nothing changes.
    """
    wanted = work(call, spec)
    await call.run(wanted.description, call.require(Host, host), wanted.decide, wanted.guard, cancelable=True)


@implements(HostMaintenance.set_task)
async def set_task(call: Call, host: ids.HostSystemId, spec: HostMaintenance.Spec) -> ids.CisTASKId:
    """As :func:`set_`, in the background."""
    wanted = work(call, spec)
    return await call.launch(wanted.description, call.require(Host, host), wanted.decide, wanted.guard, cancelable=True)


def may_enter(call: Call, host: Host, with_powered_off: bool) -> None:
    """Refuse where it makes no sense or VMs would be left behind."""
    require_connected(host)
    if host.in_maintenance_mode:
        raise AlreadyInDesiredState(
            message("resphere.host.maintenance.already_in", "The host {0} is already in maintenance mode.", named(host))
        )
    try:
        evacuation(call.unfiltered, host, with_powered_off)
    except NoPlace as stranded:
        raise NotAllowedInCurrentState(
            message(
                "resphere.host.maintenance.no_place",
                "The host {0} cannot enter maintenance mode: no other host can take the virtual machine {1} ({2}).",
                named(host),
                named(stranded.vm),
                identified(stranded.vm.id),
            )
        ) from None
