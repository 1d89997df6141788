"""Machines as a package means them in one configuration: what a service makes a VM of, and capture describes."""

from __future__ import annotations

from collections.abc import Mapping

from resphere.contract.generated.vcenter_vm import Hardware
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cdrom, Disk, Ethernet, Floppy
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.ovf.model import File, IpAssignment, Product, Property, StartupItem, Value

Bus = Disk.HostBusAdapterType


class Controller(Value, frozen=True, kw_only=True):
    """A host bus adapter; ``scsi_type`` counts on SCSI alone. IDE's two channels are buses 0 and 1."""

    kind: Bus
    bus: int
    scsi_type: Scsi.Type | None = None


class Drive(Value, frozen=True, kw_only=True):
    """Where a disk or CD-ROM drive sits."""

    kind: Bus
    bus: int
    unit: int


class MachineDisk(Value, frozen=True, kw_only=True):
    """A disk of ``capacity`` bytes, with what ``file`` holds, empty without one. ``id`` is the descriptor's."""

    id: str
    capacity: int
    place: Drive
    file: File | None = None
    format: str = ""
    label: str = ""


class MachineNic(Value, frozen=True, kw_only=True):
    """A network adapter. Without ``type`` the guest's usual one; ``network`` is the name in the package."""

    network: str | None
    type: Ethernet.EmulationType | None = None
    mac_address: str | None = None
    start_connected: bool = True
    wake_on_lan_enabled: bool = True
    upt_compatibility_enabled: bool = False
    label: str = ""


class MachineCdrom(Value, frozen=True, kw_only=True):
    """A CD-ROM drive; ``file`` is the image within the package where it has one."""

    place: Drive
    backing: Cdrom.BackingType
    file: File | None = None
    start_connected: bool = True
    label: str = ""


class MachineFloppy(Value, frozen=True, kw_only=True):
    """A floppy drive."""

    backing: Floppy.BackingType
    file: File | None = None
    start_connected: bool = True
    label: str = ""


class MachinePort(Value, frozen=True, kw_only=True):
    """A serial or parallel port; ``sub_type`` is the descriptor's word for what is behind it."""

    sub_type: str = ""
    start_connected: bool = True
    label: str = ""


class OtherDevice(Value, frozen=True, kw_only=True):
    """A device that vSphere has and the inventory has not: USB and sound controllers, video cards, a TPM..."""

    resource_type: int
    sub_type: str = ""
    label: str = ""


class Allocation(Value, frozen=True, kw_only=True):
    """What is reserved, limited and weighed of CPU in MHz or of memory in MiB; unset is vSphere's own."""

    reservation: int | None = None
    limit: int | None = None
    shares: int | None = None


class VappProperty(Value, frozen=True, kw_only=True):
    """A property of the machine with the value that it has in the configuration."""

    full_key: str
    class_id: str
    instance_id: str
    declared: Property
    type_text: str
    value: str


class Machine(Value, frozen=True, kw_only=True):
    """A machine. ``guest_id`` is vSphere's (``rhel8_64Guest``); unset members are for who makes the VM to choose."""

    id: str
    name: str = ""
    annotation: str = ""
    guest_id: str = "otherGuest"
    hardware_version: Hardware.Version | None = None
    cpu_count: int = 1
    cores_per_socket: int = 1
    memory_MiB: int = 32
    cpu_allocation: Allocation = Allocation()
    memory_allocation: Allocation = Allocation()
    cpu_hot_add_enabled: bool = False
    cpu_hot_remove_enabled: bool = False
    memory_hot_add_enabled: bool = False
    firmware: Boot.Type | None = None
    secure_boot: bool = False
    boot_delay_ms: int = 0
    boot_retry: bool = False
    boot_retry_delay_ms: int = 10_000
    enter_setup_mode: bool = False
    controllers: tuple[Controller, ...] = ()
    disks: tuple[MachineDisk, ...] = ()
    nics: tuple[MachineNic, ...] = ()
    cdroms: tuple[MachineCdrom, ...] = ()
    floppies: tuple[MachineFloppy, ...] = ()
    serial_ports: tuple[MachinePort, ...] = ()
    parallel_ports: tuple[MachinePort, ...] = ()
    other_devices: tuple[OtherDevice, ...] = ()
    settings: Mapping[str, str] = {}
    """VMware's settings by key, those that have members of their own here too."""
    extra_config: Mapping[str, str] = {}
    transports: tuple[str, ...] = ()
    """How the OVF environment comes to the guest: ``com.vmware.guestInfo``, ``iso``."""
    ip_assignment: IpAssignment | None = None
    products: tuple[Product, ...] = ()
    properties: tuple[VappProperty, ...] = ()


class Vapp(Value, frozen=True, kw_only=True):
    """A vApp: its own properties, by ids what stands in it, and what all of that takes together."""

    id: str
    name: str = ""
    annotation: str = ""
    contents: tuple[str, ...] = ()
    startup: tuple[StartupItem, ...] = ()
    cpu_allocation: Allocation = Allocation()
    memory_allocation: Allocation = Allocation()
    products: tuple[Product, ...] = ()
    properties: tuple[VappProperty, ...] = ()
