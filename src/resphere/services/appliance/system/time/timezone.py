"""``com.vmware.appliance.system.time.timezone``: in which zone the appliance tells the time."""

from __future__ import annotations

from resphere.contract.generated.appliance_system_time import Timezone
from resphere.inventory.appliance.clock import TimeZone
from resphere.rules.appliance_values import invalid
from resphere.rules.clocks import is_zone
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(Timezone.get, kept=True)
async def get(call: Call) -> str:
    """The zone's name in the time zone database."""
    return setting(call, TimeZone).name


@implements(Timezone.set)
async def set_(call: Call, name: str) -> None:
    """Choose a zone.

    :raises InvalidArgument: there is none of that name.
    """
    require_zone("name", name)
    await change_setting(call, TimeZone, lambda _: TimeZone(name=name))


def require_zone(field: str, name: str) -> None:
    """Refuse what is no zone of the time zone database.

    :raises InvalidArgument: naming the field.
    """
    if not is_zone(name):
        raise invalid(field, "{1} is no time zone of the time zone database, such as Europe/Berlin.", repr(name))
