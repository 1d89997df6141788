"""``com.vmware.vcenter.environment_browser.config_options``: what VMs of a version of virtual hardware can have.

The answer is VIM's ``VirtualMachineConfigOption``, in the words of vSphere's JSON API.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from resphere.contract.errors import NotFound, message
from resphere.contract.generated.vcenter_environment_browser import ConfigOptions as Api
from resphere.contract.generated.vcenter_vm import GuestOS, GuestOSFamily
from resphere.contract.generated.vcenter_vm_hardware import Boot, Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.rules.machines.guest_os_defaults import GuestDefaults, Version, defaults_of
from resphere.rules.machines.guest_os_ids import vim_guest_id
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.environment_browser.clusters import hosts_asked_for, key_of, number_of, versions_of
from resphere.services.vcenter.environment_browser.config_option_descriptors import default_of

SCSI_CONTROLLERS = {
    Scsi.Type.BUSLOGIC: "VirtualBusLogicController",
    Scsi.Type.LSILOGIC: "VirtualLsiLogicController",
    Scsi.Type.LSILOGICSAS: "VirtualLsiLogicSASController",
    Scsi.Type.PVSCSI: "ParaVirtualSCSIController",
}
DISK_CONTROLLERS = {
    Disk.HostBusAdapterType.IDE: "VirtualIDEController",
    Disk.HostBusAdapterType.SATA: "VirtualAHCIController",
    Disk.HostBusAdapterType.NVME: "VirtualNVMEController",
}
ETHERNET_CARDS = {
    Ethernet.EmulationType.E1000: "VirtualE1000",
    Ethernet.EmulationType.E1000E: "VirtualE1000e",
    Ethernet.EmulationType.PCNET32: "VirtualPCNet32",
    Ethernet.EmulationType.VMXNET: "VirtualVmxnet",
    Ethernet.EmulationType.VMXNET2: "VirtualVmxnet2",
    Ethernet.EmulationType.VMXNET3: "VirtualVmxnet3",
}
FAMILIES = {
    GuestOSFamily.WINDOWS: "windowsGuest",
    GuestOSFamily.LINUX: "linuxGuest",
    GuestOSFamily.NETWARE: "netwareGuest",
    GuestOSFamily.SOLARIS: "solarisGuest",
    GuestOSFamily.DARWIN: "darwinGuestFamily",
    GuestOSFamily.OTHER: "otherGuestFamily",
}
MOST_CPUS = {13: 128, 14: 128, 15: 128, 17: 128, 18: 256, 19: 256, 20: 768, 21: 768, 22: 960}
"""By version of the virtual hardware; older ones have 64."""


@implements(Api.get, kept=True)
async def get(call: Call, params: Api.GetParams) -> Api.Info:
    """The options of the version that is asked for, or of the clusters' default.

    :raises NotFound: no host of the clusters runs that version.
    """
    hosts = hosts_asked_for(call, params.clusters)
    if params.config_option is None:
        version = default_of(hosts)
        return Api.Info(config_option=option(version, params.guest_ids) if version is not None else None)
    known = {key_of(version): version for host in hosts for version in versions_of(host)}
    if params.config_option not in known:
        raise NotFound(
            message(
                "resphere.environment_browser.no_option",
                "No host of the clusters runs virtual hardware of {0}; they run {1}.",
                params.config_option,
                ", ".join(sorted(known)) or "none",
            )
        )
    return Api.Info(config_option=option(known[params.config_option], params.guest_ids))


def option(version: Version, guest_ids: Collection[str] | None) -> dict[str, Any]:
    """VIM's ``VirtualMachineConfigOption`` of a version, with the guests of those VIM ids (none given: with all)."""
    guests = [defaults_of(each) for each in GuestOS]
    shown = [
        descriptor(each, version)
        for each in guests
        if number_of(each.oldest_version) <= number_of(version)
        and (not guest_ids or vim_guest_id(each.guest_OS) in guest_ids)
    ]
    return {
        "_typeName": "VirtualMachineConfigOption",
        "version": key_of(version),
        "description": f"Virtual hardware of version {number_of(version)}",
        "guestOSDescriptor": shown,
        "guestOSDefaultIndex": 0,
        "supportedMonitorType": ["release", "stats", "debug"],
    }


def descriptor(system: GuestDefaults, version: Version) -> dict[str, Any]:
    """VIM's ``GuestOsDescriptor``; memory and disks in MiB."""
    scsi = SCSI_CONTROLLERS[system.scsi_type]
    disk_controller = DISK_CONTROLLERS.get(system.disk_bus, scsi)
    return {
        "_typeName": "GuestOsDescriptor",
        "id": vim_guest_id(system.guest_OS),
        "family": FAMILIES[system.family],
        "fullName": system.full_name,
        "supportedMaxCPUs": MOST_CPUS.get(number_of(version), 64),
        "recommendedMemMB": system.memory_size_MiB,
        "recommendedDiskSizeMB": system.disk_size_GiB << 10,
        "supportedDiskControllerList": [*DISK_CONTROLLERS.values(), *SCSI_CONTROLLERS.values()],
        "recommendedSCSIController": scsi,
        "recommendedDiskController": disk_controller,
        "recommendedCdromController": DISK_CONTROLLERS[Disk.HostBusAdapterType(system.cdrom_bus.value)],
        "supportedEthernetCard": list(ETHERNET_CARDS.values()),
        "recommendedEthernetCard": ETHERNET_CARDS[system.nic_type],
        "recommendedFirmware": "efi" if system.firmware is Boot.Type.EFI else "bios",
    }
