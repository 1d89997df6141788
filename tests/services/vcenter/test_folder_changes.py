"""Folders: made, renamed, moved with everything in them, deleted when empty."""

from __future__ import annotations

import asyncio

import pytest

from resphere.access.roles import ADMIN
from resphere.access.view import RootView
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ResourceInUse, VapiError
from resphere.contract.extensions.folders import Folders
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Datacenter as DatacenterApi
from resphere.inventory.model import ROOT_FOLDER, Datacenter, Folder
from resphere.inventory.paths import path_of
from resphere.services.call import Call
from resphere.services.resphere.vcenter.folder import move as move_folder
from tests.support.world import Caller, World

ROOT = ids.FolderId(ROOT_FOLDER)


def vm_folder(world: World) -> ids.FolderId:
    return next(iter(world.inventory.all(Datacenter).values())).vm_folder


def make(world: World, name: str, parent: ids.FolderId | None = None) -> ids.FolderId:
    return world.call(Folders.create, Folders.CreateSpec(name=name, parent=parent or vm_folder(world)))


def move(world: World, folder: ids.FolderId, parent: ids.FolderId) -> None:
    world.call(Folders.move, folder, Folders.MoveSpec(parent=parent))


def path(world: World, folder: str) -> str:
    return path_of(world.inventory, world.inventory.all(Folder)[folder])


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


def test_create_of_each_type(world: World) -> None:
    datacenter = next(iter(world.inventory.all(Datacenter).values()))
    parents = (
        ROOT,
        datacenter.vm_folder,
        datacenter.host_folder,
        datacenter.datastore_folder,
        datacenter.network_folder,
    )
    for parent in parents:
        made = world.inventory.all(Folder)[make(world, "New", parent)]
        assert (made.parent, made.type) == (parent, world.inventory.all(Folder)[parent].type)


def test_names_and_parents_that_are_refused(world: World) -> None:
    make(world, "New")
    with pytest.raises(AlreadyExists) as taken:
        make(world, "New")
    assert refused(taken) == (400, "vmsg.DuplicateName.summary")
    with pytest.raises(InvalidArgument) as none:
        make(world, "")
    assert refused(none) == (400, "resphere.inventory.name")
    with pytest.raises(NotFound) as unknown:
        make(world, "New", ids.FolderId("group-v9999"))
    assert refused(unknown) == (404, "com.vmware.api.vcenter.folder.not_found")


def test_rename(world: World) -> None:
    made = make(world, "Old")
    make(world, "Taken")
    world.call(Folders.update, made, Folders.UpdateSpec(name="New"))
    assert path(world, made) == "/DC01/vm/New"
    with pytest.raises(AlreadyExists) as error:
        world.call(Folders.update, made, Folders.UpdateSpec(name="Taken"))
    assert refused(error) == (400, "vmsg.DuplicateName.summary")


def test_move_takes_along_what_is_below(world: World) -> None:
    outer, other = make(world, "Outer"), make(world, "Other")
    inner = make(world, "Inner", outer)
    move(world, outer, other)
    assert path(world, inner) == "/DC01/vm/Other/Outer/Inner"


def test_places_that_a_folder_cannot_be_moved_to(world: World) -> None:
    outer = make(world, "Outer")
    inner = make(world, "Inner", outer)
    elsewhere = world.call(DatacenterApi.create, DatacenterApi.CreateSpec(name="Elsewhere", folder=ROOT))
    for place in (outer, inner, world.call(DatacenterApi.get, elsewhere).vm_folder):
        with pytest.raises(InvalidArgument) as error:
            move(world, outer, place)
        assert refused(error) == (400, "resphere.folder.destination")
    with pytest.raises(InvalidArgument) as error:
        move(world, outer, ROOT)
    assert refused(error) == (400, "resphere.inventory.folder_type")
    make(world, "Inner")
    with pytest.raises(AlreadyExists):
        move(world, inner, vm_folder(world))


def test_two_moves_at_once_make_no_ring(world: World) -> None:
    one, two = make(world, "One"), make(world, "Two")
    call = Call(world.environment, Folders.move, RootView(ADMIN), Caller(), "test")

    async def both() -> list[object]:
        moves = (
            move_folder(call, one, Folders.MoveSpec(parent=two)),
            move_folder(call, two, Folders.MoveSpec(parent=one)),
        )
        return list(await asyncio.gather(*moves, return_exceptions=True))

    assert sorted(type(outcome).__name__ for outcome in world.run(both())) == ["InvalidArgument", "NoneType"]


def test_delete_only_what_is_empty(world: World) -> None:
    outer = make(world, "Outer")
    inner = make(world, "Inner", outer)
    with pytest.raises(ResourceInUse) as error:
        world.call(Folders.delete, outer)
    assert refused(error) == (400, "resphere.folder.not_empty")
    world.call(Folders.delete, inner)
    world.call(Folders.delete, outer)
    assert outer not in world.inventory.all(Folder)


def test_vcenters_own_folders_stay(world: World) -> None:
    for folder in (ROOT, vm_folder(world)):
        with pytest.raises(InvalidArgument) as deleted:
            world.call(Folders.delete, folder)
        with pytest.raises(InvalidArgument) as renamed:
            world.call(Folders.update, folder, Folders.UpdateSpec(name="New"))
        with pytest.raises(InvalidArgument) as moved:
            move(world, folder, vm_folder(world))
        assert {refused(error) for error in (deleted, renamed, moved)} == {(400, "resphere.folder.own")}
