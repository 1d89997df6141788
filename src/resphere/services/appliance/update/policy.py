"""``com.vmware.appliance.update.policy``: when and where updates are looked for; kept only."""

from __future__ import annotations

from resphere.contract.generated.appliance_update import Policy
from resphere.fetching.addresses import read_address
from resphere.fetching.errors import BadAddress
from resphere.inventory.appliance.update import UpdatePolicy
from resphere.rules.appliance_values import invalid, require_range
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

DEFAULT_URL = "https://vapp-updates.vmware.com/vai-catalog/valm/vmw/8d167796-34d5-4899-be0a-6daade4005a3/{}.latest/"
"""As vCenter 7.0 and 8.0 show it, with the version in it."""
MOST_TIMES = 7 * 24 * 60


@implements(Policy.get, kept=True)
async def get(call: Call) -> Policy.Info:
    """The policy, without the password."""
    kept = setting(call, UpdatePolicy)
    return Policy.Info(
        custom_URL=kept.custom_url,
        default_URL=DEFAULT_URL.format(call.environment.product.version),
        username=kept.username,
        check_schedule=kept.check_schedule,
        auto_stage=kept.auto_stage,
        auto_update=False,
        manual_control=True,
        certificate_check=kept.certificate_check,
    )


@implements(Policy.set)
async def set_policy(call: Call, policy: Policy.Config) -> None:
    """Keep another one.

    :raises InvalidArgument: no address of HTTP, or no time of a day.
    """
    new = checked("policy", policy)
    await change_setting(call, UpdatePolicy, lambda _: new)


def checked(field: str, policy: Policy.Config) -> UpdatePolicy:
    """What is to be kept of it.

    :raises InvalidArgument: no address of HTTP, or no time of a day.
    """
    if policy.custom_URL is not None:
        try:
            read_address(policy.custom_URL)
        except BadAddress as error:
            raise invalid(f"{field}.custom_URL", "{1}", str(error)) from None
    if len(policy.check_schedule) > MOST_TIMES:
        raise invalid(f"{field}.check_schedule", "it has more than {1} times.", MOST_TIMES)
    for number, time in enumerate(policy.check_schedule):
        require_range(f"{field}.check_schedule[{number}].hour", time.hour, 0, 24)
        require_range(f"{field}.check_schedule[{number}].minute", time.minute, 0, 59)
    return UpdatePolicy(
        custom_url=policy.custom_URL,
        username=policy.username,
        password=policy.password,
        check_schedule=policy.check_schedule,
        auto_stage=policy.auto_stage,
        certificate_check=policy.certificate_check is not False,
    )
