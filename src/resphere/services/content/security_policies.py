"""``com.vmware.content.security_policies``: what libraries can demand of their items."""

from __future__ import annotations

from resphere.contract.generated.content import SecurityPolicies, SecurityRuleType
from resphere.services.call import Call
from resphere.services.checks.content_libraries import OVF_DEFAULT_POLICY
from resphere.services.registry import implements

OVF_DEFAULT = SecurityPolicies.Info(
    policy=OVF_DEFAULT_POLICY,
    name="OVF default policy",
    item_type_rules={"ovf": SecurityRuleType.OVF_STRICT_VERIFICATION},
)
"""The one that every vCenter has."""


@implements(SecurityPolicies.list, kept=True)
async def list_policies(call: Call) -> tuple[SecurityPolicies.Info, ...]:
    """The policies there are."""
    return (OVF_DEFAULT,)
