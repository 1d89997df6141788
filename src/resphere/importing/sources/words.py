"""Words of workbooks -> values of vSphere's enumerations, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from resphere.contract.generated.vcenter import Datastore, Host, ResourcePool
from resphere.contract.generated.vcenter_vm import Hardware, Power, Tools
from resphere.contract.generated.vcenter_vm_hardware import Boot, Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi

Level = ResourcePool.SharesInfo.Level
T = TypeVar("T")


def reading(texts: Mapping[T, str]) -> dict[str, T]:
    """The values by their words, whatever their case."""
    return {text.lower(): value for value, text in texts.items()}


POWER_TEXTS = {
    Power.State.POWERED_ON: "poweredOn",
    Power.State.POWERED_OFF: "poweredOff",
    Power.State.SUSPENDED: "suspended",
}
POWER = reading(POWER_TEXTS)
FIRMWARE = {"bios": Boot.Type.BIOS, "efi": Boot.Type.EFI}
UPGRADE_TEXTS = {
    Hardware.UpgradePolicy.NEVER: "never",
    Hardware.UpgradePolicy.AFTER_CLEAN_SHUTDOWN: "onSoftPowerOff",
    Hardware.UpgradePolicy.ALWAYS: "always",
}
UPGRADE = reading(UPGRADE_TEXTS)
ADAPTER_TEXTS = {
    Ethernet.EmulationType.VMXNET3: "Vmxnet3",
    Ethernet.EmulationType.VMXNET2: "Vmxnet2",
    Ethernet.EmulationType.VMXNET: "Vmxnet",
    Ethernet.EmulationType.E1000: "E1000",
    Ethernet.EmulationType.E1000E: "E1000e",
    Ethernet.EmulationType.PCNET32: "PCNet32",
}
ADAPTERS = {**reading(ADAPTER_TEXTS), "flexible": Ethernet.EmulationType.PCNET32}
MAC_TYPES = {each.value.lower(): each for each in Ethernet.MacAddressType}
SHARING_TEXTS = {
    Scsi.Sharing.NONE: "noSharing",
    Scsi.Sharing.VIRTUAL: "virtualSharing",
    Scsi.Sharing.PHYSICAL: "physicalSharing",
}
SHARING = reading(SHARING_TEXTS)
DATASTORES = {
    **{each.value.lower(): each for each in Datastore.Type},
    "nfs 4.1": Datastore.Type.NFS41,
    "nfs3": Datastore.Type.NFS,
}
DATASTORE_TEXTS = {**{each: each.value for each in Datastore.Type}, Datastore.Type.VSAN: "vsan"}
TOOLS_POLICY_TEXTS = {
    Tools.UpgradePolicy.MANUAL: "manual",
    Tools.UpgradePolicy.UPGRADE_AT_POWER_CYCLE: "upgradeAtPowerCycle",
}
TOOLS_POLICIES = reading(TOOLS_POLICY_TEXTS)
LEVELS = {each.value.lower(): each for each in Level}
HOST_STATE_TEXTS = {
    Host.ConnectionState.CONNECTED: "connected",
    Host.ConnectionState.DISCONNECTED: "disconnected",
    Host.ConnectionState.NOT_RESPONDING: "notResponding",
}
HOST_STATES = reading(HOST_STATE_TEXTS)
HOST_POWER_TEXTS = {
    Host.PowerState.POWERED_ON: "poweredOn",
    Host.PowerState.POWERED_OFF: "poweredOff",
    Host.PowerState.STANDBY: "standBy",
}
HOST_POWER = reading(HOST_POWER_TEXTS)

_BUSES = {
    "nvme": Disk.HostBusAdapterType.NVME,
    "sata": Disk.HostBusAdapterType.SATA,
    "ahci": Disk.HostBusAdapterType.SATA,
    "ide": Disk.HostBusAdapterType.IDE,
}
_SCSI = {
    "paravirtual": Scsi.Type.PVSCSI,
    "pvscsi": Scsi.Type.PVSCSI,
    "sas": Scsi.Type.LSILOGICSAS,
    "buslogic": Scsi.Type.BUSLOGIC,
    "lsi": Scsi.Type.LSILOGIC,
}
_NUMBER = re.compile(r"[0-9]+")
_RELEASE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,5})+)")
_BUILD = re.compile(r"build[- ]?([0-9]{1,12})", re.IGNORECASE)


def controller(text: str) -> tuple[Disk.HostBusAdapterType | None, int | None, Scsi.Type | None]:
    """Kind, number and, where it says so, type of a controller: ``SCSI controller 0``, ``LSI Logic SAS``."""
    words = text.lower()
    scsi = next((type for word, type in _SCSI.items() if word in words), None)
    bus = next((type for word, type in _BUSES.items() if word in words), None)
    if bus is None and ("scsi" in words or scsi is not None):
        bus = Disk.HostBusAdapterType.SCSI
    numbers = _NUMBER.findall(text)
    return bus, int(numbers[-1][:9]) if numbers else None, scsi


def release(text: str) -> tuple[str | None, str | None]:
    """Version and build in ``VMware ESXi 8.0.3 build-24022510``."""
    version, build = _RELEASE.search(text), _BUILD.search(text)
    return version[1] if version else None, build[1] if build else None


def hardware_version(text: str) -> Hardware.Version | None:
    """The version of virtual hardware in ``19``, ``vmx-19`` or ``v7``; ``None`` for what is none."""
    numbers = _NUMBER.findall(text)
    name = f"VMX_{int(numbers[-1][:4]):02d}" if numbers else ""
    return Hardware.Version(name) if name in Hardware.Version.__members__ else None


def path_of(text: str) -> tuple[str, ...]:
    """The names in a path; a slash in a name is written ``%2f`` there."""
    return tuple(part.replace("%2f", "/").replace("%2F", "/") for part in text.split("/") if part)


def path_text(names: tuple[str, ...]) -> str:
    """The path of names."""
    return "/" + "/".join(name.replace("/", "%2f") for name in names)


def names_of(text: str) -> tuple[str, ...]:
    """The names in a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
