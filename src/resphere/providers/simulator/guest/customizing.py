"""Customization of simulated guests: at a start, or while the VM runs."""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.inventory.customization import GuestCustomization, customized, finished
from resphere.inventory.edit import Edit
from resphere.inventory.guest import GuestNode, GuestSystem
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.guest.image import host_name_of, hosts_file, style_of


def customized_at_start(edit: Edit, vm: VirtualMachine, now: datetime) -> VirtualMachine:
    """``vm``, which starts, as the customization that waits for that leaves it. How it went is kept."""
    waiting = edit.get(GuestCustomization, vm.id)
    if waiting is None or waiting.spec is None:
        return vm
    return customize(edit, vm, waiting.spec, now, live=False)


def customize(edit: Edit, vm: VirtualMachine, spec: CustomizationSpec, now: datetime, live: bool) -> VirtualMachine:
    """``vm`` with what ``spec`` makes of its guest, whose files follow. A failure is kept, and changes nothing."""
    try:
        changed = customized(vm, spec)
    except ValueError as error:
        edit.put(finished(vm.id, now, error=str(error), live=live))
        return vm
    edit.put(finished(vm.id, now, live=live))
    system = edit.get(GuestSystem, vm.id)
    if system is not None and not style_of(changed).windows:
        edit.put(msgspec.structs.replace(system, nodes=_with_names(system, changed, now)))
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
