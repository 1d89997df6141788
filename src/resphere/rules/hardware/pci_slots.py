"""Places on the PCI bus of a virtual machine, which it gets when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.inventory.model import VirtualMachine

K = TypeVar("K", bound=str)
D = TypeVar("D", bound=msgspec.Struct)

_SLOTS = {
    "sata_adapters": (15000, 32, 1),
    "scsi_adapters": (1000, 160, 32),
    "nics": (4000, 192, 32),
    "nvme_adapters": (31000, 224, 32),
}
"""By the VM's attribute: the key of the first device, its slot, and how far the next one's is."""


MOST_SLOT = 2**16
"""The highest number of a slot, with the bridge and the function that are part of it."""


def asked_slot(number: int | None) -> int | None:
    """The slot that a specification asks for, if it can be one.

    :raises InvalidArgument: it cannot.
    """
    if number is not None and not 0 <= number <= MOST_SLOT:
        raise InvalidArgument(
            message(
                "resphere.vm.pci_slot_number",
                "spec.pci_slot_number: must be from 0 to {0}, not {1}.",
                MOST_SLOT,
                number,
            )
        )
    return number


def with_pci_slots(vm: VirtualMachine) -> VirtualMachine:
    """``vm``, which runs, with a slot for each device that was given none.

    Until its first start a VM does not say where they sit, as in vCenter 8.0.
    """
    placed = {
        attribute: _placed(devices, *numbers)
        for attribute, numbers in _SLOTS.items()
        if (devices := getattr(vm, attribute)) and any(map(_is_missing, devices.values()))
    }
    return msgspec.structs.replace(vm, **placed) if placed else vm


def _is_missing(device: Any) -> bool:
    return getattr(device, "pci_slot_number", None) is None


def _placed(devices: Mapping[K, D], first_key: int, first_slot: int, step: int) -> Mapping[K, D]:
    """The devices, those without a slot on their own."""
    return {
        key: msgspec.structs.replace(device, pci_slot_number=first_slot + step * (int(key) - first_key))
        if _is_missing(device)
        else device
        for key, device in devices.items()
    }
