"""What a provider has seen that nobody asked for: machines that appeared, changed, or are no more."""

from __future__ import annotations

from itertools import count

from resphere.contract.generated.vcenter_vm_hardware import Cpu, Memory
from resphere.inventory.facts import Facts, ObservedMachine
from resphere.inventory.model import Folder, Host, VirtualMachine
from resphere.inventory.relations import datacenter_of
from resphere.replica.replica import Replica
from resphere.rules.files import settle as settle_files
from resphere.rules.hardware.cpu import with_cpu
from resphere.rules.hardware.memory import with_memory
from resphere.rules.hardware.version import NEWEST
from resphere.rules.image_files import drop_images
from resphere.rules.machines.guest_os_defaults import defaults_of
from resphere.rules.machines.new_machine import Identity, blank, vmx_path
from resphere.rules.machines.power_states import powered_on
from resphere.rules.names import is_free
from resphere.rules.placement.resolution import Wanted, resolve
from resphere.rules.refusals import not_found
from resphere.rules.settlement.settlement import Settlement


def appeared(s: Settlement, machine: ObservedMachine) -> VirtualMachine:
    """The machine as the inventory has it from now on: in its datacenter's own folder and its host's root pool.

    A name that is taken gets a number. A machine that the inventory knows by its BIOS UUID is that one.

    :raises NotFound: there is no such host.
    :raises VapiError: the host has no place for it.
    """
    inventory, edit = s.inventory, s.edit
    for known in inventory.all(VirtualMachine).values():
        if known.bios_uuid == machine.bios_uuid:
            return known
    host = inventory.get(Host, machine.host)
    datacenter = datacenter_of(inventory, host) if host is not None else None
    folder = inventory.get(Folder, datacenter.vm_folder) if datacenter is not None else None
    if host is None or folder is None:
        raise not_found(inventory.epoch, Host, machine.host)
    place = resolve(inventory, Wanted(folder=folder.id, host=host.id))
    name = free_name(inventory, folder, machine.name)
    identity = Identity(machine.bios_uuid, machine.instance_uuid)
    path = vmx_path(inventory, place.datastore, name)
    id = edit.new_id(VirtualMachine.id_prefix)
    vm = blank(id, name, place, defaults_of(machine.guest_OS), NEWEST, identity, path)
    vm = with_cpu(vm, Cpu.UpdateSpec(count=machine.cpu_count))
    vm = with_memory(vm, Memory.UpdateSpec(size_MiB=machine.memory_size_MiB))
    return s.put_machine(None, powered_on(vm) if machine.running else vm)


def changed(s: Settlement, id: str, facts: Facts) -> None:
    """The machine is as the facts say; one that is not known, or not any more, is passed over."""
    present = s.edit.get(VirtualMachine, id)
    if present is None:
        return
    s.note(facts)
    if facts.machine is not None and facts.machine != present:
        s.put_machine(present, facts.machine)


def gone(s: Settlement, id: str) -> None:
    """The machine is no more, with what belongs to it; its files are gone too."""
    present = s.edit.get(VirtualMachine, id)
    if present is not None:
        s.edit.delete(VirtualMachine, id)
        settle_files(s.inventory, s.edit, present, None)
        drop_images(s.inventory, s.edit, present)


def free_name(inventory: Replica, folder: Folder, name: str) -> str:
    """``name``, or with a number behind it where the folder has that."""
    names = (f"{name} ({number})" if number else name for number in count())
    return next(each for each in names if is_free(inventory, folder, each))
