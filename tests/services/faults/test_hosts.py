"""Hosts that die: what becomes of their machines, with HA and without, and when they come back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import AlreadyInDesiredState, NotAllowedInCurrentState, NotFound, ServiceUnavailable
from resphere.contract.extensions.faults import HostFaults
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.effects import (
    AnyEffect,
    EnterMaintenanceMode,
    ExitMaintenanceMode,
    FailHost,
    PowerOff,
    PowerOn,
    RecoverHost,
    RelocateVm,
    Reset,
)
from resphere.inventory.model import Cluster, Host, VirtualMachine
from resphere.inventory.relations import cluster_of_host, hosts_of_cluster, vms_of_host
from resphere.providers.base import Step
from resphere.providers.simulator.durations import MOST_SECONDS
from resphere.providers.simulator.provider import Simulator
from resphere.replica.edit import Edit
from resphere.rules.placement.hosts import memory_in_use_MiB
from resphere.rules.settlement.effects import require_alive
from resphere.tasks.record import Task
from tests.support.events import latest, types
from tests.support.events import told as events
from tests.support.pacing import under_way, use
from tests.support.served import Served
from tests.support.world import World

State, Power = vcenter.Host.ConnectionState, vcenter_vm.Power
ON, OFF = Power.State.POWERED_ON, Power.State.POWERED_OFF


def host_in_cluster(world: World, *, ha: bool) -> Host:
    """A host on which something runs, in a cluster with HA or without; the cluster's machines need little."""
    for cluster in world.inventory.all(Cluster).values():
        hosts = hosts_of_cluster(world.inventory, cluster.id)
        busy = [host for host in hosts if any(vm.power_state is ON for vm in vms_of_host(world.inventory, host.id))]
        if len(hosts) > 1 and busy:
            world.change(cluster, ha_enabled=ha)
            return busy[0]
    raise LookupError("no such host")


def running(world: World, host: Host) -> list[VirtualMachine]:
    return [vm for vm in vms_of_host(world.inventory, host.id) if vm.power_state is ON]


def host_of(world: World, host: Host) -> Host:
    found = world.inventory.get(Host, host.id)
    assert found is not None
    return found


def vm_of(world: World, id: str) -> VirtualMachine:
    found = world.inventory.get(VirtualMachine, id)
    assert found is not None
    return found


def fail(world: World, host: Host) -> HostFaults.Info:
    return world.call(HostFaults.fail, ids.HostSystemId(host.id))


def test_ha_starts_what_ran_there_elsewhere(world: World) -> None:
    host = host_in_cluster(world, ha=True)
    lost = running(world, host)
    told = fail(world, host)
    assert host_of(world, host).connection_state is State.NOT_RESPONDING
    assert {each.vm for each in told.restarts} | set(told.left) == {vm.id for vm in lost}
    assert told.restarts
    cluster = cluster_of_host(world.inventory, host)
    for each in told.restarts:
        vm, task = vm_of(world, each.vm), world.inventory.get(Task, each.task)
        assert (vm.power_state, vm.host) == (ON, each.host)
        other = world.inventory.get(Host, vm.host)
        assert other is not None
        assert other.id != host.id
        assert cluster_of_host(world.inventory, other) == cluster
        assert vm.datastore in other.datastores
        assert memory_in_use_MiB(world.inventory, other) <= other.hardware.memory_size_MiB
        assert task is not None
        assert task.description == "VirtualMachine.powerOn"
    for id in told.left:
        assert vm_of(world, id).power_state is OFF


def test_without_ha_all_of_it_is_off(world: World) -> None:
    host = host_in_cluster(world, ha=False)
    lost = running(world, host)
    told = fail(world, host)
    assert told.restarts == ()
    assert set(told.left) == {vm.id for vm in lost}
    for vm in lost:
        now = vm_of(world, vm.id)
        assert (now.power_state, now.host, now.clean_power_off) == (OFF, host.id, False)
        assert all(nic.state is not nic.state.CONNECTED for nic in now.nics.values())


def test_no_host_takes_more_than_it_has_room_for(world: World) -> None:
    host = host_in_cluster(world, ha=True)
    cluster = cluster_of_host(world.inventory, host)
    assert cluster is not None
    for other in hosts_of_cluster(world.inventory, cluster.id):
        if other.id != host.id:
            full = memory_in_use_MiB(world.inventory, other)
            world.change(other, hardware=msgspec.structs.replace(other.hardware, memory_size_MiB=full))
    told = fail(world, host)
    assert told.restarts == ()
    assert told.left


def test_nothing_goes_where_nothing_can_run(world: World) -> None:
    host = host_in_cluster(world, ha=True)
    cluster = cluster_of_host(world.inventory, host)
    assert cluster is not None
    for other in hosts_of_cluster(world.inventory, cluster.id):
        if other.id != host.id:
            world.change(other, in_maintenance_mode=True)
    assert fail(world, host).restarts == ()


def test_it_comes_back(world: World) -> None:
    host = host_in_cluster(world, ha=False)
    (first, *_) = running(world, host)
    fail(world, host)
    with pytest.raises(ServiceUnavailable):
        world.call(Power.start, ids.VirtualMachineId(first.id))
    with pytest.raises(AlreadyInDesiredState):
        fail(world, host)
    world.call(HostFaults.recover, ids.HostSystemId(host.id))
    back = host_of(world, host)
    assert (back.connection_state, back.boot_time) == (State.CONNECTED, world.environment.now())
    assert vm_of(world, first.id).power_state is OFF
    world.call(Power.start, ids.VirtualMachineId(first.id))
    assert vm_of(world, first.id).power_state is ON
    with pytest.raises(AlreadyInDesiredState):
        world.call(HostFaults.recover, ids.HostSystemId(host.id))


def test_a_host_that_is_disconnected_neither_dies_nor_comes_back(world: World) -> None:
    host = host_in_cluster(world, ha=True)
    world.call(vcenter.Host.disconnect, ids.HostSystemId(host.id))
    with pytest.raises(NotAllowedInCurrentState):
        fail(world, host)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(HostFaults.recover, ids.HostSystemId(host.id))
    with pytest.raises(NotFound):
        world.call(HostFaults.fail, ids.HostSystemId("host-nowhere"))


class SlowResets(Simulator):
    """Machines whose resets have no end."""

    def steps(self, effect: AnyEffect) -> Sequence[Step]:
        return (Step(seconds=float(MOST_SECONDS)),) if isinstance(effect, Reset) else ()


def test_nothing_that_is_under_way_keeps_it_from_dying(world: World) -> None:
    host = host_in_cluster(world, ha=False)
    (first, *_) = running(world, host)
    use(world, SlowResets(world.inventory, world.contents, world.environment.now))

    async def during() -> None:
        async with under_way(world, world.begin(Power.reset, ids.VirtualMachineId(first.id))):
            await world.begin(HostFaults.fail, ids.HostSystemId(host.id))

    world.run(during())
    assert vm_of(world, first.id).power_state is OFF


def test_what_can_still_come_true_when_a_host_has_died(world: World) -> None:
    host = host_in_cluster(world, ha=False)
    cluster = cluster_of_host(world.inventory, host)
    assert cluster is not None
    other = next(each for each in hosts_of_cluster(world.inventory, cluster.id) if each.id != host.id)
    (vm, *_) = running(world, host)
    moved = msgspec.structs.replace(vm, host=ids.HostSystemId(other.id))
    lost: list[AnyEffect] = [
        PowerOff(vm=vm),
        Reset(vm=vm),
        PowerOn(vm=vm, host=host),
        RelocateVm(before=vm, after=moved),
        EnterMaintenanceMode(host=other, moves={vm.id: host.id}, with_powered_off=False),
    ]
    kept: list[AnyEffect] = [
        PowerOn(vm=vm, host=other),
        ExitMaintenanceMode(host=other),
        FailHost(host=host),
        RecoverHost(host=host),
    ]

    def ask(edit: Edit, effect: AnyEffect) -> None:
        require_alive(edit, effect)

    for effect in (*lost, *kept):
        world.run(world.inventory.change(partial(ask, effect=effect)))
    fail(world, host)
    for effect in kept:
        world.run(world.inventory.change(partial(ask, effect=effect)))
    for effect in lost:
        with pytest.raises(NotAllowedInCurrentState, match="has failed meanwhile"):
            world.run(world.inventory.change(partial(ask, effect=effect)))


def test_what_is_told_of_it(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        world = served.world
        host = host_in_cluster(world, ha=True)
        begin = latest(world)
        told = served.by_api(HostFaults.fail, HostFaults.HostInput(host=ids.HostSystemId(host.id)))
        found = types(events(world, begin))
        assert found.count("HostConnectionLostEvent") == 1
        assert found.count("VmPoweredOffEvent") == len(told.restarts) + len(told.left)
        assert found.count("VmRestartedOnAlternateHostEvent") == len(told.restarts) > 0
        begin = latest(world)
        served.by_jsonrpc(HostFaults.recover, HostFaults.HostInput(host=ids.HostSystemId(host.id)))
        assert "HostConnectedEvent" in types(events(world, begin))
