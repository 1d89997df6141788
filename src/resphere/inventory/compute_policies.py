"""Compute policies: which hosts the virtual machines with a tag prefer, must be on or avoid.

A policy concerns the VMs that have its tag, in clusters with DRS, which is who enforces it. Most are wishes: a
placement takes the hosts on which fewest of them are violated. One that is required leaves no other host when a VM is
powered on or placed; an evacuation violates it rather than leave the VM behind, as vCenter 9.1 says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_compute_policies import ManagedBy
from resphere.inventory.tagging import Tag
from resphere.replica.table import OnDelete, Reference, Table

PREFIX = "com.vmware.vcenter.compute.policies.capabilities."


class Capability(StrEnum):
    """What policies can be based on."""

    VM_HOST_AFFINITY = PREFIX + "vm_host_affinity"
    VM_HOST_ANTI_AFFINITY = PREFIX + "vm_host_anti_affinity"
    VM_VM_AFFINITY = PREFIX + "vm_vm_affinity"
    VM_VM_ANTI_AFFINITY = PREFIX + "vm_vm_anti_affinity"
    DISABLE_DRS_VMOTION = PREFIX + "disable_drs_vmotion"
    EVACUATION_VMOTION = PREFIX + "vm.evacuation.vmotion"
    EVACUATION_RESTART = PREFIX + "vm.evacuation.best_effort_restart"
    ANTI_AFFINITY_WITH_VCLS = PREFIX + "vm.placement.anti_affinity_with_vcls"
    SPAN_LIMIT = PREFIX + "vm.placement.span.limit.number_of_hosts_plus_one_for_maintenance"
    SCALE_IN_IGNORE = PREFIX + "cluster_scale_in_ignore_vm_capabilities"


ALWAYS_KEPT = (Capability.DISABLE_DRS_VMOTION, Capability.EVACUATION_VMOTION)
"""Nothing is moved for balance here, and an evacuation always migrates what runs."""
WITHOUT_MEANING = (Capability.EVACUATION_RESTART, Capability.ANTI_AFFINITY_WITH_VCLS, Capability.SCALE_IN_IGNORE)
"""No evacuation restarts, there are no vCLS machines, and clusters do not scale by themselves."""


class Strictness(StrEnum):
    """Whether a policy may be violated when a VM is powered on or placed."""

    PREFERRED = "PREFERRED_DURING_PLACEMENT_PREFERRED_DURING_EXECUTION"
    REQUIRED = "REQUIRED_DURING_PLACEMENT_PREFERRED_DURING_EXECUTION"


class ComputePolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A policy for the VMs with ``vm_tag``; which of the other fields it has depends on its capability.

    ``selector``: it was made by a selector, and is shown so. ``made_tag``: its tag was made for it.
    """

    kind: ClassVar[str] = "compute_policy"

    id: ids.VcenterComputePolicyId
    name: str
    description: str = ""
    capability: Capability
    vm_tag: ids.CisTaggingTagId
    host_tag: ids.CisTaggingTagId | None = None
    strictness: Strictness | None = None
    number_of_hosts: int | None = None
    vm_capabilities: tuple[str, ...] = ()
    managed_by: ManagedBy.Entity | None = None
    selector: bool = False
    made_tag: bool = False

    @property
    def tags(self) -> tuple[ids.CisTaggingTagId, ...]:
        """The tags that it goes by."""
        return (self.vm_tag,) if self.host_tag is None else (self.vm_tag, self.host_tag)

    @property
    def required(self) -> bool:
        """Whether it leaves no other host."""
        return self.strictness is Strictness.REQUIRED


COMPUTE_POLICIES = Table(
    cls=ComputePolicy,
    refers_to=(Reference(index="tag", fields=("vm_tag", "host_tag"), to=(Tag,), on_delete=OnDelete.CASCADE),),
    indexes={
        "name": lambda policy: (policy.name,),
        "vm_tag": lambda policy: (policy.vm_tag,),
        "tag": lambda policy: policy.tags,
    },
    claims=lambda policy: (f"compute-policy-name/{policy.name}",),
)
