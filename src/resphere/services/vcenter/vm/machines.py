"""``com.vmware.vcenter.VM``: list and get."""

from __future__ import annotations

import zlib

import msgspec

from resphere.contract.generated import ids, vcenter, vcenter_vm, vcenter_vm_hardware
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.contract.model import Parted
from resphere.inventory.model import Cluster, Network, VirtualMachine
from resphere.inventory.relations import cluster_of_vm, hosts_of_cluster
from resphere.replica.derived import listing
from resphere.rules.hardware.families import NICS
from resphere.services.call import Call
from resphere.services.checks.datacenters import in_datacenters
from resphere.services.registry import implements
from resphere.services.selection import Criterion, by_id, by_index, existing, limited, select

MOST_LISTED = 4000


def summary(vm: VirtualMachine) -> vcenter.VM.Summary:
    """A VM as lists show it."""
    return vcenter.VM.Summary(
        vm=ids.VirtualMachineId(vm.id),
        name=vm.name,
        power_state=vm.power_state,
        cpu_count=vm.cpu.count,
        memory_size_MiB=vm.memory.size_MiB,
    )


Summaries = tuple[vcenter.VM.Summary, ...]
LISTING = listing(VirtualMachine, lambda vm: not vm.template, summary)


@implements(vcenter.VM.list, kept=True)
async def list_vms(call: Call, filter: vcenter.VM.FilterSpec | None) -> Summaries | Parted[Summaries]:
    """The VMs that match. Templates are not listed, as in vCenter 7.0.3 and 8.0, but by the releases before."""
    hides_templates = call.environment.product.hides_templates
    summaries = call.unfiltered.derived(LISTING)
    if filter is None and call.view.sees_all and hides_templates:
        every = Parted(summaries.parts(call.unfiltered.all(VirtualMachine)))
        return limited(every, MOST_LISTED, "vm", call.environment.list_limits)
    found = select(call, VirtualMachine, criteria(call, filter) if filter else ())
    if not hides_templates:
        return tuple(summary(vm) for vm in limited(found, MOST_LISTED, "vm", call.environment.list_limits))
    found = [vm for vm in found if not vm.template]
    return summaries.of(limited(found, MOST_LISTED, "vm", call.environment.list_limits))


def criteria(call: Call, filter: vcenter.VM.FilterSpec) -> list[Criterion[VirtualMachine] | None]:
    """The filter's criteria, each with the index that answers it."""
    vm = VirtualMachine
    names, folders, hosts = filter.names or (), filter.folders or (), filter.hosts or ()
    pools, states = filter.resource_pools or (), filter.power_states or ()
    return [
        by_id(call, vm, filter.vms),
        by_index(call, vm, "name", names, lambda o: o.name in names),
        by_index(call, vm, "parent", folders, lambda o: o.parent in folders),
        by_index(call, vm, "host", hosts, lambda o: o.host in hosts),
        by_index(call, vm, "resource_pool", pools, lambda o: o.resource_pool in pools),
        by_index(call, vm, "power_state", states, lambda o: o.power_state in states),
        in_clusters(call, filter.clusters),
        in_datacenters(call, vm, filter.datacenters),
    ]


def in_clusters(
    call: Call, clusters: frozenset[ids.ClusterComputeResourceId] | None
) -> Criterion[VirtualMachine] | None:
    """VMs that run on a host of one of the clusters."""
    if not clusters:
        return None
    there = existing(call, Cluster, clusters)
    hosts = [host.id for cluster in there for host in hosts_of_cluster(call.unfiltered, cluster)]
    return Criterion(
        tuple(call.unfiltered.by(VirtualMachine, "host", host) for host in hosts),
        lambda vm: (cluster := cluster_of_vm(call.unfiltered, vm)) is not None and cluster.id in clusters,
    )


@implements(vcenter.VM.get, kept=True)
async def get_vm(call: Call, vm: ids.VirtualMachineId) -> vcenter.VM.Info:
    """One VM with its hardware."""
    found = call.require(VirtualMachine, vm)
    return vcenter.VM.Info(
        guest_OS=found.guest_OS,
        name=found.name,
        identity=vcenter_vm.Identity.Info(
            name=found.name, bios_uuid=found.bios_uuid, instance_uuid=found.instance_uuid
        ),
        power_state=found.power_state,
        instant_clone_frozen=False,
        hardware=found.hardware,
        boot=found.boot,
        boot_devices=found.boot_devices,
        cpu=found.cpu,
        memory=found.memory,
        disks=found.disks,
        nics=nics_with_names(call, found),
        cdroms=found.cdroms,
        floppies=found.floppies,
        parallel_ports=found.parallel_ports,
        serial_ports=found.serial_ports,
        sata_adapters=found.sata_adapters,
        scsi_adapters=found.scsi_adapters,
        nvme_adapters=found.nvme_adapters,
    )


def nics_with_names(
    call: Call, vm: VirtualMachine
) -> dict[ids.VcenterVmHardwareEthernetId, vcenter_vm_hardware.Ethernet.Info]:
    """The VM's NICs as clients see them: with their networks' present names, which are not stored with the VM.

    Who may read the VM may read those names, as they are part of its configuration in vSphere.
    """
    shown = {}
    for key, nic in vm.nics.items():
        # Only a standard port group's backing has a name: clients check the union.
        named = nic.backing.type is Ethernet.BackingType.STANDARD_PORTGROUP and nic.backing.network
        network = call.unfiltered.get(Network, named) if named else None
        if network is not None and nic.backing.network_name != network.name:
            nic = replace_backing(nic, network.name)
        if nic.backing.type is Ethernet.BackingType.DISTRIBUTED_PORTGROUP:
            nic = msgspec.structs.replace(nic, backing=on_a_port(nic.backing, vm, key))
        if nic.type is Ethernet.EmulationType.VMXNET3 and nic.upt_v2_compatibility_enabled is None:
            # Required in 8.0.3 (its SDK refuses the whole VM without), no longer in 9.1.
            nic = msgspec.structs.replace(nic, upt_v2_compatibility_enabled=False)
        shown[key] = nic
    return shown


def on_a_port(backing: Ethernet.BackingInfo, vm: VirtualMachine, key: str) -> Ethernet.BackingInfo:
    """The backing of an adapter: it holds a port of the distributed switch, no other adapter the same one, and the
    cookie of that connection. Also while the VM is off, as ports are bound when an adapter is connected to the port
    group (vCenter 7.0.3)."""
    port = backing.distributed_port or str(int(vm.id.rpartition("-")[2]) * NICS.most + int(key) - NICS.first_key)
    cookie = zlib.crc32(f"{vm.instance_uuid} {key}".encode()) & 0x7FFFFFFF
    return msgspec.structs.replace(backing, distributed_port=port, connection_cookie=cookie)


def replace_backing(nic: vcenter_vm_hardware.Ethernet.Info, name: str) -> vcenter_vm_hardware.Ethernet.Info:
    """``nic`` with the network's name in its backing."""
    backing = msgspec.structs.replace(nic.backing, network_name=name)
    return msgspec.structs.replace(nic, backing=backing)
