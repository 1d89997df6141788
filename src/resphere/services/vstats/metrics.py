"""``com.vmware.vstats.metrics``: what is measured."""

from __future__ import annotations

from resphere.contract.generated import ids, vstats
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import COUNTERS


@implements(vstats.Metrics.list)
async def list_metrics(call: Call) -> tuple[vstats.Metrics.Summary, ...]:
    """What is measured, of whatever."""
    metrics = dict.fromkeys(counter.metric for counter in COUNTERS.values())
    return tuple(vstats.Metrics.Summary(metric=ids.VstatsModelMetricId(metric)) for metric in metrics)
