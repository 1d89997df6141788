"""SATA adapters."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware_adapter import Sata
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.adapters import with_adapter
from resphere.rules.hardware.families import SATA_ADAPTERS
from resphere.rules.hardware.pci_slots import asked_slot

Key = ids.VcenterVmHardwareSataAdapterId


def with_sata_adapter(vm: VirtualMachine, spec: Sata.CreateSpec) -> tuple[VirtualMachine, Key]:
    """``vm`` with a SATA adapter more, and its key."""

    def make(_: VirtualMachine, bus: int) -> Sata.Info:
        return Sata.Info(
            label=f"SATA controller {bus}",
            type=spec.type or Sata.Type.AHCI,
            bus=bus,
            pci_slot_number=asked_slot(spec.pci_slot_number),
        )

    return with_adapter(vm, SATA_ADAPTERS, spec.bus, make)
