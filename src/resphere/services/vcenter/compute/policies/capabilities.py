"""``com.vmware.vcenter.compute.policies.capabilities``: what policies can be based on."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_compute_policies import Capabilities
from resphere.inventory.compute_policies import Capability
from resphere.services.call import Call
from resphere.services.registry import implements

Id = ids.VcenterComputePoliciesCapabilityId

WORDS: dict[Capability, tuple[str, str]] = {
    Capability.VM_HOST_AFFINITY: ("VM-Host affinity", "Virtual machines run on hosts that have a tag."),
    Capability.VM_HOST_ANTI_AFFINITY: ("VM-Host anti-affinity", "Virtual machines run on hosts that lack a tag."),
    Capability.VM_VM_AFFINITY: ("VM-VM affinity", "Virtual machines run on one host."),
    Capability.VM_VM_ANTI_AFFINITY: ("VM-VM anti-affinity", "Virtual machines run on hosts of their own."),
    Capability.DISABLE_DRS_VMOTION: ("Disable DRS vMotion", "DRS does not move virtual machines for balance."),
    Capability.EVACUATION_VMOTION: ("Evacuation by vMotion", "Virtual machines are migrated off evacuated hosts."),
    Capability.EVACUATION_RESTART: (
        "Evacuation by restart",
        "Virtual machines are powered off and on again where a host is evacuated.",
    ),
    Capability.ANTI_AFFINITY_WITH_VCLS: (
        "Anti-affinity with vCLS",
        "Virtual machines run on hosts without machines of the vSphere Cluster Services.",
    ),
    Capability.SPAN_LIMIT: ("Limit of hosts", "Virtual machines run on so many hosts at most."),
    Capability.SCALE_IN_IGNORE: (
        "Scale-in without policies",
        "Policies of some capabilities do not hinder that a cluster gets smaller.",
    ),
}
"""Capability -> its name and description."""


@implements(Capabilities.list)
async def list_capabilities(call: Call) -> tuple[Capabilities.Summary, ...]:
    """All of them."""
    return tuple(
        Capabilities.Summary(capability=Id(capability), name=name, description=description)
        for capability, (name, description) in WORDS.items()
    )


@implements(Capabilities.get)
async def get(call: Call, capability: Id) -> Capabilities.Info:
    """One, with the names of the structures that make its policies and tell of them.

    :raises NotFound: there is none of that id.
    """
    if str(capability) not in {str(known) for known in Capability}:
        raise NotFound(
            message(
                "resphere.compute_policy.no_capability",
                "There is no compute policy capability {0}; there are {1}.",
                capability,
                ", ".join(sorted(Capability)),
            )
        )
    name, description = WORDS[Capability(capability)]
    return Capabilities.Info(
        name=name,
        description=description,
        create_spec_type=ids.VapiStructureId(f"{capability}.create_spec"),
        info_type=ids.VapiStructureId(f"{capability}.info"),
    )
