"""SCSI adapters."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import ScsiAddressInfo
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.adapters import with_adapter
from resphere.rules.hardware.families import SCSI_ADAPTERS
from resphere.rules.hardware.pci_slots import asked_slot
from resphere.rules.machines.guest_os_defaults import defaults_of

Key = ids.VcenterVmHardwareScsiAdapterId


OWN_UNIT = 7


def with_scsi_adapter(vm: VirtualMachine, spec: Scsi.CreateSpec) -> tuple[VirtualMachine, Key]:
    """``vm`` with a SCSI adapter more, and its key."""

    def make(current: VirtualMachine, bus: int) -> Scsi.Info:
        present = next(iter(current.scsi_adapters.values()), None)
        return Scsi.Info(
            label=f"SCSI controller {bus}",
            type=spec.type or (present.type if present else defaults_of(current.guest_OS).scsi_type),
            scsi=ScsiAddressInfo(bus=bus, unit=OWN_UNIT),
            pci_slot_number=asked_slot(spec.pci_slot_number),
            sharing=spec.sharing or Scsi.Sharing.NONE,
        )

    return with_adapter(vm, SCSI_ADAPTERS, spec.bus, make)
