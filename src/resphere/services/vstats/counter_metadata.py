"""``com.vmware.vstats.counter_metadata``: what counters measure, and how."""

from __future__ import annotations

from resphere.contract.generated import ids, vstats
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import EDITION, AnyCounter, text
from resphere.services.vstats.counters import CounterId, require_counter, unknown

MetadataId = ids.VstatsModelCounterMetadataId


Metadata = vstats.CounterMetadata


@implements(Metadata.list)
async def list_metadata(call: Call, cid: CounterId, filter: Metadata.FilterSpec | None) -> tuple[Metadata.Info, ...]:
    """The counter's editions: there is one, the default.

    :raises NotFound: there is no such counter.
    """
    found = _metadata(require_counter(cid))
    wanted = filter.status if filter is not None else None
    return (found,) if wanted in (None, found.status) else ()


@implements(Metadata.get)
async def get_metadata(call: Call, cid: CounterId, mid: MetadataId) -> Metadata.Info:
    """One edition.

    :raises NotFound: there is no such counter or edition.
    """
    found = _metadata(require_counter(cid))
    if mid != found.mid:
        raise unknown("metadata", mid, f"the counter has {EDITION} only")
    return found


@implements(Metadata.get_default)
async def get_default_metadata(call: Call, cid: CounterId) -> tuple[Metadata.Info, ...]:
    """The default edition.

    :raises NotFound: there is no such counter.
    """
    return (_metadata(require_counter(cid)),)


def _metadata(counter: AnyCounter) -> Metadata.Info:
    label = text(counter.id, counter.label)
    return Metadata.Info(
        cid=CounterId(counter.id),
        mid=MetadataId(EDITION),
        status=Metadata.CounterEditionStatus.DEFAULT,
        type=Metadata.SampleType.ABSOLUTE,
        units=counter.units,
        scale=counter.scale,
        user_info=vstats.UserInfo(label=label, description=label),
    )
