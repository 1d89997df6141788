"""Utilization of machines, clusters and datastores, and how near the inventory is to its maximums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from resphere.contract.errors import InvalidArgument, NotFound, Unsupported, VapiError
from resphere.contract.extensions.utilization import Utilization
from resphere.contract.generated import ids, vcenter_utilization, vcenter_vm
from resphere.contract.generated.vcenter_capacity import Usage
from resphere.inventory.model import Cluster, Datastore, Host, VirtualMachine
from resphere.services.vcenter.capacity.usage import severity
from tests.services.vcenter.building import add_cluster
from tests.support.world import NOW, World

Filter = Utilization.FilterSpec
HOUR = Filter(start=NOW - timedelta(hours=1), interval=600)


def vm_with(world: World, state: vcenter_vm.Power.State) -> ids.VirtualMachineId:
    return next(
        ids.VirtualMachineId(vm.id)
        for vm in world.inventory.all(VirtualMachine).values()
        if vm.power_state is state and vm.host in world.inventory.all(Host)
    )


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


def test_a_vm_uses_part_of_what_it_has(world: World) -> None:
    info = world.call(Utilization.get_vm, vm_with(world, vcenter_vm.Power.State.POWERED_ON), HOUR)
    assert [sample.time for sample in info.samples] == [NOW - timedelta(minutes=m) for m in range(60, 0, -10)]
    assert info.now.time == NOW
    for sample in (info.now, *info.samples):
        assert 0 < sample.cpu_usage_MHz <= info.cpu_capacity_MHz
        assert 0 < sample.memory_usage_MiB <= info.memory_capacity_MiB
    again = world.call(Utilization.get_vm, vm_with(world, vcenter_vm.Power.State.POWERED_ON), HOUR)
    assert again == info


def test_a_vm_that_is_off_uses_nothing(world: World) -> None:
    info = world.call(Utilization.get_vm, vm_with(world, vcenter_vm.Power.State.POWERED_OFF), None)
    assert (info.now.cpu_usage_MHz, info.now.memory_usage_MiB, info.now.disk_read_KBps) == (0, 0, 0)
    assert info.samples == ()


def test_a_cluster_is_the_sum_of_its_hosts(world: World) -> None:
    [cluster] = world.inventory.all(Cluster)
    whole = world.call(Utilization.get_cluster, ids.ClusterComputeResourceId(cluster), HOUR)
    hosts = [ids.HostSystemId(id) for id in world.inventory.by(Host, "parent", cluster)]
    parts = [world.call(Utilization.get_host, host, HOUR) for host in hosts]
    assert whole.cpu_capacity_MHz == sum(part.cpu_capacity_MHz for part in parts)
    assert whole.memory_capacity_MiB == sum(part.memory_capacity_MiB for part in parts)
    for number, sample in enumerate(whole.samples):
        for name in ("cpu_usage_MHz", "memory_usage_MiB", "network_send_KBps"):
            expected = sum(getattr(part.samples[number], name) for part in parts)
            assert getattr(sample, name) == pytest.approx(expected)


def test_an_empty_cluster_uses_nothing(world: World) -> None:
    whole = world.call(Utilization.get_cluster, add_cluster(world), None)
    assert (whole.cpu_capacity_MHz, whole.now.cpu_usage_MHz) == (0, 0)


def test_a_datastore_has_room_and_traffic(world: World) -> None:
    busiest = max(
        world.inventory.all(Datastore), key=lambda id: len(world.inventory.by(VirtualMachine, "datastore", id))
    )
    info = world.call(Utilization.get_datastore, ids.DatastoreId(busiest), HOUR)
    assert info.used + info.free_space == info.capacity
    assert info.now.read_KBps > 0
    assert len(info.samples) == 6


@pytest.mark.parametrize(
    "filter",
    [
        Filter(interval=10),
        Filter(end=NOW),
        Filter(start=NOW, interval=0),
        Filter(start=NOW + timedelta(seconds=1)),
        Filter(start=NOW - timedelta(hours=1), end=NOW + timedelta(seconds=1)),
        Filter(start=NOW - timedelta(hours=1), end=NOW - timedelta(hours=2)),
        Filter(start=NOW - timedelta(days=365), interval=1),
    ],
)
def test_refused_moments(world: World, filter: Filter) -> None:
    [cluster] = world.inventory.all(Cluster)
    calls: tuple[Callable[[], object], ...] = (
        lambda: world.call(Utilization.get_vm, vm_with(world, vcenter_vm.Power.State.POWERED_ON), filter),
        lambda: world.call(Utilization.get_cluster, ids.ClusterComputeResourceId(cluster), filter),
    )
    for call in calls:
        with pytest.raises(InvalidArgument) as error:
            call()
        assert refused(error) == (400, "resphere.utilization.moments")


def test_what_is_not_there(world: World) -> None:
    calls: tuple[Callable[[], object], ...] = (
        lambda: world.call(Utilization.get_vm, ids.VirtualMachineId("vm-0"), None),
        lambda: world.call(Utilization.get_host, ids.HostSystemId("host-0"), None),
        lambda: world.call(Utilization.get_cluster, ids.ClusterComputeResourceId("domain-c0"), None),
    )
    for call in calls:
        with pytest.raises(NotFound) as error:
            call()
        assert error.value.api_status == 404
    with pytest.raises(NotFound):
        world.call(Utilization.get_datastore, ids.DatastoreId("datastore-0"), None)


def test_capacity_counts_the_inventory(world: World) -> None:
    info = world.call(Usage.get)
    counts = {str(config.id): config.current_usage_value for config in info.configurations}
    assert counts["registered_vms"] == len(world.inventory.all(VirtualMachine))
    assert counts["hosts"] == len(world.inventory.all(Host))
    assert {config.severity for config in info.configurations} == {Usage.Severity.NORMAL}
    assert info.created_at == NOW


def test_severity() -> None:
    assert [severity(percent) for percent in (80, 80.1, 100.1)] == [
        Usage.Severity.NORMAL,
        Usage.Severity.THRESHOLD_EXCEEDED,
        Usage.Severity.MAXIMUM_EXCEEDED,
    ]


def test_there_are_no_processes_to_tell_of(world: World) -> None:
    with pytest.raises(Unsupported) as connections:
        world.call(vcenter_utilization.Connections.list, None)
    with pytest.raises(Unsupported) as proxies:
        world.call(vcenter_utilization.Proxies.list, None)
    assert refused(connections) == refused(proxies) == (400, "resphere.utilization.no_processes")
