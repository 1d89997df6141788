"""``com.vmware.appliance.health``: why something is not well."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Health, Notification
from resphere.services.call import Call
from resphere.services.checks.appliance_health import ITEMS
from resphere.services.registry import implements

WITHOUT_HYPHEN = {name.replace("-", ""): name for name in ITEMS}
"""The names of the services, which have none."""


@implements(Health.messages)
async def messages(call: Call, item: ids.ApplianceHealthId) -> tuple[Notification, ...]:
    """What was found, and what may be done; nothing of what is well.

    :raises NotFound: there is no such item.
    """
    look = ITEMS.get(WITHOUT_HYPHEN.get(item.replace("-", ""), ""))
    if look is None:
        raise NotFound(
            message(
                "resphere.appliance.health.no_item",
                "There is no health item {0}; there are {1}.",
                item,
                ", ".join(ITEMS),
            )
        )
    finding, moment = await look(call), call.environment.present()
    return tuple(
        Notification(id=each.id, time=moment, message=each, resolution=finding.resolution) for each in finding.messages
    )
