"""``resphere.vcenter.host.get``: one host in detail."""

from __future__ import annotations

import msgspec

from resphere.contract.extensions.hosts import Host as HostDetail
from resphere.contract.generated import ids
from resphere.inventory.model import Datastore, Host, Network, VirtualMachine
from resphere.inventory.relations import cluster_of_host, datacenter_of
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.host.host import CONNECTED, ON


@implements(HostDetail.get, kept=True)
async def get_host(call: Call, host: ids.HostSystemId) -> HostDetail.Info:
    """One host with its place, hardware, mounts and load."""
    found = call.require(Host, host)
    # Where it stands, who sees it may know; what runs on it and what it has mounted only as far as they see that too.
    cluster, datacenter = cluster_of_host(call.unfiltered, found), datacenter_of(call.unfiltered, found)
    vms = call.by(VirtualMachine, "host", host).values()
    running = [vm for vm in vms if vm.power_state is ON]
    return HostDetail.Info(
        host=host,
        name=found.name,
        parent=found.parent or "",
        datacenter=ids.DatacenterId(datacenter.id if datacenter else ""),
        cluster=ids.ClusterComputeResourceId(cluster.id) if cluster else None,
        connection_state=found.connection_state,
        power_state=found.power_state if found.connection_state is CONNECTED else None,
        in_maintenance_mode=found.in_maintenance_mode,
        host_uuid=found.host_uuid,
        version=found.version,
        build=found.build,
        boot_time=found.boot_time,
        management_ip=found.management_ip,
        hardware=HostDetail.Hardware(**msgspec.structs.asdict(found.hardware)),
        physical_nics=tuple(HostDetail.PhysicalNic(**msgspec.structs.asdict(n)) for n in found.physical_nics),
        datastores=tuple(id for id in found.datastores if call.get(Datastore, id) is not None),
        networks=tuple(id for id in found.networks if call.get(Network, id) is not None),
        vm_count=len(vms),
        powered_on_vm_count=len(running),
        memory_allocated_MiB=sum(vm.memory.size_MiB for vm in running),
    )
