"""Adapters and the buses that they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from resphere.contract.errors import InvalidArgument, ResourceInUse, message
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.addresses import Bus, place_of
from resphere.rules.hardware.devices import Family, require_not_suspended

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
            message("resphere.vm.adapter.bus_in_use", "{0} has a {1} on bus {2} already.", named(vm), family.name, bus)
        )
    return bus


def any_for_first(vm: VirtualMachine, family: Family[K, D], bus: int | None) -> int | None:
    """``bus``, or ``None`` where it is the first and taken: clients that leave it to vCenter send 0 as well.

    As vCenter 8.0 does: behind it a bus number cannot be unset. Ansible's modules always send one.
    """
    return None if bus == 0 and family.key(0) in family.of(vm) else bus


def is_on(kind: Bus, bus: int, device: Disk.Info | Cdrom.Info) -> bool:
    """Whether a device sits on that bus."""
    place = place_of(device)
    return place.kind is kind and place.bus == bus
