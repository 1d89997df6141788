"""Resource pools: shares, limits, and reservations that must find room."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from resphere.access.roles import ADMIN
from resphere.access.view import RootView
from resphere.contract.errors import InvalidArgument, NotFound, UnableToAllocateResource, Unsupported, VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import ResourcePool as Api
from resphere.inventory.model import Cluster, ResourcePool, VirtualMachine
from resphere.rules.reservations import Resource, capacity
from resphere.services.call import Call
from resphere.services.vcenter.resource_pool.changes import create
from tests.support.world import Caller, World

Level = Api.SharesInfo.Level
Part = Api.ResourceAllocationCreateSpec
Change = Api.ResourceAllocationUpdateSpec


def cluster(world: World) -> Cluster:
    return next(iter(world.inventory.all(Cluster).values()))


def make(world: World, name: str, parent: str | None = None, cpu: Part | None = None) -> ids.ResourcePoolId:
    above = ids.ResourcePoolId(parent) if parent else cluster(world).resource_pool
    return world.call(Api.create, Api.CreateSpec(name=name, parent=above, cpu_allocation=cpu))


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


def free_MHz(world: World) -> int:
    """What the cluster has left: the generated pool Production has reserved a part."""
    root = cluster(world).resource_pool
    reserved = sum(p.cpu_allocation.reservation for p in world.inventory.by(ResourcePool, "parent", root).values())
    return capacity(world.inventory, cluster(world).id, Resource.CPU) - reserved


class TestCreate:
    def test_defaults(self, world: World) -> None:
        made = make(world, "Web")
        info = world.call(Api.get, made)
        part = Api.ResourceAllocationInfo(
            reservation=0, expandable_reservation=True, limit=-1, shares=Api.SharesInfo(level=Level.NORMAL)
        )
        assert (info.name, info.cpu_allocation, info.memory_allocation) == ("Web", part, part)
        assert made in world.call(Api.get, cluster(world).resource_pool).resource_pools

    def test_everything_given(self, world: World) -> None:
        shares = Api.SharesInfo(level=Level.CUSTOM, shares=1234)
        made = make(world, "Web", cpu=Part(reservation=100, expandable_reservation=False, limit=200, shares=shares))
        assert world.call(Api.get, made).cpu_allocation == Api.ResourceAllocationInfo(
            reservation=100, expandable_reservation=False, limit=200, shares=shares
        )

    @pytest.mark.parametrize(
        "part",
        [
            Part(reservation=-1),
            Part(limit=-2),
            Part(reservation=5, limit=4),
            Part(shares=Api.SharesInfo(level=Level.CUSTOM, shares=0)),
        ],
    )
    def test_numbers_that_make_no_sense(self, world: World, part: Part) -> None:
        with pytest.raises(InvalidArgument) as error:
            make(world, "Web", cpu=part)
        assert refused(error) == (400, "resphere.resource_pool.allocation")

    def test_a_name_that_is_taken_or_none(self, world: World) -> None:
        make(world, "Web")
        with pytest.raises(InvalidArgument) as error:
            make(world, "Web")
        assert refused(error) == (400, "vmsg.DuplicateName.summary")
        with pytest.raises(InvalidArgument) as error:
            make(world, "")
        assert refused(error) == (400, "resphere.inventory.name")

    def test_an_unknown_parent(self, world: World) -> None:
        with pytest.raises(NotFound) as error:
            make(world, "Web", "resgroup-9999")
        assert refused(error) == (404, "com.vmware.api.vcenter.resource_pool.not_found")


class TestReservations:
    def test_no_more_than_the_hosts_have(self, world: World) -> None:
        free = free_MHz(world)
        with pytest.raises(UnableToAllocateResource) as error:
            make(world, "Web", cpu=Part(reservation=free + 1))
        assert refused(error) == (500, "resphere.resource_pool.no_room")
        make(world, "Web", cpu=Part(reservation=free))
        with pytest.raises(UnableToAllocateResource):
            make(world, "App", cpu=Part(reservation=1))

    def test_a_fixed_one_gives_no_more_than_it_has(self, world: World) -> None:
        fixed = make(world, "Web", cpu=Part(reservation=100, expandable_reservation=False))
        make(world, "A", fixed, Part(reservation=60))
        with pytest.raises(UnableToAllocateResource):
            make(world, "B", fixed, Part(reservation=41))
        make(world, "B", fixed, Part(reservation=40))
        with pytest.raises(UnableToAllocateResource):
            world.call(
                Api.update, fixed, Api.UpdateSpec(cpu_allocation=Change(reservation=99, expandable_reservation=False))
            )

    def test_an_expandable_one_takes_from_above_up_to_its_limit(self, world: World) -> None:
        outer = make(world, "Outer", cpu=Part(reservation=100, expandable_reservation=False))
        inner = make(world, "Inner", outer, Part(reservation=10, limit=90))
        make(world, "A", inner, Part(reservation=80))
        with pytest.raises(UnableToAllocateResource):
            make(world, "B", inner, Part(reservation=11))  # beyond the limit of Inner
        with pytest.raises(UnableToAllocateResource):
            make(world, "C", outer, Part(reservation=21))  # Inner has grown to 80 of the 100
        make(world, "C", outer, Part(reservation=20))

    def test_two_at_once_do_not_share_the_same_room(self, world: World) -> None:
        free = free_MHz(world)
        call = Call(world.environment, Api.create, RootView(ADMIN), Caller(), "test")

        async def both() -> list[object]:
            specs = [
                Api.CreateSpec(name=name, parent=cluster(world).resource_pool, cpu_allocation=Part(reservation=free))
                for name in ("Web", "App")
            ]
            return list(await asyncio.gather(*(create(call, spec) for spec in specs), return_exceptions=True))

        outcomes = world.run(both())
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["UnableToAllocateResource", "str"]


class TestUpdate:
    def test_a_name_alone(self, world: World) -> None:
        made = make(world, "Web", cpu=Part(reservation=100))
        world.call(Api.update, made, Api.UpdateSpec(name="App"))
        info = world.call(Api.get, made)
        assert info.cpu_allocation is not None
        assert (info.name, info.cpu_allocation.reservation) == ("App", 100)

    def test_what_is_not_given_of_an_allocation_becomes_the_default(self, world: World) -> None:
        made = make(world, "Web", cpu=Part(reservation=100, limit=200))
        world.call(Api.update, made, Api.UpdateSpec(cpu_allocation=Change(limit=300)))
        part = world.call(Api.get, made).cpu_allocation
        assert part is not None
        assert (part.reservation, part.limit) == (0, 300)

    def test_a_name_that_is_taken(self, world: World) -> None:
        make(world, "App")
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.update, make(world, "Web"), Api.UpdateSpec(name="App"))
        assert refused(error) == (400, "vmsg.DuplicateName.summary")

    def test_a_root_pool(self, world: World) -> None:
        with pytest.raises(InvalidArgument) as error:
            world.call(Api.update, cluster(world).resource_pool, Api.UpdateSpec(name="App"))
        assert refused(error) == (400, "resphere.resource_pool.root_update")


class TestDelete:
    def test_vms_and_pools_go_up(self, world: World) -> None:
        outer = make(world, "Outer")
        inner = make(world, "Inner", outer)
        same = make(world, "Outer", outer)  # takes the name that its parent leaves
        vm = next(
            vm
            for vm in world.inventory.all(VirtualMachine).values()
            if world.inventory.all(ResourcePool)[vm.resource_pool].owner == cluster(world).id
        )
        world.put(msgspec.structs.replace(vm, resource_pool=outer))
        world.call(Api.delete, outer)
        root = cluster(world).resource_pool
        assert {inner, same} <= world.call(Api.get, root).resource_pools
        assert world.inventory.all(VirtualMachine)[vm.id].resource_pool == root
        with pytest.raises(NotFound):
            world.call(Api.get, outer)

    def test_a_name_that_stands_above_already(self, world: World) -> None:
        outer = make(world, "Outer")
        make(world, "Web")
        make(world, "Web", outer)
        with pytest.raises(VapiError) as error:
            world.call(Api.delete, outer)
        assert (error.value.error_type, *refused(error)) == ("ERROR", 500, "resphere.resource_pool.name_above")

    def test_a_root_pool(self, world: World) -> None:
        with pytest.raises(Unsupported) as error:
            world.call(Api.delete, cluster(world).resource_pool)
        assert refused(error) == (400, "resphere.resource_pool.root_delete")
