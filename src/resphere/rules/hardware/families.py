"""The kinds of devices, with how many of each a VM may have (vSphere 8.0 configuration maximums)."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, Ethernet, Floppy, Parallel, Serial
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.rules.hardware.devices import Family

CDROMS: Family[ids.VcenterVmHardwareCdromId, Cdrom.Info] = Family("cdroms", "CD-ROM drive", 4 + 4 * 30)
DISKS: Family[ids.VcenterVmHardwareDiskId, Disk.Info] = Family("disks", "disk", 256)
NICS: Family[ids.VcenterVmHardwareEthernetId, Ethernet.Info] = Family("nics", "Ethernet adapter", 10, 4000)
FLOPPIES: Family[ids.VcenterVmHardwareFloppyId, Floppy.Info] = Family("floppies", "floppy drive", 2, 8000)
SERIAL_PORTS: Family[ids.VcenterVmHardwareSerialPortId, Serial.Info] = Family("serial_ports", "serial port", 32, 9000)
PARALLEL_PORTS: Family[ids.VcenterVmHardwareParallelPortId, Parallel.Info] = Family(
    "parallel_ports", "parallel port", 3, 10000
)
SATA_ADAPTERS: Family[ids.VcenterVmHardwareSataAdapterId, Sata.Info] = Family("sata_adapters", "SATA adapter", 4, 15000)
SCSI_ADAPTERS: Family[ids.VcenterVmHardwareScsiAdapterId, Scsi.Info] = Family("scsi_adapters", "SCSI adapter", 4, 1000)
NVME_ADAPTERS: Family[ids.VcenterVmHardwareNvmeAdapterId, Nvme.Info] = Family("nvme_adapters", "NVMe adapter", 4, 31000)
