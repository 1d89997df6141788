"""``com.vmware.vstats``: what can be measured: counters, their metadata and sets, metrics, and who measures."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids, vstats
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import COUNTERS, AnyCounter

CounterId = ids.VstatsModelCounterId


def unknown(what: str, id: str, known: str) -> NotFound:
    """The refusal of an unknown id."""
    return NotFound(message("resphere.vstats.unknown", "There is no {0} {1}; {2}.", what, id, known))


def require_counter(id: str) -> AnyCounter:
    """The counter of that id.

    :raises NotFound: there is none.
    """
    found = COUNTERS.get(id)
    if found is None:
        raise unknown("counter", id, "the list of counters shows all")
    return found


@implements(vstats.Counters.list)
async def list_counters(call: Call, filter: vstats.Counters.FilterSpec | None) -> tuple[vstats.Counters.Info, ...]:
    """The counters that match."""
    wanted = filter or vstats.Counters.FilterSpec()
    return tuple(
        _counter(counter)
        for id, counter in COUNTERS.items()
        if wanted.cid in (None, id)
        and wanted.metric in (None, counter.metric)
        and (not wanted.types or counter.type in wanted.types)
    )


@implements(vstats.Counters.get)
async def get_counter(call: Call, cid: CounterId) -> vstats.Counters.Info:
    """One counter.

    :raises NotFound: there is none of that id.
    """
    return _counter(require_counter(cid))


def _counter(counter: AnyCounter) -> vstats.Counters.Info:
    return vstats.Counters.Info(
        cid=CounterId(counter.id),
        metric=ids.VstatsModelMetricId(counter.metric),
        resource_address_schema=ids.VstatsModelRsrcAddrSchemaId(counter.type),
    )
