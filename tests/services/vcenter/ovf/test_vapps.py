"""Packages of vApps: a resource pool and a folder with all their machines, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY
from resphere.contract.errors import NotAllowedInCurrentState, NotFound
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter import ResourcePool as PoolApi
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import ROOT_FOLDER, Datastore, Folder, ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.vapp import VappConfiguration, VirtualApp
from resphere.ovf.model import VirtualSystemCollection
from resphere.ovf.reading import read
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.provider import Simulator
from resphere.rules.space import free_space
from resphere.services.vcenter.ovf.library_item.parameters import Property, PropertyParams
from resphere.tasks.record import Task
from tests.ovf import packages
from tests.services.content.libraries import add_library, fetch
from tests.services.vcenter.ovf.packages import ItemId, add_package, target
from tests.support.invariants import require_sound
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Failure, Served
from tests.support.world import World
from tests.tasks.test_change import Outside, worker

SHOP = packages.content("vapp-2.ovf")
TOKEN = "5f1b3a52-6a5e-4f7c-9d2b-0c2f1d7e8a91"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world
        require_sound(world.inventory)


@pytest.fixture
def shop(world: World) -> ItemId:
    """A database, and a vApp with two web servers, in a vApp."""
    return add_package(world, SHOP)


def given(**params: str) -> Any:
    values = tuple([Property(id=key, value=value) for key, value in params.items()])
    return msgspec.to_builtins(PropertyParams(type="PropertyParams", properties=values))


def deploy(world: World, item: ItemId, token: str | None = None, **fields: Any) -> Ovf.DeploymentResult:
    return world.call(Ovf.deploy, token, item, target(world), Ovf.ResourcePoolDeploymentSpec(**fields))


def made(world: World, result: Ovf.DeploymentResult) -> ResourcePool:
    """The pool of the vApp that a deployment has made."""
    assert result.succeeded, result.error
    assert result.resource_id is not None
    assert result.resource_id.type == "VirtualApp"
    return world.inventory.all(ResourcePool)[result.resource_id.id]


def why_not(world: World, result: Ovf.DeploymentResult) -> str:
    """The message of a deployment that made nothing."""
    assert not result.succeeded
    assert result.error is not None
    [error] = result.error.errors
    assert error.error is not None
    return str(error.error.messages[0].id)  # type: ignore[attr-defined]


def everything(world: World) -> dict[str, ManagedObject]:
    """What may come of a deployment."""
    found: dict[str, ManagedObject] = {}
    for cls in (VirtualMachine, ResourcePool, Folder):
        found |= world.inventory.all(cls)
    return found


def test_a_vapp_with_all_that_is_in_it(world: World, shop: ItemId) -> None:
    inventory, place = world.inventory, target(world)
    outer = made(world, deploy(world, shop, additional_parameters=(given(domain="example.com"),), annotation="ours"))
    assert (outer.name, outer.parent) == ("shop", place.resource_pool_id)
    assert outer.id.startswith("resgroup-v")
    [inner] = inventory.by(ResourcePool, "parent", outer.id).values()
    assert inner.name == "inner-0"
    vms = {vm.name: vm for vm in inventory.all(VirtualMachine).values() if vm.resource_pool in (outer.id, inner.id)}
    database = vms.pop("db")
    assert database.resource_pool == outer.id
    assert [disk.capacity for disk in database.disks.values()] == [2 * 10**9]
    assert len(vms) == 2
    assert {vm.resource_pool for vm in vms.values()} == {inner.id}
    assert len({vm.vmx_path for vm in (database, *vms.values())}) == 3
    folder = inventory.all(Folder)[database.parent or ""]
    assert folder.name == "shop"
    assert {inventory.all(Folder)[vm.parent or ""].parent for vm in vms.values()} == {folder.id}
    app = inventory.all(VirtualApp)[outer.id]
    assert (app.annotation, app.values) == ("ours", {"domain": "example.com"})
    assert [(each.id, each.order, each.start_delay) for each in app.startup] == [
        (database.id, 1, 10),
        (inner.id, 2, 0),
    ]
    # Guests hear of the vApp that they are in.
    assert inventory.all(VappConfiguration)[database.id].values == {"domain": "example.com"}
    assert not set(vms) & {inventory.all(VirtualMachine)[id].name for id in inventory.all(VappConfiguration)}
    listed = world.call(PoolApi.list, PoolApi.FilterSpec(parent_resource_pools=frozenset({place.resource_pool_id})))
    assert "shop" in {each.name for each in listed}


def test_twice_under_two_names(world: World, shop: ItemId) -> None:
    first, second = (made(world, deploy(world, shop, name=name)) for name in ("one", "two"))
    assert (first.name, second.name) == ("one", "two")
    assert why_not(world, deploy(world, shop, name="one")) == "com.vmware.vdcs.util.duplicate_name"
    assert [vm.name for vm in world.inventory.all(VirtualMachine).values()].count("db") == 2


def test_the_same_call_once_more(world: World, shop: ItemId) -> None:
    first = deploy(world, shop, TOKEN)
    there = everything(world)
    again = deploy(world, shop, TOKEN)
    assert (again.succeeded, again.resource_id) == (True, first.resource_id)
    assert everything(world).keys() == there.keys()


def test_what_is_refused_leaves_nothing(world: World, shop: ItemId) -> None:
    before = everything(world)
    for store in world.inventory.all(Datastore).values():
        world.change(store, other_used=store.other_used + free_space(world.inventory, store) - 10**9)
    assert not deploy(world, shop).succeeded
    assert everything(world) == before
    assert not world.inventory.all(VirtualApp)


def test_it_takes_time_and_is_there_as_a_whole(world: World, shop: ItemId) -> None:
    slow = Simulator(world.inventory, world.contents, world.environment.now, Durations(create_vm=0.01))
    tasks = worker(world, slow, "test")
    world.environment = msgspec.structs.replace(world.environment, provider=slow, tasks=tasks)
    made(world, deploy(world, shop))
    [task] = [each for each in world.inventory.all(Task).values() if each.description == "ResourcePool.ImportVAppLRO"]
    assert task.status == "SUCCEEDED"


def test_a_provider_that_acts_outside_makes_none(world: World, shop: ItemId) -> None:
    outside, before = Outside(world), everything(world)
    tasks = worker(world, outside, "test")
    world.environment = msgspec.structs.replace(world.environment, provider=outside, tasks=tasks)
    assert why_not(world, deploy(world, shop)) == "resphere.provider.lacking"
    assert everything(world) == before


def test_names_that_are_there_twice(world: World) -> None:
    twins = (
        b'<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">'
        b'<References/><VirtualSystemCollection ovf:id="all"><Info/>'
        b'<VirtualSystem ovf:id="a"><Info/><Name>twin</Name></VirtualSystem>'
        b'<VirtualSystem ovf:id="b"><Info/><Name>twin</Name></VirtualSystem>'
        b'<VirtualSystemCollection ovf:id="c"><Info/><Name>b</Name>'
        b'<VirtualSystem ovf:id="d"><Info/><Name>twin</Name></VirtualSystem></VirtualSystemCollection>'
        b"</VirtualSystemCollection></Envelope>"
    )
    outer = made(world, deploy(world, add_package(world, twins)))
    assert outer.name == "all"
    pools = {outer.id, *world.inventory.by(ResourcePool, "parent", outer.id)}
    vms = [vm for vm in world.inventory.all(VirtualMachine).values() if vm.resource_pool in pools]
    assert sorted(vm.name for vm in vms) == ["b", "twin", "twin"]
    assert len({vm.vmx_path for vm in vms}) == 3


def test_a_pool_that_goes_takes_the_vapp_along(world: World, shop: ItemId) -> None:
    outer = made(world, deploy(world, shop))
    count = len(world.inventory.all(VirtualMachine))
    world.call(vcenter.ResourcePool.delete, ids.ResourcePoolId(outer.id))
    assert outer.id not in world.inventory.all(VirtualApp)
    assert len(world.inventory.all(VirtualMachine)) == count


def vapp_of(*sections: str) -> bytes:
    """A package of a vApp with these sections, one machine with a disk, and a vApp with another in it."""
    disk = (
        "<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>6</rasd:ResourceType></Item>"
        "<Item><rasd:HostResource>ovf:/disk/d1</rasd:HostResource><rasd:InstanceID>4</rasd:InstanceID>"
        "<rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>"
    )
    return (
        f'<Envelope {packages.NAMESPACES}><References><File ovf:id="f1" ovf:href="db.vmdk"/></References>'
        '<DiskSection><Info/><Disk ovf:diskId="d1" ovf:capacity="1048576" ovf:fileRef="f1"/></DiskSection>'
        f'<VirtualSystemCollection ovf:id="shop"><Info/>{"".join(sections)}'
        f'<VirtualSystem ovf:id="db"><Info/><VirtualHardwareSection><Info/>{disk}</VirtualHardwareSection>'
        '</VirtualSystem><VirtualSystemCollection ovf:id="front"><Info/><VirtualSystem ovf:id="web"><Info/>'
        "</VirtualSystem></VirtualSystemCollection></VirtualSystemCollection></Envelope>"
    ).encode()


def resources(*items: str) -> str:
    return f"<ResourceAllocationSection><Info/>{''.join(items)}</ResourceAllocationSection>"


def test_what_a_vapp_takes_of_its_resource_pool(world: World) -> None:
    section = resources(
        packages.item(1, 3, "Limit=2000", "Reservation=500", "Weight=8000"),
        packages.item(2, 4, "Weight=5000"),
    )
    outer = made(world, deploy(world, add_package(world, vapp_of(section))))
    found = world.call(PoolApi.get, ids.ResourcePoolId(outer.id))
    shares = PoolApi.SharesInfo
    assert found.cpu_allocation is not None
    assert (found.cpu_allocation.reservation, found.cpu_allocation.limit) == (500, 2000)
    assert found.cpu_allocation.shares == shares(level=shares.Level.HIGH)
    assert found.memory_allocation is not None
    assert found.memory_allocation.shares == shares(level=shares.Level.CUSTOM, shares=5000)
    assert found.memory_allocation.expandable_reservation


@pytest.mark.parametrize("inner", [False, True])
def test_reservations_of_a_vapp_that_find_no_room(world: World, inner: bool) -> None:
    before = everything(world)
    section = resources(packages.item(1, 4, "Reservation=1000000000"))
    package = vapp_of(section)
    if inner:
        package = vapp_of().replace(b'"front"><Info/>', b'"front"><Info/>' + section.encode())
    assert why_not(world, deploy(world, add_package(world, package))) == "resphere.resource_pool.no_room"
    assert everything(world) == before


def test_a_limit_that_what_is_inside_does_not_keep(world: World) -> None:
    package = vapp_of(resources(packages.item(1, 4, "Limit=100")))
    section = resources(packages.item(1, 4, "Reservation=200"))
    package = package.replace(b'"front"><Info/>', b'"front"><Info/>' + section.encode())
    assert why_not(world, deploy(world, add_package(world, package))) == "resphere.resource_pool.no_room"


def capture(world: World, pool: str, token: str | None = None, **fields: Any) -> Ovf.CreateResult:
    """Capture into a library of its own."""
    return world.call(
        Ovf.create,
        token,
        Ovf.DeployableIdentity(type="VirtualApp", id=pool),
        Ovf.CreateTarget(library_id=add_library(world)),
        Ovf.CreateSpec(**fields),
    )


def test_a_vapp_is_captured_and_deployed_again(world: World) -> None:
    startup = '<StartupSection><Info/><Item ovf:id="db" ovf:order="1" ovf:startDelay="10"/></StartupSection>'
    product = (
        '<ProductSection><Info/><Property ovf:key="domain" ovf:type="string" ovf:userConfigurable="true"/>'
        '<Property ovf:key="pin" ovf:type="string" ovf:password="true" ovf:userConfigurable="true"/></ProductSection>'
    )
    section = resources(packages.item(1, 3, "Reservation=500"), packages.item(2, 4, "Limit=4096"))
    package = add_package(world, vapp_of(product, section, startup))
    first = made(
        world,
        deploy(world, package, annotation="ours", additional_parameters=(given(domain="example.net", pin="4711"),)),
    )
    result = capture(world, first.id, TOKEN, name="captured")
    assert result.succeeded, result.error
    assert capture(world, first.id, TOKEN, name="captured").ovf_library_item_id == result.ovf_library_item_id
    assert result.ovf_library_item_id is not None
    item = world.inventory.all(LibraryItem)[result.ovf_library_item_id]
    assert sorted(file.name for file in item.files) == ["captured.mf", "captured.ovf", "db-1.vmdk"]
    # No byte of a disk is copied.
    [was] = [file for file in world.inventory.all(LibraryItem)[package].files if file.name == "db.vmdk"]
    assert item.file("db-1.vmdk") == msgspec.structs.replace(
        was, name="db-1.vmdk", stored_name=item.files[1].stored_name
    )
    descriptor = fetch(world, result.ovf_library_item_id, "captured.ovf")
    assert b"4711" not in descriptor
    second = made(world, deploy(world, result.ovf_library_item_id, name="again"))
    one, other = (world.inventory.all(VirtualApp)[pool.id] for pool in (first, second))
    assert (other.annotation, other.values) == ("ours", {"domain": "example.net", "pin": ""})
    assert (other.startup[0].order, other.startup[0].start_delay) == (1, 10)
    assert second.cpu_allocation == first.cpu_allocation
    assert second.memory_allocation == first.memory_allocation
    assert len(one.startup) == len(other.startup)

    def inside(pool: ResourcePool) -> list[str]:
        inner = world.inventory.by(ResourcePool, "parent", pool.id)
        pools = {pool.id: "", **{id: each.name for id, each in inner.items()}}
        vms = world.inventory.all(VirtualMachine).values()
        return sorted(f"{pools[vm.resource_pool]}/{vm.name}" for vm in vms if vm.resource_pool in pools)

    assert inside(first) == inside(second) == ["/db", "front/web"]


def test_a_vapp_that_is_not_captured(world: World, shop: ItemId) -> None:
    outer = made(world, deploy(world, shop))
    vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.resource_pool == outer.id)
    world.call(Power.start, ids.VirtualMachineId(vm.id))
    with pytest.raises(NotAllowedInCurrentState, match="not captured while a machine in it is not powered off"):
        capture(world, outer.id)
    with pytest.raises(NotFound, match="is no vApp"):
        capture(world, target(world).resource_pool_id)
    with pytest.raises(NotFound):
        capture(world, "resgroup-v9999")
    inner = next(iter(world.inventory.by(ResourcePool, "parent", outer.id).values()))
    for each in list(world.inventory.by(VirtualMachine, "resource_pool", inner.id).values()):
        world.call(vcenter.VM.delete, ids.VirtualMachineId(each.id))
    with pytest.raises(NotAllowedInCurrentState, match="has no machine in it"):
        capture(world, inner.id)


def test_machines_of_one_name_and_what_has_left_the_vapp(world: World) -> None:
    startup = '<StartupSection><Info/><Item ovf:id="db" ovf:order="1"/></StartupSection>'
    outer = made(world, deploy(world, add_package(world, vapp_of(startup))))
    [inner] = world.inventory.by(ResourcePool, "parent", outer.id).values()
    [web] = world.inventory.by(VirtualMachine, "resource_pool", inner.id).values()
    [database] = world.inventory.by(VirtualMachine, "resource_pool", outer.id).values()
    plain = world.call(PoolApi.create, PoolApi.CreateSpec(name="plain", parent=ids.ResourcePoolId(outer.id)))
    # One of the name that the vApp has, in another spelling, in a resource pool within it.
    world.change(web, name="SHOP", resource_pool=plain)
    world.change(database, resource_pool=target(world).resource_pool_id)
    result = capture(world, outer.id)
    assert result.succeeded, result.error
    assert result.ovf_library_item_id is not None
    found = read(fetch(world, result.ovf_library_item_id, "shop.ovf")).descriptor
    assert isinstance(found.content, VirtualSystemCollection)
    assert [(each.id, each.name) for each in found.content.content] == [("SHOP_2", "SHOP"), ("front", "front")]
    assert found.content.startup == ()


def test_machines_of_a_vapp_that_the_caller_does_not_see(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        world = served.world
        outer = made(world, deploy(world, add_package(world, vapp_of())))
        [database] = world.inventory.by(VirtualMachine, "resource_pool", outer.id)
        source = Ovf.DeployableIdentity(type="VirtualApp", id=outer.id)
        into = Ovf.CreateTarget(library_id=add_library(world))
        asked = Ovf.create.input(source=source, target=into, create_spec=Ovf.CreateSpec())
        ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), permission(database, NO_ACCESS)])
        refused = served.by_api(Ovf.create, asked)
        assert isinstance(refused, Failure)
        assert (refused.error_type, refused.message_ids) == ("UNAUTHORIZED", ("resphere.ovf.vapp_unseen",))
        ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), permission(outer.id, READ_ONLY)])
        refused = served.by_api(Ovf.create, asked)
        assert isinstance(refused, Failure)
        assert refused.error_type == "UNAUTHORIZED"
        assert "VApp.Export" in str(refused.texts)
        ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN)])
        assert served.by_api(Ovf.create, asked).succeeded
