"""VMware Tools of simulated guests: where they come from, the installer's CD, upgrades, reports. Pure functions.

A simulated guest runs the installer by itself as soon as it is there, where it has no Tools yet. Systems of our time
bring their own Tools along.
"""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyInDesiredState, NotAllowedInCurrentState, message
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Tools
from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, ConnectionState
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.mentions import named
from resphere.inventory.model import GuestState, VirtualMachine
from resphere.inventory.tables import ON_HOST
from resphere.providers.simulator.catalog import CURRENT_TOOLS, GIB, OPEN_VM_TOOLS
from resphere.providers.simulator.guest.image import family_of
from resphere.providers.simulator.machine import tools_info
from resphere.replica.replica import Replica
from resphere.rules.files import store_of
from resphere.rules.guests.network import addresses_by_nic
from resphere.rules.machines.guest_os_defaults import GuestDefaults, defaults_of
from resphere.rules.space import files_on

FOLDER = f"{ON_HOST}/usr/lib/vmware/isoimages/"
IMAGES = {
    GuestOSFamily.WINDOWS: "windows.iso",
    GuestOSFamily.DARWIN: "darwin.iso",
    GuestOSFamily.SOLARIS: "solaris.iso",
    GuestOSFamily.NETWARE: "netware.iso",
}
"""The image for a family of guests; all others have Linux's."""

OLD = (
    Tools.VersionStatus.SUPPORTED_OLD,
    Tools.VersionStatus.TOO_OLD_UNSUPPORTED,
    Tools.VersionStatus.BLACKLISTED,
)


def installer_drive(vm: VirtualMachine) -> str | None:
    """The key of the CD-ROM drive that the installer is in."""
    return next(
        (
            key
            for key, drive in vm.cdroms.items()
            if (drive.backing.iso_file or "").startswith(FOLDER) and drive.state is ConnectionState.CONNECTED
        ),
        None,
    )


def with_installer(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with the installer's CD in its first drive, and with Tools where it had none.

    :raises AlreadyInDesiredState: the CD is there.
    :raises NotAllowedInCurrentState: there is no drive.
    """
    if installer_drive(vm) is not None:
        raise AlreadyInDesiredState(
            message("resphere.vm.tools.installer", "The VMware Tools installer is connected to {0} already.", named(vm))
        )
    if not vm.cdroms:
        raise NotAllowedInCurrentState(
            message("resphere.vm.tools.no_cdrom", "{0} has no CD-ROM drive for the VMware Tools installer.", named(vm))
        )
    key = min(vm.cdroms, key=int)
    backing = Cdrom.BackingInfo(
        type=Cdrom.BackingType.ISO_FILE, iso_file=FOLDER + IMAGES.get(family_of(vm), "linux.iso")
    )
    drive = msgspec.structs.replace(vm.cdroms[key], backing=backing, state=ConnectionState.CONNECTED)
    connected = msgspec.structs.replace(vm, cdroms={**vm.cdroms, key: drive})
    return connected if is_installed(vm) else installed(connected)


def without_installer(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` without the installer's CD; as it is where there was none."""
    key = next((key for key in vm.cdroms if key == installer_drive(vm)), None)
    if key is None:
        return vm
    backing = Cdrom.BackingInfo(
        type=Cdrom.BackingType.HOST_DEVICE, auto_detect=True, device_access_type=Cdrom.DeviceAccessType.EMULATION
    )
    drive = msgspec.structs.replace(
        vm.cdroms[key], backing=backing, state=ConnectionState.NOT_CONNECTED, start_connected=False
    )
    return msgspec.structs.replace(vm, cdroms={**vm.cdroms, key: drive})


def is_installed(vm: VirtualMachine) -> bool:
    """Whether the VM has Tools."""
    return vm.tools.version_status not in (None, Tools.VersionStatus.NOT_INSTALLED)


def installed(vm: VirtualMachine) -> VirtualMachine:
    """The running ``vm`` with current Tools, which report what they find."""
    system = defaults_of(vm.guest_OS)
    tools = msgspec.structs.replace(
        tools_info(system.family, False, CURRENT_TOOLS, True), upgrade_policy=vm.tools.upgrade_policy
    )
    return msgspec.structs.replace(vm, tools=tools, guest=vm.guest or found_state(vm, system))


def with_system_of_disk(inventory: Replica, vm: VirtualMachine) -> VirtualMachine:
    """The new ``vm``, whose first disk may come from a package, or be a file that was there before, a disk of no VM or
    of one that is not registered: then its guest's system is on it, and is known as that of a clone is."""
    first = min(vm.disks, key=int, default=None)
    if first is None:
        return vm
    path = vm.disks[first].backing.vmdk_file or ""
    store = store_of(inventory, vm, path)
    was_there = store is not None and path in files_on(inventory, store.id)
    return reporting(with_own_tools(vm)) if was_there or first in vm.disk_contents else vm


def with_system_of_medium(vm: VirtualMachine) -> VirtualMachine:
    """``vm``, which starts: from an image in a drive, or from the network where that is its first boot device, it
    installs its guest's system on its disks, unattended.

    It stays as it is where it has Tools, and so a system.
    """
    image = any(
        drive.start_connected and drive.backing.iso_file and not drive.backing.iso_file.startswith(FOLDER)
        for drive in vm.cdroms.values()
    )
    from_network = bool(vm.boot_devices) and vm.boot_devices[0].type is Device.Type.ETHERNET
    return with_own_tools(vm) if (image or from_network) and vm.disks and not is_installed(vm) else vm


def with_own_tools(vm: VirtualMachine) -> VirtualMachine:
    """``vm``, which is off, with the Tools that its guest's system brings along; as it is where that has none."""
    system = defaults_of(vm.guest_OS)
    if not system.brings_tools:
        return vm
    tools = msgspec.structs.replace(
        tools_info(system.family, True, OPEN_VM_TOOLS[-1], False), upgrade_policy=vm.tools.upgrade_policy
    )
    return msgspec.structs.replace(vm, tools=tools)


def reporting(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with what its Tools report once they run: of a new system all, else an address of each new NIC."""
    if not is_installed(vm):
        return vm
    if vm.guest is None:
        return msgspec.structs.replace(vm, guest=found_state(vm, defaults_of(vm.guest_OS)))
    missing = sorted(vm.nics, key=int)[len(tuple(addresses_by_nic(vm.guest.ip_addresses))) :]
    leases = [dhcp_address(mac) for mac in (vm.nics[key].mac_address for key in missing) if mac]
    if vm.guest.network is not None or not leases:
        return vm
    addresses = (*vm.guest.ip_addresses, *leases)
    return msgspec.structs.replace(vm, guest=msgspec.structs.replace(vm.guest, ip_addresses=addresses))


def upgraded(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with current Tools in place of the old ones."""
    tools = msgspec.structs.replace(
        vm.tools,
        version_status=Tools.VersionStatus.CURRENT,
        version_number=CURRENT_TOOLS.number,
        version=CURRENT_TOOLS.text,
    )
    return msgspec.structs.replace(vm, tools=tools)


def upgraded_at_start(vm: VirtualMachine) -> VirtualMachine:
    """``vm``, which starts, with current Tools where that is its policy."""
    wanted = vm.tools.upgrade_policy is Tools.UpgradePolicy.UPGRADE_AT_POWER_CYCLE
    return upgraded(vm) if wanted and vm.tools.version_status in OLD else vm


def with_new_leases(vm: VirtualMachine) -> VirtualMachine:
    """``vm``, whose NICs have other addresses than those of the machine that its guest was copied from."""
    if vm.guest is None or vm.guest.network is not None or not vm.guest.ip_addresses:
        return vm
    addresses = tuple([dhcp_address(nic.mac_address) for nic in vm.nics.values() if nic.mac_address])
    return msgspec.structs.replace(vm, guest=msgspec.structs.replace(vm.guest, ip_addresses=addresses))


def found_state(vm: VirtualMachine, system: GuestDefaults) -> GuestState:
    """What new Tools find in a guest: a name, an address on each NIC, a file system on each disk."""
    addresses = (dhcp_address(nic.mac_address) for nic in vm.nics.values() if nic.mac_address)
    return GuestState(
        host_name="".join(c if c.isalnum() and c.isascii() else "-" for c in vm.name).strip("-") or vm.id,
        family=system.family,
        full_name=system.full_name,
        ip_addresses=tuple(addresses),
        filesystems=_filesystems(vm, system),
    )


def _filesystems(vm: VirtualMachine, system: GuestDefaults) -> dict[str, LocalFilesystem.Info]:
    windows = system.family is GuestOSFamily.WINDOWS
    found = {}
    for index, (key, disk) in enumerate(vm.disks.items()):
        posix = "/" if index == 0 else f"/data{index}"
        usable = max((disk.capacity or 0) - GIB, (disk.capacity or 0) // 2)
        found[f"{chr(ord('C') + index)}:\\" if windows and index < 24 else posix] = LocalFilesystem.Info(
            capacity=usable,
            free_space=usable // 8 * 5,
            filesystem=system.filesystem,
            mappings=(LocalFilesystem.VirtualDiskMapping(disk=key),),
        )
    return found


def dhcp_address(mac_address: str) -> str:
    """The address in 10.192.0.0/10 that the simulated DHCP server gives a NIC, by its MAC address."""
    low = int(mac_address.replace(":", "").replace("-", ""), 16) & 0x3FFFFF
    last = min(max(low & 0xFF, 2), 254)
    return f"10.{192 | low >> 16}.{low >> 8 & 0xFF}.{last}"
