"""Datastores that cannot be reached for a while."""

from __future__ import annotations

import pytest

from resphere.contract.errors import AlreadyInDesiredState, NotFound, ResourceInaccessible
from resphere.contract.extensions.faults import DatastoreFaults, HostFaults
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.model import Datastore, VirtualMachine
from tests.services.faults.test_hosts import ON, host_in_cluster, running
from tests.support.world import World

Power = vcenter_vm.Power


def test_nothing_on_it_is_started_or_deleted(world: World) -> None:
    vm = next(
        each
        for each in world.inventory.all(VirtualMachine).values()
        if each.power_state is Power.State.POWERED_OFF and not each.template
    )
    store, id = ids.DatastoreId(vm.datastore), ids.VirtualMachineId(vm.id)
    world.call(DatastoreFaults.fail, store)
    info = world.call(vcenter.Datastore.get, store)
    assert (info.accessible, info.free_space) == (False, None)
    with pytest.raises(ResourceInaccessible):
        world.call(Power.start, id)
    with pytest.raises(ResourceInaccessible):
        world.call(vcenter.VM.delete, id)
    with pytest.raises(AlreadyInDesiredState):
        world.call(DatastoreFaults.fail, store)
    world.call(DatastoreFaults.recover, store)
    with pytest.raises(AlreadyInDesiredState):
        world.call(DatastoreFaults.recover, store)
    world.call(Power.start, id)
    with pytest.raises(NotFound):
        world.call(DatastoreFaults.fail, ids.DatastoreId("datastore-nowhere"))


def test_ha_starts_nothing_from_it(world: World) -> None:
    host = host_in_cluster(world, ha=True)
    lost = running(world, host)
    for id in {vm.datastore for vm in lost}:
        world.call(DatastoreFaults.fail, ids.DatastoreId(id))
    told = world.call(HostFaults.fail, ids.HostSystemId(host.id))
    assert told.restarts == ()
    assert set(told.left) == {vm.id for vm in lost}
    assert not any(vm.power_state is ON for vm in running(world, host))


def test_what_runs_goes_on(world: World) -> None:
    vm = next(each for each in world.inventory.all(VirtualMachine).values() if each.power_state is ON)
    world.call(DatastoreFaults.fail, ids.DatastoreId(vm.datastore))
    found = world.inventory.get(VirtualMachine, vm.id)
    store = world.inventory.get(Datastore, vm.datastore)
    assert found == vm
    assert store is not None
    assert not store.accessible
