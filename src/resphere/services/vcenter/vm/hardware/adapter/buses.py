"""What the kinds of adapters share: bus numbers, and the rules of coming and going."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, ResourceInUse, message
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.vcenter.vm.hardware.addresses import Bus, place_of
from resphere.services.vcenter.vm.hardware.devices import Family, reconfigure, require_not_suspended

K = TypeVar("K", bound=str)
D = TypeVar("D")


def with_adapter(
    vm: VirtualMachine, family: Family[K, D], bus: int | None, make: Callable[[VirtualMachine, int], D]
) -> tuple[VirtualMachine, K]:
    """``vm`` with an adapter on ``bus``, or on the first free one, and its key.

    :raises InvalidArgument: there is no bus of that number.
    :raises ResourceInUse: the bus has its adapter.
    :raises UnableToAllocateResource: every bus has one.
    :raises NotAllowedInCurrentState: the VM is suspended.
    """
    require_not_suspended(vm, f"add a {family.name}")
    number = family.free_number(vm) if bus is None else asked_bus(vm, family, bus)
    key = family.key(number)
    return family.with_(vm, key, make(vm, number)), key


def asked_bus(vm: VirtualMachine, family: Family[K, D], bus: int) -> int:
    """``bus``, if it is one and free."""
    if not 0 <= bus < family.most:
        raise InvalidArgument(
            message("resphere.vm.adapter.bus", "spec.bus: must be from 0 to {0}, not {1}.", family.most - 1, bus)
        )
    if family.key(bus) in family.of(vm):
        raise ResourceInUse(
            message("resphere.vm.adapter.bus_in_use", "{0} has a {1} on bus {2} already.", vm.name, family.name, bus)
        )
    return bus


def any_for_first(vm: VirtualMachine, family: Family[K, D], bus: int | None) -> int | None:
    """``bus``, or ``None`` where it is the first and taken: clients that leave it to vCenter send 0 as well.

    As vCenter 8.0 does: behind it a bus number cannot be unset. Ansible's modules always send one.
    """
    return None if bus == 0 and family.key(0) in family.of(vm) else bus


async def remove_adapter(
    call: Call, vm: str, family: Family[K, D], key: K, kind: Bus, bus_of: Callable[[D], int]
) -> None:
    """Take an adapter out. CD-ROM drives on it stay, and get a plain one in its place (as vCenter 8.0 does).

    :raises NotAllowedInCurrentState: the VM is suspended, or a disk sits on the adapter.
    """

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        require_not_suspended(current, f"remove a {family.name}")
        device = family.require(current, key)
        bus = bus_of(device)
        if any(is_on(kind, bus, disk) for disk in current.disks.values()):
            raise NotAllowedInCurrentState(
                message(
                    "resphere.vm.adapter.in_use",
                    "The {0} {1} of {2} has disks; remove them first.",
                    family.name,
                    key,
                    current.name,
                )
            )
        if any(is_on(kind, bus, drive) for drive in current.cdroms.values()):
            plain: Any = device
            return family.with_(current, key, msgspec.structs.replace(plain, pci_slot_number=None)), None
        return family.without(current, key), None

    await reconfigure(call, vm, change)


def is_on(kind: Bus, bus: int, device: Disk.Info | Cdrom.Info) -> bool:
    """Whether a device sits on that bus."""
    place = place_of(device)
    return place.kind is kind and place.bus == bus
