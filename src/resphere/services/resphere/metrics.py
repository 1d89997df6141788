"""``resphere.metrics``: what this server tells of itself to Prometheus."""

from __future__ import annotations

from resphere.contract.extensions.metrics import Metrics
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Metrics.get)
async def get(call: Call) -> bytes:
    """Metrics of all workers in Prometheus' text format."""
    return await call.environment.metrics()
