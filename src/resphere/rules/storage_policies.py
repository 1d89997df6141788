"""Which storage policies the parts of virtual machines have, and what fits them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from resphere.contract.generated import ids
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.storage_policies import BUILT_IN, DEFAULTS, StoragePolicy
from resphere.inventory.tables import ASSIGNED, datastore_name
from resphere.inventory.tagging import Attachment, attachment_id
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Reading
from resphere.rules.files import stores_of


class Fit(StrEnum):
    """How a policy and the datastore that something is on go together."""

    GOOD = "GOOD"
    BAD = "BAD"
    FOREIGN = "FOREIGN"
    """The policy asks for what storage of this kind knows nothing about."""
    UNKNOWN = "UNKNOWN"
    """Nobody can look: the datastore is not there, or not accessible."""


def all_policies(inventory: Reading) -> Mapping[str, StoragePolicy]:
    """Id -> policy, vCenter's own first."""
    return {**BUILT_IN, **inventory.all(StoragePolicy)}


def find_policy(inventory: Reading, id: str | None) -> StoragePolicy | None:
    """The policy of that id."""
    if id is None:
        return None
    return BUILT_IN.get(id) or inventory.get(StoragePolicy, id)


def fit(inventory: Replica, policy: StoragePolicy, datastore: Datastore | None) -> Fit:
    """How the policy and the datastore go together."""
    if datastore is None or not datastore.accessible:
        return Fit.UNKNOWN
    of_type = not policy.datastore_types or datastore.type in policy.datastore_types
    if policy.persistent_memory or not of_type:
        return Fit.FOREIGN if policy.native else Fit.BAD
    tagged = (inventory.get(Attachment, attachment_id(tag, datastore.id)) for tag in policy.tags)
    return Fit.BAD if (policy.tags or policy.lost_tags) and not any(tagged) else Fit.GOOD


def default_policy(datastore: Datastore) -> StoragePolicy | None:
    """The policy of what is put on the datastore without naming one."""
    return DEFAULTS.get(datastore.type)


def home_datastore(inventory: Replica, vm: VirtualMachine) -> Datastore | None:
    """Where the VM's home is."""
    return inventory.get(Datastore, vm.datastore)


def disk_datastore(inventory: Replica, vm: VirtualMachine, disk: str) -> Datastore | None:
    """Where one of the VM's disks is; ``None`` where no datastore of its host has the name."""
    path = vm.disks[ids.VcenterVmHardwareDiskId(disk)].backing.vmdk_file or ""
    return stores_of(inventory, vm).get(datastore_name(path))


def home_policy(inventory: Replica, vm: VirtualMachine) -> StoragePolicy | None:
    """The policy of the VM's home."""
    return find_policy(inventory, vm.storage_policy)


def disk_policies(inventory: Replica, vm: VirtualMachine) -> dict[ids.VcenterVmHardwareDiskId, StoragePolicy]:
    """The policies of the VM's disks, of those that have one."""
    found = ((disk, find_policy(inventory, vm.disk_policies.get(disk))) for disk in vm.disks)
    return {disk: policy for disk, policy in found if policy is not None}


def with_home_policy(vm: VirtualMachine, policy: StoragePolicy | None) -> VirtualMachine:
    """``vm`` with another policy for its home; ``None``: with none."""
    return msgspec.structs.replace(vm, storage_policy=None if policy is None else policy.id)


def with_disk_policy(
    vm: VirtualMachine, disk: ids.VcenterVmHardwareDiskId, policy: StoragePolicy | None
) -> VirtualMachine:
    """``vm`` with another policy for one of its disks; ``None``: with none."""
    policies = {key: kept for key, kept in vm.disk_policies.items() if key in vm.disks and key != disk}
    if policy is not None:
        policies[disk] = policy.id
    return msgspec.structs.replace(vm, disk_policies=policies)


def with_known_policies(edit: Edit, vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with policies that exist."""

    def known(id: str) -> bool:
        return edit.get(StoragePolicy, id) is not None or id in BUILT_IN

    disks = {disk: id for disk, id in vm.disk_policies.items() if known(id)}
    home = vm.storage_policy if vm.storage_policy is not None and known(vm.storage_policy) else None
    if (home, disks) == (vm.storage_policy, vm.disk_policies):
        return vm
    return msgspec.structs.replace(vm, storage_policy=home, disk_policies=disks)


def vms_of_policy(inventory: Reading, policy: str) -> Mapping[str, VirtualMachine]:
    """The VMs whose home or a disk has the policy."""
    return inventory.by(VirtualMachine, "storage_policy", policy)


def vms_with_policies(inventory: Reading) -> Mapping[str, VirtualMachine]:
    """The VMs whose home or a disk has any policy."""
    return inventory.by(VirtualMachine, "storage_policy", ASSIGNED)
