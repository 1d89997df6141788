"""``resphere.probes``: whether this worker is alive, and whether it can do what it is asked."""

from __future__ import annotations

from resphere.appliance.health import Level
from resphere.contract.errors import ServiceUnavailable, message
from resphere.contract.extensions.probes import Probes
from resphere.services.call import Call
from resphere.services.registry import implements

OK = Probes.Info(status="ok")


@implements(Probes.live)
async def live(call: Call) -> Probes.Info:
    """That it answers is all there is to know."""
    return OK


@implements(Probes.ready)
async def ready(call: Call) -> Probes.Info:
    """Whether it can be sent work: its database writes, and it is not about to end.

    :raises ServiceUnavailable: says what is wrong.
    """
    if call.environment.feed.stopping:
        raise ServiceUnavailable(message("resphere.probes.stopping", "The server is about to end."))
    finding = await call.environment.readiness.look()
    if finding.level is Level.RED:
        raise ServiceUnavailable(*finding.messages)
    return OK
