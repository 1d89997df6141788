"""Hosts: added as standalone ones, disconnected and connected, removed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.access.roles import ADMIN
from resphere.access.view import RootView
from resphere.contract.errors import (
    AlreadyExists,
    AlreadyInDesiredState,
    InvalidArgument,
    InvalidElementType,
    NotFound,
    ResourceInUse,
    ServiceUnavailable,
    Unauthenticated,
    VapiError,
)
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import VM
from resphere.contract.generated.vcenter import Host as Api
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Cpu
from resphere.contract.model import Secret
from resphere.inventory.model import (
    Datacenter,
    Datastore,
    Host,
    Network,
    ResourcePool,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.new_hosts import thumbprint
from resphere.providers.simulator.sizes import Sizes
from resphere.services.call import Call
from resphere.services.vcenter.host.changes import create
from tests.support.invariants import managed_objects, require_sound
from tests.support.world import Caller, World

State = Api.ConnectionState
Verification = Api.CreateSpec.ThumbprintVerification
NAME = "esx-99.example.com"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    sizes = Sizes(datacenters=1, clusters=1, hosts=10, vms=30)
    with World(tmp_path, generate(sizes, 1)) as world:
        yield world
        require_sound(world.inventory)


def host_folder(world: World) -> ids.FolderId:
    return next(iter(world.inventory.all(Datacenter).values())).host_folder


def spec(world: World, hostname: str = NAME, **more: Any) -> Api.CreateSpec:
    fields: dict[str, Any] = {
        "folder": host_folder(world),
        "user_name": "root",
        "password": Secret("VMware1!"),
        "thumbprint_verification": Verification.NONE,
    }
    return Api.CreateSpec(hostname=hostname, **(fields | more))


def standalone(world: World) -> ids.HostSystemId:
    """A standalone host with VMs."""
    return ids.HostSystemId(
        next(
            host.id
            for host in world.inventory.all(Host).values()
            if host.resource_pool and world.inventory.by(VirtualMachine, "host", host.id)
        )
    )


def clustered(world: World) -> ids.HostSystemId:
    return ids.HostSystemId(next(h.id for h in world.inventory.all(Host).values() if not h.resource_pool))


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


class TestCreate:
    def test_it_stands_alone_with_what_it_needs_for_vms(self, world: World) -> None:
        made = world.call(Api.create, spec(world))
        host = world.inventory.all(Host)[made]
        assert (host.name, host.parent, host.connection_state) == (NAME, host_folder(world), State.CONNECTED)
        assert world.inventory.all(ResourcePool)[host.resource_pool or ""].owner == made
        assert [world.inventory.all(Datastore)[store].name for store in host.datastores] == ["datastore1"]
        assert [world.inventory.all(Network)[network].name for network in host.networks] == ["VM Network"]
        second = world.inventory.all(Host)[world.call(Api.create, spec(world, "192.0.2.7"))]
        assert second.management_ip == "192.0.2.7"
        assert second.networks == host.networks
        assert [world.inventory.all(Datastore)[store].name for store in second.datastores] == ["datastore1 (1)"]

    def test_the_thumbprint_that_a_refusal_names_is_good(self, world: World) -> None:
        other = {"thumbprint_verification": Verification.THUMBPRINT}
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.create, spec(world, thumbprint=thumbprint("another"), **other))
        assert refused(error) == (400, "resphere.host.thumbprint")
        world.call(Api.create, spec(world, thumbprint=error.value.messages[0].args[1].lower(), **other))

    def test_a_certificate_cannot_be_verified(self, world: World) -> None:
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.create, spec(world, thumbprint_verification=Verification.CERTIFICATE, ssl_certificate="PEM"))
        assert refused(error) == (400, "resphere.host.thumbprint")

    @pytest.mark.parametrize("more", [{"user_name": ""}, {"password": ""}, {"password": "wrong password"}])
    def test_credentials_that_the_host_does_not_take(self, world: World, more: dict[str, str]) -> None:
        with pytest.raises(Unauthenticated) as error:
            world.call(Api.create, spec(world, **more))
        assert refused(error) == (401, "resphere.host.credentials")

    def test_a_host_that_does_not_answer(self, world: World) -> None:
        before = len(managed_objects(world.inventory))
        with pytest.raises(VapiError) as error:
            world.call(Api.create, spec(world, "esx.invalid"))
        assert (error.value.error_type, *refused(error)) == ("ERROR", 500, "resphere.host.unreachable")
        assert len(managed_objects(world.inventory)) == before

    @pytest.mark.parametrize(
        ("hostname", "more", "id"),
        [
            ("", {}, "resphere.inventory.name"),
            ("two words", {}, "resphere.host.name"),
            (NAME, {"port": 0}, "resphere.host.port"),
            (NAME, {"folder": None}, "resphere.inventory.folder_required"),
        ],
    )
    def test_what_no_host_can_be(self, world: World, hostname: str, more: dict[str, Any], id: str) -> None:
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.create, spec(world, hostname, **more))
        assert refused(error) == (400, id)

    def test_folders(self, world: World) -> None:
        vms = next(iter(world.inventory.all(Datacenter).values())).vm_folder
        with pytest.raises(InvalidElementType) as error:
            world.call(Api.create, spec(world, folder=vms))
        assert refused(error) == (400, "resphere.inventory.folder_type")
        with pytest.raises(NotFound) as unknown:
            world.call(Api.create, spec(world, folder=ids.FolderId("group-h9999")))
        assert refused(unknown) == (404, "com.vmware.api.vcenter.folder.not_found")

    def test_one_that_is_there_already(self, world: World) -> None:
        name = world.inventory.all(Host)[clustered(world)].name
        with pytest.raises(AlreadyExists) as error:
            world.call(Api.create, spec(world, name.upper()))
        assert refused(error) == (400, "resphere.host.exists")

    def test_the_same_twice_at_once(self, world: World) -> None:
        call = Call(world.environment, Api.create, RootView(ADMIN), Caller(), "test")

        async def both() -> list[object]:
            return list(
                await asyncio.gather(
                    create(call, spec(world)), create(call, spec(world, NAME.upper())), return_exceptions=True
                )
            )

        assert sorted(type(outcome).__name__ for outcome in world.run(both())) == ["AlreadyExists", "str"]


class TestConnection:
    def test_disconnect_and_connect(self, world: World) -> None:
        host = clustered(world)
        vms = dict(world.inventory.by(VirtualMachine, "host", host))
        world.call(Api.disconnect, host)
        assert world.inventory.all(Host)[host].connection_state is State.DISCONNECTED
        with pytest.raises(AlreadyInDesiredState) as error:
            world.call(Api.disconnect, host)
        assert refused(error) == (400, "resphere.host.disconnected")
        world.call(Api.connect, host)
        assert world.inventory.all(Host)[host].connection_state is State.CONNECTED
        with pytest.raises(AlreadyInDesiredState) as error:
            world.call(Api.connect, host)
        assert refused(error) == (400, "resphere.host.connected")
        assert dict(world.inventory.by(VirtualMachine, "host", host)) == vms

    def test_nothing_is_done_with_its_vms_meanwhile(self, world: World) -> None:
        host = clustered(world)
        some = next(each for each in world.inventory.by(VirtualMachine, "host", host).values() if not each.template)
        vm = world.change(some, power_state=Power.State.POWERED_OFF)
        id = ids.VirtualMachineId(vm.id)
        world.call(Api.disconnect, host)
        for work in (
            lambda: world.call(Power.start, id),
            lambda: world.call(Cpu.update, id, Cpu.UpdateSpec(count=2)),
            lambda: world.call(VM.delete, id),
            lambda: world.call(VmSnapshots.create, id, VmSnapshots.CreateSpec(name="a")),
        ):
            with pytest.raises(ServiceUnavailable) as error:
                work()
            assert refused(error) == (503, "resphere.vm.host_not_connected")
        assert world.inventory.get(VirtualMachine, vm.id) == vm
        assert vm.name in {row.name for row in world.call(VM.list, VM.FilterSpec(hosts=frozenset({host})))}
        world.call(Api.connect, host)
        world.call(Power.start, id)

    def test_an_unknown_host(self, world: World) -> None:
        for operation in (Api.connect, Api.disconnect, Api.delete):
            with pytest.raises(NotFound) as error:
                world.call(operation, ids.HostSystemId("host-9999"))
            assert refused(error) == (404, "com.vmware.api.vcenter.host.not_found")


class TestDelete:
    def test_one_that_was_just_added_leaves_only_the_network(self, world: World) -> None:
        before = {obj.id for obj in managed_objects(world.inventory)}
        made = world.call(Api.create, spec(world))
        world.call(Api.disconnect, made)
        world.call(Api.delete, made)
        assert {obj.id for obj in managed_objects(world.inventory)} == before
        world.call(Api.create, spec(world))

    def test_its_vms_go_with_it(self, world: World) -> None:
        host = standalone(world)
        vms = set(world.inventory.by(VirtualMachine, "host", host))
        world.call(Api.disconnect, host)
        world.call(Api.delete, host)
        assert vms
        assert not vms & set(world.inventory.all(VirtualMachine))
        assert host not in world.inventory.all(Host)

    def test_files_of_its_vms_stay_on_datastores_that_others_mount(self, world: World) -> None:
        host = standalone(world)
        vms = list(world.inventory.by(VirtualMachine, "host", host).values())
        mounted = (world.inventory.get(Datastore, id) for id in {vm.datastore for vm in vms})
        local = {store.id for store in mounted if store is not None and not store.multiple_host_access}
        shared = world.change(
            next(store for store in world.inventory.all(Datastore).values() if store.id == vms[0].datastore),
            multiple_host_access=True,
        )
        local.discard(shared.id)
        world.call(Api.disconnect, host)
        world.call(Api.delete, host)
        left = {files.machine.id for files in world.inventory.all(UnregisteredVm).values()}
        assert left == {vm.id for vm in vms if vm.datastore not in local}
        assert vms[0].id in left

    def test_maintenance_mode_will_do(self, world: World) -> None:
        made = world.call(Api.create, spec(world))
        world.call(HostMaintenance.set, made, HostMaintenance.Spec(action=HostMaintenance.Action.ENTER))
        world.call(Api.delete, made)
        assert made not in world.inventory.all(Host)

    def test_one_that_works(self, world: World) -> None:
        works = standalone(world)
        world.call(Api.delete, works)
        assert works not in world.inventory.all(Host)
        require_sound(world.inventory)

    def test_one_of_a_cluster(self, world: World) -> None:
        world.call(Api.disconnect, clustered(world))
        with pytest.raises(ResourceInUse) as error:
            world.call(Api.delete, clustered(world))
        assert refused(error) == (400, "resphere.host.in_cluster")
