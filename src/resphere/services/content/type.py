"""``com.vmware.content.type``: the types of items that mean something."""

from __future__ import annotations

from resphere.contract.generated.content import SecurityRuleType, Type
from resphere.services.call import Call
from resphere.services.registry import implements

VENDOR = "VMware, Inc."


def _type(type: str, name: str, description: str, *rules: SecurityRuleType) -> Type.Info:
    return Type.Info(
        type=type, name=name, description=description, vendor=VENDOR, version="1.0", supported_rules=rules or None
    )


TYPES = (
    _type("ovf", "OVF", "Packages of virtual machines and vApps.", SecurityRuleType.OVF_STRICT_VERIFICATION),
    _type("iso", "ISO", "Images of optical discs."),
    _type("vm-template", "VM template", "Templates of virtual machines in the inventory."),
)


@implements(Type.list, kept=True)
async def list_types(call: Call) -> tuple[Type.Info, ...]:
    """The types of which the server knows what is in them; others are free."""
    return TYPES
