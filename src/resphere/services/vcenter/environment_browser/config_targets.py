"""``com.vmware.vcenter.environment_browser.config_targets``: what devices of VMs can be backed by on clusters.

The answer is VIM's ``ConfigTarget``, in the words of vSphere's JSON API.
"""

from __future__ import annotations

from typing import Any

from resphere.contract.generated import vcenter
from resphere.contract.generated.vcenter_environment_browser import ConfigTargets as Api
from resphere.inventory.model import Datastore, Host, ManagedObject, Network
from resphere.inventory.tagging import type_of
from resphere.rules.space import free_space
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.environment_browser.clusters import hosts_asked_for

Target = Api.ConfigTargetSpec
HOST_DEVICES = ("cdRom", "floppy", "parallel", "serial", "sound", "usb", "pciPassthrough")
DISTRIBUTED = vcenter.Network.Type.DISTRIBUTED_PORTGROUP


@implements(Api.get, kept=True)
async def get(call: Call, params: Api.GetParams) -> Api.Info:
    """What the clusters' hosts have, together; without a filter everything.

    The simulated hosts have neither devices nor disks to pass through: those lists are empty.
    """
    hosts = hosts_asked_for(call, params.clusters)
    wanted = params.filter or frozenset(Target)
    target: dict[str, Any] = {
        "_typeName": "ConfigTarget",
        "numCpus": max((host.hardware.cpu_threads for host in hosts), default=0),
        "numCpuCores": max((host.hardware.cpu_cores for host in hosts), default=0),
        "numNumaNodes": max((host.hardware.cpu_packages for host in hosts), default=0),
        "supportedMaxMemMB": max((host.hardware.memory_size_MiB for host in hosts), default=0),
    }
    if Target.DATASTORES in wanted:
        stores = {id: None for host in hosts for id in host.datastores}
        target["datastore"] = [
            datastore_info(call, store) for id in stores if (store := call.get(Datastore, id)) is not None
        ]
    if Target.NETWORKS in wanted:
        target |= networks(call, hosts)
    if Target.DEVICES in wanted:
        target |= {name: [] for name in HOST_DEVICES}
    if Target.DISKS in wanted:
        target |= {"ideDisk": [], "scsiDisk": []}
    return Api.Info(config_target=target)


def datastore_info(call: Call, store: Datastore) -> dict[str, Any]:
    """VIM's ``VirtualMachineDatastoreInfo``; sizes in bytes."""
    return {
        "_typeName": "VirtualMachineDatastoreInfo",
        "name": store.name,
        "configStatus": "green",
        "mode": "readWrite",
        "datastore": {
            "_typeName": "DatastoreSummary",
            "datastore": reference(store, type_of(store)),
            "name": store.name,
            "url": store.url,
            "type": store.type.value,
            "capacity": store.capacity,
            "freeSpace": free_space(call.unfiltered, store),
            "accessible": store.accessible,
            "multipleHostAccess": store.multiple_host_access,
        },
    }


def networks(call: Call, hosts: list[Host]) -> dict[str, Any]:
    """VIM's ``network`` and ``distributedVirtualPortgroup`` of the hosts, with the uplinks' of their switches."""
    found = [
        network
        for id in {id: None for host in hosts for id in host.networks}
        if (network := call.get(Network, id)) is not None
    ]
    switches = {network.distributed_switch: None for network in found if network.distributed_switch is not None}
    found += [
        network
        for switch in switches
        for network in call.by(Network, "distributed_switch", switch).values()
        if network.uplink
    ]
    return {
        "network": [
            {
                "_typeName": "VirtualMachineNetworkInfo",
                "name": network.name,
                "network": {
                    "_typeName": "NetworkSummary",
                    "network": reference(network, type_of(network)),
                    "name": network.name,
                    "accessible": True,
                },
            }
            for network in found
            if network.type is not DISTRIBUTED
        ],
        "distributedVirtualPortgroup": [
            {
                "_typeName": "DistributedVirtualPortgroupInfo",
                "portgroupName": network.name,
                "portgroupKey": network.id,
                "portgroup": reference(network, type_of(network)),
                "switchUuid": network.distributed_switch_uuid,
                "uplinkPortgroup": network.uplink,
            }
            for network in found
            if network.type is DISTRIBUTED
        ],
    }


def reference(obj: ManagedObject, type: str) -> dict[str, str]:
    """VIM's ``ManagedObjectReference``."""
    return {"_typeName": "ManagedObjectReference", "type": type, "value": obj.id}
