"""Datacenters: made with their four folders, deleted with everything in them."""

from __future__ import annotations

import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ResourceInUse, VapiError
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter import Datacenter as Api
from resphere.inventory.model import (
    ROOT_FOLDER,
    Datacenter,
    DatastoreFile,
    Folder,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.tasks.record import Task
from tests.support.invariants import managed_objects
from tests.support.world import World

ROOT = ids.FolderId(ROOT_FOLDER)


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


def only(world: World) -> Datacenter:
    return next(iter(world.inventory.all(Datacenter).values()))


class TestCreate:
    def test_it_has_four_folders_and_a_task(self, world: World) -> None:
        made = world.call(Api.create, Api.CreateSpec(name="Paris", folder=ROOT))
        info = world.call(Api.get, made)
        types = {
            info.vm_folder: vcenter.Folder.Type.VIRTUAL_MACHINE,
            info.host_folder: vcenter.Folder.Type.HOST,
            info.datastore_folder: vcenter.Folder.Type.DATASTORE,
            info.network_folder: vcenter.Folder.Type.NETWORK,
        }
        folders = world.inventory.by(Folder, "parent", made)
        assert {folder.id: folder.type for folder in folders.values()} == types
        assert info.name == "Paris"
        task = list(world.inventory.all(Task).values())[-1]
        assert (task.target, task.description) == (ROOT_FOLDER, "Folder.createDatacenter")

    def test_a_name_that_is_taken(self, world: World) -> None:
        with pytest.raises(AlreadyExists) as error:
            world.call(Api.create, Api.CreateSpec(name=only(world).name, folder=ROOT))
        assert refused(error) == (400, "vmsg.DuplicateName.summary")

    @pytest.mark.parametrize("name", ["", "n" * 81])
    def test_a_name_that_is_none(self, world: World, name: str) -> None:
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.create, Api.CreateSpec(name=name, folder=ROOT))
        assert refused(error) == (400, "resphere.inventory.name")

    def test_no_folder(self, world: World) -> None:
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.create, Api.CreateSpec(name="Paris"))
        assert refused(error) == (400, "resphere.inventory.folder_required")

    def test_an_unknown_folder(self, world: World) -> None:
        with pytest.raises(NotFound) as error:
            world.call(Api.create, Api.CreateSpec(name="Paris", folder=ids.FolderId("group-d9999")))
        assert refused(error) == (404, "com.vmware.api.vcenter.folder.not_found")

    def test_a_folder_of_another_type(self, world: World) -> None:
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.create, Api.CreateSpec(name="Paris", folder=only(world).vm_folder))
        assert refused(error) == (400, "resphere.inventory.folder_type")


class TestDelete:
    def test_an_empty_one_needs_no_force(self, world: World) -> None:
        before = {obj.id for obj in managed_objects(world.inventory)}
        made = world.call(Api.create, Api.CreateSpec(name="Paris", folder=ROOT))
        world.call(Api.delete, made, None)
        assert {obj.id for obj in managed_objects(world.inventory)} == before

    def test_one_with_something_in_it_needs_force(self, world: World) -> None:
        before = len(managed_objects(world.inventory))
        for force in (None, False):
            with pytest.raises(ResourceInUse) as error:
                world.call(Api.delete, ids.DatacenterId(only(world).id), force)
            assert refused(error) == (400, "resphere.datacenter.not_empty")
        assert len(managed_objects(world.inventory)) == before

    def test_force_takes_files_of_no_vm_too(self, world: World) -> None:
        vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.power_state == "POWERED_OFF")
        world.put(DatastoreFile(id="file-9001", name="left/left.vmdk", parent=vm.datastore, capacity=1))
        world.call(vcenter.VM.unregister, ids.VirtualMachineId(vm.id))
        assert world.inventory.all(UnregisteredVm)
        world.call(Api.delete, ids.DatacenterId(only(world).id), True)
        assert not world.inventory.all(UnregisteredVm)
        assert not world.inventory.all(DatastoreFile)

    def test_force_takes_everything_in_it(self, world: World) -> None:
        kept = world.call(Api.create, Api.CreateSpec(name="Paris", folder=ROOT))
        assert world.inventory.all(VirtualMachine)
        doomed = next(dc for dc in world.inventory.all(Datacenter) if dc != kept)
        world.call(Api.delete, ids.DatacenterId(doomed), True)
        left = managed_objects(world.inventory)
        assert {type(obj) for obj in left} == {Folder, Datacenter}
        assert len(left) == 6

    def test_an_unknown_one(self, world: World) -> None:
        with pytest.raises(NotFound) as error:
            world.call(Api.delete, ids.DatacenterId("datacenter-9999"), True)
        assert refused(error) == (404, "com.vmware.api.vcenter.datacenter.not_found")
