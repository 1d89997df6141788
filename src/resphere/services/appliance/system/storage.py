"""``com.vmware.appliance.system.storage``: the folders of the server as the appliance's partitions."""

from __future__ import annotations

from resphere.contract.errors import message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_system import Storage
from resphere.services.call import Call
from resphere.services.checks.appliance_health import partitions
from resphere.services.registry import implements

MIB = 2**20


@implements(Storage.list)
async def list_partitions(call: Call) -> tuple[Storage.StorageMapping, ...]:
    """Each partition with its disk; folders on one filesystem have the same."""
    return tuple(
        Storage.StorageMapping(
            disk=ids.ApplianceSystemStorageId(str(each.disk)),
            partition=each.label,
            description=message(
                "resphere.appliance.partition",
                "{0}: {1} of {2} MB are free",
                each.about,
                each.filesystem.available // MIB,
                each.filesystem.total // MIB,
            ),
        )
        for each in partitions(call)
    )


@implements(Storage.resize)
async def resize(call: Call) -> None:
    """Have partitions take all of their disks: they do, whatever size those have."""
    partitions(call)


@implements(Storage.resize_ex)
async def resize_ex(call: Call) -> dict[str, Storage.StorageChange]:
    """As ``resize``, with the sizes before and after, in MB."""
    sizes = {each.label: each.filesystem.total // MIB for each in partitions(call)}
    return {name: Storage.StorageChange(old_size=size, new_size=size) for name, size in sizes.items()}
