"""``com.vmware.content.configuration``: what goes for all content libraries."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.content import Configuration, ConfigurationModel, ConfigurationSetting
from resphere.inventory.content.settings import ContentConfiguration
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.registry import implements

ConstraintType = ConfigurationSetting.ConstraintType
DAY_SECONDS = 86_400

HOURS = (0, 23)
FIRST_RANGES = {
    "automatic_sync_start_hour": HOURS,
    "automatic_sync_stop_hour": HOURS,
    "maximum_concurrent_item_syncs": (1, 1000),
}
"""The least and the most of the numbers that all releases have."""
LATER_RANGES = {
    "automatic_sync_refresh_interval": (1, DAY_SECONDS),
    "automatic_sync_setting_refresh_interval": (1, DAY_SECONDS),
    "transfer_throttling_bandwidth_total": (0, 1_000_000),
    "transfer_nfc_max_concurrent_transfers_per_host": (1, 1000),
    "priority_transfer_threads_pool_size": (1, 1000),
    "transfer_threads_pool_size": (1, 1000),
}
"""Of those that vCenter has since 9.1."""
RANGES = MappingProxyType({**FIRST_RANGES, **LATER_RANGES})
LATER_RELEASE = "9.1"
FLAG = "automatic_sync_enabled"


@implements(Configuration.get, kept=True)
async def get(call: Call) -> ConfigurationModel:
    """The settings; from 9.1 on with their ranges."""
    found = configuration(call)
    if LATER_RELEASE not in call.environment.product.api_releases:
        return ConfigurationModel(**{name: getattr(found, name) for name in (FLAG, *FIRST_RANGES)})
    values: dict[str, Any] = {name: getattr(found, name) for name in (FLAG, *RANGES)}
    values.update({f"{name}_setting": setting(name) for name in tuple(values)})
    return ConfigurationModel(**values)


@implements(Configuration.update)
async def update(call: Call, model: ConfigurationModel) -> None:
    """Change what is given; what a setting may be is not to be changed, and passed over.

    :raises InvalidArgument: a number is out of its range.
    """
    given = {name: value for name in (FLAG, *RANGES) if (value := getattr(model, name)) is not None}
    for name, value in given.items():
        if name in RANGES:
            require_in_range(name, value)

    def plan(edit: Edit) -> None:
        edit.put(msgspec.structs.replace(configuration(edit), **given))

    await call.settle(plan)


def configuration(among: Lookup) -> ContentConfiguration:
    """The settings as they are."""
    default = ContentConfiguration()
    return among.get(ContentConfiguration, default.id) or default


def setting(name: str) -> ConfigurationSetting:
    """What a setting may be."""
    constraints: tuple[dict[ConstraintType, str], ...] = ({ConstraintType.ENUMERATION: "true,false"},)
    if name in RANGES:
        least, most = RANGES[name]
        constraints = ({ConstraintType.MIN_INCLUSIVE: str(least), ConstraintType.MAX_INCLUSIVE: str(most)},)
    return ConfigurationSetting(name=name, reboot_required=False, constraints=constraints)


def require_in_range(name: str, value: int) -> None:
    """Refuse a number that is too small or too large.

    :raises InvalidArgument: naming the setting and its range.
    """
    least, most = RANGES[name]
    if not least <= value <= most:
        raise InvalidArgument(
            message(
                "resphere.content.configuration.range",
                "{0}: must be from {1} to {2}, not {3}.",
                name,
                least,
                most,
                value,
            )
        )
