"""``resphere.faults.vcenter``: a vCenter that restarts."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.faults import VCenterFaults
from resphere.faults.language import MOST_SECONDS
from resphere.inventory.appliance.power import Absence
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(VCenterFaults.restart)
async def restart(call: Call, spec: VCenterFaults.RestartSpec) -> None:
    """Have vCenter be away for a while: it knows no sessions any more, and answers nothing but operations on faults, to
    callers with another proof than a session.

    :raises InvalidArgument: it would be away for too long.
    """
    away = spec.away_seconds
    if not 0 <= away <= MOST_SECONDS:
        raise InvalidArgument(
            message("resphere.faults.away", "away_seconds: must be from 0 to {0}, not {1}.", MOST_SECONDS, away)
        )
    absence = Absence(spec.absence or VCenterFaults.Absence.ERROR)
    await call.environment.shutdowns.restart(away, absence)
