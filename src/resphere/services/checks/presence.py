"""Whether the appliance is there: it is away for a while after a reboot, and gone once it was powered off."""

from __future__ import annotations

from datetime import datetime
from math import ceil

import msgspec

from resphere.contract.errors import ServiceUnavailable, VapiError, message
from resphere.inventory.appliance.power import ONLY, Absence, AppliancePower
from resphere.replica.replica import Replica


class Away(msgspec.Struct, frozen=True):
    """What is answered while it is away, for how long that is where it is known, and how it shows."""

    refusal: VapiError
    seconds: int | None = None
    absence: Absence | None = None


def away(inventory: Replica, moment: datetime) -> Away | None:
    """Whether it is away at a moment; when it is there again stands in ``Retry-After``, if that is known."""
    power = inventory.get(AppliancePower, ONLY)
    if power is not None and power.powered_off is not None:
        gone = message("resphere.appliance.powered_off", "The appliance is powered off.")
        return Away(ServiceUnavailable(gone).http(503))
    if power is None or power.booted <= moment:
        return None
    seconds = ceil((power.booted - moment).total_seconds())
    starting = message("resphere.appliance.away", "The appliance is starting: it is there again in {0} s.", seconds)
    refusal = ServiceUnavailable(starting).http(503, (("Retry-After", str(seconds)),))
    return Away(refusal, seconds, power.absence)


def require_present(inventory: Replica, moment: datetime) -> None:
    """See that it is there at a moment.

    :raises ServiceUnavailable: it is away.
    """
    found = away(inventory, moment)
    if found is not None:
        raise found.refusal
