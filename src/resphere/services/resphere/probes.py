"""``resphere.probes``: whether this worker is alive, and whether it can do what it is asked."""

from __future__ import annotations

from resphere.appliance.health import Level
from resphere.contract.errors import ServiceUnavailable, message
from resphere.contract.extensions.probes import Probes
from resphere.services.call import Call
from resphere.services.checks.presence import require_present
from resphere.services.registry import implements

OK = Probes.Info(status="ok")


@implements(Probes.live)
async def live(call: Call) -> Probes.Info:
    """That it answers is all there is to know."""
    return OK


@implements(Probes.ready)
async def ready(call: Call) -> Probes.Info:
    """Whether it can be sent work: its database writes, the appliance is there, and it is not about to end.

    :raises ServiceUnavailable: says what is wrong.
    """
    if call.environment.feed.stopping or call.environment.readiness.ending():
        raise ServiceUnavailable(message("resphere.probes.stopping", "The server is about to end."))
    finding = await call.environment.readiness.look()
    if finding.level is Level.RED:
        raise ServiceUnavailable(*finding.messages)
    # What was written just now came with all that others have.
    require_present(call.unfiltered, call.environment.now())
    return OK
