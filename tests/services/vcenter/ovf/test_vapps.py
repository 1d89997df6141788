"""Packages of vApps: a resource pool and a folder with all their machines, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter import ResourcePool as PoolApi
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.inventory.model import Datastore, Folder, ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.vapp import VappConfiguration, VirtualApp
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.provider import Simulator
from resphere.rules.space import free_space
from resphere.services.vcenter.ovf.library_item.parameters import Property, PropertyParams
from resphere.tasks.record import Task
from tests.ovf import packages
from tests.services.vcenter.ovf.packages import ItemId, add_package, target
from tests.support.invariants import require_sound
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
