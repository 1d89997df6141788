"""Packages made of machines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from resphere.contract.errors import InvalidArgument, NotFound
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.ovf.manifest import Algorithm, check, read_manifest
from resphere.ovf.reading import read
from resphere.ovf.vmdk import read_head
from tests.services.content.libraries import add_item, add_library, begin, fetch, kept
from tests.services.vcenter.ovf.packages import ItemId, add_package, target
from tests.support.served import Served
from tests.support.world import World

TOKEN = "5f1b3a52-6a5e-4f7c-9d2b-0c2f1d7e8a90"
HARDWARE = (
    "guest_OS",
    "cpu",
    "memory",
    "boot",
    "scsi_adapters",
    "sata_adapters",
    "nvme_adapters",
    "floppies",
    "serial_ports",
    "parallel_ports",
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def machine(world: World) -> VirtualMachine:
    """A VM with every kind of device."""
    spec = Ovf.ResourcePoolDeploymentSpec(accept_all_EULA=True)
    result = world.call(Ovf.deploy, None, add_package(world), target(world), spec)
    assert result.resource_id is not None
    return world.inventory.all(VirtualMachine)[result.resource_id.id]


def source(vm: VirtualMachine) -> Ovf.DeployableIdentity:
    return Ovf.DeployableIdentity(type="VirtualMachine", id=vm.id)


def capture(world: World, vm: VirtualMachine, token: str | None = None, **fields: Any) -> Ovf.CreateResult:
    """Capture into a library or an item, whichever is named."""
    place = {name: fields.pop(name) for name in ("library_id", "library_item_id") if name in fields}
    return world.call(Ovf.create, token, source(vm), Ovf.CreateTarget(**place), Ovf.CreateSpec(**fields))


def item_of(world: World, result: Ovf.CreateResult) -> LibraryItem:
    """The item that a capture has made or changed."""
    assert result.succeeded, result.error
    assert result.ovf_library_item_id is not None
    return world.inventory.all(LibraryItem)[result.ovf_library_item_id]


def error_type(result: Ovf.CreateResult) -> str:
    """Of the one error of a capture that made nothing."""
    assert not result.succeeded
    assert result.error is not None
    [error] = result.error.errors
    told: str = cast(Any, error.error).error_type
    return told


def test_a_package_with_descriptor_disks_and_manifest(world: World) -> None:
    vm, library = machine(world), add_library(world, name="captures")
    item = item_of(world, capture(world, vm, library_id=library, name="gold", description="as it was"))
    assert (item.name, item.description, item.type, item.library) == ("gold", "as it was", "ovf", library)
    files = {each.name: fetch(world, item.id, each.name) for each in item.files}
    assert list(files) == ["gold.ovf", "gold-1.vmdk", "gold-2.vmdk", "gold.mf"]
    descriptor = read(files["gold.ovf"], "gold.ovf").descriptor
    assert [(each.href, each.size) for each in descriptor.files] == [
        (name, len(files[name])) for name in ("gold-1.vmdk", "gold-2.vmdk")
    ]
    _, made_here = vm.disks.values()
    assert files["gold-1.vmdk"] == b"content of web-1.vmdk"
    assert read_head(files["gold-2.vmdk"], "disk").capacity == made_here.capacity
    entries = read_manifest(files["gold.mf"], "gold.mf")
    assert {each.file for each in entries} == set(files) - {"gold.mf"}
    assert {each.algorithm for each in entries} == {Algorithm.SHA256}
    check(entries, lambda name, _: hashlib.sha256(files[name]).hexdigest(), "gold.mf")


def test_what_is_captured_and_deployed_is_the_same(world: World) -> None:
    vm, library = machine(world), add_library(world, name="captures")
    item = item_of(world, capture(world, vm, library_id=library, flags=("PRESERVE_MAC",)))
    assert item.name == vm.name
    spec = Ovf.ResourcePoolDeploymentSpec(name="again", accept_all_EULA=False)
    result = world.call(Ovf.deploy, None, item.id, target(world), spec)
    assert result.resource_id is not None, result.error
    again = world.inventory.all(VirtualMachine)[result.resource_id.id]
    assert [getattr(again, name) for name in HARDWARE] == [getattr(vm, name) for name in HARDWARE]
    # Images do not come along.
    assert [(each.type, each.sata) for each in again.cdroms.values()] == [
        (each.type, each.sata) for each in vm.cdroms.values()
    ]
    assert again.hardware.version == vm.hardware.version
    assert again.annotation == vm.annotation
    for kind in ("label", "type", "scsi", "capacity"):
        assert [getattr(each, kind) for each in again.disks.values()] == [
            getattr(each, kind) for each in vm.disks.values()
        ]
    assert [each.mac_address for each in again.nics.values()] == [each.mac_address for each in vm.nics.values()]


def test_addresses_come_along_only_if_asked_for(world: World) -> None:
    vm, library = machine(world), add_library(world, name="captures")
    item = item_of(world, capture(world, vm, library_id=library))
    assert b"00:50:56:aa:00:01" not in fetch(world, item.id, "web.ovf")


def test_a_new_version_of_an_item(world: World) -> None:
    vm, package = machine(world), add_package(world, name="mine", description="kept")
    before = world.inventory.all(LibraryItem)[package]
    item = item_of(world, capture(world, vm, library_item_id=package, name="other", description="not this"))
    assert (item.id, item.name, item.description) == (package, "mine", "kept")
    assert item.content_version == before.content_version + 1
    assert [each.name for each in item.files] == ["other.ovf", "other-1.vmdk", "other-2.vmdk", "other.mf"]
    again = item_of(world, capture(world, vm, library_item_id=package, name="other"))
    assert {each.version for each in again.files} == {2}


def test_room_is_taken_for_it(world: World) -> None:
    vm, library = machine(world), add_library(world, name="captures")
    store = world.inventory.all(Library)[library].datastore
    assert store is not None
    before = world.call(vcenter.Datastore.get, store).free_space or 0
    item = item_of(world, capture(world, vm, library_id=library))
    assert before - (world.call(vcenter.Datastore.get, store).free_space or 0) == item.size_bytes
    world.call(Item.delete, item.id)
    assert world.call(vcenter.Datastore.get, store).free_space == before


def test_what_fails_leaves_nothing(world: World) -> None:
    vm, library = machine(world), add_library(world, name="captures")
    add_item(world, library, name="taken")
    busy = add_item(world, library, name="busy", type="ovf")
    begin(world, busy)
    there = kept(world)
    assert error_type(capture(world, vm, library_id=library, name="taken")) == "ALREADY_EXISTS"
    assert error_type(capture(world, vm, library_item_id=busy)) == "RESOURCE_BUSY"
    datastore = world.inventory.all(Library)[library].datastore
    store = world.inventory.all(Datastore)[str(datastore)]
    world.change(store, capacity=1)
    assert error_type(capture(world, vm, library_id=library, name="large")) == "UNABLE_TO_ALLOCATE_RESOURCE"
    assert kept(world) == there


def test_what_is_refused(world: World) -> None:
    vm, library = machine(world), add_library(world, name="captures")
    image = add_item(world, library, name="image", type="iso")
    other = add_package(world, name="elsewhere")
    into = Ovf.CreateTarget(library_id=library)
    with pytest.raises(InvalidArgument, match="one of library_id and library_item_id"):
        capture(world, vm)
    with pytest.raises(InvalidArgument, match="of the type ovf"):
        capture(world, vm, library_item_id=image)
    with pytest.raises(InvalidArgument, match="in the library"):
        capture(world, vm, library_id=library, library_item_id=other)
    with pytest.raises(InvalidArgument, match="PRESERVE_MAC"):
        capture(world, vm, library_id=library, flags=("EVERYTHING",))
    pool = Ovf.DeployableIdentity(type="ResourcePool", id="resgroup-v1")
    with pytest.raises(InvalidArgument, match="VirtualMachine or VirtualApp"):
        world.call(Ovf.create, None, pool, into, Ovf.CreateSpec())
    with pytest.raises(InvalidArgument, match="name"):
        capture(world, vm, library_id=library, name="n" * 300)
    with pytest.raises(InvalidArgument, match="client_token"):
        capture(world, vm, "once", library_id=library)
    gone = Ovf.DeployableIdentity(type="VirtualMachine", id="vm-9999")
    with pytest.raises(NotFound):
        world.call(Ovf.create, None, gone, into, Ovf.CreateSpec())
    with pytest.raises(NotFound):
        capture(world, vm, library_id=ids.ContentLibraryId("6d9d3a3c-0000-4000-8000-000000000000"))
    with pytest.raises(NotFound):
        capture(world, vm, library_item_id=ItemId("6d9d3a3c-0000-4000-8000-000000000000"))


def test_the_same_call_once_more_makes_nothing_more(world: World) -> None:
    vm, library = machine(world), add_library(world, name="captures")
    first = item_of(world, capture(world, vm, TOKEN, library_id=library, name="once"))
    assert item_of(world, capture(world, vm, TOKEN, library_id=library, name="once")) == first
    other = world.call(Item.create, TOKEN, ItemModel(name="other", library_id=library, type="iso"))
    assert other != first.id


def test_all_dialects_capture(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        vm, library = machine(served.world), add_library(served.world, name="captures")
        for name, ask in {"a": served.by_api, "r": served.by_rest, "j": served.by_jsonrpc}.items():
            asked = Ovf.CreateInput(
                source=source(vm),
                target=Ovf.CreateTarget(library_id=library),
                create_spec=Ovf.CreateSpec(name=name),
            )
            assert item_of(served.world, ask(Ovf.create, asked)).name == name
            [error] = ask(Ovf.create, asked).error.errors
            assert error.error["error_type"] == "ALREADY_EXISTS"
