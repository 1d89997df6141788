"""What a server tells of itself to Prometheus."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class Metrics:
    """``resphere.metrics``: counts of all workers, and how the server is, in Prometheus' text format. Who else than
    those with the privilege may read them, a setting says."""

    get: ClassVar[m.Operation[[], bytes]] = m.Operation(
        "resphere.metrics",
        "get",
        output=lambda: bytes,
        api=m.Route("GET", "/metrics", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="text/plain; version=0.0.4; charset=utf-8",
        privileges=(m.Requirement(("Global.Diagnostics",)),),
    )
