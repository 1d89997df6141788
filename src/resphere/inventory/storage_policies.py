"""Storage policies: what they ask of datastores, and which the parts of VMs have.

The policies that every vCenter has are no documents: they are the same everywhere, and older data directories have them
too. Those that users made are. Which policy the home and the disks of a VM have stands on the VM; what is assigned
there and no longer exists is as if it were not.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated import ids, vcenter
from resphere.inventory.tagging import Tag
from resphere.replica.table import OnDelete, Reference, Table

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


def _without_tag(policy: StoragePolicy, tag: str) -> StoragePolicy:
    """The policy, asking no more of that tag: no datastore satisfies what it asked of it."""
    left = tuple(kept for kept in policy.tags if kept != tag)
    return msgspec.structs.replace(policy, tags=left, lost_tags=True)


STORAGE_POLICIES = Table(
    cls=StoragePolicy,
    refers_to=(Reference(index="tag", fields=("tags",), to=(Tag,), on_delete=OnDelete.CLEAR, cleared=_without_tag),),
    indexes={"name": lambda policy: (policy.name,), "tag": lambda policy: policy.tags},
    claims=lambda policy: (f"storage-policy-name/{policy.name}",),
)
