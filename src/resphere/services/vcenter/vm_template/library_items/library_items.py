"""``com.vmware.vcenter.vm_template.library_items``: what a template of a content library is."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.rules.storage_policies import disk_datastore
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.services.checks.vm_templates import machine_of
from resphere.services.registry import implements

Nic = LibraryItems.EthernetInfo


@implements(LibraryItems.get, kept=True)
async def get(call: Call, template_library_item: ids.ContentLibraryItemId) -> LibraryItems.Info | None:
    """The hardware and storage of the item's template; nothing of an item that is none.

    :raises NotFound: there is no such item.
    :raises Unauthorized: the caller does not see the machine.
    """
    item = require(call, LibraryItem, template_library_item)
    return None if item.template is None else info(call, machine_of(call, item))


def info(call: Call, vm: VirtualMachine) -> LibraryItems.Info:
    """A template as the operation shows it."""
    home = LibraryItems.VmHomeStorageInfo(datastore=vm.datastore, storage_policy=policy_id(vm.storage_policy))
    return LibraryItems.Info(
        guest_OS=vm.guest_OS,
        cpu=LibraryItems.CpuInfo(count=vm.cpu.count, cores_per_socket=vm.cpu.cores_per_socket),
        memory=LibraryItems.MemoryInfo(size_MiB=vm.memory.size_MiB),
        vm_home_storage=home,
        disks={
            key: LibraryItems.DiskInfo(
                capacity=disk.capacity,
                disk_storage=LibraryItems.DiskStorageInfo(
                    datastore=ids.DatastoreId(store_of_disk(call, vm, key)),
                    storage_policy=policy_id(vm.disk_policies.get(key)),
                ),
            )
            for key, disk in vm.disks.items()
        },
        nics={key: nic_info(nic) for key, nic in vm.nics.items()},
        vm_template=vm.id,
    )


def store_of_disk(call: Call, vm: VirtualMachine, key: str) -> str:
    """The datastore that a disk lies on."""
    store: Datastore | None = disk_datastore(call.unfiltered, vm, key)
    return vm.datastore if store is None else store.id


def nic_info(nic: Ethernet.Info) -> Nic:
    """An adapter as the operation shows it."""
    return Nic(
        backing_type=Nic.NetworkBackingType(nic.backing.type),
        mac_type=Nic.MacAddressType(nic.mac_type),
        network=nic.backing.network,
    )


def policy_id(id: ids.VcenterStoragePolicyId | None) -> ids.SpbmStorageProfileId | None:
    """A storage policy by the other name of its type."""
    return None if id is None else ids.SpbmStorageProfileId(id)
