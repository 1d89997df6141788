"""``resphere.vcenter.host.maintenance``: enter, which evacuates or refuses, and exit."""

from __future__ import annotations

from resphere.contract.errors import AlreadyInDesiredState, NotAllowedInCurrentState, message
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Host
from resphere.inventory.placement import NoPlace, evacuation
from resphere.services.call import Call
from resphere.services.registry import implements

CONNECTED = vcenter.Host.ConnectionState.CONNECTED


@implements(HostMaintenance.get, kept=True)
async def get(call: Call, host: ids.HostSystemId) -> HostMaintenance.Info:
    """Whether the host is in maintenance mode."""
    return HostMaintenance.Info(in_maintenance_mode=call.require(Host, host).in_maintenance_mode)


@implements(HostMaintenance.set)
async def set_(call: Call, host: ids.HostSystemId, spec: HostMaintenance.Spec) -> None:
    """Enter (moving powered-on VMs to the cluster's other hosts) or exit.

    :raises AlreadyInDesiredState: it is as asked.
    :raises NotAllowedInCurrentState: disconnected, or a powered-on VM has no other host to go to; nothing changes.
    """
    target = call.require(Host, host)
    if spec.action is HostMaintenance.Action.ENTER:
        with_powered_off = bool(spec.evacuate_powered_off_vms)
        await call.run(
            "HostSystem.enterMaintenanceMode",
            target,
            lambda job: call.provider.hosts.enter_maintenance_mode(job, with_powered_off),
            lambda current: may_enter(call, current, with_powered_off),
            cancelable=True,
        )
    else:
        await call.run("HostSystem.exitMaintenanceMode", target, call.provider.hosts.exit_maintenance_mode, may_exit)


def may_enter(call: Call, host: Host, with_powered_off: bool) -> None:
    """Refuse where it makes no sense or VMs would be left behind."""
    require_connected(host)
    if host.in_maintenance_mode:
        raise AlreadyInDesiredState(
            message("resphere.host.maintenance.already_in", "The host {0} is already in maintenance mode.", host.name)
        )
    try:
        evacuation(call.inventory, host, with_powered_off)
    except NoPlace as stranded:
        raise NotAllowedInCurrentState(
            message(
                "resphere.host.maintenance.no_place",
                "The host {0} cannot enter maintenance mode: no other host can take the virtual machine {1} ({2}).",
                host.name,
                stranded.vm.name,
                stranded.vm.id,
            )
        ) from None


def may_exit(host: Host) -> None:
    """Refuse where it makes no sense."""
    require_connected(host)
    if not host.in_maintenance_mode:
        raise AlreadyInDesiredState(
            message("resphere.host.maintenance.not_in", "The host {0} is not in maintenance mode.", host.name)
        )


def require_connected(host: Host) -> None:
    """Refuse a host that cannot be asked."""
    if host.connection_state is not CONNECTED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.host.maintenance.not_connected",
                "The host {0} is not connected (its state is {1}).",
                host.name,
                host.connection_state,
            )
        )
