"""NVMe adapters."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.adapters import with_adapter
from resphere.rules.hardware.families import NVME_ADAPTERS
from resphere.rules.hardware.pci_slots import asked_slot

Key = ids.VcenterVmHardwareNvmeAdapterId


def with_nvme_adapter(vm: VirtualMachine, spec: Nvme.CreateSpec) -> tuple[VirtualMachine, Key]:
    """``vm`` with an NVMe adapter more, and its key."""

    def make(_: VirtualMachine, bus: int) -> Nvme.Info:
        return Nvme.Info(label=f"NVME controller {bus}", bus=bus, pci_slot_number=asked_slot(spec.pci_slot_number))

    return with_adapter(vm, NVME_ADAPTERS, spec.bus, make)
