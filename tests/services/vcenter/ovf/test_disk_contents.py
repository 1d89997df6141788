"""The bytes of disks that came from files: bound without copying, carried along, given out as they came, deleted."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.content_library import Item
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.contents import DiskContent
from resphere.inventory.model import Datastore, DatastoreFile, Snapshot, UnregisteredVm, VirtualMachine
from resphere.ovf.reading import read
from resphere.ovf.vmdk import read_head, write_empty
from tests.ovf.packages import envelope, item
from tests.services.content.libraries import add_item, add_library, fetch, kept, on_datastore, put_named_files
from tests.services.content.templates import check_in, check_out
from tests.services.vcenter.ovf.packages import ItemId, target
from tests.support.invariants import require_sound
from tests.support.world import World

Vm = ids.VirtualMachineId
DISK = b"the bytes of a disk, whatever they are" * 10
FORMAT = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
KEY = ids.VcenterVmHardwareDiskId("2000")
SECOND = ids.VcenterVmHardwareDiskId("2001")

DRIVE = item(8, 5, "Address=0") + item(
    9, 15, "AddressOnParent=0", "HostResource=ovf:/file/image", "Parent=8", "ResourceSubType=vmware.cdrom.iso"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def descriptor(file: str = 'ovf:href="disk.vmdk"', cdrom: str = "") -> bytes:
    """Two disks, of which the second is empty."""
    images = '<File ovf:id="image" ovf:href="tools.iso"/>' if cdrom else ""
    return envelope(
        item(1, 6, "ResourceSubType=lsilogic")
        + item(2, 17, "AddressOnParent=0", "HostResource=ovf:/disk/d1", "Parent=1")
        + item(3, 17, "AddressOnParent=1", "HostResource=ovf:/disk/d2", "Parent=1")
        + cdrom,
        sections=f'<References><File ovf:id="f1" {file}/>{images}</References><DiskSection><Info/>'
        f'<Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="1048576" ovf:format="{FORMAT}"/>'
        f'<Disk ovf:diskId="d2" ovf:capacity="1048576" ovf:format="{FORMAT}"/></DiskSection>',
    )


def add_package(world: World, files: dict[str, bytes] | None = None, text: bytes | None = None) -> ItemId:
    """An item with a disk in it."""
    package = add_item(world, add_library(world), type="ovf")
    files = {"disk.vmdk": DISK} if files is None else files
    put_named_files(world, package, {"web.ovf": descriptor() if text is None else text, **files})
    return package


def deploy(world: World, package: ItemId, name: str = "web") -> VirtualMachine:
    result = world.call(Ovf.deploy, None, package, target(world), Ovf.ResourcePoolDeploymentSpec(name=name))
    assert result.resource_id is not None, result.error
    return now(world, result.resource_id.id)


def now(world: World, vm: str) -> VirtualMachine:
    return world.inventory.all(VirtualMachine)[vm]


def captured(world: World, vm: str, name: str = "gold") -> dict[str, bytes]:
    """The files of a package made of the VM; that is deleted again, with its library."""
    library = add_library(world, name=f"captures of {name}")
    result = world.call(
        Ovf.create,
        None,
        Ovf.DeployableIdentity(type="VirtualMachine", id=vm),
        Ovf.CreateTarget(library_id=library),
        Ovf.CreateSpec(name=name),
    )
    assert result.ovf_library_item_id is not None, result.error
    files = world.inventory.all(LibraryItem)[result.ovf_library_item_id].files
    found = {file.name: fetch(world, result.ovf_library_item_id, file.name) for file in files}
    world.call(Item.delete, result.ovf_library_item_id)
    return found


def content_of(vm: VirtualMachine) -> DiskContent:
    """What the VM's first disk holds."""
    return vm.disk_contents[KEY]


def test_a_disk_is_given_out_as_it_came(world: World) -> None:
    package = add_package(world)
    before = kept(world)
    vm = deploy(world, package)
    assert list(vm.disk_contents) == [KEY]
    assert (content_of(vm).size_bytes, content_of(vm).capacity, content_of(vm).format) == (len(DISK), 1 << 20, FORMAT)
    assert kept(world) == before
    files = captured(world, vm.id)
    assert files["gold-1.vmdk"] == DISK
    assert read_head(files["gold-2.vmdk"], "disk").capacity == 1 << 20
    told = read(files["gold.ovf"], "gold.ovf").descriptor
    assert [(each.href, each.size) for each in told.files] == [
        (name, len(files[name])) for name in ("gold-1.vmdk", "gold-2.vmdk")
    ]


def test_bytes_stay_as_long_as_a_disk_has_them(world: World) -> None:
    package = add_package(world)
    vm = deploy(world, package)
    world.call(Item.delete, package)
    assert kept(world) == [len(DISK)]
    assert captured(world, vm.id)["gold-1.vmdk"] == DISK
    world.run(world.environment.library_cleaning.clean_up())
    assert kept(world) == [len(DISK)]
    world.call(vcenter.VM.delete, Vm(vm.id))
    assert kept(world) == []


def test_what_is_the_same_is_kept_once(world: World) -> None:
    first, second = add_package(world), add_package(world)
    assert len(kept(world)) == 2
    vm = deploy(world, first)
    for each in (first, second):
        world.call(Item.delete, each)
    third = add_package(world)
    assert len(kept(world)) == 2
    world.call(vcenter.VM.delete, Vm(vm.id))
    assert fetch(world, third, "disk.vmdk") == DISK


def in_pieces(data: bytes, size: int, attributes: str = "") -> tuple[dict[str, bytes], bytes]:
    """The files of a disk in pieces, and a descriptor that says so."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert len(pieces) > 1
    files = {f"disk.img.{number:09d}": piece for number, piece in enumerate(pieces)}
    return files, descriptor(f'ovf:href="disk.img" {attributes} ovf:chunkSize="{size}" ovf:size="{len(data)}"')


def packed_by(data: bytes) -> bytes:
    """Compressed in two members, filled up to a block."""
    packed = gzip.compress(data[:100]) + gzip.compress(data[100:])
    return packed + bytes(-len(packed) % 512)


PACKED = 'ovf:compression="gzip"'


@pytest.mark.parametrize(
    ("files", "text"),
    [
        in_pieces(DISK, 40),
        in_pieces(gzip.compress(DISK), 40, PACKED),
        ({"disk.gz": gzip.compress(DISK)}, descriptor(f'ovf:href="disk.gz" {PACKED}')),
        ({"disk.gz": packed_by(DISK)}, descriptor(f'ovf:href="disk.gz" {PACKED}')),
    ],
    ids=["pieces", "compressed pieces", "compressed", "members"],
)
def test_compressed_and_in_pieces(world: World, files: dict[str, bytes], text: bytes) -> None:
    vm = deploy(world, add_package(world, files, text))
    assert content_of(vm).size_bytes == sum(map(len, files.values()))
    found = captured(world, vm.id)
    # Readers that know nothing of either take it.
    assert found["gold-1.vmdk"] == DISK
    assert sorted(found) == ["gold-1.vmdk", "gold-2.vmdk", "gold.mf", "gold.ovf"]
    [file, _] = read(found["gold.ovf"]).descriptor.files
    assert (file.href, file.size, file.compression, file.chunk_size) == ("gold-1.vmdk", len(DISK), "", None)
    text = found.pop("gold.ovf")
    del found["gold.mf"]
    again = deploy(world, add_package(world, found, text), "again")
    [part] = content_of(again).parts
    assert part.sha256 == hashlib.sha256(DISK).hexdigest()


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    "packed",
    [
        b"no gzip at all, whatever the descriptor says",
        gzip.compress(DISK)[:-20],
        gzip.compress(DISK) + b"and more",
        gzip.compress(bytes(64 << 20)),
    ],
    ids=["no gzip", "broken off", "more", "a bomb"],
)
def test_what_cannot_be_unpacked_is_captured_as_it_came(world: World, packed: bytes, split: bool) -> None:
    files, text = {"disk.gz": packed}, descriptor(f'ovf:href="disk.gz" {PACKED}')
    if split:
        files, text = in_pieces(packed, -(-len(packed) // 2), PACKED)
    vm = deploy(world, add_package(world, files, text))
    room = kept(world)
    found = captured(world, vm.id)
    disk = [data for name, data in found.items() if name.startswith("gold-1.")]
    assert disk == list(files.values())
    [file, _] = read(found["gold.ovf"]).descriptor.files
    assert (file.compression, file.size) == ("gzip", len(packed))
    # Nothing is left of what was tried.
    assert kept(world) == room
    text = found.pop("gold.ovf")
    del found["gold.mf"]
    again = deploy(world, add_package(world, found, text), "again")
    assert msgspec.structs.replace(content_of(again), parts=()) == msgspec.structs.replace(content_of(vm), parts=())
    assert [part.sha256 for part in content_of(again).parts] == [part.sha256 for part in content_of(vm).parts]


@pytest.mark.parametrize(
    ("files", "text", "lacking"),
    [
        ({"disk.vmdk": DISK}, descriptor(), "disk.vmdk"),
        ({"disk.vmdk": DISK, "other.vmdk": DISK}, descriptor(), "disk.vmdk"),
        (
            {"disk.vmdk.000000000": DISK, "disk.vmdk.000000001": DISK},
            descriptor('ovf:href="disk.vmdk" ovf:chunkSize="100"'),
            "disk.vmdk.000000000",
        ),
        ({"disk.vmdk": DISK, "tools.iso": b"image"}, descriptor(cdrom=DRIVE), "tools.iso"),
    ],
    ids=["nothing", "another", "no first piece", "no image"],
)
def test_a_package_lacks_a_file(world: World, files: dict[str, bytes], text: bytes, lacking: str) -> None:
    """Of a library that took them before it looked into them."""
    machines = set(world.inventory.all(VirtualMachine))
    package = add_package(world, files, text)
    whole = world.inventory.all(LibraryItem)[package]
    world.put(msgspec.structs.replace(whole, files=tuple(each for each in whole.files if each.name != lacking)))
    spec = Ovf.ResourcePoolDeploymentSpec(name="web")
    result = world.call(Ovf.deploy, None, package, target(world), spec)
    assert not result.succeeded
    assert result.error is not None
    [error] = result.error.errors
    assert error.category == "VALIDATION"
    assert set(world.inventory.all(VirtualMachine)) == machines


def test_an_image_is_in_its_drive(world: World) -> None:
    package = add_package(world, {"disk.vmdk": DISK, "tools.iso": b"image"}, descriptor(cdrom=DRIVE))
    image = next(each for each in world.inventory.all(LibraryItem)[package].files if each.name == "tools.iso")
    [cdrom] = deploy(world, package).cdroms.values()
    assert cdrom.backing.type is Cdrom.BackingType.ISO_FILE
    store, path = next(iter(world.inventory.all(Datastore).values())), cdrom.backing.iso_file or ""
    assert path.startswith(f"[{store.name}] contentlib-")
    assert path.endswith(f"/{package}/{image.stored_name}")


def test_clones_have_the_same_bytes(world: World) -> None:
    package = add_package(world)
    vm = deploy(world, package)
    content = content_of(vm)
    place: Any = {"folder": vm.parent, "resource_pool": vm.resource_pool}
    spec = vcenter.VM.CloneSpec(
        source=Vm(vm.id), name="clone", placement=msgspec.convert(place, vcenter.VM.ClonePlacementSpec)
    )
    clone = now(world, world.call(vcenter.VM.clone, spec))
    assert clone.disk_contents == {KEY: content}
    without = msgspec.structs.replace(spec, name="without", disks_to_remove=frozenset((KEY,)))
    assert now(world, world.call(vcenter.VM.clone, without)).disk_contents == {}
    world.call(Power.start, Vm(vm.id))
    instant = vcenter.VM.InstantCloneSpec(source=Vm(vm.id), name="instant")
    assert now(world, world.call(vcenter.VM.instant_clone, instant)).disk_contents == {KEY: content}
    world.call(Power.stop, Vm(vm.id))
    world.call(vcenter.VM.delete, Vm(vm.id))
    world.call(Item.delete, package)
    assert captured(world, clone.id)["gold-1.vmdk"] == DISK


def test_templates_have_the_same_bytes(world: World) -> None:
    vm = deploy(world, add_package(world))
    content = content_of(vm)
    number = list(world.inventory.all(Datastore)).index(vm.datastore)
    library = add_library(world, name="templates", storage_backings=(on_datastore(world, number),))
    create = LibraryItems.CreateSpec(source_vm=Vm(vm.id), name="golden", library=library)
    golden = world.call(LibraryItems.create, create)
    template = world.inventory.all(LibraryItem)[golden].template
    assert template is not None
    assert now(world, template).disk_contents == {KEY: content}
    world.call(vcenter.VM.delete, Vm(vm.id))
    larger = LibraryItems.HardwareCustomizationSpec(
        disks_to_update={KEY: LibraryItems.DiskUpdateSpec(capacity=4 << 20)}
    )
    place = LibraryItems.DeployPlacementSpec(resource_pool=vm.resource_pool)
    made = now(
        world,
        world.call(
            LibraryItems.deploy,
            golden,
            LibraryItems.DeploySpec(name="made", placement=place, hardware_customization=larger),
        ),
    )
    assert made.disk_contents == {KEY: content}
    out = check_out(world, golden, name="out")
    assert now(world, out).disk_contents == {KEY: content}
    check_in(world, golden, out)
    assert now(world, world.inventory.all(LibraryItem)[golden].template or "").disk_contents == {KEY: content}
    # A disk that has grown, whose bytes are of no known format, is given out as it came, under its present capacity.
    files = captured(world, made.id)
    assert files["gold-1.vmdk"] == DISK
    [first, _] = read(files["gold.ovf"], "gold.ovf").descriptor.disks
    assert int(first.capacity) == 4 << 20


def test_a_disk_that_has_grown_is_given_out_with_its_capacity(world: World) -> None:
    disk = b"".join(write_empty(1 << 20))
    vm = deploy(world, add_package(world, {"disk.vmdk": disk}))
    library = add_library(world, name="templates", storage_backings=(on_datastore(world, stores(world, vm)),))
    golden = world.call(
        LibraryItems.create, LibraryItems.CreateSpec(source_vm=Vm(vm.id), name="golden", library=library)
    )
    larger = LibraryItems.HardwareCustomizationSpec(
        disks_to_update={KEY: LibraryItems.DiskUpdateSpec(capacity=5 << 30)}
    )
    place = LibraryItems.DeployPlacementSpec(resource_pool=vm.resource_pool)
    spec = LibraryItems.DeploySpec(name="made", placement=place, hardware_customization=larger)
    made = world.call(LibraryItems.deploy, golden, spec)
    before = kept(world)
    files = captured(world, made)
    assert read_head(files["gold-1.vmdk"], "disk").capacity == 5 << 30
    told = read(files["gold.ovf"], "gold.ovf").descriptor
    assert [each.size for each in told.files] == [len(files["gold-1.vmdk"]), len(files["gold-2.vmdk"])]
    assert int(told.disks[0].capacity) == 5 << 30
    assert hashlib.sha256(files["gold-1.vmdk"]).hexdigest().encode() in files["gold.mf"]
    assert kept(world) == before
    assert captured(world, vm.id)["gold-1.vmdk"] == disk


def stores(world: World, vm: VirtualMachine) -> int:
    """Which of all datastores the VM is on."""
    return list(world.inventory.all(Datastore)).index(vm.datastore)


def test_a_disk_that_is_taken_out_keeps_its_bytes(world: World) -> None:
    package = add_package(world)
    vm = deploy(world, package)
    content, path = content_of(vm), vm.disks[KEY].backing.vmdk_file
    assert path is not None
    world.call(Item.delete, package)
    world.call(Disk.delete, Vm(vm.id), KEY)
    assert now(world, vm.id).disk_contents == {}
    [file] = [file for file in world.inventory.all(DatastoreFile).values() if file.content is not None]
    assert file.content == content
    # A new disk in the same place is empty.
    new = Disk.CreateSpec(type=Disk.HostBusAdapterType.SCSI, new_vmdk=Disk.VmdkCreateSpec(capacity=1 << 20, name="new"))
    assert world.call(Disk.create, Vm(vm.id), new) == KEY
    assert now(world, vm.id).disk_contents == {}
    other = deploy(world, add_package(world, {"disk.vmdk": b"other"}), "other")
    backing = Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)
    key = world.call(Disk.create, Vm(other.id), Disk.CreateSpec(type=Disk.HostBusAdapterType.SCSI, backing=backing))
    assert now(world, other.id).disk_contents[key] == content
    # Another file for a disk.
    world.call(Disk.delete, Vm(other.id), key)
    world.call(Disk.update, Vm(other.id), SECOND, Disk.UpdateSpec(backing=backing))
    assert now(world, other.id).disk_contents[SECOND] == content
    assert captured(world, other.id)["gold-2.vmdk"] == DISK
    require_sound(world.inventory)


def test_a_snapshot_keeps_what_a_disk_had(world: World) -> None:
    package = add_package(world)
    vm = Vm(deploy(world, package).id)
    content = content_of(now(world, vm))
    snapshot = world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="before"))
    world.call(Disk.delete, vm, KEY)
    world.call(Item.delete, package)
    [file] = [file for file in world.inventory.all(DatastoreFile).values() if file.content is not None]
    world.run(world.inventory.change(lambda edit: edit.delete(DatastoreFile, file.id)))
    assert world.inventory.all(Snapshot)[snapshot].state.disk_contents == {KEY: content}
    assert kept(world) == [len(DISK)]
    world.call(VmSnapshots.revert, vm, snapshot)
    assert captured(world, vm)["gold-1.vmdk"] == DISK


def test_files_that_are_not_registered_keep_their_bytes(world: World) -> None:
    package = add_package(world)
    vm = deploy(world, package)
    content = content_of(vm)
    world.call(vcenter.VM.unregister, Vm(vm.id))
    world.call(Item.delete, package)
    [files] = world.inventory.all(UnregisteredVm).values()
    assert files.machine.disk_contents == {KEY: content}
    place: Any = {"folder": vm.parent, "resource_pool": vm.resource_pool, "host": vm.host}
    spec = vcenter.VM.RegisterSpec(
        datastore_path=vm.vmx_path, placement=msgspec.convert(place, vcenter.VM.RegisterPlacementSpec)
    )
    again = world.call(vcenter.VM.register, spec)
    assert captured(world, again)["gold-1.vmdk"] == DISK
