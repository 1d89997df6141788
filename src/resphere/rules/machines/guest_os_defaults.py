"""What vCenter proposes for a new VM of each guest system: adapters, firmware, processors, memory and disk."""

from __future__ import annotations

from functools import cache

import msgspec

from resphere.contract.generated.vcenter_vm import GuestOS, GuestOSFamily, Hardware
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cdrom, Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi

Version = Hardware.Version


class GuestDefaults(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A guest system and its defaults; memory in MiB, the disk in GiB. ``scsi_type`` counts only for SCSI disks."""

    guest_OS: GuestOS
    family: GuestOSFamily
    full_name: str
    filesystem: str = "ext4"
    disk_bus: Disk.HostBusAdapterType = Disk.HostBusAdapterType.SCSI
    scsi_type: Scsi.Type = Scsi.Type.LSILOGIC
    nic_type: Ethernet.EmulationType = Ethernet.EmulationType.VMXNET3
    cdrom_bus: Cdrom.HostBusAdapterType = Cdrom.HostBusAdapterType.SATA
    firmware: Boot.Type = Boot.Type.BIOS
    open_vm_tools: bool = False
    oldest_version: Version = Version.VMX_07
    cpu_count: int = 1
    memory_size_MiB: int = 2048
    disk_size_GiB: int = 16

    @property
    def brings_tools(self) -> bool:
        """Whether the system comes with Tools of its own: those known for that, and all Linux of our time."""
        modern = self.family is GuestOSFamily.LINUX and self.nic_type is Ethernet.EmulationType.VMXNET3
        return self.open_vm_tools or modern


class _Family(msgspec.Struct, frozen=True):
    """Defaults that guest systems beginning with ``prefix`` have in common; ``title`` is the product's name."""

    prefix: str
    title: str
    family: GuestOSFamily
    defaults: dict[str, object]


_NVME, _IDE = Disk.HostBusAdapterType.NVME, Disk.HostBusAdapterType.IDE
_LINUX = GuestOSFamily.LINUX
_MODERN_LINUX: dict[str, object] = {
    "scsi_type": Scsi.Type.PVSCSI,
    "firmware": Boot.Type.EFI,
    "open_vm_tools": True,
}
_PARAVIRTUAL: dict[str, object] = {"scsi_type": Scsi.Type.PVSCSI, "open_vm_tools": True}
_OLD_LINUX: dict[str, object] = {"nic_type": Ethernet.EmulationType.E1000, "memory_size_MiB": 1024}
_WINDOWS_SERVER: dict[str, object] = {
    "filesystem": "NTFS",
    "scsi_type": Scsi.Type.LSILOGICSAS,
    "nic_type": Ethernet.EmulationType.E1000E,
    "firmware": Boot.Type.EFI,
    "cpu_count": 2,
    "memory_size_MiB": 4096,
    "disk_size_GiB": 90,
}
_WINDOWS_7: dict[str, object] = {**_WINDOWS_SERVER, "firmware": Boot.Type.BIOS, "disk_size_GiB": 40}
_OLD_WINDOWS: dict[str, object] = {
    "filesystem": "NTFS",
    "disk_bus": _IDE,
    "nic_type": Ethernet.EmulationType.E1000,
    "cdrom_bus": Cdrom.HostBusAdapterType.IDE,
    "memory_size_MiB": 1024,
    "disk_size_GiB": 40,
}
_BSD: dict[str, object] = {"filesystem": "ufs", "open_vm_tools": True, "disk_size_GiB": 16}
_UNKNOWN: dict[str, object] = {
    "nic_type": Ethernet.EmulationType.E1000,
    "cdrom_bus": Cdrom.HostBusAdapterType.IDE,
    "memory_size_MiB": 1024,
    "disk_size_GiB": 8,
}

# The first prefix that fits counts.
_FAMILIES = (
    _Family("ALMALINUX", "AlmaLinux", _LINUX, {**_MODERN_LINUX, "filesystem": "xfs"}),
    _Family("AMAZONLINUX", "Amazon Linux", _LINUX, {**_PARAVIRTUAL, "filesystem": "xfs"}),
    _Family("ASIANUX", "Asianux", _LINUX, {}),
    _Family("CENTOS_8", "CentOS 8", _LINUX, {**_MODERN_LINUX, "filesystem": "xfs"}),
    _Family("CENTOS_9", "CentOS 9", _LINUX, {**_MODERN_LINUX, "filesystem": "xfs"}),
    _Family("CENTOS", "CentOS", _LINUX, {**_PARAVIRTUAL, "filesystem": "xfs"}),
    _Family("COREOS", "CoreOS Linux", _LINUX, _PARAVIRTUAL),
    _Family("CRX", "CRX Pod", _LINUX, _MODERN_LINUX),
    _Family("DARWIN", "Apple macOS", GuestOSFamily.DARWIN, {"filesystem": "apfs", "firmware": Boot.Type.EFI}),
    _Family("DEBIAN_4", "Debian GNU/Linux", _LINUX, _OLD_LINUX),
    _Family("DEBIAN_5", "Debian GNU/Linux", _LINUX, _OLD_LINUX),
    _Family("DEBIAN", "Debian GNU/Linux", _LINUX, _PARAVIRTUAL),
    _Family("FEDORA", "Red Hat Fedora", _LINUX, {**_MODERN_LINUX, "filesystem": "btrfs"}),
    _Family("FREEBSD", "FreeBSD", GuestOSFamily.OTHER, _BSD),
    _Family("FUSIONOS", "FusionOS", _LINUX, _PARAVIRTUAL),
    _Family("GENERIC_LINUX", "Linux", _LINUX, {}),
    _Family("KYLINLINUX", "Kylin Linux", _LINUX, _PARAVIRTUAL),
    _Family("MANDR", "Mandriva Linux", _LINUX, _OLD_LINUX),
    _Family("MIRACLELINUX", "MIRACLE LINUX", _LINUX, _MODERN_LINUX),
    _Family("NETWARE", "Novell NetWare", GuestOSFamily.NETWARE, _UNKNOWN),
    _Family("NLD", "Novell Linux Desktop", _LINUX, _OLD_LINUX),
    _Family("OES", "Open Enterprise Server", _LINUX, _OLD_LINUX),
    _Family("OPENSUSE", "openSUSE", _LINUX, {**_PARAVIRTUAL, "filesystem": "btrfs"}),
    _Family("ORACLE_LINUX", "Oracle Linux", _LINUX, {**_MODERN_LINUX, "filesystem": "xfs"}),
    _Family("OTHER_24X_LINUX", "Other 2.4.x Linux", _LINUX, _OLD_LINUX),
    _Family("OTHER_26X_LINUX", "Other 2.6.x Linux", _LINUX, _OLD_LINUX),
    _Family("OTHER_3X_LINUX", "Other 3.x Linux", _LINUX, {}),
    _Family("OTHER_4X_LINUX", "Other 4.x Linux", _LINUX, _PARAVIRTUAL),
    _Family("OTHER_5X_LINUX", "Other 5.x Linux", _LINUX, _PARAVIRTUAL),
    _Family("OTHER_6X_LINUX", "Other 6.x Linux", _LINUX, _PARAVIRTUAL),
    _Family("OTHER_7X_LINUX", "Other 7.x Linux", _LINUX, _PARAVIRTUAL),
    _Family("OTHER_LINUX", "Other Linux", _LINUX, {}),
    _Family("OTHER", "Other", GuestOSFamily.OTHER, _UNKNOWN),
    _Family("PARDUS", "Pardus", _LINUX, _PARAVIRTUAL),
    _Family("PROLINUX", "ProLinux", _LINUX, _PARAVIRTUAL),
    _Family("REDHAT", "Red Hat Linux", _LINUX, _OLD_LINUX),
    _Family("RHEL_2", "Red Hat Enterprise Linux", _LINUX, _OLD_LINUX),
    _Family("RHEL_3", "Red Hat Enterprise Linux", _LINUX, _OLD_LINUX),
    _Family("RHEL_4", "Red Hat Enterprise Linux", _LINUX, _OLD_LINUX),
    _Family("RHEL_5", "Red Hat Enterprise Linux", _LINUX, _PARAVIRTUAL),
    _Family("RHEL_6", "Red Hat Enterprise Linux", _LINUX, _PARAVIRTUAL),
    _Family("RHEL_7", "Red Hat Enterprise Linux", _LINUX, {**_PARAVIRTUAL, "filesystem": "xfs"}),
    _Family("RHEL", "Red Hat Enterprise Linux", _LINUX, {**_MODERN_LINUX, "filesystem": "xfs"}),
    _Family("ROCKYLINUX", "Rocky Linux", _LINUX, {**_MODERN_LINUX, "filesystem": "xfs"}),
    _Family("SJDS", "Sun Java Desktop System", _LINUX, _OLD_LINUX),
    _Family("SLES_10", "SUSE Linux Enterprise", _LINUX, _PARAVIRTUAL),
    _Family("SLES_11", "SUSE Linux Enterprise", _LINUX, _PARAVIRTUAL),
    _Family("SLES_1", "SUSE Linux Enterprise", _LINUX, {**_MODERN_LINUX, "filesystem": "btrfs"}),
    _Family("SLES", "SUSE Linux Enterprise", _LINUX, _OLD_LINUX),
    _Family("SOLARIS", "Oracle Solaris", GuestOSFamily.SOLARIS, {"filesystem": "zfs"}),
    _Family("SUSE", "SUSE Linux", _LINUX, _OLD_LINUX),
    _Family("TURBO_LINUX", "Turbolinux", _LINUX, _OLD_LINUX),
    _Family("UBUNTU", "Ubuntu Linux", _LINUX, _PARAVIRTUAL),
    _Family("VMWARE_PHOTON", "VMware Photon OS", _LINUX, {**_MODERN_LINUX, "disk_bus": _NVME}),
    _Family("VMKERNEL", "VMware ESXi", GuestOSFamily.OTHER, {"filesystem": "vmfs", "memory_size_MiB": 8192}),
    _Family("WINDOWS_11", "Microsoft Windows 11", GuestOSFamily.WINDOWS, {**_WINDOWS_SERVER, "disk_bus": _NVME}),
    _Family("WINDOWS_12", "Microsoft Windows 12", GuestOSFamily.WINDOWS, {**_WINDOWS_SERVER, "disk_bus": _NVME}),
    _Family("WINDOWS_7_SERVER", "Microsoft Windows Server 2008 R2", GuestOSFamily.WINDOWS, _WINDOWS_7),
    _Family("WINDOWS_8_SERVER", "Microsoft Windows Server 2012", GuestOSFamily.WINDOWS, _WINDOWS_7),
    _Family("WINDOWS_9_SERVER", "Microsoft Windows Server 2016", GuestOSFamily.WINDOWS, _WINDOWS_SERVER),
    _Family("WINDOWS_SERVER_2019", "Microsoft Windows Server 2019", GuestOSFamily.WINDOWS, _WINDOWS_SERVER),
    _Family("WINDOWS_SERVER_2021", "Microsoft Windows Server 2022", GuestOSFamily.WINDOWS, _WINDOWS_SERVER),
    _Family(
        "WINDOWS_SERVER_2025",
        "Microsoft Windows Server 2025",
        GuestOSFamily.WINDOWS,
        {**_WINDOWS_SERVER, "disk_bus": _NVME, "nic_type": Ethernet.EmulationType.VMXNET3},
    ),
    _Family("WINDOWS_7", "Microsoft Windows 7", GuestOSFamily.WINDOWS, _WINDOWS_7),
    _Family("WINDOWS_8", "Microsoft Windows 8.x", GuestOSFamily.WINDOWS, _WINDOWS_7),
    _Family("WINDOWS_9", "Microsoft Windows 10", GuestOSFamily.WINDOWS, _WINDOWS_SERVER),
    _Family("WINDOWS", "Microsoft Windows", GuestOSFamily.WINDOWS, _WINDOWS_SERVER),
    _Family("WIN_", "Microsoft Windows", GuestOSFamily.WINDOWS, _OLD_WINDOWS),
    _Family("", "", GuestOSFamily.OTHER, _UNKNOWN),
)

_OLDEST_OF_DISKS = {_NVME: Version.VMX_13}
_OLDEST_OF_CDROMS = {Cdrom.HostBusAdapterType.IDE: Version.VMX_07, Cdrom.HostBusAdapterType.SATA: Version.VMX_10}

# Older virtual hardware does not know these guests; the first prefix that fits counts. For guests that came before
# ESXi 6.0, what they are given decides.
_OLDEST_OF_GUESTS = {
    "ALMALINUX": Version.VMX_17,
    "AMAZONLINUX": Version.VMX_13,
    "ASIANUX_8": Version.VMX_13,
    "ASIANUX_9": Version.VMX_13,
    "CENTOS_8": Version.VMX_13,
    "CENTOS_9": Version.VMX_13,
    "COREOS": Version.VMX_11,
    "CRX": Version.VMX_13,
    "DARWIN_14": Version.VMX_11,
    **{f"DARWIN_{release}": Version.VMX_13 for release in range(15, 24)},
    "DEBIAN_8": Version.VMX_11,
    "DEBIAN_9": Version.VMX_13,
    "DEBIAN_12_64": Version.VMX_19,
    "DEBIAN_1": Version.VMX_13,
    "FREEBSD_13_64": Version.VMX_17,
    "FREEBSD_14_64": Version.VMX_19,
    "FREEBSD_1": Version.VMX_13,
    "FUSIONOS": Version.VMX_13,
    "KYLINLINUX": Version.VMX_13,
    "MIRACLELINUX": Version.VMX_13,
    "ORACLE_LINUX_8": Version.VMX_13,
    "ORACLE_LINUX_9": Version.VMX_13,
    "ORACLE_LINUX_10": Version.VMX_13,
    **{f"OTHER_{kernel}X": Version.VMX_13 for kernel in range(4, 8)},
    "PARDUS": Version.VMX_13,
    "PROLINUX": Version.VMX_13,
    "RHEL_8": Version.VMX_13,
    "RHEL_9": Version.VMX_17,
    "RHEL_10": Version.VMX_13,
    "ROCKYLINUX": Version.VMX_17,
    "SLES_15": Version.VMX_13,
    "SLES_16": Version.VMX_13,
    "VMKERNEL_6": Version.VMX_11,
    **{f"VMKERNEL_{release}": Version.VMX_13 for release in range(7, 10)},
    "WINDOWS_9": Version.VMX_11,
    "WINDOWS_11": Version.VMX_17,
    "WINDOWS_12": Version.VMX_13,
    "WINDOWS_SERVER_2019": Version.VMX_14,
    "WINDOWS_SERVER_2021": Version.VMX_17,
    "WINDOWS_SERVER_2025": Version.VMX_21,
}


@cache
def defaults_of(guest_OS: GuestOS) -> GuestDefaults:
    """The defaults for a guest system; every value of the enumeration has some."""
    found = next(family for family in _FAMILIES if guest_OS.value.startswith(family.prefix))
    fields: dict[str, object] = {
        "guest_OS": guest_OS,
        "family": found.family,
        "full_name": _full_name(guest_OS, found),
        **found.defaults,
    }
    if not _is_64_bit(guest_OS):
        fields["firmware"] = Boot.Type.BIOS
    return _with_oldest_version(msgspec.convert(fields, GuestDefaults))


def _with_oldest_version(system: GuestDefaults) -> GuestDefaults:
    """The guest with the oldest virtual hardware that knows it and has the adapters that it is given."""
    known = (version for prefix, version in _OLDEST_OF_GUESTS.items() if system.guest_OS.value.startswith(prefix))
    adapters = _OLDEST_OF_DISKS.get(system.disk_bus, _OLDEST_OF_CDROMS[system.cdrom_bus])
    oldest = max(next(known, adapters), adapters)
    return msgspec.structs.replace(system, oldest_version=oldest)


def _is_64_bit(guest_OS: GuestOS) -> bool:
    # Windows Server exists only with 64 bits since 2019, and its values do not say so.
    return guest_OS.value.endswith("_64") or guest_OS.value.startswith("WINDOWS_SERVER_")


def _full_name(guest_OS: GuestOS, family: _Family) -> str:
    """`Red Hat Enterprise Linux 8 (64-bit)` for `RHEL_8_64`."""
    words = guest_OS.value.split("_")
    bits = "64-bit" if _is_64_bit(guest_OS) else "32-bit"
    release = next((word for word in words[1:] if word.isdigit() and word != "64"), "")
    if not family.title:
        title = guest_OS.value.replace("_", " ").title()
    elif release and release not in family.title and family.family is not GuestOSFamily.WINDOWS:
        title = f"{family.title} {release}"
    else:
        title = family.title
    return f"{title} ({bits})"
