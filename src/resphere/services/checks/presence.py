"""Whether the appliance is there: it is away for a while after a reboot, and gone once it was powered off."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from resphere.contract.errors import ServiceUnavailable, message
from resphere.inventory.appliance.power import ONLY, AppliancePower
from resphere.replica.replica import Replica


def require_present(inventory: Replica, moment: datetime) -> None:
    """See that it is there at a moment.

    :raises ServiceUnavailable: it is away; when it is there again stands in ``Retry-After``, if that is known.
    """
    power = inventory.get(AppliancePower, ONLY)
    if power is not None and power.powered_off is not None:
        raise ServiceUnavailable(message("resphere.appliance.powered_off", "The appliance is powered off.")).http(503)
    if power is not None and power.booted > moment:
        seconds = ceil((power.booted - moment).total_seconds())
        refusal = ServiceUnavailable(
            message("resphere.appliance.away", "The appliance is starting: it is there again in {0} s.", seconds)
        )
        raise refusal.http(503, (("Retry-After", str(seconds)),))
