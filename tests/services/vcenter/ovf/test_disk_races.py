"""Bytes of disks whose last holder goes while somebody comes to have them: they are there for whoever has them, and
gone where nobody does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import NotFound, VapiError
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.contract.generated.vcenter_vm_hardware import Disk
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.contents import CONTENT
from resphere.inventory.model import DatastoreFile, Snapshot, UnregisteredVm, VirtualMachine
from resphere.libraries.naming import NAMING
from tests.services.content.libraries import add_item, add_library, put_named_files
from tests.services.vcenter.ovf.packages import ItemId, target
from tests.services.vcenter.ovf.test_disk_contents import DISK, KEY, add_package, deploy
from tests.support.pacing import Outside, under_way, use
from tests.support.racing import Work, check, race, two_worlds
from tests.support.world import World

Vm = ids.VirtualMachineId


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    with two_worlds(tmp_path) as both:
        yield both


def require_contents(world: World) -> None:
    """Require what documents name to be there, and nothing else."""
    world.refresh()
    world.run(world.environment.library_cleaning.clean_up())
    named = {
        name
        for table in NAMING
        for document in world.inventory.all(table.cls).values()
        for name in table.indexes[CONTENT](document)
    }
    assert {file.name for file in world.library_contents.folder.iterdir()} == named


def deploying(world: World, package: ItemId, name: str = "web") -> Work:
    place = target(world)
    spec = Ovf.ResourcePoolDeploymentSpec(name=name)
    return lambda other: other.begin(Ovf.deploy, None, package, place, spec)


def deleting_item(package: ItemId) -> Work:
    return lambda world: world.begin(Item.delete, package)


def deleting_vm(vm: str) -> Work:
    return lambda world: world.begin(vcenter.VM.delete, Vm(vm))


def cloning(vm: VirtualMachine) -> Work:
    place: Any = {"folder": vm.parent, "resource_pool": vm.resource_pool}
    placement = msgspec.convert(place, vcenter.VM.ClonePlacementSpec)
    spec = vcenter.VM.CloneSpec(source=Vm(vm.id), name="clone", placement=placement)
    return lambda world: world.begin(vcenter.VM.clone, spec)


def capturing(vm: str, library: ids.ContentLibraryId) -> Work:
    source = Ovf.DeployableIdentity(type="VirtualMachine", id=vm)
    place = Ovf.CreateTarget(library_id=library)
    return lambda world: world.begin(Ovf.create, None, source, place, Ovf.CreateSpec(name="gold"))


def meet(worlds: tuple[World, World], slow: Work, quick: Work) -> Any:
    """The outcome of the slow one; all is sound, and all bytes are there."""
    outcomes = race(*worlds, slow, quick)
    check(worlds, outcomes)
    for world in worlds:
        require_contents(world)
    return outcomes[1]


def test_all_that_have_disks_name_contents() -> None:
    named = {table.cls for table in NAMING}
    assert named >= {LibraryItem, VirtualMachine, Snapshot, DatastoreFile, UnregisteredVm}


def test_the_item_goes_while_it_is_deployed(worlds: tuple[World, World]) -> None:
    package = add_package(worlds[0])
    result = meet(worlds, deploying(worlds[0], package), deleting_item(package))
    assert not result.succeeded
    assert not [vm for vm in worlds[0].inventory.all(VirtualMachine).values() if vm.disk_contents]


def test_the_item_changes_while_it_is_deployed(worlds: tuple[World, World]) -> None:
    package = add_package(worlds[0])
    changing: Work = lambda world: world.begin(Item.update, package, ItemModel(description="other"))  # noqa: E731
    assert meet(worlds, deploying(worlds[0], package), changing).succeeded


def test_the_source_goes_while_it_is_cloned(worlds: tuple[World, World]) -> None:
    package = add_package(worlds[0])
    vm = deploy(worlds[0], package)
    worlds[0].call(Item.delete, package)
    assert isinstance(meet(worlds, cloning(vm), deleting_vm(vm.id)), NotFound)


def test_the_source_loses_its_disk_while_it_is_cloned(worlds: tuple[World, World]) -> None:
    vm = deploy(worlds[0], add_package(worlds[0]))
    detaching: Work = lambda world: world.begin(Disk.delete, Vm(vm.id), KEY)  # noqa: E731
    clone = meet(worlds, cloning(vm), detaching)
    assert not isinstance(clone, VapiError)
    assert worlds[0].inventory.all(VirtualMachine)[clone].disk_contents == {}


def test_the_machine_goes_while_it_is_captured(worlds: tuple[World, World]) -> None:
    package, library = add_package(worlds[0]), add_library(worlds[0], name="captures")
    vm = deploy(worlds[0], package)
    worlds[0].call(Item.delete, package)
    result = meet(worlds, capturing(vm.id, library), deleting_vm(vm.id))
    assert isinstance(result, VapiError) or not result.succeeded


def test_work_under_way_keeps_the_bytes(worlds: tuple[World, World]) -> None:
    world = worlds[0]
    package = add_package(world)
    provider = Outside(world)
    use(world, provider)

    async def scenario() -> str:
        async with under_way(world, deploying(world, package)(world)) as working:
            await world.begin(Item.delete, package)
            await world.environment.library_cleaning.clean_up()
            provider.gate.set()
            result = await working
        assert result.resource_id is not None, result.error
        made: str = result.resource_id.id
        return made

    vm = world.run(scenario())
    require_contents(world)
    [name] = world.inventory.all(VirtualMachine)[vm].disk_contents[KEY].names
    assert (world.library_contents.folder / name).read_bytes() == DISK


@pytest.mark.parametrize("again", [False, True])
def test_what_is_sent_is_there_already_or_goes_meanwhile(worlds: tuple[World, World], again: bool) -> None:
    one, other = worlds
    package = add_package(one)
    second = add_item(one, add_library(one, name="second"), name="second")
    other.refresh()
    if not again:
        other.call(Item.delete, package)
        one.refresh()
    put_named_files(one, second, {"disk.vmdk": DISK})
    [file] = one.inventory.all(LibraryItem)[second].files
    assert (one.library_contents.folder / file.content).read_bytes() == DISK
    for world in worlds:
        require_contents(world)
