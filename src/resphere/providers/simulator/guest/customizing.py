"""Customization of simulated guests: at a start, or while the VM runs."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.inventory.customization import GuestCustomization, Status
from resphere.inventory.guest import GuestNode, GuestSystem
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.guest.image import host_name_of, hosts_file, style_of
from resphere.providers.simulator.notes import Documents
from resphere.rules.guests.customization import customized, finished


def customized_at_start(notes: Documents, vm: VirtualMachine, now: datetime, seconds: float) -> VirtualMachine:
    """``vm``, which starts, as the customization that waits for that leaves it. How it goes is kept.

    Where it takes ``seconds``, it only begins here; see :class:`resphere.providers.simulator.work.customizations`.
    """
    waiting = notes.get(GuestCustomization, vm.id)
    if waiting is None or waiting.spec is None:
        return vm
    if seconds > 0 and vm.guest is not None:
        notes.put(msgspec.structs.replace(waiting, start_time=now, due=now + timedelta(seconds=seconds)))
        return vm
    return customize(notes, vm, waiting.spec, now, started=now, live=False)


def hold_customization(notes: Documents, machine: str) -> None:
    """Have the customization that is under way wait until the machine is resumed."""
    current = notes.get(GuestCustomization, machine)
    if current is not None and current.due is not None:
        notes.put(msgspec.structs.replace(current, due=None))


def resume_customization(notes: Documents, machine: str, now: datetime, seconds: float) -> None:
    """Have the customization that was under way go on, from its beginning."""
    current = notes.get(GuestCustomization, machine)
    if current is not None and current.status is Status.RUNNING:
        notes.put(msgspec.structs.replace(current, due=now + timedelta(seconds=seconds)))


def break_off_customization(notes: Documents, machine: str, now: datetime, why: str) -> None:
    """Have the customization that is under way fail."""
    current = notes.get(GuestCustomization, machine)
    if current is not None and current.status is Status.RUNNING:
        notes.put(finished(machine, now, started=current.start_time, error=why))


def customize(
    notes: Documents,
    vm: VirtualMachine,
    spec: CustomizationSpec,
    now: datetime,
    *,
    started: datetime | None,
    live: bool,
) -> VirtualMachine:
    """``vm`` with what ``spec`` makes of its guest, whose files follow. A failure is kept, and changes nothing."""
    try:
        changed = customized(vm, spec)
    except ValueError as error:
        notes.put(finished(vm.id, now, started=started, error=str(error), live=live))
        return vm
    notes.put(finished(vm.id, now, started=started, live=live))
    system = notes.get(GuestSystem, vm.id)
    if system is not None and not style_of(changed).windows:
        notes.put(msgspec.structs.replace(system, nodes=_with_names(system, changed, now)))
    return changed


def _with_names(system: GuestSystem, vm: VirtualMachine, now: datetime) -> dict[str, GuestNode]:
    """The guest's files with its name written into those that hold it, wherever they are still plain files."""
    nodes = dict(system.nodes)
    host_name = host_name_of(vm)
    texts = {"etc/hostname": f"{host_name.partition('.')[0]}\n", "etc/hosts": hosts_file(host_name)}
    for key, text in texts.items():
        node = nodes.get(key)
        if node is not None and node.type is Files.Type.FILE:
            data = text.encode()
            nodes[key] = msgspec.structs.replace(node, data=data, digest=None, size=len(data), modified=now)
    return nodes
