"""``com.vmware.appliance.networking.firewall.inbound``: kept only; what the machine lets in is its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from resphere.contract.generated.appliance_networking_firewall import Inbound
from resphere.inventory.appliance.networking import Firewall
from resphere.rules.appliance_values import invalid, require_address, require_few, require_prefix
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import nics
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

ALL = ("", "*")
"""How the absence of an interface is written; scripts write the second."""


@implements(Inbound.get, kept=True)
async def get(call: Call) -> tuple[Inbound.Rule, ...]:
    """The rules in their order."""
    return setting(call, Firewall).rules


@implements(Inbound.set)
async def set_(call: Call, rules: tuple[Inbound.Rule, ...]) -> None:
    """Have these rules and no others.

    :raises InvalidArgument: an address, a prefix or an interface is none, or there are too many.
    """
    kept = checked("rules", rules, nics(call))
    await change_setting(call, Firewall, lambda _: kept)


def checked(field: str, rules: Sequence[Inbound.Rule], there: Collection[str]) -> Firewall:
    """What is to be kept of rules, where ``there`` are these interfaces.

    :raises InvalidArgument: an address, a prefix or an interface is none, or there are too many.
    """
    require_few(field, rules)
    for place, rule in enumerate(rules):
        require_address(f"{field}[{place}].address", rule.address)
        require_prefix(f"{field}[{place}].prefix", rule.prefix, rule.address, least=0)
        name = rule.interface_name or ""
        if name not in ALL and name not in there:
            reason = "there is no network interface {1}; there are {2}."
            raise invalid(f"{field}[{place}].interface_name", reason, name, ", ".join(there) or "none")
    kept = tuple(msgspec.structs.replace(rule, interface_name=rule.interface_name or "") for rule in rules)
    return Firewall(rules=kept)
