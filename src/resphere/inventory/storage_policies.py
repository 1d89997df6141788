"""Storage policies: what they ask of datastores, and which the parts of VMs have.

The policies that every vCenter has are no documents: they are the same everywhere, and older data directories have them
too. Those that users made are. Which policy the home and the disks of a VM have stands on the VM; what is assigned
there and no longer exists is as if it were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

import msgspec

from resphere.contract.generated import ids, vcenter
from resphere.inventory.files import stores_of
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.tables import ASSIGNED, datastore_name
from resphere.inventory.tagging import Attachment, attachment_id
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

Type = vcenter.Datastore.Type


class StoragePolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A policy. Each rule that it has must hold: a datastore is of one of ``datastore_types`` and has one of ``tags``.

    ``lost_tags``: tags that it asked for were deleted; the rule holds all the same, and where none is left, nowhere.
    ``persistent_memory``: only host-local persistent memory will do, which is no datastore here. ``native``: the rule
    on types stands for what only such storage can do at all.
    """

    kind: ClassVar[str] = "storage_policy"

    id: ids.VcenterStoragePolicyId
    name: str
    description: str = ""
    datastore_types: tuple[Type, ...] = ()
    tags: tuple[ids.CisTaggingTagId, ...] = ()
    lost_tags: bool = False
    persistent_memory: bool = False
    native: bool = False


def _built_in(id: str, name: str, description: str, *types: Type, memory: bool = False) -> StoragePolicy:
    return StoragePolicy(
        id=ids.VcenterStoragePolicyId(id),
        name=name,
        description=description,
        datastore_types=types,
        persistent_memory=memory,
        native=bool(types) or memory,
    )


ENCRYPTION = _built_in(
    "4d5f673c-536f-11e6-beb8-9e71128cae77",
    "VM Encryption Policy",
    "Sample storage policy for VMware's VM and virtual disk encryption",
)
VSAN_DEFAULT = _built_in(
    "aa6d5a82-1c88-45da-85d3-3d74b91a5bad",
    "vSAN Default Storage Policy",
    "Storage policy used as default for vSAN datastores",
    Type.VSAN,
)
VVOL_DEFAULT = _built_in(
    "f4e5bade-15a2-4805-bf8e-52318c4ce443",
    "VVol No Requirements Policy",
    "Allow the datastore to determine the best placement strategy for storage objects",
    Type.VVOL,
)
PMEM_DEFAULT = _built_in(
    "c268da1b-b343-49f7-a468-b1deeb7078e0",
    "Host-local PMem Default Storage Policy",
    "Storage policy used as default for Host-local PMem datastores",
    memory=True,
)
BUILT_IN: dict[str, StoragePolicy] = {
    policy.id: policy for policy in (ENCRYPTION, VSAN_DEFAULT, VVOL_DEFAULT, PMEM_DEFAULT)
}
"""The policies that every vCenter has, under the ids that they have everywhere: id -> policy."""
DEFAULTS = {Type.VSAN: VSAN_DEFAULT, Type.VVOL: VVOL_DEFAULT}
"""The policy of what is put on a datastore without naming one, by the datastore's type."""

STORAGE_POLICIES = Table(
    cls=StoragePolicy,
    indexes={"name": lambda policy: (policy.name,), "tag": lambda policy: policy.tags},
    claims=lambda policy: (f"storage-policy-name/{policy.name}",),
)


class Fit(StrEnum):
    """How a policy and the datastore that something is on go together."""

    GOOD = "GOOD"
    BAD = "BAD"
    FOREIGN = "FOREIGN"
    """The policy asks for what storage of this kind knows nothing about."""
    UNKNOWN = "UNKNOWN"
    """Nobody can look: the datastore is not there, or not accessible."""


def all_policies(inventory: Replica) -> Mapping[str, StoragePolicy]:
    """Id -> policy, vCenter's own first."""
    return {**BUILT_IN, **inventory.all(StoragePolicy)}


def find_policy(inventory: Replica, id: str | None) -> StoragePolicy | None:
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


def with_known_policies(edit: Edit, before: VirtualMachine | None, after: VirtualMachine) -> VirtualMachine:
    """``after`` with policies that exist, each relied upon that ``before`` did not have: none is deleted meanwhile."""
    had = set() if before is None else {before.storage_policy, *before.disk_policies.values()}

    def known(id: str) -> bool:
        policy = edit.get(StoragePolicy, id)
        if policy is not None and id not in had:
            edit.rely_on(policy)
        return policy is not None or id in BUILT_IN

    disks = {disk: id for disk, id in after.disk_policies.items() if known(id)}
    home = after.storage_policy if after.storage_policy is not None and known(after.storage_policy) else None
    if (home, disks) == (after.storage_policy, after.disk_policies):
        return after
    return msgspec.structs.replace(after, storage_policy=home, disk_policies=disks)


def vms_of_policy(inventory: Replica, policy: str) -> Mapping[str, VirtualMachine]:
    """The VMs whose home or a disk has the policy."""
    return inventory.by(VirtualMachine, "storage_policy", policy)


def vms_with_policies(inventory: Replica) -> Mapping[str, VirtualMachine]:
    """The VMs whose home or a disk has any policy."""
    return inventory.by(VirtualMachine, "storage_policy", ASSIGNED)


def policy_claims(policy: str) -> str:
    """What the claims begin with that VMs hold on a policy."""
    return f"storage-policy/{policy}/"
