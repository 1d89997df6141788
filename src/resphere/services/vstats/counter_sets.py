"""``com.vmware.vstats.counter_sets``: counters that are acquired together."""

from __future__ import annotations

from resphere.contract.generated import ids, vstats
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import EDITION, SETS, text
from resphere.services.vstats.counter_metadata import MetadataId
from resphere.services.vstats.counters import CounterId, unknown


@implements(vstats.CounterSets.list)
async def list_sets(call: Call) -> tuple[vstats.CounterSets.Info, ...]:
    """Sets of counters that can be recorded together."""
    return tuple(_set(id) for id in SETS)


@implements(vstats.CounterSets.get)
async def get_set(call: Call, counter_set: ids.VstatsModelCounterSetId) -> vstats.CounterSets.Info:
    """One set.

    :raises NotFound: there is none of that id.
    """
    if counter_set not in SETS:
        raise unknown("counter set", counter_set, "there are " + ", ".join(SETS))
    return _set(counter_set)


def _set(id: str) -> vstats.CounterSets.Info:
    area, _, type = id.partition(".")
    label = text(f"set.{id}", f"Figures of {area} of a {type}")
    return vstats.CounterSets.Info(
        id=id,
        counters=tuple(vstats.CidMid(cid=CounterId(cid), mid=MetadataId(EDITION)) for cid in SETS[id]),
        user_info=vstats.UserInfo(label=label, description=label),
    )
