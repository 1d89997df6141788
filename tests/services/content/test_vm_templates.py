"""VM templates as items of content libraries: made, shown, deployed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    InvalidElementType,
    NotAllowedInCurrentState,
    NotFound,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.generated import cis_tagging, ids, vcenter, vcenter_vm
from resphere.contract.generated.content import Library as LibraryOperations
from resphere.contract.generated.content import LocalLibrary
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import Datastore, Folder, Host, VirtualMachine
from resphere.rules.space import free_space
from tests.services.content.libraries import OTHER, add_item, add_library, begin, put_files
from tests.services.content.templates import (
    UNKNOWN,
    Vm,
    create,
    deploy,
    golden,
    in_pool,
    item_of,
    machine_of,
    new_library,
    source,
)
from tests.services.vcenter.building import found, refused
from tests.support.world import World

Hardware = LibraryItems.HardwareCustomizationSpec


def all_machines(world: World) -> set[str]:
    """The ids of all."""
    return set(world.inventory.all(VirtualMachine))


def test_an_item_and_its_machine(world: World) -> None:
    library = new_library(world)
    item = create(world, library, description="for all of us")
    machine, origin = machine_of(world, item), source(world)
    assert (machine.name, machine.template, machine.annotation) == ("golden", True, "for all of us")
    assert (machine.parent, machine.cpu, set(machine.disks)) == (origin.parent, origin.cpu, set(origin.disks))
    assert machine.instance_uuid != origin.instance_uuid
    model = world.call(Item.get, item)
    assert (model.type, model.name, model.content_version) == ("vm-template", "golden", "1")
    assert world.call(Item.find, Item.FindSpec(type="vm-template")) == (item,)
    assert machine.id not in [each.vm for each in world.call(vcenter.VM.list, None)]


def test_what_is_shown(world: World) -> None:
    item = golden(world)
    machine = machine_of(world, item)
    info = world.call(LibraryItems.get, item)
    assert info is not None
    assert info.vm_template == machine.id
    assert (info.cpu.count, info.memory.size_MiB) == (machine.cpu.count, machine.memory.size_MiB)
    assert info.vm_home_storage.datastore == machine.datastore
    assert {key: disk.capacity for key, disk in info.disks.items()} == {
        key: disk.capacity for key, disk in machine.disks.items()
    }
    assert {disk.disk_storage.datastore for disk in info.disks.values()} == {machine.datastore}
    assert {key: nic.network for key, nic in info.nics.items()} == {
        key: nic.backing.network for key, nic in machine.nics.items()
    }
    other = add_item(world, item_of(world, item).library)
    assert world.call(LibraryItems.get, other) is None
    with pytest.raises(NotFound, match=UNKNOWN):
        world.call(LibraryItems.get, UNKNOWN)


def test_its_files_take_room_on_the_datastore_of_the_library(world: World) -> None:
    origin = source(world)
    store = found(world, Datastore, origin.datastore)
    library, before = new_library(world), free_space(world.inventory, store)
    item = create(world, library)
    size = sum(disk.capacity or 0 for disk in origin.disks.values())
    assert free_space(world.inventory, store) == before - size
    world.call(Item.delete, item)
    assert free_space(world.inventory, store) == before


def test_a_library_elsewhere_leaves_them_where_the_source_lies(world: World) -> None:
    item = create(world, add_library(world, storage_backings=(OTHER,)))
    assert machine_of(world, item).datastore == source(world).datastore


def test_storage_and_place_that_are_named(world: World) -> None:
    origin = source(world)
    host = found(world, Host, origin.host)
    store = next(ids.DatastoreId(id) for id in host.datastores if id != origin.datastore)
    disk = next(iter(origin.disks))
    item = create(
        world,
        new_library(world),
        placement=LibraryItems.CreatePlacementSpec(host=ids.HostSystemId(host.id)),
        disk_storage_overrides={disk: LibraryItems.CreateSpecDiskStorage(datastore=store)},
    )
    info = world.call(LibraryItems.get, item)
    assert info is not None
    assert info.vm_home_storage.datastore == origin.datastore
    assert info.disks[disk].disk_storage.datastore == store


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"source_vm": Vm("vm-0")}, NotFound),
        ({"name": ""}, InvalidArgument),
        ({"name": "x" * 81}, InvalidArgument),
        ({"description": "x" * 2001}, InvalidArgument),
        ({"placement": LibraryItems.CreatePlacementSpec(host=ids.HostSystemId("host-0"))}, NotFound),
        ({"placement": LibraryItems.CreatePlacementSpec(folder=ids.FolderId("group-v0"))}, NotFound),
        ({"vm_home_storage": LibraryItems.CreateSpecVmHomeStorage(datastore=ids.DatastoreId("datastore-0"))}, NotFound),
        ({"disk_storage": LibraryItems.CreateSpecDiskStorage(datastore=ids.DatastoreId("datastore-0"))}, NotFound),
        (
            {"disk_storage_overrides": {ids.VcenterVmHardwareDiskId("9"): LibraryItems.CreateSpecDiskStorage()}},
            NotFound,
        ),
    ],
)
def test_what_cannot_be_made(world: World, fields: dict[str, Any], error: type[VapiError]) -> None:
    library, before = new_library(world), all_machines(world)
    with pytest.raises(error):
        create(world, library, **fields)
    assert world.call(Item.list, library) == ()
    assert all_machines(world) == before


def test_there_must_be_the_library(world: World) -> None:
    before = all_machines(world)
    with pytest.raises(NotFound, match=UNKNOWN):
        create(world, ids.ContentLibraryId(UNKNOWN))
    assert all_machines(world) == before


def test_a_name_is_taken_in_the_library_and_in_the_folder(world: World) -> None:
    library = new_library(world)
    create(world, library)
    before = all_machines(world)
    with pytest.raises(AlreadyExists) as error:
        create(world, library)
    assert refused(error) == (400, "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library")
    with pytest.raises(AlreadyExists) as error:
        create(world, new_library(world))
    assert refused(error) == (400, "vmsg.DuplicateName.summary")
    assert all_machines(world) == before


def test_a_template_becomes_none(world: World) -> None:
    item = golden(world)
    machine = Vm(machine_of(world, item).id)
    with pytest.raises(InvalidArgument) as error:
        create(world, item_of(world, item).library, "again", source_vm=machine)
    assert error.value.messages[0].id == "com.vmware.vdcs.vmtx-main.invalid_source_vm_template_not_supported"
    assert error.value.messages[0].args == (machine,)


def test_a_library_in_maintenance_takes_none(world: World) -> None:
    library = new_library(world)
    world.call(LibraryOperations.enter_maintenance, library)
    with pytest.raises(NotAllowedInCurrentState):
        create(world, library)


def test_deleting_the_item_takes_its_machine(world: World) -> None:
    before = all_machines(world)
    item = golden(world)
    world.call(Item.delete, item)
    assert all_machines(world) == before
    with pytest.raises(NotFound):
        world.call(Item.get, item)


def test_deleting_the_machine_takes_its_item(world: World) -> None:
    item = golden(world)
    world.serve_as("6.7.0")
    world.call(vcenter.VM.delete, Vm(machine_of(world, item).id))
    with pytest.raises(NotFound):
        world.call(Item.get, item)


def test_deleting_the_library_takes_all_machines(world: World) -> None:
    before, library = all_machines(world), new_library(world)
    for name in ("one", "two"):
        create(world, library, name)
    put_files(world, add_item(world, library), notes_txt=b"notes")
    world.call(LocalLibrary.delete, library)
    assert all_machines(world) == before
    assert not world.inventory.all(LibraryItem)


def test_what_cannot_be_reached_is_not_deleted(world: World) -> None:
    item = golden(world)
    world.change(found(world, Datastore, machine_of(world, item).datastore), accessible=False)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Item.delete, item)
    assert machine_of(world, item).template


def test_it_has_no_files_and_stays_what_it_is(world: World) -> None:
    item = golden(world)
    library = item_of(world, item).library
    with pytest.raises(InvalidElementType):
        begin(world, item)
    with pytest.raises(InvalidArgument):
        world.call(Item.copy, None, item, ItemModel(library_id=library, name="copy"))
    with pytest.raises(InvalidArgument):
        world.call(Item.update, item, ItemModel(type="iso"))
    world.call(Item.update, item, ItemModel(type="vm-template", description="words"))
    assert world.call(Item.list, library) == (item,)


def test_a_machine_is_deployed(world: World) -> None:
    item = create(world, new_library(world), description="words")
    made, template = deploy(world, item), machine_of(world, item)
    assert (made.name, made.template, made.annotation) == ("made", False, "words")
    assert made.power_state is vcenter_vm.Power.State.POWERED_OFF
    assert made.cpu == template.cpu
    assert {disk.backing.vmdk_file for disk in made.disks.values()}.isdisjoint(
        disk.backing.vmdk_file for disk in template.disks.values()
    )
    assert world.call(vcenter.VM.get, Vm(made.id)).name == "made"
    running = deploy(world, item, "running", powered_on=True, description="mine")
    assert running.power_state is vcenter_vm.Power.State.POWERED_ON
    assert running.annotation == "mine"


def test_other_hardware(world: World) -> None:
    item = golden(world)
    template = machine_of(world, item)
    disk, nic = next(iter(template.disks)), next(iter(template.nics))
    capacity = (template.disks[disk].capacity or 0) * 2
    host = found(world, Host, template.host)
    network = next(id for id in host.networks if id != template.nics[nic].backing.network)
    made = deploy(
        world,
        item,
        hardware_customization=Hardware(
            nics={nic: LibraryItems.EthernetUpdateSpec(network=ids.NetworkId(network))},
            disks_to_update={disk: LibraryItems.DiskUpdateSpec(capacity=capacity)},
            cpu_update=LibraryItems.CpuUpdateSpec(num_cpus=6, num_cores_per_socket=3),
            memory_update=LibraryItems.MemoryUpdateSpec(memory=8192),
        ),
    )
    assert made.disks[disk].capacity == capacity
    assert made.nics[nic].backing.network == network
    assert (made.cpu.count, made.cpu.cores_per_socket, made.memory.size_MiB) == (6, 3, 8192)
    assert machine_of(world, item) == template
    bare = deploy(world, item, "bare", hardware_customization=Hardware(disks_to_remove=frozenset(template.disks)))
    assert bare.disks == {}


def test_storage_of_a_deployed_machine(world: World) -> None:
    item = golden(world)
    template = machine_of(world, item)
    host = found(world, Host, template.host)
    other = next(ids.DatastoreId(id) for id in host.datastores if id != template.datastore)
    store = LibraryItems.DeploySpecDiskStorage(datastore=other)
    made = deploy(world, item, placement=in_pool(world, host=ids.HostSystemId(host.id)), disk_storage=store)
    name = found(world, Datastore, other).name
    assert made.datastore == template.datastore
    assert all((disk.backing.vmdk_file or "").startswith(f"[{name}] ") for disk in made.disks.values())


CAPACITY = {ids.VcenterVmHardwareDiskId("9"): LibraryItems.DiskUpdateSpec(capacity=2**40)}
NIC = ids.VcenterVmHardwareEthernetId


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, InvalidArgument),
        ({"placement": None}, InvalidArgument),
        ({"placement": LibraryItems.DeployPlacementSpec(host=ids.HostSystemId("host-0"))}, NotFound),
        ({"vm_home_storage": LibraryItems.DeploySpecVmHomeStorage(datastore=ids.DatastoreId("datastore-0"))}, NotFound),
        ({"disk_storage": LibraryItems.DeploySpecDiskStorage(datastore=ids.DatastoreId("datastore-0"))}, NotFound),
        ({"guest_customization": LibraryItems.GuestCustomizationSpec(name="none such")}, NotFound),
        ({"hardware_customization": Hardware(disks_to_update=CAPACITY)}, NotFound),
        ({"hardware_customization": Hardware(disks_to_remove=frozenset(CAPACITY))}, NotFound),
        ({"hardware_customization": Hardware(nics={NIC("9"): LibraryItems.EthernetUpdateSpec()})}, NotFound),
        (
            {
                "hardware_customization": Hardware(
                    nics={NIC("4000"): LibraryItems.EthernetUpdateSpec(network=ids.NetworkId("network-0"))}
                )
            },
            NotFound,
        ),
        (
            {
                "hardware_customization": Hardware(
                    nics={NIC("4000"): LibraryItems.EthernetUpdateSpec(subnet=ids.FolderId("subnet"))}
                )
            },
            InvalidArgument,
        ),
        ({"hardware_customization": Hardware(cpu_update=LibraryItems.CpuUpdateSpec(num_cpus=0))}, InvalidArgument),
        ({"hardware_customization": Hardware(memory_update=LibraryItems.MemoryUpdateSpec(memory=3))}, InvalidArgument),
        ({"tags": (LibraryItems.TagSpec(tag_id="none such"),)}, InvalidArgument),
        (
            {
                "tags": (
                    LibraryItems.TagSpec(tag_name_spec=LibraryItems.TagNameSpec(tag_name="none", category_name="such")),
                )
            },
            InvalidArgument,
        ),
        ({"tags": (LibraryItems.TagSpec(),)}, InvalidArgument),
    ],
)
def test_what_cannot_be_deployed(world: World, fields: dict[str, Any], error: type[VapiError]) -> None:
    item = golden(world)
    before = all_machines(world)
    with pytest.raises(error):
        deploy(world, item, **fields)
    assert all_machines(world) == before


def test_a_disk_grows_or_is_refused(world: World) -> None:
    item = golden(world)
    disk, info = next(iter(machine_of(world, item).disks.items()))
    same = {disk: LibraryItems.DiskUpdateSpec(capacity=info.capacity or 0)}
    with pytest.raises(InvalidArgument, match="must be more than"):
        deploy(world, item, hardware_customization=Hardware(disks_to_update=same))
    huge = {disk: LibraryItems.DiskUpdateSpec(capacity=2**60)}
    with pytest.raises(UnableToAllocateResource):
        deploy(world, item, hardware_customization=Hardware(disks_to_update=huge))
    both = Hardware(disks_to_update=huge, disks_to_remove=frozenset({disk}))
    with pytest.raises(InvalidArgument):
        deploy(world, item, hardware_customization=both)


def test_other_items_are_not_deployed(world: World) -> None:
    item = add_item(world, new_library(world), type="ovf", name="x")
    with pytest.raises(InvalidArgument) as error:
        deploy(world, item)
    assert error.value.messages[0].default_message == (
        f"The library item 'x' (ID: {item}) has type 'ovf', but needs to be of type 'vm-template'."
    )
    with pytest.raises(NotFound):
        deploy(world, UNKNOWN)


def test_a_deployed_machine_has_a_free_name(world: World) -> None:
    item = golden(world)
    with pytest.raises(AlreadyExists):
        deploy(world, item, source(world).name)


def test_tags_of_a_deployed_machine(world: World) -> None:
    item = golden(world)
    category = world.call(
        cis_tagging.Category.create,
        cis_tagging.Category.CreateSpec(
            name="speed",
            description="",
            cardinality=cis_tagging.CategoryModel.Cardinality.MULTIPLE,
            associable_types=frozenset(),
        ),
    )
    slow, fast = (
        world.call(cis_tagging.Tag.create, cis_tagging.Tag.CreateSpec(name=name, description="", category_id=category))
        for name in ("slow", "fast")
    )
    named = LibraryItems.TagNameSpec(tag_name="fast", category_name="speed")
    made = deploy(world, item, tags=(LibraryItems.TagSpec(tag_id=slow), LibraryItems.TagSpec(tag_name_spec=named)))
    attached = world.call(cis_tagging.TagAssociation.list_attached_tags, DynamicID(type="VirtualMachine", id=made.id))
    assert set(attached) == {slow, fast}


def test_a_deployed_machine_goes_to_another_folder(world: World) -> None:
    item = golden(world)
    template = machine_of(world, item)
    kind = vcenter.Folder.Type.VIRTUAL_MACHINE
    folder = next(
        (
            each
            for each in world.inventory.all(Folder).values()
            if each.type is kind and each.id != template.parent and each.parent == template.parent
        ),
        found(world, Folder, template.parent or ""),
    )
    made = deploy(world, item, placement=in_pool(world, folder=ids.FolderId(folder.id)))
    assert made.parent == folder.id
