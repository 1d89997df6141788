"""Which verb of a provider brings an effect about: one line for each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from resphere.inventory import effects as e
from resphere.inventory.facts import Facts
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import Capabilities, Work, required
from resphere.rules.machines.power_states import powered_on

Acting = Coroutine[Any, Any, Facts]

ACTS: dict[type[e.AnyEffect], Callable[[Capabilities, Work, Any], Acting]] = {
    e.CreateVm: lambda can, work, do: create_and_start(can, work, do),
    e.DeleteVm: lambda can, work, do: can.lifecycle.delete(work, do.vm),
    e.RegisterVm: lambda can, work, do: required(can.registration).register(work, do.vm, do.files, do.snapshots),
    e.UnregisterVm: lambda can, work, do: required(can.registration).unregister(work, do.vm),
    e.CloneVm: lambda can, work, do: required(can.copies).clone(work, do.source, do.vm, do.power_on, do.customization),
    e.InstantCloneVm: lambda can, work, do: required(can.copies).instant_clone(work, do.source, do.vm),
    e.RelocateVm: lambda can, work, do: required(can.migration).relocate(work, do.before, do.after),
    e.ReconfigureVm: lambda can, work, do: required(can.hardware).reconfigure(work, do.before, do.after),
    e.PowerOn: lambda can, work, do: can.power.power_on(work, do.vm, do.host),
    e.PowerOff: lambda can, work, do: can.power.power_off(work, do.vm),
    e.Reset: lambda can, work, do: can.power.reset(work, do.vm),
    e.Suspend: lambda can, work, do: required(can.suspension).suspend(work, do.vm),
    e.ShutDownGuest: lambda can, work, do: required(can.guest_power).shut_down(work, do.vm),
    e.RebootGuest: lambda can, work, do: required(can.guest_power).reboot(work, do.vm),
    e.TakeSnapshot: lambda can, work, do: required(can.snapshots).take(work, do.vm, do.snapshot),
    e.RevertToSnapshot: lambda can, work, do: required(can.snapshots).revert(work, do.before, do.after, do.snapshot),
    e.DeleteSnapshots: lambda can, work, do: required(can.snapshots).delete(work, do.vm, do.snapshots, do.consolidate),
    e.ConsolidateDisks: lambda can, work, do: required(can.snapshots).consolidate(work, do.vm),
    e.AddHost: lambda can, work, do: required(can.hosts).add(work, do.new_host, do.host),
    e.ConnectHost: lambda can, work, do: required(can.hosts).connect(work, do.host),
    e.DisconnectHost: lambda can, work, do: required(can.hosts).disconnect(work, do.host),
    e.FailHost: lambda can, work, do: required(can.failures).fail(work, do.host),
    e.RecoverHost: lambda can, work, do: required(can.failures).recover(work, do.host),
    e.EnterMaintenanceMode: lambda can, work, do: evacuate_and_enter(can, work, do),
    e.ExitMaintenanceMode: lambda can, work, do: required(can.maintenance).exit(work, do.host),
    e.ChangeGuestFile: lambda can, work, do: required(can.guests).change_file(work, do.vm, do.change),
    e.StartProcess: lambda can, work, do: required(can.guests).start_process(work, do.vm, do.spec, do.user),
    e.EndProcess: lambda can, work, do: required(can.guests).end_process(work, do.vm, do.pid),
    e.AgreeOnTransfer: lambda can, work, do: required(can.guests).agree_on_transfer(work, do.vm, do.transfer),
    e.EndDownload: lambda can, work, do: required(can.guests).end_download(work, do.vm, do.transfer, do.digest),
    e.EndUpload: lambda can, work, do: required(can.guests).end_upload(work, do.vm, do.transfer, do.received),
    e.ConnectInstaller: lambda can, work, do: required(can.tools).connect_installer(work, do.vm),
    e.DisconnectInstaller: lambda can, work, do: required(can.tools).disconnect_installer(work, do.vm),
    e.UpgradeTools: lambda can, work, do: required(can.tools).upgrade(work, do.vm),
    e.CustomizeGuest: lambda can, work, do: required(can.customization).customize(work, do.vm, do.spec, do.began),
}


def act(capabilities: Capabilities, work: Work, effect: e.AnyEffect) -> Acting:
    """Have the provider do what ``effect`` says.

    :raises NotCapable: it cannot; before anything is done.
    """
    return ACTS[type(effect)](capabilities, work, effect)


def create_and_start(can: Capabilities, work: Work, do: e.CreateVm) -> Acting:
    """Make a VM, then start it where that is asked for."""
    return can.lifecycle.create(work, do.vm) if do.start_on is None else started(can, work, do.vm, do.start_on)


async def started(can: Capabilities, work: Work, vm: VirtualMachine, host: Host) -> Facts:
    """What making a VM and starting it have shown together."""
    made = await can.lifecycle.create(work, vm)
    running = await can.power.power_on(work, made.machine or vm, host)
    return msgspec.structs.replace(
        running,
        machine=running.machine or (None if made.machine is None else powered_on(made.machine)),
        documents=(*made.documents, *running.documents),
        dropped=(*made.dropped, *running.dropped),
        relied=(*made.relied, *running.relied),
    )


def evacuate_and_enter(can: Capabilities, work: Work, do: e.EnterMaintenanceMode) -> Acting:
    """Have VMs go to other hosts, then the host take none."""
    maintenance = required(can.maintenance)
    migration = required(can.migration) if do.moves else None

    async def acting() -> Facts:
        if migration is not None:
            for count, (vm, host) in enumerate(do.moves.items(), start=1):
                await migration.migrate(work, vm, host)
                if not can.at_once:
                    await work.progress(100 * count // (len(do.moves) + 1))
        return await maintenance.enter(work, do.host)

    return acting()
