"""``resphere.vcenter.utilization``: how busy a VM, host, cluster or datastore is, now and over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import reduce

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.utilization import Utilization
from resphere.contract.generated import ids
from resphere.inventory.model import Cluster, Datastore, Host, VirtualMachine
from resphere.inventory.relations import hosts_of_cluster
from resphere.providers.base import IDLE, Load
from resphere.rules.space import free_space
from resphere.services.call import Call
from resphere.services.registry import implements

DEFAULT_INTERVAL_SECONDS = 300
MOST_SAMPLES = 10_000
Filter = Utilization.FilterSpec | None
Sample = Utilization.Sample


@implements(Utilization.get_vm)
async def get_vm(call: Call, vm: ids.VirtualMachineId, filter: Filter) -> Utilization.Info:
    """A VM's share of its host; one that is off uses nothing.

    :raises InvalidArgument: the moments are none, too many, or in the future.
    """
    machine = call.require(VirtualMachine, vm)
    host = call.referred(Host, machine.host)
    times = moments(call, filter)
    loads = call.required(call.provider.capabilities.statistics).vm_loads(machine, times)
    capacity = float(machine.cpu.count * host.hardware.cpu_frequency_MHz)
    return _info(times, loads, capacity, machine.memory.size_MiB, lambda load: min(load.cpu_MHz, capacity))


@implements(Utilization.get_host)
async def get_host(call: Call, host: ids.HostSystemId, filter: Filter) -> Utilization.Info:
    """A host with all that runs on it.

    :raises InvalidArgument: as of a VM.
    """
    found = call.require(Host, host)
    times = moments(call, filter)
    loads = call.required(call.provider.capabilities.statistics).host_loads(found, times)
    capacity = cpu_MHz(found)
    return _info(times, loads, capacity, found.hardware.memory_size_MiB, lambda load: min(load.cpu_MHz, capacity))


@implements(Utilization.get_cluster)
async def get_cluster(call: Call, cluster: ids.ClusterComputeResourceId, filter: Filter) -> Utilization.Info:
    """The sum of the cluster's hosts.

    :raises InvalidArgument: as of a VM.
    """
    call.require(Cluster, cluster)
    hosts = hosts_of_cluster(call.unfiltered, cluster)
    times = moments(call, filter, len(hosts))
    parts = [_host_samples(call, host, times) for host in hosts]
    none = [_sample(at, IDLE, 0.0) for at in times]
    samples = [reduce(_added, row) for row in zip(none, *parts, strict=True)]
    return Utilization.Info(
        cpu_capacity_MHz=sum(map(cpu_MHz, hosts), 0.0),
        memory_capacity_MiB=sum(host.hardware.memory_size_MiB for host in hosts),
        now=samples[0],
        samples=tuple(samples[1:]),
    )


@implements(Utilization.get_datastore)
async def get_datastore(call: Call, datastore: ids.DatastoreId, filter: Filter) -> Utilization.DatastoreInfo:
    """Room, and the traffic of the VMs whose home is there.

    :raises InvalidArgument: as of a VM.
    """
    found = call.require(Datastore, datastore)
    vms = call.unfiltered.by(VirtualMachine, "datastore", datastore).values()
    times = moments(call, filter, len(vms))
    reads, writes = [0.0] * len(times), [0.0] * len(times)
    for vm in vms:
        for number, load in enumerate(call.required(call.provider.capabilities.statistics).vm_loads(vm, times)):
            reads[number] += load.disk_read_KBps
            writes[number] += load.disk_write_KBps
    samples = [
        Utilization.DatastoreSample(time=moment(at), read_KBps=read, write_KBps=write)
        for at, read, write in zip(times, reads, writes, strict=True)
    ]
    free = free_space(call.unfiltered, found)
    return Utilization.DatastoreInfo(
        capacity=found.capacity,
        used=found.capacity - free,
        free_space=free,
        now=samples[0],
        samples=tuple(samples[1:]),
    )


def moments(call: Call, filter: Filter, machines: int = 1) -> list[float]:
    """Now, then the moments that the filter asks for, in seconds since the epoch.

    :raises InvalidArgument: no interval, an end before the start or in the future, or too many for so many machines.
    """
    now = call.environment.now().timestamp()
    if filter is None or filter.start is None:
        if filter is not None and (filter.end is not None or filter.interval is not None):
            raise _senseless("filter.start must be set where end or interval is.")
        return [now]
    start = filter.start.timestamp()
    end = filter.end.timestamp() if filter.end is not None else now
    interval = DEFAULT_INTERVAL_SECONDS if filter.interval is None else filter.interval
    if interval < 1:
        raise _senseless(f"filter.interval must be 1 second at least, not {interval}.")
    if not 0 <= start <= end <= now:
        raise _senseless("filter.start must not be after filter.end, nor that in the future.")
    count = int(-(-(end - start) // interval))
    if count * max(1, machines) > MOST_SAMPLES * 10 or count > MOST_SAMPLES:
        raise _senseless(f"{count} moments of {machines} machines are too many: ask for fewer, or a longer interval.")
    return [now, *(start + number * interval for number in range(count))]


def _senseless(why: str) -> InvalidArgument:
    return InvalidArgument(message("resphere.utilization.moments", "{0}", why))


def moment(at: float) -> datetime:
    """Seconds since the epoch as a moment."""
    return datetime.fromtimestamp(at, UTC)


def cpu_MHz(host: Host) -> float:
    """The CPU that a host has."""
    return float(host.hardware.cpu_cores * host.hardware.cpu_frequency_MHz)


def _host_samples(call: Call, host: Host, times: list[float]) -> list[Sample]:
    loads = call.required(call.provider.capabilities.statistics).host_loads(host, times)
    capacity = cpu_MHz(host)
    return [_sample(at, load, min(load.cpu_MHz, capacity)) for at, load in zip(times, loads, strict=True)]


def _info(
    times: Iterable[float], loads: Iterable[Load], cpu: float, memory: int, used: Callable[[Load], float]
) -> Utilization.Info:
    samples = [_sample(at, load, used(load)) for at, load in zip(times, loads, strict=True)]
    return Utilization.Info(
        cpu_capacity_MHz=cpu, memory_capacity_MiB=memory, now=samples[0], samples=tuple(samples[1:])
    )


def _sample(at: float, load: Load, used_MHz: float) -> Sample:
    return Sample(
        time=moment(at),
        cpu_usage_MHz=used_MHz,
        cpu_demand_MHz=load.cpu_MHz,
        memory_usage_MiB=load.memory_MiB,
        disk_read_KBps=load.disk_read_KBps,
        disk_write_KBps=load.disk_write_KBps,
        network_receive_KBps=load.network_receive_KBps,
        network_send_KBps=load.network_send_KBps,
    )


def _added(one: Sample, other: Sample) -> Sample:
    time, *first = msgspec.structs.astuple(one)
    _, *second = msgspec.structs.astuple(other)
    names = Sample.__struct_fields__[1:]
    return Sample(time=time, **{name: a + b for name, a, b in zip(names, first, second, strict=True)})
