"""``com.vmware.appliance.local_accounts.policy``: for how long passwords of local accounts are good."""

from __future__ import annotations

import msgspec

from resphere.contract.generated.appliance_local_accounts import Policy
from resphere.inventory.appliance.accounts import LocalAccountPolicy
from resphere.rules.appliance_values import require_range
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

LEAST, MOST = -1, 99_999


@implements(Policy.get, kept=True)
async def get(call: Call) -> Policy.Info:
    """The policy; what is unset does not matter."""
    return Policy.Info(**msgspec.structs.asdict(setting(call, LocalAccountPolicy)))


@implements(Policy.set)
async def set_(call: Call, policy: Policy.Info) -> None:
    """Another policy, whole; it is in force for passwords that are set from now on.

    :raises InvalidArgument: a number is less than -1 or greater than 99999.
    """
    kept = checked("policy", policy)
    await change_setting(call, LocalAccountPolicy, lambda _: kept)


def checked(field: str, policy: Policy.Info) -> LocalAccountPolicy:
    """What is to be kept of it.

    :raises InvalidArgument: a number is less than -1 or greater than 99999.
    """
    given = {name: value for name, value in msgspec.structs.asdict(policy).items() if name != "managed_at_fleet"}
    for name, value in given.items():
        if value is not None:
            require_range(f"{field}.{name}", value, LEAST, MOST)
    return LocalAccountPolicy(**given)
