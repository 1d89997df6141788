"""``com.vmware.vcenter.iso.image``: ISO images of library items in CD-ROM drives of VMs."""

from __future__ import annotations

from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    ResourceInaccessible,
    UnableToAllocateResource,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_iso import Image
from resphere.contract.generated.vcenter_vm_hardware import Cdrom
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.mentions import named
from resphere.inventory.model import Datastore, Host, VirtualMachine
from resphere.libraries.on_demand import bring, not_fetched
from resphere.rules.hardware.cdrom import require_changeable, with_cdrom
from resphere.rules.hardware.families import CDROMS
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure, remove

SUFFIX = ".iso"
ON_IDE = Cdrom.HostBusAdapterType.IDE


@implements(Image.mount)
async def mount(
    call: Call, library_item: ids.ContentLibraryItemId, vm: ids.VirtualMachineId
) -> ids.VcenterVmHardwareCdromId:
    """Add a CD-ROM drive that holds the item's image, on SATA also to a running VM; returns the drive.

    The drive names the file as any other on a datastore, and goes on to name it when the item is changed or deleted.

    :raises InvalidArgument: the item has no ``.iso`` file.
    :raises NotAllowedInCurrentState: the VM is a template, is suspended, has no place for one more drive, or runs and
        has no SATA adapter.
    :raises NotFound: there is no such item or VM.
    :raises ResourceInaccessible: the host of the VM does not reach the file, or the content of the item is not here and
        cannot be fetched.
    """
    require_image(require(call, LibraryItem, library_item))
    call.require(VirtualMachine, vm)
    await bring(call.unfiltered, call.environment.library_sync, library_item)
    item = require(call, LibraryItem, library_item)
    image, library = image_of(item), require(call, Library, item.library)

    def change(current: VirtualMachine) -> tuple[VirtualMachine, ids.VcenterVmHardwareCdromId]:
        require_no_template(current)
        store = store_for(call, current, library)
        path = f"[{store.name}] {library.folder}/{item.id}/{image.stored_name}"
        backing = Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file=path)
        spec = Cdrom.CreateSpec(backing=backing, start_connected=True, allow_guest_control=True)
        try:
            return with_cdrom(call.unfiltered, current, spec)
        except UnableToAllocateResource as error:
            raise NotAllowedInCurrentState(*error.messages) from error

    return await reconfigure(call, vm, change)


@implements(Image.unmount)
async def unmount(call: Call, vm: ids.VirtualMachineId, cdrom: ids.VcenterVmHardwareCdromId) -> None:
    """Remove a CD-ROM drive, on SATA also from a running VM.

    :raises NotAllowedInCurrentState: the VM is a template or suspended, or runs and the drive is on IDE.
    :raises NotFound: there is no such VM or drive.
    """

    def guard(current: VirtualMachine) -> None:
        require_no_template(current)
        require_changeable(current, CDROMS.require(current, cdrom).type is ON_IDE, "remove a CD-ROM drive")

    await remove(call, vm, CDROMS, cdrom, guard)


def require_image(item: LibraryItem) -> None:
    """Refuse an item without an image, be it here or not.

    :raises InvalidArgument: it has none.
    """
    if not any(is_image(name) for name in (*(file.name for file in item.files), *item.absent)):
        raise InvalidArgument(
            message("resphere.content.no_image", "The library item {0} has no {1} file.", item.name, SUFFIX)
        )


def image_of(item: LibraryItem) -> LibraryFile:
    """The item's image, the first by name where it has several.

    :raises InvalidArgument: it has none.
    :raises ResourceInaccessible: it is not here any more.
    """
    require_image(item)
    images = [file for file in item.files if is_image(file.name)]
    if not images:
        raise not_fetched(item)
    return min(images, key=lambda file: file.name)


def is_image(name: str) -> bool:
    """Whether a file of that name is one."""
    return name.lower().endswith(SUFFIX)


def store_for(call: Call, vm: VirtualMachine, library: Library) -> Datastore:
    """The datastore of the library, which the VM's host must have mounted.

    :raises ResourceInaccessible: it has not, or the library lies on no datastore.
    """
    store = None if library.datastore is None else call.unfiltered.get(Datastore, library.datastore)
    host = call.unfiltered.get(Host, vm.host)
    if store is None or not store.accessible or host is None or store.id not in host.datastores:
        raise ResourceInaccessible(
            message(
                "resphere.content.image_not_reached",
                "The host of the virtual machine {0} does not reach the files of the library {1}.",
                named(vm),
                library.name,
            )
        )
    return store


def require_no_template(vm: VirtualMachine) -> None:
    """Refuse a template, whose hardware nobody changes.

    :raises NotAllowedInCurrentState: it is one.
    """
    if vm.template:
        raise NotAllowedInCurrentState(
            message("resphere.vm.hardware.template", "{0} is a template; its hardware cannot be changed.", named(vm))
        )
