"""ISO images of library items in CD-ROM drives."""

from __future__ import annotations

from contextlib import suppress

import pytest

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, ResourceInaccessible
from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.generated.content_library import Item
from resphere.contract.generated.vcenter_iso import Image
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, ConnectionState
from resphere.contract.generated.vcenter_vm_hardware_adapter import Sata
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import Datastore, VirtualMachine
from tests.services.content.libraries import OTHER, add_item, add_library, datastores, on_datastore, put_files
from tests.services.vcenter.building import found
from tests.services.vcenter.vm.test_hardware import State, vm_in
from tests.support.world import World

Vm = ids.VirtualMachineId
ItemId = ids.ContentLibraryItemId
UNKNOWN = ItemId("00000000-0000-4000-8000-000000000000")
IDE, SATA = Cdrom.HostBusAdapterType.IDE, Cdrom.HostBusAdapterType.SATA


def reached(world: World, vm: str) -> int:
    """The number of the datastore where the VM lies."""
    home = found(world, VirtualMachine, vm).datastore
    return next(number for number, store in enumerate(datastores(world)) if store.id == home)


def image(world: World, vm: str) -> ItemId:
    """An item with an image, on the datastore where the VM lies."""
    library = add_library(world, storage_backings=(on_datastore(world, reached(world, vm)),))
    item = add_item(world, library, type="iso")
    put_files(world, item, readme_txt=b"read", tiny_iso=b"image")
    return item


def backing(world: World, item: str) -> str:
    """The path of the item's image."""
    held = found_item(world, item)
    (file,) = [file for file in held.files if file.name == "tiny.iso"]
    return f"contentlib-{held.library}/{item}/{file.stored_name}"


def found_item(world: World, item: str) -> LibraryItem:
    """The item as it is."""
    return world.inventory.all(LibraryItem)[item]


def test_an_image_comes_and_goes(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    item, before = image(world, vm), found(world, VirtualMachine, vm)
    drive = world.call(Image.mount, item, vm)
    info = world.call(Cdrom.get, vm, drive)
    store = found(world, Datastore, before.datastore)
    assert info.backing == Cdrom.BackingInfo(
        type=Cdrom.BackingType.ISO_FILE, iso_file=f"[{store.name}] {backing(world, item)}"
    )
    assert (info.start_connected, info.state) == (True, ConnectionState.NOT_CONNECTED)
    assert drive not in before.cdroms
    again = world.call(Image.mount, item, vm)
    assert again != drive
    for each in (drive, again):
        world.call(Image.unmount, vm, each)
    assert found(world, VirtualMachine, vm).cdroms == before.cdroms


def test_a_running_machine_takes_one_on_sata(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_ON).id)
    drive = world.call(Image.mount, image(world, vm), vm)
    info = world.call(Cdrom.get, vm, drive)
    assert (info.type, info.state) == (SATA, ConnectionState.CONNECTED)
    world.call(Image.unmount, vm, drive)
    with pytest.raises(NotFound):
        world.call(Cdrom.get, vm, drive)


def test_a_drive_goes_on_to_name_an_image_that_is_no_more(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    item = image(world, vm)
    drive = world.call(Image.mount, item, vm)
    before = world.call(Cdrom.get, vm, drive)
    world.call(Item.delete, item)
    assert world.call(Cdrom.get, vm, drive) == before
    world.call(Image.unmount, vm, drive)


def test_an_item_without_an_image(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    library = add_library(world, storage_backings=(on_datastore(world, reached(world, vm)),))
    item = add_item(world, library, type="iso")
    put_files(world, item, readme_txt=b"read")
    with pytest.raises(InvalidArgument, match=r"has no \.iso file"):
        world.call(Image.mount, item, vm)


def test_the_first_of_several_images(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    item = image(world, vm)
    put_files(world, item, b_ISO=b"second", a_iso=b"first")
    drive = world.call(Image.mount, item, vm)
    path = world.call(Cdrom.get, vm, drive).backing.iso_file
    (file,) = [file for file in found_item(world, item).files if file.name == "a.iso"]
    assert path is not None
    assert path.endswith(f"/{file.stored_name}")


def test_what_the_host_does_not_reach(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    library = add_library(world, storage_backings=(OTHER,))
    item = add_item(world, library)
    put_files(world, item, tiny_iso=b"image")
    before = found(world, VirtualMachine, vm)
    with pytest.raises(ResourceInaccessible):
        world.call(Image.mount, item, vm)
    item = image(world, vm)
    world.change(found(world, Datastore, before.datastore), accessible=False)
    with pytest.raises(ResourceInaccessible):
        world.call(Image.mount, item, vm)
    assert found(world, VirtualMachine, vm) == before


def test_what_is_not_there(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    with pytest.raises(NotFound, match=UNKNOWN):
        world.call(Image.mount, UNKNOWN, vm)
    with pytest.raises(NotFound, match="vm-0"):
        world.call(Image.mount, image(world, vm), Vm("vm-0"))
    with pytest.raises(NotFound):
        world.call(Image.unmount, vm, ids.VcenterVmHardwareCdromId("99"))
    with pytest.raises(NotFound, match="vm-0"):
        world.call(Image.unmount, Vm("vm-0"), ids.VcenterVmHardwareCdromId("16000"))


def test_states_that_forbid_it(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    item = image(world, vm)
    drive = world.call(Image.mount, item, vm)

    def refuses() -> None:
        with pytest.raises(NotAllowedInCurrentState):
            world.call(Image.mount, item, vm)
        with pytest.raises(NotAllowedInCurrentState):
            world.call(Image.unmount, vm, drive)

    world.call(vcenter_vm.Power.start, vm)
    world.call(vcenter_vm.Power.suspend, vm)
    refuses()
    world.call(vcenter_vm.Power.stop, vm)
    world.change(found(world, VirtualMachine, vm), template=True)
    refuses()


def test_a_running_machine_without_sata_takes_none(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    item, machine = image(world, vm), found(world, VirtualMachine, vm)
    for drive, info in machine.cdroms.items():
        if info.type is SATA:
            world.call(Cdrom.delete, vm, drive)
    for adapter in machine.sata_adapters:
        world.call(Sata.delete, vm, adapter)
    drive = world.call(Image.mount, item, vm)
    assert world.call(Cdrom.get, vm, drive).type is IDE
    world.call(vcenter_vm.Power.start, vm)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Image.mount, item, vm)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Image.unmount, vm, drive)


def test_there_is_an_end_of_places(world: World) -> None:
    vm = Vm(vm_in(world, State.POWERED_OFF).id)
    item = image(world, vm)
    places = 4 * 30 + 4
    mounted = 0
    with suppress(NotAllowedInCurrentState):
        while mounted <= places:
            world.call(Image.mount, item, vm)
            mounted += 1
    assert 0 < mounted < places
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Image.mount, item, vm)
