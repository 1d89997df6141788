"""What the kinds of adapters share: bus numbers, and the rules of coming and going."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.adapters import D, K, is_on
from resphere.rules.hardware.addresses import Bus
from resphere.rules.hardware.devices import Family, require_not_suspended
from resphere.services.call import Call
from resphere.services.vcenter.vm.hardware.devices import reconfigure


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
                    named(current),
                )
            )
        if any(is_on(kind, bus, drive) for drive in current.cdroms.values()):
            plain: Any = device
            return family.with_(current, key, msgspec.structs.replace(plain, pci_slot_number=None)), None
        return family.without(current, key), None

    await reconfigure(call, vm, change)
