"""Whether the server is alive and ready, for those who run it: orchestrators, load balancers, monitoring."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class Probes:
    """``resphere.probes``: what a worker says of itself, to anybody."""

    class Info(m.Struct, frozen=True, kw_only=True):
        """``status`` is ``ok``: what is not, is refused."""

        __vapi_name__ = "resphere.probes.info"
        status: str

    live: ClassVar[m.Operation[[], Probes.Info]] = m.Operation(
        "resphere.probes",
        "live",
        output=lambda: Probes.Info,
        api=m.Route("GET", "/healthz", 200),
        releases=ALL_RELEASES,
    )

    ready: ClassVar[m.Operation[[], Probes.Info]] = m.Operation(
        "resphere.probes",
        "ready",
        output=lambda: Probes.Info,
        api=m.Route("GET", "/readyz", 200),
        errors=("service_unavailable",),
        releases=ALL_RELEASES,
    )
